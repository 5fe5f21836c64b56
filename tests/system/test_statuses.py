"""Statuses besides the usual one of a route: they are answered, and /openapi.json lists them."""

import pytest

from conftest import eventually
from forms import form
from statuses import responses_of, unlisted

LINE = b'{"id":"statuses-1","title":"One","text":"first of the statuses"}\n'
NODE = {"labels": ["Statuses"], "properties": {"name": "one"}}
MERGE = {"label": "Statuses", "key": {"name": "merged"}, "properties": {}}
CSV = b"term,definition,language,domain\r\nstatus line,the first line,en,statuses\r\n"


@pytest.fixture(scope="module")
def document(stack):
    return stack.get("/openapi.json").json()


@pytest.fixture(scope="module")
def listed(stack, document):
    """Asks, and holds the answer's status against the expected one and the document."""

    def ask(status, method, path, body=None, headers=None):
        reply = stack.request(method, path, body, headers=headers)
        assert reply.status == status, (path, reply.body)
        responses = responses_of(document, method, path.split("?")[0])
        assert str(status) in responses, path
        content = responses[str(status)].get("content", {})
        kind = reply.headers["Content-Type"]
        if reply.body:
            assert "application/octet-stream" in content or kind in content, (path, kind)
        else:
            assert not content, path
        return reply

    return ask


def test_streams_of_documents(listed):
    begun = listed(202, "POST", "/api/documents/batch", LINE).json()
    assert set(begun) == {"job_id", "state", "total"}
    listed(200, "POST", "/api/documents/batch?wait=true", LINE)


def test_a_collection_that_is_new(listed):
    listed(201, "PUT", "/api/collections/statuses", {"title": "Statuses"})
    listed(200, "PUT", "/api/collections/statuses", {"title": "Again"})


def test_parts_of_a_file(stack, listed):
    body, headers = form("statuses.txt", b"a file of which parts are asked for", id="statuses-file")
    listed(201, "POST", "/api/documents", body, headers)
    path = "/api/documents/statuses-file/file"
    whole = eventually(lambda: (one := stack.get(path)).status == 200 and one, what=stack.logs)
    part = listed(206, "GET", path, headers={"Range": "bytes=2-5"})
    assert part.body == whole.body[2:6]
    listed(304, "GET", path, headers={"If-None-Match": whole.headers["ETag"]})
    beyond = listed(416, "GET", path, headers={"Range": "bytes=9000-"})
    assert beyond.headers["Content-Type"] == "application/problem+json"


def test_nodes_that_are_new(listed):
    for status in (201, 200):
        listed(status, "PUT", "/api/graph/nodes/statuses-node", NODE)
        listed(status, "PUT", "/api/graph/edges/statuses-edge",
               {"type": "NEAR", "from": "statuses-node", "to": "statuses-node"})
        listed(status, "POST", "/api/graph/merge", MERGE)
    node = b'{"id":"statuses-node","labels":["Statuses"]}\n'
    kind = {"Content-Type": "application/x-ndjson"}
    listed(202, "POST", "/api/graph/import?job=true", node, kind)
    listed(200, "POST", "/api/graph/import", node, kind)


def test_jobs_that_are_awaited(listed):
    kind = {"Content-Type": "text/csv"}
    listed(200, "POST", "/api/glossary/import?wait=true", CSV, kind)
    listed(202, "POST", "/api/glossary/import", CSV, kind)
    listed(200, "POST", "/api/glossary/extract?wait=true", {"collection": "statuses"})
    listed(202, "POST", "/api/glossary/extract", {"collection": "statuses"})


def test_what_is_unhealthy(new_stack):
    stack = new_stack().settled()
    document = stack.get("/openapi.json").json()
    with stack.stopped("search"):
        for path in ("/health", "/health/detailed", "/health/ready"):
            eventually(lambda path=path: stack.get(path).status == 503, seconds=60,
                       what=stack.logs)
            assert "application/json" in responses_of(document, "GET", path)["503"]["content"]


def test_what_is_not_listed_is_found(document):
    assert unlisted(document, {("POST", "/api/v1/search", 200), ("PUT", "/api/collections/x", 201),
                               ("POST", "/api/search", 409), ("GET", "/app.js", 304)}) == []
    assert unlisted(document, {("POST", "/api/v1/search", 202)}) == [
        ("POST", "/api/v1/search", 202)]
