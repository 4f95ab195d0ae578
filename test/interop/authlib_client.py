"""One conversation of a Python client with the server: a JSON object on standard input says which, the answer goes to standard output."""

import json
import sys
import warnings

import requests

warnings.simplefilter("ignore")
from authlib.integrations.requests_client import OAuth2Session, OAuthError  # noqa: E402
from authlib.oauth2.rfc7523 import PrivateKeyJWT  # noqa: E402

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"


def session(order):
    methods = {"token_endpoint_auth_method": order["method"], "revocation_endpoint_auth_method": order["method"]}
    made = OAuth2Session(order["client"], order["secret"], **methods)
    if order["method"] == "private_key_jwt":
        made.register_client_auth_method(PrivateKeyJWT(order["assertionAudience"], alg="ES256"))
    return made


def exchange(order):
    try:
        return session(order).fetch_token(order["issuer"] + "/token", grant_type=GRANT, **order["parameters"])
    except OAuthError as error:
        return {"error": error.error, "description": error.description}


def introspect(order):
    return session(order).introspect_token(order["issuer"] + "/introspect", token=order["token"]).json()


def revoke(order):
    return {"status": session(order).revoke_token(order["issuer"] + "/revoke", token=order["token"]).status_code}


def google(order):
    """What google.oauth2.sts of google-auth sends: Basic as it is, this order, and options encoded once more."""
    body = {
        "grant_type": GRANT,
        "audience": order["parameters"]["audience"],
        "scope": order["parameters"]["scope"],
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token": order["parameters"]["subject_token"],
        "subject_token_type": order["parameters"]["subject_token_type"],
        "options": requests.utils.quote(json.dumps({"userProject": "1234"})),
    }
    answer = requests.post(order["issuer"] + "/token", data=body, auth=(order["client"], order["secret"]))
    return {"status": answer.status_code, **answer.json()}


order = json.load(sys.stdin)
json.dump({"exchange": exchange, "introspect": introspect, "revoke": revoke, "google": google}[order["do"]](order), sys.stdout)
