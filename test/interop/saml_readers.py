"""Reads SAML responses as a service provider does, by the library that the first argument names.

Standard input: JSON { metadata, spEntityId, acs, privateKey, certificate, responses: [base64, ...] }.
Standard output: JSON, for each response { name, format, attributes } or { error }.
"""
import json
import logging
import sys
import tempfile

logging.disable(logging.CRITICAL)


def onelogin_reader(case):
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
    from onelogin.saml2.response import OneLogin_Saml2_Response
    from onelogin.saml2.settings import OneLogin_Saml2_Settings
    from urllib.parse import urlsplit

    idp = OneLogin_Saml2_IdPMetadataParser.parse(case["metadata"])["idp"]
    acs = urlsplit(case["acs"])
    settings = OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {
                "entityId": case["spEntityId"],
                "assertionConsumerService": {"url": case["acs"]},
                "x509cert": case["certificate"],
                "privateKey": case["privateKey"],
            },
            "idp": idp,
            "security": {"wantAssertionsSigned": True, "rejectDeprecatedAlgorithm": True},
        }
    )
    request = {"https": "on", "http_host": acs.netloc, "script_name": acs.path, "get_data": {}, "post_data": {}}

    def read(encoded):
        response = OneLogin_Saml2_Response(settings, encoded)
        if not response.is_valid(request):
            raise ValueError(response.get_error())
        return {
            "name": response.get_nameid(),
            "format": response.get_nameid_format(),
            "attributes": response.get_attributes(),
            "session": response.get_session_index(),
        }

    return read


def pysaml2_reader(case):
    from saml2 import BINDING_HTTP_POST
    from saml2.client import Saml2Client
    from saml2.config import SPConfig

    folder = tempfile.mkdtemp()
    files = {}
    for name in ("privateKey", "certificate"):
        files[name] = f"{folder}/{name}.pem"
        with open(files[name], "w") as file:
            file.write(case[name])
    config = SPConfig().load(
        {
            "entityid": case["spEntityId"],
            "metadata": {"inline": [case["metadata"]]},
            "allow_unknown_attributes": True,
            "xmlsec_binary": "/usr/bin/xmlsec1",
            "key_file": files["privateKey"],
            "cert_file": files["certificate"],
            "encryption_keypairs": [{"key_file": files["privateKey"], "cert_file": files["certificate"]}],
            "service": {
                "sp": {
                    "endpoints": {"assertion_consumer_service": [(case["acs"], BINDING_HTTP_POST)]},
                    "allow_unsolicited": True,
                    "want_response_signed": False,
                    "want_assertions_signed": True,
                }
            },
        }
    )
    client = Saml2Client(config)

    def read(encoded):
        response = client.parse_authn_request_response(encoded, BINDING_HTTP_POST)
        return {
            "name": response.name_id.text,
            "format": response.name_id.format,
            "attributes": response.ava,
            "session": response.session_info()["session_index"],
        }

    return read


def attempt(read, encoded):
    try:
        return read(encoded)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


case = json.load(sys.stdin)
reader = {"pysaml2": pysaml2_reader, "python3-saml": onelogin_reader}[sys.argv[1]](case)
json.dump([attempt(reader, encoded) for encoded in case["responses"]], sys.stdout)
