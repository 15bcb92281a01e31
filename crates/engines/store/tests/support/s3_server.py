"""An S3 server for tests: moto's, behind a check of each request's signature by the AWS client's own code.

Usage: s3_server.py ACCESS_KEY SECRET_KEY [CERTIFICATE KEY]. Prints the port, and ends when its standard input is closed.
There is one bucket, "city".

/-/bucket/NAME makes a bucket. /-/fail/COUNT/STATUS/CODE answers the next COUNT requests with an error.
"""

import os
import sys
import threading
from urllib.parse import parse_qs, urlsplit

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client

ACCESS_KEY, SECRET_KEY, *ENCRYPTION = sys.argv[1:]
STORE = create_backend_app("s3")
FAILURES = []


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_):
        pass


def signature_fault(environ):
    uri = environ["REQUEST_URI"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(uri).query).items()}
    key, _, region, *_ = query.get("X-Amz-Credential", "////").split("/")
    if key != ACCESS_KEY:
        return "InvalidAccessKeyId"
    unsigned = uri.partition("&X-Amz-Signature=")[0]
    request = AWSRequest(
        environ["REQUEST_METHOD"],
        f"http://{environ['HTTP_HOST']}{unsigned}",
        headers={"host": environ["HTTP_HOST"]},
    )
    request.context["timestamp"] = query["X-Amz-Date"]
    auth = S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", region)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    return None if expected == query.get("X-Amz-Signature") else "SignatureDoesNotMatch"


def answer(start, environ, status, code):
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
    start(f"{status} -", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
    return [body]


def app(environ, start):
    match environ["PATH_INFO"].split("/")[1:]:
        case ["-", "bucket", name]:
            Client(STORE).put(f"/{name}")
            return answer(start, environ, 200, "")
        case ["-", "fail", count, status, code]:
            FAILURES.extend([(status, code)] * int(count))
            return answer(start, environ, 200, "")
    if FAILURES:
        return answer(start, environ, *FAILURES.pop())
    if fault := signature_fault(environ):
        return answer(start, environ, 403, fault)
    return STORE(environ, start)


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


Client(STORE).put("/city")
threading.Thread(target=end_with_parent, daemon=True).start()
server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet, ssl_context=tuple(ENCRYPTION) or None)
print(server.port, flush=True)
server.serve_forever()
