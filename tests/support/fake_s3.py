"""A small S3 for tests: one bucket in memory, PUT, GET (one range), HEAD, DELETE of objects,
ListObjectsV2 and uploads in parts (fake_s3_parts.py), each request's signature checked by an
implementation of its own (AWS Signature Version 4 in the Authorization header, from Amazon's
description, with hashlib and hmac).

Left out: everything else. No versions, no other buckets, no owners and
permissions, no encryption, no presigned URLs, no chunked signatures (aws-chunked), no TLS.

Faults are asked for by POST /-/fault {"kind": ..., "count": n, "method": ..., "path": ...}, for the
next n requests (of that method, with that in its path): "status" with a "status" and maybe a
"code"; "truncate": the answer breaks off half-way; "hang": none comes until the server ends;
"drop": the connection closes without an answer; "cut": it closes when half of the body has come;
"flip": a bit of the body changes on its way; "lost": what was asked for is done, and not
answered; "rot": what is kept of a part is not what came; "short": fewer bytes than were asked
for; "trickle": the body comes, or is taken, a byte now and then, for ever; "none" ends those that
are left.
GET /-/state: objects and counts.

As a program it prints its port and serves until its input ends."""

import contextlib
import datetime
import hashlib
import hmac
import http.server
import itertools
import json
import re
import socket
import sys
import threading
import urllib.parse
import xml.sax.saxutils

import fake_s3_parts
from fake_s3_parts import Refused

ACCESS_KEY = "test-access-key"
SECRET_KEY = "test/secret+key"
REGION = "eu-test-1"
BUCKET = "originals"
SKEW_S = 15 * 60


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def quote(text):
    return urllib.parse.quote(text, safe="-_.~")


def canonical_query(raw):
    pairs = urllib.parse.parse_qsl(raw, keep_blank_values=True, strict_parsing=bool(raw))
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in sorted(pairs))


def check_signature(method, target, headers, body_hash):
    """`headers`: lower-case names to values. Raises Refused."""
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/([^/,]+)/aws4_request, *"
        r"SignedHeaders=([a-z0-9;-]+), *Signature=([0-9a-f]{64})",
        headers.get("authorization", ""))
    if not match:
        raise Refused(403, "AccessDenied")
    access, day, region, service, names, signature = match.groups()
    if access != ACCESS_KEY:
        raise Refused(403, "InvalidAccessKeyId")
    if region != REGION or service != "s3":
        raise Refused(400, "AuthorizationHeaderMalformed")
    stamp = headers.get("x-amz-date", "")
    try:
        at = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    except ValueError:
        raise Refused(403, "AccessDenied") from None
    if abs((datetime.datetime.now(datetime.UTC) - at).total_seconds()) > SKEW_S:
        raise Refused(403, "RequestTimeTooSkewed")
    signed = names.split(";")
    must = {"host"} | {name for name in headers if name.startswith("x-amz-")}
    if not must <= set(signed) or not stamp.startswith(day) or signed != sorted(signed):
        raise Refused(403, "AccessDenied")
    path, _, query = target.partition("?")
    canonical = "\n".join([
        method,
        "/".join(quote(urllib.parse.unquote(part)) for part in path.split("/")),
        canonical_query(query),
        "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in signed),
        names,
        headers.get("x-amz-content-sha256", ""),
    ])
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET_KEY).encode()
    for part in (day, region, service, "aws4_request"):
        key = sign(key, part)
    if not hmac.compare_digest(sign(key, text).hex(), signature):
        raise Refused(403, "SignatureDoesNotMatch")
    if headers["x-amz-content-sha256"] != body_hash:
        raise Refused(400, "XAmzContentSHA256Mismatch")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    fault = None

    def answer(self, status, body=b"", headers=None, truncate=False):
        if self.fault and self.fault["kind"] == "lost":
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if truncate:
            body = body[:len(body) // 2]
            self.close_connection = True
        if self.fault and self.fault["kind"] == "trickle":
            self.trickle(body)
        elif self.command != "HEAD":
            self.wfile.write(body)

    def trickle(self, body=b""):
        """All but the last byte, until the other side has had enough; one of its own is taken."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        left = iter(body[:-1])
        with contextlib.suppress(OSError):
            while not self.server.store.ended.wait(0.1):
                self.connection.sendall(bytes([*itertools.islice(left, 1)]))
                with contextlib.suppress(BlockingIOError):
                    if not self.connection.recv(1, socket.MSG_DONTWAIT):
                        return

    def refuse(self, status, code):
        body = ('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>'
                f"{code}</Code><Message>no</Message></Error>").encode()
        self.answer(status, body, {"Content-Type": "application/xml"})

    def control(self, body):
        store = self.server.store
        if self.command == "POST":
            fault = json.loads(body)
            with store.lock:
                if fault["kind"] == "none":
                    store.faults.clear()
                else:
                    store.faults.append(fault)
            self.answer(204)
            return
        with store.lock:
            state = {"objects": {key: len(data) for key, (data, _) in store.objects.items()},
                     "requests": store.requests, "refused": store.refused,
                     "uploads": len(store.uploads), "parts_sent": store.parts_sent}
        self.answer(200, json.dumps(state).encode())

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        store = self.server.store
        own = self.path.startswith("/-/")
        fault = self.fault = None if own else store.note(self.command, self.path)
        if fault and fault["kind"] == "cut":
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        if fault and fault["kind"] == "trickle" and self.command == "PUT":
            self.trickle()
            return
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return
        if own:
            self.control(body)
            return
        if fault and fault["kind"] == "flip":
            body = body[:-1] + bytes([body[-1] ^ 1])
        if fault and fault["kind"] == "hang":
            store.ended.wait()
        if fault and fault["kind"] in ("hang", "drop"):
            self.close_connection = True
            return
        if fault and fault["kind"] == "status":
            self.refuse(fault["status"], fault.get("code", "InternalError"))
            return
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            check_signature(self.command, self.path, headers, hashlib.sha256(body).hexdigest())
            self.operate(body, fault)
        except Refused as refused:
            with store.lock:
                store.refused.append(refused.code)
            self.refuse(refused.status, refused.code)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = serve

    def operate(self, body, fault):
        path, _, query = self.path.partition("?")
        _, bucket, *rest = urllib.parse.unquote(path).split("/")
        key = "/".join(rest)
        if bucket != BUCKET:
            raise Refused(404, "NoSuchBucket")
        if not key and "uploads" in urllib.parse.parse_qs(query, keep_blank_values=True):
            fake_s3_parts.list_uploads(self, dict(urllib.parse.parse_qsl(query)))
            return
        if not key:
            self.list(dict(urllib.parse.parse_qsl(query)), fault)
            return
        store = self.server.store
        if fake_s3_parts.operate(self, key, dict(urllib.parse.parse_qsl(
                query, keep_blank_values=True)), body):
            return
        with store.lock:
            data, modified = store.objects.get(key, (None, None))
        if self.command == "PUT":
            with store.lock:
                store.objects[key] = (body, datetime.datetime.now(datetime.UTC))
            self.answer(200, headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
        elif self.command == "DELETE":
            with store.lock:
                store.objects.pop(key, None)
            self.answer(204)
        elif data is None:
            raise Refused(404, "NoSuchKey")
        else:
            self.give(data, modified, fault)

    def give(self, data, modified, fault):
        kind = fault["kind"] if fault else ""
        head = {"Last-Modified": modified.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if self.command == "HEAD" or not match:
            if self.command == "HEAD":
                head["Content-Length"] = str(len(data))
            self.answer(200, data, head, truncate=kind == "truncate")
            return
        first, last = int(match[1]), min(int(match[2]), len(data) - 1)
        if first >= len(data):
            raise Refused(416, "InvalidRange")
        piece = data[first:last + 1]
        if kind == "short":
            piece = piece[:-1]
        head["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        self.answer(206, piece, head, truncate=kind == "truncate")

    def list(self, query, fault):
        if query.get("list-type") != "2":
            raise Refused(400, "InvalidArgument")
        prefix, after = query.get("prefix", ""), query.get("start-after", "")
        most = int(query.get("max-keys", "1000"))
        with self.server.store.lock:
            found = sorted((key, len(data), modified) for key, (data, modified)
                           in self.server.store.objects.items()
                           if key.startswith(prefix) and key > after)
        items = "".join(
            f"<Contents><Key>{xml.sax.saxutils.escape(key)}</Key><LastModified>"
            f"{modified.strftime('%Y-%m-%dT%H:%M:%S.000Z')}</LastModified><Size>{size}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
            for key, size, modified in found[:most])
        body = ('<?xml version="1.0" encoding="UTF-8"?>\n'
                '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
                f"<Name>{BUCKET}</Name><KeyCount>{len(found[:most])}</KeyCount><IsTruncated>"
                f"{'true' if len(found) > most else 'false'}</IsTruncated>{items}"
                "</ListBucketResult>").encode()
        self.answer(200, body, {"Content-Type": "application/xml"},
                    truncate=bool(fault) and fault["kind"] == "truncate")


class Store:
    def __init__(self):
        self.lock = threading.Lock()
        self.objects, self.faults, self.refused, self.requests = {}, [], [], {}
        self.uploads, self.parts_sent = {}, 0
        self.ended = threading.Event()

    def note(self, method, path):
        """Count the request; the fault that it meets, if any."""
        with self.lock:
            self.requests[method] = self.requests.get(method, 0) + 1
            for fault in self.faults:
                if fault.get("method", method) == method and fault.get("path", "") in path:
                    fault["count"] -= 1
                    if fault["count"] <= 0:
                        self.faults.remove(fault)
                    return fault
        return None


class FakeS3:
    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.store = self.store = Store()
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def settings(self, prefix=""):
        return {"FILE_STORE": f"s3://{BUCKET}/{prefix}", "S3_ENDPOINT": self.url,
                "S3_REGION": REGION, "S3_ACCESS_KEY": ACCESS_KEY, "S3_SECRET_KEY": SECRET_KEY}

    def fault(self, kind, count=1, **more):
        with self.store.lock:
            self.store.faults.append({"kind": kind, "count": count, **more})

    def objects(self):
        with self.store.lock:
            return {key: data for key, (data, _) in self.store.objects.items()}

    def close(self):
        self.store.ended.set()
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    fake = FakeS3()
    sys.stdout.write(f"{fake.port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    fake.close()
