"""Uploads in parts for fake_s3.py: begun, sent part by part, listed, completed, aborted. Each part
must have its SHA-256 (x-amz-checksum-sha256), which is compared; completing names every part with
its ETag and checksum; parts but for the last have 5 MiB. What was not completed is no object."""

import base64
import datetime
import hashlib
import secrets
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

SMALLEST = 5 << 20
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class Refused(Exception):
    def __init__(self, status, code):
        super().__init__(code)
        self.status, self.code = status, code


def answer(handler, name, inner):
    body = ('<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}</{name}>').encode()
    handler.answer(200, body, {"Content-Type": "application/xml"})


def sum_of(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def tag_of(data):
    return f'"{hashlib.md5(data).hexdigest()}"'


def begin(handler, key):
    if handler.headers.get("x-amz-checksum-algorithm") != "SHA256":
        raise Refused(400, "InvalidRequest")
    store, upload = handler.server.store, secrets.token_urlsafe(24) + ".~"
    with store.lock:
        store.uploads[upload] = (key, datetime.datetime.now(datetime.UTC), {})
    answer(handler, "InitiateMultipartUploadResult",
           f"<Bucket>b</Bucket><Key>{escape(key)}</Key><UploadId>{upload}</UploadId>")


def parts_of(handler, key, upload):
    found = handler.server.store.uploads.get(upload)
    if not found or found[0] != key:
        raise Refused(404, "NoSuchUpload")
    return found[2]


def put_part(handler, key, query, body):
    if handler.headers.get("x-amz-checksum-sha256") != sum_of(body):
        raise Refused(400, "BadDigest")
    number, store = int(query["partNumber"]), handler.server.store
    if not 1 <= number <= 10000:
        raise Refused(400, "InvalidArgument")
    with store.lock:
        rotten = handler.fault and handler.fault["kind"] == "rot"
        parts_of(handler, key, query["uploadId"])[number] = body[:-1] + b"?" if rotten else body
        store.parts_sent += 1
    handler.answer(200, headers={"ETag": tag_of(body)})


def list_parts(handler, key, query):
    with handler.server.store.lock:
        parts = dict(parts_of(handler, key, query["uploadId"]))
    answer(handler, "ListPartsResult", "<IsTruncated>false</IsTruncated>" + "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(tag_of(data))}</ETag>"
        f"<Size>{len(data)}</Size><ChecksumSHA256>{sum_of(data)}</ChecksumSHA256></Part>"
        for number, data in sorted(parts.items())))


def complete(handler, key, query, body):
    named = [{child.tag.removeprefix(NAMESPACE): child.text for child in part}
             for part in ET.fromstring(body).findall(NAMESPACE + "Part")]
    numbers = [int(part["PartNumber"]) for part in named]
    store = handler.server.store
    with store.lock:
        parts = parts_of(handler, key, query["uploadId"])
        if numbers != sorted(set(numbers)) or not numbers:
            raise Refused(400, "InvalidPartOrder")
        for part in named:
            data = parts.get(int(part["PartNumber"]))
            if data is None or part["ETag"] != tag_of(data) or \
                    part["ChecksumSHA256"] != sum_of(data):
                raise Refused(400, "InvalidPart")
        if any(len(parts[number]) < SMALLEST for number in numbers[:-1]):
            raise Refused(400, "EntityTooSmall")
        store.objects[key] = (b"".join(parts[number] for number in numbers),
                              datetime.datetime.now(datetime.UTC))
        del store.uploads[query["uploadId"]]
    answer(handler, "CompleteMultipartUploadResult", f"<Key>{escape(key)}</Key>")


def abort(handler, key, query):
    with handler.server.store.lock:
        parts_of(handler, key, query["uploadId"])
        del handler.server.store.uploads[query["uploadId"]]
    handler.answer(204)


def operate(handler, key, query, body):
    """False: it has nothing to do with parts."""
    if handler.command == "POST" and "uploads" in query:
        begin(handler, key)
    elif "uploadId" not in query:
        return False
    else:
        {"PUT": lambda: put_part(handler, key, query, body),
         "GET": lambda: list_parts(handler, key, query),
         "POST": lambda: complete(handler, key, query, body),
         "DELETE": lambda: abort(handler, key, query)}[handler.command]()
    return True


def list_uploads(handler, query):
    with handler.server.store.lock:
        found = sorted((key, upload, begun) for upload, (key, begun, _)
                       in handler.server.store.uploads.items()
                       if key.startswith(query.get("prefix", "")))
    answer(handler, "ListMultipartUploadsResult", "<IsTruncated>false</IsTruncated>" + "".join(
        f"<Upload><Key>{escape(key)}</Key><UploadId>{upload}</UploadId><Initiator><ID>x</ID>"
        f"</Initiator><Initiated>{begun.strftime('%Y-%m-%dT%H:%M:%S.000Z')}</Initiated></Upload>"
        for key, upload, begun in found))
