"""Encrypts, decrypts and verifies with Authlib: one order as JSON on standard input, one answer as JSON on standard output."""

import json
import sys

from authlib.jose import JsonWebEncryption, JsonWebKey, JsonWebToken


def encrypt(order):
    header = order["header"]
    token = JsonWebEncryption().serialize_compact(header, order["content"].encode(), JsonWebKey.import_key(order["key"]))
    return {"token": token.decode()}


def decrypt(order):
    opened = JsonWebEncryption().deserialize_compact(order["token"], JsonWebKey.import_key(order["key"]))
    answer = {"header": opened["header"], "signed": opened["payload"].decode()}
    claims = JsonWebToken(["ES256"]).decode(answer["signed"], JsonWebKey.import_key_set(order["jwks"]))
    return {**answer, "signedHeader": claims.header, "claims": dict(claims)}


print(json.dumps({"encrypt": encrypt, "decrypt": decrypt}[(order := json.load(sys.stdin))["do"]](order)))
