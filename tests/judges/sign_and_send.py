"""A portal written in Python, with a library that Mizan's authors did not write (PyPI http-message-signatures).

Reads a JSON list of orders from standard input, each with
  url, method, keyid, key (base64: the shared secret, or the Ed25519 seed), algorithm (hmac-sha256 or ed25519),
  body (text or null), idempotency_key (text or null), covers: "parts" (@authority @path @query) or "target-uri"
Signs and sends each, and prints the list of answers: {"status": ..., "body": "..."}.
"""

import base64
import json
import sys

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms


class OneKey(HTTPSignatureKeyResolver):
    def __init__(self, order):
        key = base64.b64decode(order["key"])
        self.key = key if order["algorithm"] == "hmac-sha256" else Ed25519PrivateKey.from_private_bytes(key)

    def resolve_private_key(self, key_id):
        return self.key

    def resolve_public_key(self, key_id):
        raise NotImplementedError("this client only signs")


def carry_out(order):
    body = order["body"].encode() if order["body"] is not None else None
    headers = {"Content-Type": "application/json"} if body else {}
    if order["idempotency_key"]:
        headers["Idempotency-Key"] = '"%s"' % order["idempotency_key"]
    request = requests.Request(order["method"], order["url"], headers=headers, data=body).prepare()

    if order["covers"] == "target-uri":
        covered = ["@method", "@authority", "@target-uri"]
    else:
        covered = ["@method", "@authority", "@path"] + (["@query"] if "?" in order["url"] else [])
    if order["idempotency_key"]:
        covered.append("idempotency-key")

    algorithm = algorithms.HMAC_SHA256 if order["algorithm"] == "hmac-sha256" else algorithms.ED25519
    signer = HTTPMessageSigner(signature_algorithm=algorithm, key_resolver=OneKey(order))
    signer.sign(request, key_id=order["keyid"], covered_component_ids=covered, body=body)

    answer = requests.Session().send(request, timeout=20)
    return {"status": answer.status_code, "body": answer.text}


print(json.dumps([carry_out(order) for order in json.load(sys.stdin)]))
