"""Nobody makes a service ask what it was not set to ask: answers that send it elsewhere are
not followed, settings with other schemes are refused or useless, and an address in what is
stored, searched or uploaded is never visited."""

import json
import os
import re
import subprocess

import pytest
from conftest import SERVICES, by
from forms import form
from lure import Redirector, Trap
from made_files import docx, paragraph, pdf
from stack import BIN, Stack, eventually
from tokens import JWT

# OTEL's and Sentry's are no reason not to start: nobody is told then (unit: test_spans,
# test_sentry)
NOT_HTTP = ("DATABASE_URL", "REDIS_URL", "LDAP_URL", "SENTRY_DSN", "OTEL_EXPORTER_OTLP_ENDPOINT")
# More of them in unit: libshared/test_config.
SCHEMES = ("file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "127.0.0.1:80",
           "http://a\r\nX-Evil: 1")


@pytest.fixture(scope="module")
def trap():
    with Trap() as server:
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def lured(trap):
    """A stack all of whose addresses outside are the redirector's."""
    with Redirector(trap) as server:
        url = server.url
        stack = Stack(
            **JWT, WORKERS=1, JWT_JWKS_REFRESH_SECONDS=1, JWT_JWKS_URL=url + "/jwks",
            RERANK_URL=url + "/rerank", RERANK_TIMEOUT_MS=10000,
            DEEPL_URL=url + "/deepl", DEEPL_API_KEY="k", IATE_URL=url + "/iate",
            OTEL_EXPORTER_OTLP_ENDPOINT=url + "/otel",
            FILE_STORE="s3://s3-bucket/", S3_ENDPOINT=url, S3_ACCESS_KEY="a",
            S3_SECRET_KEY="s", S3_REGION="eu-test-1").up()
        stack.outside = server
        yield stack
        stack.down()
        server.shutdown()


def lookup(stack, source):
    stack.post("/api/glossary/lookup", {"source": source, "term": "mill", "from": "en",
                                        "to": "de"}, headers=by("admin"))


def upload(stack):
    body, headers = form("a.txt", b"some text")
    stack.post("/api/documents", body, headers={**headers, **by("admin")})


def search(stack):
    """Several that are found, by a question that was not asked before."""
    for name in "abc":
        stack.post("/api/documents", {"id": name, "title": "Mills", "text": f"a mill {name}"},
                   headers=by("admin"))
    stack.post("/api/search", {"query": f"mill {len(stack.outside.asked)}"},
               headers=by("admin"))


CALLS = {
    "/jwks": lambda stack: stack.get("/api/auth/me", headers=by("admin", kid="x")),
    "/rerank": search,
    "/deepl": lambda stack: lookup(stack, "deepl"),
    "/iate": lambda stack: lookup(stack, "iate"),
    "/otel": search,
    "/s3-bucket": upload,
}


@pytest.mark.parametrize("path", CALLS)
def test_nobody_is_sent_elsewhere(lured, trap, path):
    """Each more than once: to the trap at least, and where the kinds of redirection go."""
    def often():
        CALLS[path](lured)
        return sum(path in line for line in list(lured.outside.asked)) >= 2

    eventually(often, seconds=60, what=lambda: (lured.outside.asked, lured.logs()))
    assert trap.asked == []


def url_settings():
    """Of each service, from its own table of settings."""
    for service in SERVICES:
        printed = subprocess.run([BIN / f"cairn-{service}", "--config-markdown"], timeout=60,
                                 check=True, capture_output=True, text=True).stdout
        for name in re.findall(r"^\| `([A-Z0-9_]+(?:_URL|_ENDPOINT|_DSN))`", printed, re.M):
            if name not in NOT_HTTP:
                yield service, name


SETTINGS = sorted(set(url_settings()))


def test_the_settings_are_found():
    assert {name for _, name in SETTINGS} >= {
        "EMBEDDING_URL", "JWT_JWKS_URL", "BACKUP_HOOK_URL", "S3_ENDPOINT", "RERANK_URL",
        "DEEPL_URL", "IATE_URL"}


@pytest.mark.parametrize("service,name", SETTINGS)
def test_other_schemes_are_refused(service, name, tmp_path):
    for value in SCHEMES:
        done = subprocess.run(
            [BIN / f"cairn-{service}", "--check-config"], timeout=60, check=False,
            capture_output=True, text=True, cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql://a@127.0.0.1/a",
                 name: value})
        assert done.returncode == 2, (value, done.stdout, done.stderr)
        assert name in done.stderr, done.stderr


def test_addresses_in_what_is_stored_are_not_visited(target, trap):
    place = trap.url + "/stored"
    document = {"id": "ssrf", "title": place, "text": f"See {place} and [it]({place}).",
                "url": place, "source": place, "source_url": place, "image": place,
                "metadata": {"url": place, "webhook": place}}
    assert target.post("/api/documents", document, headers=by("admin")).status in (200, 201)
    for path, body in (
            ("/api/search", {"query": place, "callback": place, "url": place}),
            ("/api/embed", {"input": [place], "model": place, "url": place}),
            ("/api/reindex", {"model": place, "url": place}),
            ("/api/backups", {"destination": place, "hook_url": place, "place": place}),
            ("/api/graph/nodes", {"labels": ["Page"], "properties": {"url": place}}),
            ("/api/graph/query", {"query": f"LOAD CSV FROM '{place}' AS row RETURN row"}),
            ("/api/glossary", {"term": place, "definition": place, "source": place}),
            ("/api/auth/login", {"username": place, "password": place})):
        reply = target.post(path, body, headers=by("admin"))
        assert reply.status < 500 or reply.status == 503, (path, reply.body)
    hosts = {"Host": place.split("/")[2], "X-Forwarded-Host": place.split("/")[2],
             "Referer": place, "Origin": trap.url, "X-Forwarded-For": place}
    target.get("/health/ping", headers=hosts)
    assert trap.asked == []


def files(place):
    outside = (f'<Relationships><Relationship Id="r2" Type="image" TargetMode="External" '
               f'Target="{place}"/></Relationships>')
    dtd = f'<!DOCTYPE d SYSTEM "{place}"><d><body><p><r><t>x</t></r></p></body></d>'
    schema = (f'<w:document xmlns:w="w" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
              f'xsi:schemaLocation="w {place}"><w:body>{paragraph("a tide")}</w:body>'
              '</w:document>')
    yield "image.docx", docx(paragraph("a tide"),
                             more=[("word/_rels/document.xml.rels", outside)])
    yield "dtd.docx", docx("", document=dtd)
    yield "schema.docx", docx("", document=schema)
    yield "link.pdf", pdf([[f"/URI ({place})"]]).replace(
        b"/Type /Catalog", f"/OpenAction <</S /URI /URI ({place})>> /Type /Catalog".encode())
    yield "page.html", f'<html><body><img src="{place}"><script src="{place}">'.encode()
    yield "notes.md", f"![it]({place})".encode()


def test_addresses_in_files_are_not_visited(target, trap):
    place = trap.url + "/file"
    for name, data in files(place):
        body, headers = form(name, data)
        reply = target.post("/api/documents", body, headers={**headers, **by("admin")})
        assert reply.status in (200, 201, 415, 422), (name, reply.body)
    skos = (f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "{place}">]>'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">&x;</rdf:RDF>')
    graph = (f'<?xml version="1.0"?><!DOCTYPE g SYSTEM "{place}"><graphml><graph>'
             '<node id="1"/></graph></graphml>')
    for path, data in (("/api/glossary/import?format=skos", skos),
                       ("/api/graph/import?format=graphml", graph)):
        reply = target.post(path, data, headers={"Content-Type": "application/xml",
                                                 **by("admin")})
        assert reply.status < 500 and "root:" not in json.dumps(reply.body.decode()), reply.body
    assert trap.asked == []
