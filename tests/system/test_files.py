"""Files through the whole stack: uploads, originals, what becomes of them. Most tests share the
session's stack, whose store is a directory; one stack keeps them in a small S3, with tokens."""

import concurrent.futures
import datetime
import hashlib
import json
import pathlib
import secrets
import socket
import urllib.parse

import pytest

from conftest import Stack, eventually
from fake_s3 import FakeS3
from test_rights import SECRET, ISSUER, bearer

BOUNDARY = "a-boundary-of-the-tests"


def form(file=None, name="notes.txt", kind="text/plain", field="file", **fields):
    """Body and headers of an upload; `file` None: without one."""
    parts = [f'Content-Disposition: form-data; name="{key}"\r\n\r\n{value}'.encode()
             for key, value in fields.items()]
    if file is not None:
        parts.append(f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
                     f"Content-Type: {kind}\r\n\r\n".encode() + file)
    body = b"".join(b"--" + BOUNDARY.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return (body + b"--" + BOUNDARY.encode() + b"--\r\n",
            {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})


def upload(stack, *args, more=None, **kwargs):
    body, headers = form(*args, **kwargs)

    def post():
        return stack.post("/api/documents", body, headers={**headers, **(more or {})})

    reply = post()
    if reply.status == 503:  # a loop of the gateway that has not met search yet
        reply = eventually(lambda: (again := post()).status != 503 and again, what=stack.logs)
    return reply


def some_text():
    """A text that no other test has."""
    return f"The walrus number {secrets.token_hex(12)} keeps its notes on ice.\n".encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def kept(stack):
    """The hashes in the store's directory."""
    return {path.name for path in pathlib.Path(stack.dir, "files").glob("??/*")}


def test_a_text_file_becomes_a_document_that_is_found(stack):
    text = some_text()
    reply = upload(stack, text, id="file-1", title="Walrus notes", collection="files",
                   metadata=json.dumps({"department": "Zoology", "author": "M"}), language="en")
    assert reply.status == 201, reply.body
    answer = reply.json()
    assert answer["document_id"] == "file-1" and answer["chunks"] >= 1 and answer["created"]
    assert answer["file"] == {"name": "notes.txt", "type": "text/plain", "size": len(text),
                              "sha256": sha256(text)} | (
        {"pages": answer["file"]["pages"]} if "pages" in answer["file"] else {})
    document = stack.get("/api/documents/file-1").json()
    assert document["title"] == "Walrus notes" and document["collection"] == "files"
    assert document["metadata"]["author"] == "M" and document["metadata"]["language"] == "en"
    number = text.split()[3].decode()
    assert stack.search(number)["results"][0]["document_id"] == "file-1"

    got = stack.get("/api/documents/file-1/file")
    assert got.status == 200 and got.body == text
    assert got.headers["ETag"] == f'"{sha256(text)}"'
    assert got.headers["Content-Type"] == "text/plain"
    assert got.headers["Content-Disposition"].startswith('attachment; filename="notes.txt"')
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    shown = stack.get("/api/documents/file-1/file?inline=true").headers
    assert shown["Content-Disposition"] == got.headers["Content-Disposition"], "only a PDF is"
    assert "sandbox" in shown["Content-Security-Policy"]
    part = stack.get("/api/documents/file-1/file", headers={"Range": "bytes=4-9"})
    assert part.status == 206 and part.body == text[4:10]
    assert part.headers["Content-Range"] == f"bytes 4-9/{len(text)}"
    assert stack.get("/api/documents/file-1/file",
                     headers={"If-None-Match": got.headers["ETag"]}).status == 304
    assert stack.get("/api/documents/file-1/file",
                     headers={"Range": "bytes=9999-"}).status == 416
    head = stack.request("HEAD", "/api/documents/file-1/file")
    assert head.status == 200 and int(head.headers["Content-Length"]) == len(text)


def test_results_say_whether_there_is_an_original(stack):
    word = "xylograph" + secrets.token_hex(3)
    made = {"id": "original-1", "collection": "originals"}

    def said():
        """By the document, by its lists and by a result."""
        answers = [stack.search(word)["results"], [stack.get("/api/documents/original-1").json()],
                   stack.get("/api/documents?collection=originals").json()["documents"],
                   stack.post("/api/documents/query", {"filters": {"collection": "originals"}}
                              ).json()["documents"]]
        return [one["has_file"] for answer in answers for one in answer
                if one["document_id"] == "original-1"]

    assert upload(stack, f"A {word} in a file.".encode(), **made).status == 201
    eventually(lambda: said() == 4 * [True], what=stack.logs)
    stack.put(**made, title="now without", text=f"A {word} as words.")
    eventually(lambda: said() == 4 * [False], what=stack.logs)


def test_a_file_goes_with_its_last_document(stack):
    text = some_text()
    assert upload(stack, text, id="file-a").status == 201
    assert upload(stack, text, id="file-b").status == 201
    assert sha256(text) in kept(stack)
    assert stack.delete("/api/documents/file-a").status == 200
    assert stack.get("/api/documents/file-b/file").body == text
    assert stack.delete("/api/documents/file-b").status == 200
    eventually(lambda: sha256(text) not in kept(stack), what=stack.logs)
    assert stack.get("/api/documents/file-b/file").status == 404


def test_another_file_takes_the_place_of_the_first(stack):
    first, second = some_text(), some_text()
    assert upload(stack, first, id="file-c").status == 201
    assert upload(stack, second, id="file-c").status == 201
    eventually(lambda: sha256(first) not in kept(stack), what=stack.logs)
    assert stack.get("/api/documents/file-c/file").body == second
    stack.put(id="file-c", title="now without one", text="nothing but words")
    eventually(lambda: sha256(second) not in kept(stack), what=stack.logs)
    missing = stack.get("/api/documents/file-c/file")
    assert missing.status == 404 and missing.json()["code"] == "no_file"


def test_the_same_bytes_are_kept_once(stack):
    text = some_text()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: upload(stack, text, id=f"same-{n}"), range(8)))
    assert {reply.status for reply in replies} == {201}
    assert sha256(text) in kept(stack)
    for n in range(8):
        assert stack.get(f"/api/documents/same-{n}/file").body == text


def test_bytes_that_come_back_while_they_go_stay(stack):
    """Deletion and upload of the same bytes at the same moment, again and again: whoever was
    told 201 has a file."""
    text = some_text()
    assert upload(stack, text, id="race-0").status == 201
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for n in range(10):
            gone = pool.submit(stack.delete, f"/api/documents/race-{n}")
            came = pool.submit(upload, stack, text, id=f"race-{n + 1}")
            assert gone.result().status == 200
            assert came.result().status == 201, came.result().body
            assert stack.get(f"/api/documents/race-{n + 1}/file").body == text


NAMES = [("../../../../tmp/upload_probe.txt", "upload_probe.txt"),
         ("..\\\\..\\\\probe.txt", "probe.txt"),
         ("a\u202etxt.exe.txt", "atxt.exe.txt"),
         ("re\u0301sume\u0301.txt", "r\u00e9sum\u00e9.txt"),
         ("x" * 400 + ".txt", "x" * 251 + ".txt")]


@pytest.mark.parametrize("sent,shown", NAMES, ids=range(len(NAMES)))
def test_names_lead_nowhere(stack, sent, shown):
    text = some_text()
    reply = upload(stack, text, name=sent)
    assert reply.status == 201, reply.body
    assert reply.json()["file"]["name"] == shown
    got = stack.get(f"/api/documents/{reply.json()['document_id']}/file")
    quoted = urllib.parse.quote(shown, safe="!#$&+-.^_`|~")
    assert got.headers["Content-Disposition"].endswith(f"filename*=UTF-8''{quoted}")
    assert not pathlib.Path("/tmp/upload_probe.txt").exists()


def test_what_is_no_upload_is_refused_and_leaves_nothing(stack):
    before = kept(stack)
    text = some_text()
    two = form(text)[0].replace(b"--" + BOUNDARY.encode() + b"--\r\n", b"") + form(text)[0]
    headers = form(text)[1]
    for body, status, code in [
            (form(title="no file")[0], 400, "invalid_request"),
            (two, 400, "invalid_request"),
            (form(text, field="attachment")[0], 400, "invalid_request"),
            (form(text, metadata="{")[0], 400, "invalid_request"),
            (form(text, metadata='{"clearance_level": 9}')[0], 400, "invalid_request"),
            (form(text)[0][:-8], 400, "malformed_multipart"),
            (form(b"", name="empty.txt")[0], 422, "unreadable_document"),
            (form(text, name='a"\r\nX-Injected: 1\r\n.txt')[0], 400, "malformed_multipart")]:
        reply = stack.post("/api/documents", body, headers=headers)
        assert (reply.status, reply.json()["code"]) == (status, code), (body, reply.body)
    eventually(lambda: sha256(text) not in kept(stack), what=stack.logs)
    assert kept(stack) - before == set()


def test_too_large_a_file_is_refused_early(stack):
    head = (f"POST /api/documents HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; "
            f"boundary={BOUNDARY}\r\nContent-Length: 999999999\r\n\r\n")
    where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
    with socket.create_connection((where.hostname, where.port), timeout=60) as client:
        client.sendall(head.encode())
        assert client.recv(64).startswith(b"HTTP/1.1 413 ")


def test_who_leaves_in_the_middle_leaves_nothing(stack):
    body, headers = form(some_text() * 20000)
    where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
    spool = pathlib.Path(stack.dir, "files/spool")
    with socket.create_connection((where.hostname, where.port), timeout=60) as client:
        client.sendall(f"POST /api/documents HTTP/1.1\r\nHost: x\r\nContent-Type: "
                       f"{headers['Content-Type']}\r\nContent-Length: {len(body)}\r\n\r\n"
                       .encode() + body[:len(body) // 2])
        eventually(lambda: list(spool.iterdir()), what=stack.logs)
    eventually(lambda: not list(spool.iterdir()), what=stack.logs)


# --- originals in S3, readers with rights

@pytest.fixture(scope="module")
def distant():
    fake = FakeS3()
    stack = Stack(**fake.settings("cairn"), AUTH_MODE="jwt", JWT_SECRET_KEY=SECRET,
                  JWT_ISSUER=ISSUER, JWT_AUDIENCE="cairn", WORKERS=1,
                  FILE_ORPHAN_HOURS=0.1, FILE_SWEEP_MINUTES=0.02).up()
    stack.s3 = fake
    yield stack
    stack.down()
    fake.close()


def test_originals_may_be_kept_in_s3(distant):
    text = some_text() * 30000  # some megabytes, read in several pieces
    reply = upload(distant, text, id="far", more=bearer("admin"),
                   metadata='{"clearance_level": 4, "department": "IT Services"}')
    assert reply.status == 201, reply.body
    assert distant.s3.objects() == {f"cairn/{sha256(text)}": text}
    path = "/api/documents/far/file"
    assert distant.get(path, headers=bearer("admin")).body == text
    part = distant.get(path, headers={"Range": "bytes=-7", **bearer("admin")})
    assert (part.status, part.body) == (206, text[-7:])
    assert distant.get(path, headers=bearer("student")).status == 404
    assert distant.get(path).status in (401, 404)
    assert upload(distant, text, id="far-2", more=bearer("admin")).status == 201
    assert distant.s3.store.requests["PUT"] == 1  # it was there
    for name in ("far", "far-2"):
        assert distant.delete(f"/api/documents/{name}", headers=bearer("admin")).status == 200
    eventually(lambda: not distant.s3.objects(), what=distant.logs)
    assert distant.s3.store.refused.count("SignatureDoesNotMatch") == 0


def test_an_s3_that_stumbles_is_asked_again(distant):
    text = some_text()
    distant.s3.fault("status", 2, status=503, code="SlowDown")
    distant.s3.fault("drop", 1, method="PUT")
    reply = upload(distant, text, id="stumble", more=bearer("admin"))
    assert reply.status == 201, reply.body
    distant.s3.fault("truncate", 1, method="GET")
    got = distant.get("/api/documents/stumble/file", headers=bearer("admin"))
    assert (got.status, got.body) == (200, text)
    assert distant.delete("/api/documents/stumble", headers=bearer("admin")).status == 200


def test_files_that_nobody_knows_are_swept_away(distant):
    """As left behind by a gateway that was killed: a file, and no document."""
    name = f"cairn/{sha256(some_text())}"
    old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=2)
    with distant.s3.store.lock:
        distant.s3.store.objects[name] = (b"x", old)
    eventually(lambda: name not in distant.s3.objects(), seconds=150, what=distant.logs)
