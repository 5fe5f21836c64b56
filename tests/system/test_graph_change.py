"""The graph is changed through the gateway."""

import json
import random

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
    assert sorted(seen["labels"]) == ["Alive", "Made"]
    assert seen["properties"] == {"name": "x", "n": 1}
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


# --- streams ---------------------------------------------------------------------------

TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv",
         "graphml": "application/graphml+xml"}


def load(stack, body, form="ndjson", who=ADMIN, status=200):
    """The lines of the answer; the last one is the sum."""
    body = body if isinstance(body, bytes) else body.encode()
    reply = stack.request("POST", "/api/graph/import?refresh=true", body,
                          headers={"Content-Type": TYPES[form], **who})
    assert reply.status == status, reply.body
    return [json.loads(line) for line in reply.body.splitlines()]


def save(stack, form, label, who=ADMIN):
    reply = stack.get(f"/api/graph/export?format={form}&label={label}", headers=who)
    assert reply.status == 200, reply.body
    return reply.body


def records(stack, label, who=ADMIN):
    """What is exported, by kind and id."""
    lines = [json.loads(line) for line in save(stack, "ndjson", label, who).splitlines()]
    for line in lines:
        line.get("labels", []).sort()
    return {(line["kind"], line["id"]): line for line in lines}


def test_ndjson_is_loaded(stack):
    lines = [
        '\ufeff{"kind":"node","id":"l1","labels":["Loaded"],"properties":{"a":1}}', "",
        '{"id":"l2","labels":["Loaded"]}', "nonsense", '{"labels":["Loaded"]}',
        '{"from":"l1","to":"l2","type":"L","id":"le"}',
        '{"from":"l1","to":"none","type":"L"}', '{"from":"l1","to":"l2"}',
        '{"type":"node","id":"l3","labels":["Loaded"],"properties":{"b":null}}',
        '{"type":"relationship","id":"lr","label":"APOC","start":{"id":"l3"},"end":{"id":"l1"}}',
    ]
    answer = load(stack, "\r\n".join(lines))
    done = answer.pop()
    assert (done["status"], done["created"], done["failed"]) == ("done", 5, 4), answer
    wrong = {line["line"]: line["error"] for line in answer if line["status"] == "error"}
    assert sorted(wrong) == [4, 5, 7, 8], wrong
    assert (wrong[4]["code"], wrong[5]["code"]) == ("malformed_json", "invalid_request")
    assert (wrong[7]["code"], wrong[7]["field"]) == ("node_not_found", "to")
    again = load(stack, "\n".join(lines))[-1]
    assert (again["created"], again["replaced"], again["unchanged"]) == (0, 0, 5)
    eventually(lambda: len(records(stack, "Loaded")) == 5, seconds=60, what=stack.logs)


def test_csv_of_neo4j_is_loaded(stack):
    body = ('\ufeffcode:ID(City),:LABEL,name,people:int,area:float,capital:boolean,'
            'tags:string[],skip:IGNORE\r\n'
            'ed,City;Seat,"Edin""burgh\n",500000,264.5,true,a;b,x\r\n'
            'gl,City,Glasgow,,,False,,\r\n'
            'pe,City,Perth,many,,,,\r\n'
            '\r\n'
            ':START_ID(City),:END_ID(City),:TYPE,km:long\r\n'
            'ed,gl,ROAD,75\r\ned,pe,ROAD,70\r\n')
    answer = load(stack, body, "csv")
    assert (answer[-1]["created"], answer[-1]["failed"]) == (3, 2), answer
    eventually(lambda: len(records(stack, "City")) == 3, seconds=60, what=stack.logs)
    found = records(stack, "City")
    assert found["node", "City/ed"] == {
        "kind": "node", "id": "City/ed", "labels": ["City", "Seat"], "properties": {
            "code": "ed", "name": 'Edin"burgh\n', "people": 500000, "area": 264.5,
            "capital": True, "tags": ["a", "b"]}, "clearance_level": 1, "department": ""}
    assert found["node", "City/gl"]["properties"] == {
        "code": "gl", "name": "Glasgow", "capital": False}
    (road,) = [line for (kind, _), line in found.items() if kind == "edge"]
    assert (road["type"], road["from"], road["to"], road["properties"]) == (
        "ROAD", "City/ed", "City/gl", {"km": 75})
    broken = load(stack, "name,age:int\na,1\n", "csv")
    assert broken[-1]["status"] == "broken" and "header" in broken[-1]["error"]


def test_graphml_is_loaded(stack):
    body = """<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">
      <key id="labels" for="node" attr.name="labels"/><key id="w" for="edge" attr.name="weight"
       attr.type="double"><default>1.5</default></key><key id="n" for="node" attr.name="name"
       attr.type="string"/><graph id="G" edgedefault="directed">
      <node id="x1" labels=":Xml:Two"><data key="labels">:Xml</data>
        <data key="n">&lt;é</data></node>
      <node id="x2"><data key="labels">:Xml</data></node>
      <edge id="xe" source="x1" target="x2" label="E"/><edge source="x2" target="x1"><data
       key="w">heavy</data></edge></graph></graphml>"""
    answer = load(stack, body, "graphml")
    assert (answer[-1]["created"], answer[-1]["failed"]) == (3, 1), answer
    eventually(lambda: len(records(stack, "Xml")) == 3, seconds=60, what=stack.logs)
    found = records(stack, "Xml")
    assert found["node", "x1"]["labels"] == ["Two", "Xml"]
    assert found["node", "x1"]["properties"] == {"name": "<é"}
    assert found["edge", "xe"]["properties"] == {"weight": 1.5}
    hostile = ('<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><graphml><graph>'
               '<node id="&b;"/></graph></graphml>')
    answer = load(stack, hostile, "graphml")
    assert answer[-1]["status"] == "broken" and "document type" in answer[-1]["error"]
    assert load(stack, "<graphml><graph><node id='q'>", "graphml")[-1]["status"] == "broken"


KEY = '<key id="k" attr.name="n" attr.type="long"><default>3</default></key>'
NODE = '<node id="{}" labels=":XmlOdd">{}</node>'


@pytest.mark.parametrize("body, why", [
    ("<graph>" + NODE.format("xo", '<data key="k">1<data key="k">2</data></data>') + "</graph>",
     "values within values"),
    ('<key id="a"><key id="b"/></key>', "keys within keys"),
    ("<key/>", "no id"),
    ('<key id="a" attr.type="long"><default>x</default></key>', "default"),
    ("<graph>" + NODE.format("xo", '<data key="other">1</data>') + "</graph>", "not declared")])
def test_misplaced_graphml_is_refused(stack, body, why):
    answer = load(stack, f"<graphml>{KEY}{body}</graphml>", "graphml")
    assert answer[-1]["status"] == "broken" and why in answer[-1]["error"], answer


def test_values_of_no_record_and_no_key_are_nobodys(stack):
    many = "".join(f'<key id="more{i}"/>' for i in range(8))
    graph = "<graph>" + NODE.format("xo", '<data key="k">1</data>') + "</graph>"
    odd = '<default>9<data key="k">8</data></default><data key="k">7</data>'
    answer = load(stack, f"<graphml>{KEY}{graph}{many}{odd}"
                         f"{graph.replace('xo', 'xp').replace('1', '')}</graphml>", "graphml")
    assert (answer[-1]["created"], answer[-1]["failed"]) == (1, 1), answer
    assert records(stack, "XmlOdd")["node", "xo"]["properties"] == {"n": 1}


ODD = ["", " ", "a", "ü😀", "\n\r\t", "\x01\x1f\x7f", '"', "'", "\\", ";", ":", "<&>", ",",
       "]]>", "\ufffe", "\u2028", ":ID", "a:int", "{}", "null", "1", "x" * 500]


def hostile_graph(seed, label):
    """Records of a random graph whose texts are everything that a format might trip on."""
    rng = random.Random(seed)

    def text():
        return "".join(rng.choice(ODD) for _ in range(rng.randint(1, 3)))

    def value(depth=0):
        kind = rng.randint(0, 5 if depth else 7)
        if kind > 5:
            return [value(1) for _ in range(rng.randint(0, 3))]
        return [None, True, rng.randint(-2**63, 2**63 - 1), rng.uniform(-1e9, 1e12), text(),
                {text(): text()}][kind]

    def rest():
        return {"properties": {text()[:200]: value() for _ in range(rng.randint(0, 4))},
                "clearance_level": rng.randint(1, 5),
                "department": rng.choice(["", "IT;", text()[:60]])}

    nodes = [{"kind": "node", "id": f"{label}{i}{text()[:60]}",
              "labels": sorted({label, *((text()[:60] or "y") for _ in range(rng.randint(0, 2)))}
                               - {""}), **rest()}
             for i in range(60)]
    edges = [{"kind": "edge", "id": f"{label}e{i}{text()[:60]}", "type": text()[:60] or "T",
              "from": rng.choice(nodes)["id"], "to": rng.choice(nodes)["id"], **rest()}
             for i in range(120)]
    return nodes + edges


@pytest.mark.parametrize("form", TYPES)
def test_what_is_exported_is_loaded_as_it_was(stack, form):
    label = f"Round{form}"
    graph = hostile_graph(form, label)
    answer = load(stack, "\n".join(json.dumps(line) for line in graph))
    assert (answer[-1]["created"], answer[-1]["failed"]) == (180, 0), answer[:3]
    eventually(lambda: len(records(stack, label)) == 180, seconds=60, what=stack.logs)
    before = records(stack, label)
    assert {line["id"]: line["properties"] for line in graph} == {
        line["id"]: line["properties"] for line in before.values()}
    saved = save(stack, form, label)
    again = load(stack, saved, form)[-1]
    assert (again["created"], again["replaced"], again["unchanged"],
            again["failed"]) == (0, 0, 180, 0)
    stack.psql(f"DELETE FROM graph_nodes WHERE '{label}' = ANY (labels)")
    eventually(lambda: not records(stack, label), seconds=60, what=stack.logs)
    answer = load(stack, saved, form)
    assert (answer[-1]["created"], answer[-1]["failed"]) == (180, 0), answer
    eventually(lambda: records(stack, label) == before, seconds=60, what=stack.logs)


def test_streams_keep_to_what_their_caller_may(stack):
    load(stack, "\n".join(json.dumps(line) for line in [
        {"id": "k1", "labels": ["Kept"]}, {"id": "k2", "labels": ["Kept"], "clearance_level": 5},
        {"id": "k3", "labels": ["Kept"]}, {"id": "ka", "type": "K", "from": "k1", "to": "k2"},
        {"id": "kb", "type": "K", "from": "k1", "to": "k3"},
        {"id": "kc", "type": "K", "from": "k1", "to": "k3", "clearance_level": 5}]))
    eventually(lambda: len(records(stack, "Kept")) == 6, seconds=60, what=stack.logs)
    assert {ident for _, ident in records(stack, "Kept", STUDENT)} == {"k1", "k3", "kb"}
    answer = load(stack, '{"id":"k2"}\n{"id":"k9","labels":["Kept"],"clearance_level":5}\n'
                  '{"type":"K","from":"k1","to":"k2"}', who=STAFF)
    assert [line["error"]["code"] for line in answer[:-1] if line["status"] == "error"] == [
        "forbidden", "forbidden", "node_not_found"]
    assert (answer[-1]["created"], answer[-1]["failed"]) == (0, 3)
    load(stack, "", who=STUDENT, status=403)
    assert stack.get("/api/graph/export?format=x", headers=ADMIN).status == 400
    assert stack.request("POST", "/api/graph/import", b"x", headers={
        "Content-Type": "image/png", **ADMIN}).status == 415
