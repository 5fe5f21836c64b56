"""Small requests that want to become large work: each is refused or done within bounds, while
others are answered. Bombs in files are in tests/system/test_upload_formats.py."""

import gzip
import json
import pathlib
import threading
import zlib

import pytest
from conftest import by
from forms import form
from made_files import docx
from stack import SANITIZED

MB = 1 << 20
# A query may take 256 MB (CYPHER_MEMORY_MB); a sanitizer keeps what was freed.
GROWTH = (1500 if SANITIZED else 512) * MB
ENTITIES = ('<!DOCTYPE r [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9)) + "]>")


def memory(stack):
    total = 0
    for service in ("gateway", "search", "graph", "embedder"):
        text = pathlib.Path(f"/proc/{stack.pid(service)}/status").read_text()
        total += int(text.split("VmRSS:")[1].split()[0]) * 1024
    return total


def bomb(stack, path, body, kind="application/json", method="POST", **headers):
    """The answer; meanwhile somebody else is answered, too."""
    before, answers = memory(stack), []

    def send():
        answers.append(stack.request(method, path, body, {
            "Content-Type": kind, **headers, **by("admin")}, timeout=120))

    thread = threading.Thread(target=send)
    thread.start()
    assert stack.get("/health/ping").status == 200
    thread.join()
    assert memory(stack) - before < GROWTH
    return answers[0]


JSON = {
    "depth": b'{"query":' + b"[" * 200000,
    "depth of objects": b'{"a":' * 100000 + b"1" + b"}" * 100000,
    "many members": b"{" + b",".join(b'"k%d":1' % n for n in range(60000)) + b"}",
    "one name, very often": b"{" + b",".join(b'"query":1' for _ in range(60000)) + b"}",
    "a long number": b'{"query":' + b"9" * 900000 + b"}",
    "a large exponent": b'{"query":1e999999999}',
    "escapes": b'{"query":"' + b"\\u0041" * 150000 + b'"}',
    "many elements": b'{"query":"x","filters":{"a":[' + b"1," * 400000 + b"1]}}",
    "half a pair of surrogates": b'{"query":"' + b"\\ud800" * 1000 + b'"}',
}


@pytest.mark.parametrize("what", JSON)
def test_json(target, what):
    for path in ("/api/search", "/api/graph/query"):
        reply = bomb(target, path, JSON[what])
        assert 400 <= reply.status < 500, (path, reply.status, reply.body)


@pytest.mark.parametrize("coding,pack", [
    ("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_packed_bodies_are_not_unpacked(target, coding, pack):
    body = pack(b'{"query":"' + b"a" * 20 * MB + b'"}')
    reply = bomb(target, "/api/search", body, **{"Content-Encoding": coding})
    assert reply.status in (400, 413, 415), reply.body


PATTERNS = ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*a){20}$", "(?:a?){40}a{40}", "(((a+)+)+)+$"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_that_never_end(target, pattern):
    text = "a" * 40 + "!"
    reply = bomb(target, "/api/graph/query", json.dumps(
        {"query": "RETURN $text =~ $pattern", "parameters": {"text": text, "pattern": pattern}}))
    assert reply.status < 500 or reply.status in (503, 504), reply.body
    for body in ({"query": pattern * 50}, {"query": "*" * 500}, {"query": "a* " * 400},
                 {"query": '"' * 999}, {"query": "(" * 900}, {"query": "NOT " * 200}):
        reply = bomb(target, "/api/search", json.dumps(body))
        assert reply.status in (200, 400), reply.body


QUERIES = [
    "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(*)",
    "RETURN reduce(s = 'x', n IN range(1, 60) | s + s)",
    "RETURN range(1, 1000000000000)",
    "WITH [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] AS l UNWIND l AS a UNWIND l AS b UNWIND l AS c "
    "UNWIND l AS d UNWIND l AS e UNWIND l AS f UNWIND l AS g UNWIND l AS h RETURN collect([a, b])",
    "RETURN " + "(" * 5000 + "1" + ")" * 5000,
    "RETURN " + "[" * 5000 + "]" * 5000,
    "RETURN " + " + ".join(["1"] * 20000),
    "MATCH " + ", ".join(f"(n{i})" for i in range(200)) + " RETURN count(*)",
    "MATCH p = (a)-[*]-(b)-[*]-(c) RETURN count(p)",
]


@pytest.mark.parametrize("number", range(len(QUERIES)))
def test_queries_that_never_end(target, number):
    reply = bomb(target, "/api/graph/query", json.dumps({"query": QUERIES[number]}))
    assert reply.status < 500 or reply.status in (503, 504), reply.body


def test_xml(target):
    laughs = f'<?xml version="1.0"?>{ENTITIES}<r>&j;</r>'.encode()
    deep = b"<a>" * 200000
    wide = b'<r ' + b" ".join(b'a%d="1"' % n for n in range(100000)) + b"/>"
    for data in (laughs, deep, wide):
        for path in ("/api/glossary/import?format=skos", "/api/glossary/import?format=tbx",
                     "/api/graph/import?format=graphml"):
            reply = bomb(target, path, data, "application/xml")
            assert reply.status < 500 or reply.status == 503, (path, reply.body)


def test_files(target):
    spaces = "<d><body><p><r><t>" + " " * 60_000_000
    twice = docx("", document=spaces)
    for name, data in (("bomb.docx", twice),
                       ("many.docx", docx("", more=[(f"x/{n}", "") for n in range(5000)])),
                       ("inner.docx", docx("", more=[("word/embeddings/a.docx", twice)])),
                       ("zeros.txt", b"\0" * MB)):
        body, headers = form(name, data)
        reply = bomb(target, "/api/documents", body, headers["Content-Type"])
        assert reply.status in (200, 201, 413, 415, 422, 503), (name, reply.body)
