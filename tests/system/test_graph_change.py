"""The graph is changed through the gateway."""

import json

import pytest
from conftest import Stack, eventually
from tokens import JWT, bearer

STUDENT, ADMIN = bearer("sam", "student"), bearer("root", "admin")
STAFF = bearer("staff", department="IT Services")


@pytest.fixture(scope="module")
def stack():
    """One that looks who asks."""
    running = Stack(**JWT, RATE_LIMIT_ENABLED="false").up()
    yield running
    running.down()


def ask(stack, method, path, body=None, who=STAFF, status=None):
    headers = {"Content-Type": "application/json", **who}
    reply = stack.request(method, path, None if body is None else json.dumps(body).encode(),
                          headers=headers)
    assert status is None or reply.status == status, reply.body
    return reply.json()


def shown(stack, path, who=ADMIN):
    """What the path answers once it is there."""
    found = []

    def there():
        reply = stack.get(path, headers=who)
        found[:] = [reply.json()] if reply.status == 200 else []
        return found

    eventually(there, seconds=60, what=stack.logs)
    return found[0]


def node(stack, ident, who=STAFF, status=201, **body):
    return ask(stack, "PUT", f"/api/graph/nodes/{ident}?refresh=true", body, who, status)


def test_a_node_lives(stack):
    body = {"id": "life", "labels": ["Made", "Alive"], "properties": {"name": "x", "n": 1}}
    made = ask(stack, "POST", "/api/graph/nodes?refresh=true", body, status=201)
    assert made["created"] and made["id"] == "life" and made["version"] > 0
    assert made["replicas"]["total"] == 1
    assert ask(stack, "POST", "/api/graph/nodes", body, status=409)["code"] == "node_exists"
    seen = shown(stack, "/api/graph/nodes/life")
    assert (sorted(seen["labels"]), seen["properties"]) == (["Alive", "Made"],
                                                           {"name": "x", "n": 1})
    merged = ask(stack, "PUT", "/api/graph/nodes/life?merge=true&refresh=true",
                 {"labels": ["More"], "properties": {"n": None, "m": [1, "a"]}}, status=200)
    assert merged["version"] > made["version"] and not merged["created"]
    eventually(lambda: shown(stack, "/api/graph/nodes/life")["properties"]
               == {"name": "x", "m": [1, "a"]}, seconds=60, what=stack.logs)
    assert len(shown(stack, "/api/graph/nodes/life")["labels"]) == 3
    stale = f"/api/graph/nodes/life?version={made['version']}"
    assert ask(stack, "PUT", stale, {}, status=409)["code"] == "version_conflict"
    assert ask(stack, "DELETE", stale, status=409)["code"] == "version_conflict"
    ask(stack, "PUT", f"/api/graph/nodes/life?version={merged['version']}", {}, status=200)
    eventually(lambda: shown(stack, "/api/graph/nodes/life")["properties"] == {},
               seconds=60, what=stack.logs)
    ask(stack, "DELETE", "/api/graph/nodes/life?refresh=true", status=200)
    ask(stack, "DELETE", "/api/graph/nodes/life", status=404)
    ask(stack, "PUT", "/api/graph/nodes/life?merge=true", {}, status=404)


def test_a_relationship_lives(stack):
    for ident in ("ea", "eb"):
        node(stack, ident, labels=["End"])
    body = {"id": "ab", "type": "JOINS", "from": "ea", "to": "eb", "properties": {"w": 1}}
    made = ask(stack, "POST", "/api/graph/edges?refresh=true", body, status=201)
    assert ask(stack, "POST", "/api/graph/edges", body, status=409)["code"] == "edge_exists"
    seen = shown(stack, "/api/graph/edges/ab")
    assert (seen["type"], seen["from"], seen["to"], seen["properties"]) == (
        "JOINS", "ea", "eb", {"w": 1})
    for field in ("from", "to"):
        lost = ask(stack, "POST", "/api/graph/edges", {**body, "id": "lost", field: "none"},
                   status=404)
        assert (lost["code"], lost["field"]) == ("node_not_found", field)
    del body["type"]
    assert ask(stack, "POST", "/api/graph/edges", body, status=400)["field"] == "type"
    ask(stack, "PUT", "/api/graph/edges/ab?merge=true", {"properties": {"v": 2}}, status=200)
    eventually(lambda: shown(stack, "/api/graph/edges/ab")["properties"] == {"w": 1, "v": 2},
               seconds=60, what=stack.logs)
    assert ask(stack, "DELETE", f"/api/graph/edges/ab?version={made['version']}",
               status=409)["code"] == "version_conflict"
    assert ask(stack, "DELETE", "/api/graph/nodes/ea", status=409)["code"] == "node_has_edges"
    gone = ask(stack, "DELETE", "/api/graph/nodes/ea?detach=true&refresh=true", status=200)
    assert gone["relationships_deleted"] == 1
    eventually(lambda: stack.get("/api/graph/edges/ab", headers=ADMIN).status == 404,
               seconds=60, what=stack.logs)
    ask(stack, "DELETE", "/api/graph/edges/ab", status=404)


def test_merging_by_a_key(stack):
    def merge(status, **properties):
        return ask(stack, "POST", "/api/graph/merge", {
            "label": "Book", "key": {"isbn": "1"}, "properties": properties}, status=status)

    first = merge(201, title="a")
    again = merge(200, year=1999)
    assert again["id"] == first["id"]
    eventually(lambda: shown(stack, f"/api/graph/nodes/{first['id']}")["properties"]
               == {"isbn": "1", "title": "a", "year": 1999}, seconds=60, what=stack.logs)
    assert merge(200)["version"] == again["version"]  # nothing to change
    for key in ({}, {"isbn": None}):
        refused = ask(stack, "POST", "/api/graph/merge", {"label": "Book", "key": key},
                      status=400)
        assert refused["field"] == "key"


def test_nobody_changes_what_they_cannot_read(stack):
    secret = {"clearance_level": 3, "department": "Finance"}
    node(stack, "mine", labels=["Right"], clearance_level=3, department="IT Services")
    node(stack, "theirs", who=ADMIN, labels=["Right"], properties={"key": "k"}, **secret)
    node(stack, "open", labels=["Right"])
    node(stack, "beyond", status=403, **secret)
    node(stack, "open", status=403, **secret)
    node(stack, "theirs", status=403)
    node(stack, "theirs", status=403, clearance_level=1)
    ask(stack, "POST", "/api/graph/nodes", {"id": "theirs"}, status=409)
    ask(stack, "PUT", "/api/graph/nodes/theirs?merge=true", {}, status=404)
    ask(stack, "DELETE", "/api/graph/nodes/theirs", status=404)
    ask(stack, "POST", "/api/graph/nodes", {"id": "n"}, who=STUDENT, status=403)
    edge = {"type": "T", "from": "open", "to": "theirs"}
    lost = ask(stack, "POST", "/api/graph/edges", edge, status=404)
    assert lost["field"] == "to"
    ask(stack, "PUT", "/api/graph/edges/hidden", edge, who=ADMIN, status=201)
    ask(stack, "PUT", "/api/graph/edges/hidden", {**edge, "to": "mine"}, status=403)
    ask(stack, "DELETE", "/api/graph/edges/hidden", status=404)
    ask(stack, "DELETE", "/api/graph/nodes/open?detach=true", status=403)
    # a key finds only what may be seen
    other = ask(stack, "POST", "/api/graph/merge", {"label": "Right", "key": {"key": "k"}},
                status=201)
    assert other["id"] != "theirs"
    # what is not said stays as it is
    node(stack, "mine", status=200, labels=["Right"], properties={"n": 1})
    eventually(lambda: shown(stack, "/api/graph/nodes/mine", STAFF)["properties"] == {"n": 1},
               seconds=60, what=stack.logs)
    assert stack.get("/api/graph/nodes/mine", headers=STUDENT).status == 404


def test_names_have_bounds(stack):
    for body, field in (({"labels": [""]}, "labels"), ({"labels": ["l" * 300]}, "labels"),
                        ({"properties": {"p" * 300: 1}}, "properties"),
                        ({"clearance_level": 6}, "clearance_level"),
                        ({"properties": [1]}, "properties")):
        assert ask(stack, "POST", "/api/graph/nodes", body, status=400)["field"] == field
    odd = 'q"\\{},\' \n\t\u2028é😀'
    made = ask(stack, "POST", "/api/graph/nodes?refresh=true",
               {"id": odd, "labels": [odd, "NULL", "{}"], "properties": {odd: odd}},
               status=201)
    assert made["id"] == odd
    eventually(lambda: ask(stack, "GET", "/api/graph/labels/NULL", status=200)["nodes"],
               seconds=60, what=stack.logs)
    (only,) = ask(stack, "GET", "/api/graph/labels/NULL", status=200)["nodes"]
    assert (only["id"], only["properties"]) == (odd, {odd: odd})
    assert sorted(only["labels"]) == sorted([odd, "NULL", "{}"])
