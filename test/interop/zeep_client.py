"""Speaks WS-Trust with zeep as an order on standard input says, and prints what came of it as JSON."""

import json
import sys

import requests
import zeep
from lxml import etree
from zeep.wsse.username import UsernameToken
from zeep.plugins import HistoryPlugin

TRUST = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
POLICY = "http://schemas.xmlsoap.org/ws/2004/09/policy"
ADDRESSING = "http://www.w3.org/2005/08/addressing"


def member(name, content):
    element = etree.Element("{%s}%s" % (TRUST, name))
    if isinstance(content, str):
        element.text = content
    else:
        element.append(content)
    return element


def applies_to(address):
    element = etree.Element("{%s}AppliesTo" % POLICY)
    reference = etree.SubElement(element, "{%s}EndpointReference" % ADDRESSING)
    etree.SubElement(reference, "{%s}Address" % ADDRESSING).text = address
    return element


order = json.load(sys.stdin)
session = requests.Session()
wsse = None
if order["by"] == "basic":
    session.auth = (order["client"], order["secret"])
else:
    wsse = UsernameToken(order["client"], order["secret"])
history = HistoryPlugin()
client = zeep.Client(
    order["wsdl"],
    transport=zeep.Transport(session=session),
    wsse=wsse,
    plugins=[history],
)
service = client.create_service("{%s/}%s" % (TRUST, order["binding"]), order["address"])
operation = order["operation"]
members = [member("RequestType", "%s/%s" % (TRUST, operation))]
if order.get("appliesTo"):
    members.append(applies_to(order["appliesTo"]))
if order.get("tokenType"):
    members.append(member("TokenType", order["tokenType"]))
members.append(member("OnBehalfOf" if operation == "Issue" else "ValidateTarget", etree.fromstring(order["token"])))

try:
    answer = getattr(service, operation)(_value_1=members)
    responses = answer if operation == "Issue" else [answer]
    responses = getattr(responses, "RequestSecurityTokenResponse", responses)
    body = etree.tostring(history.last_received["envelope"], encoding="unicode")
    code = history.last_received["envelope"].findtext(".//{%s}Status/{%s}Code" % (TRUST, TRUST))
    print(json.dumps({"responses": len(responses), "status": code, "envelope": body}))
except zeep.exceptions.Fault as fault:
    codes = [str(code) for code in fault.subcodes or []]
    print(json.dumps({"fault": {"code": fault.code, "subcodes": codes, "message": fault.message}}))
