"""What one may not see shifts nothing that one sees: every route of the graph and the
glossary answers the same whether hidden nodes, relationships and terms are there or not;
somebody who may see them gets another answer."""

import io
import json
import re
import urllib.parse
import zipfile

import pytest
from bolt import Bolt
from conftest import Stack, eventually
from tokens import JWT, bearer

STUDENT, ADMIN = bearer("sam", "student"), bearer("root", "admin")
WHO = {"student": STUDENT, "admin": ADMIN}


@pytest.fixture(scope="module")
def stack():
    running = Stack(**JWT, RATE_LIMIT_ENABLED="false", RESULT_CACHE_ENABLED="false").up()
    yield running
    running.down()


SEEN = """
    INSERT INTO graph_nodes (id, labels, properties) SELECT 'r' || n, '{Rg}', jsonb_build_object(
        'name', 'Rights ' || n, 'n', n, 'description', 'a harbour with boats')
        FROM generate_series(1, 6) n;
    INSERT INTO graph_edges (id, type, from_id, to_id, properties) SELECT 'k' || n, 'RG_KNOWS',
        'r' || n, 'r' || n + 1, '{"km": 2}' FROM generate_series(1, 5) n;
    INSERT INTO graph_edges (id, type, from_id, to_id, properties) VALUES
        ('k6', 'RG_KNOWS', 'r1', 'r3', '{"km": 9}');
    INSERT INTO graph_nodes (id, labels, properties) SELECT 'm' || n, '{RgMany}',
        jsonb_build_object('kind', n % 10) FROM generate_series(1, 80) n;
    INSERT INTO graph_nodes (id, labels, properties) SELECT 'f' || n, '{RgFew}', '{}'
        FROM generate_series(1, 20) n;
    INSERT INTO graph_edges (id, type, from_id, to_id, properties) SELECT 'fm' || n, 'RG_HAS',
        'f' || n, 'm' || 21 - n, '{}' FROM generate_series(1, 20) n;"""
# Two nodes that would come first, two ways that would be shorter, names that would match; more
# nodes of the rare label than there are of the other.
HIDDEN = """
    INSERT INTO graph_nodes (id, labels, properties, clearance_level) SELECT 'a' || n,
        '{Rg,RgSecret}', jsonb_build_object('name', 'Rights 1', 'n', -n, 'secret', n,
        'description', 'a harbour with boats'), 5 FROM generate_series(1, 2) n;
    INSERT INTO graph_edges (id, type, from_id, to_id, properties, clearance_level) VALUES
        ('s1', 'RG_KNOWS', 'r1', 'a1', '{"km": 0}', 1), ('s2', 'RG_KNOWS', 'a1', 'r6',
        '{"km": 0}', 1), ('s3', 'RG_KNOWS', 'r1', 'r5', '{"km": 0}', 5),
        ('s4', 'RG_SECRET', 'r2', 'a2', '{}', 1), ('s5', 'RG_KNOWS', 'r4', 'r2', '{}', 5);
    INSERT INTO graph_nodes (id, labels, properties, clearance_level) SELECT 'h' || n,
        CASE WHEN n <= 10 THEN '{RgFew,RgMany}' ELSE '{RgFew}' END::text[],
        jsonb_build_object('kind', n % 10, 'secret', n), 5 FROM generate_series(1, 100) n;"""

PATHS = [
    "/api/graph/schema",
    "/api/graph/labels",
    "/api/graph/labels/Rg?sort=n&per_page=2",
    "/api/graph/labels/Rg?sort=-n&per_page=4&page=2",
    "/api/graph/labels/Rg?prop.description=a harbour with boats",
    "/api/graph/labels/RgSecret",
    "/api/graph/nodes/r1",
    "/api/graph/labels/RgMany?prop.kind=3&per_page=5",
    "/api/graph/nodes/r1/neighbors",
    "/api/graph/nodes/r2/neighbors?direction=out&limit=2",
    "/api/graph/nodes/r4/neighbors?type=RG_KNOWS&label=Rg",
    "/api/graph/search?q=rights 1",
    "/api/graph/search?q=righ&limit=2",
    "/api/graph/search?q=harbour&property=description",
    "/api/graph/path?from=r1&to=r6",
    "/api/graph/path?from=r1&to=r5&weight=km",
    "/api/graph/path?from=r1&to=r6&k=3",
    "/api/graph/path?from=r1&to=r6&weight=km&k=4",
    "/api/graph/paths?from=r1&to=r6&max_depth=6",
    "/api/graph/paths?from=r1&to=r5&max_depth=3&limit=1",
    "/api/graph/subgraph?root=r1&depth=1",
    "/api/graph/subgraph?root=r1&depth=3&limit=4",
    "/api/graph/nodes/r1/similar?limit=3",
    "/api/graph/export",
    "/api/graph/export?format=csv&label=Rg",
    "/api/graph/export?format=graphml",
    "/api/glossary?domain=rights&sort=term&per_page=2",
    "/api/glossary?q=rights&domain=rights",
    "/api/glossary?q=aaa right&domain=rights&mode=semantic",
    "/api/glossary?q=aaa right&domain=rights&mode=semantic&per_page=1",
    "/api/glossary?q=aaa right&mode=semantic&per_page=1&page=2",
    "/api/glossary?q=aaa right&domain=rights&mode=hybrid",
    "/api/glossary?q=aaa right&mode=hybrid&per_page=1",
    "/api/glossary/rg-a/relations",
    "/api/glossary/export?format=csv&domain=rights",
    "/api/glossary/export?format=xlsx&domain=rights",
    "/api/glossary/export?format=json&domain=rights",
    "/api/glossary/export?format=tbx&domain=rights",
    "/api/glossary/export?format=skos&domain=rights",
]
OUT_OF_SIGHT = [
    "/api/graph/nodes/a1",
    "/api/graph/nodes/a1/neighbors",
    "/api/graph/nodes/a1/similar",
    "/api/graph/edges/s1",
    "/api/graph/edges/s3",
    "/api/graph/path?from=r1&to=a1",
    "/api/graph/paths?from=a1&to=r1",
    "/api/graph/subgraph?root=a1",
    "/api/glossary/rg-secret",
    "/api/glossary/rg-secret/relations",
]
# Whoever may see these may also write: test_glossary_candidates.
ELSEWHERE = {"/api/glossary/candidates"}
QUERIES = [
    "MATCH (n:Rg) RETURN count(n), sum(n.n), min(n.n), avg(n.n), collect(n.name)",
    "MATCH ()-[k:RG_KNOWS]->() RETURN count(*), count(k), collect(k.km)",
    "MATCH ()-[k]->() WHERE type(k) STARTS WITH 'RG' RETURN type(k), count(*) ORDER BY type(k)",
    "MATCH p = shortestPath((a {name: 'Rights 2'})-[*..9]-(b {name: 'Rights 6'})) "
    "RETURN length(p)",
    "MATCH (a {name: 'Rights 2'})-[:RG_KNOWS*1..3]-(b) RETURN count(*), count(DISTINCT b)",
    "MATCH (n:Rg) OPTIONAL MATCH (n)-[:RG_SECRET]->(m) RETURN n.n, count(m) ORDER BY n.n",
    "MATCH (n:Rg) RETURN n.n ORDER BY n.n SKIP 1 LIMIT 2",
    "MATCH (n:Rg) RETURN keys(n), labels(n) ORDER BY n.n LIMIT 1",
    "MATCH (n:Rg) WHERE n.name = 'Rights 1' RETURN size([(n)--(m) | m.n]), n.n",
    "CALL db.labels() YIELD label RETURN label ORDER BY label",
    "CALL db.relationshipTypes() YIELD relationshipType AS t RETURN t ORDER BY t",
    "CALL db.propertyKeys() YIELD propertyKey AS k RETURN k ORDER BY k",
    "CALL db.schema.nodeTypeProperties()",
    "CALL db.schema.relTypeProperties() YIELD relType AS t RETURN t",
    "CALL db.schema.visualization()",
    "MATCH (n:RgMany) WHERE n.kind = 3 RETURN count(n), collect(elementId(n))",
    "MATCH (n:RgMany) WHERE n.kind >= 7 RETURN elementId(n) AS i ORDER BY i LIMIT 4",
    "MATCH (n:RgMany) WHERE n.secret = 1 RETURN count(n)",
    "SHOW INDEXES YIELD name RETURN name ORDER BY name",
    "EXPLAIN MATCH (a:RgMany)<-[:RG_HAS]-(b:RgFew) RETURN a, b",
    "MATCH (a:RgMany)<-[:RG_HAS]-(b:RgFew) RETURN elementId(a) LIMIT 3",
]
ANALYSES = ["degree", "pagerank", "components", "communities"]


def path_of(path):
    return urllib.parse.quote(path, safe="/?=&.-_")


def text_of(body):
    """Of a workbook its sheet: the archive around it tells the time."""
    if not body.startswith(b"PK"):
        return body.decode()
    with zipfile.ZipFile(io.BytesIO(body)) as workbook:
        return workbook.read("xl/worksheets/sheet1.xml").decode()


def answer(stack, path, who):
    reply = stack.get(path_of(path), headers=WHO[who])
    return reply.status, text_of(reply.body)


def settled(stack, path, who):
    """Vectors of texts are made meanwhile."""
    found = []

    def there():
        found[:] = [answer(stack, path, who)]
        return found[0][0] != 503 and '"degraded":["' not in found[0][1]

    eventually(there, seconds=60, what=stack.logs)
    return found[0]


def query(stack, text, who):
    reply = stack.request("POST", "/api/graph/query", {"query": text}, headers=WHO[who])
    assert reply.status == 200, (text, reply.body)
    return reply.json()["rows"]


def by_bolt(stack, who):
    host, port = stack.env["BOLT_URL"].removeprefix("bolt://").split(":")
    connection = Bolt(host, int(port), (5, 4))
    try:
        connection.hello(scheme="bearer",
                         credentials=WHO[who]["Authorization"].removeprefix("Bearer "))
        return [connection.run(text)[1] for text in QUERIES]
    finally:
        connection.close()


def analysis(stack, kind, who):
    begun = stack.request("POST", "/api/graph/analysis", {"kind": kind, "label": "Rg"},
                          headers=WHO[who])
    assert begun.status == 202, begun.body
    job = eventually(lambda: (lambda job: job if job["state"] == "done" else None)(
        stack.get(f"/api/jobs/{begun.json()['job_id']}", headers=WHO[who]).json()),
        seconds=60, what=stack.logs)
    return job["result"]


def everything(stack, who):
    """Whatever can be asked, and what is answered."""
    return {**{path: settled(stack, path, who) for path in PATHS},
            **{text: query(stack, text, who) for text in QUERIES},
            **{f"analysis {kind}": analysis(stack, kind, who) for kind in ANALYSES},
            **{f"bolt {text}": rows for text, rows in zip(QUERIES, by_bolt(stack, who))}}


def term(stack, ident, name, **more):
    body = {"id": ident, "term": name, "domain": "rights", "definition": "about rights", **more}
    reply = stack.request("POST", "/api/glossary?refresh=true", body, headers=ADMIN)
    assert reply.status == 201, reply.body


def relate(stack, ident, to):
    reply = stack.request("POST", f"/api/glossary/{ident}/relations",
                          {"type": "RELATED", "to": to}, headers=ADMIN)
    assert reply.status == 201, reply.body
    eventually(lambda: any(found["to"] == to for found in json.loads(
        answer(stack, f"/api/glossary/{ident}/relations", "admin")[1])["relations"]),
        seconds=60, what=stack.logs)


def meant(stack, count):
    """So many entries have a vector by now."""
    eventually(lambda: f'"total_count":{count},' in answer(
        stack, "/api/glossary?q=right&mode=semantic", "admin")[1], seconds=120, what=stack.logs)


@pytest.fixture(scope="module")
def compared(stack):
    """What both were told before anything hidden was there, and afterwards."""
    term(stack, "rg-a", "alpha right")
    term(stack, "rg-b", "beta right")
    relate(stack, "rg-a", "rg-b")
    stack.psql(SEEN)
    eventually(lambda: ["Rg", 6] in [list(item.values()) for item in json.loads(
        answer(stack, "/api/graph/labels", "admin")[1])["labels"]], seconds=60,
        what=stack.logs)
    meant(stack, 2)
    before = {who: everything(stack, who) for who in WHO}
    term(stack, "rg-secret", "aaa right", clearance_level=5)
    relate(stack, "rg-a", "rg-secret")
    stack.psql(HIDDEN)
    eventually(lambda: answer(stack, "/api/graph/edges/s5", "admin")[0] == 200, seconds=60,
               what=stack.logs)
    eventually(lambda: '"id":"a1"' in answer(stack, "/api/graph/nodes/r1/similar", "admin")[1],
               seconds=60, what=stack.logs)  # vectors follow
    meant(stack, 3)
    return before, {who: everything(stack, who) for who in WHO}


def test_what_is_hidden_shifts_nothing(compared):
    before, after = compared
    for asked, said in before["student"].items():
        assert after["student"][asked] == said, asked
    assert len(before["student"]) == len(PATHS) + 2 * len(QUERIES) + len(ANALYSES)


def test_whoever_may_see_it_is_told(compared):
    """Each of these would have been shifted."""
    before, after = compared
    same = [asked for asked, said in before["admin"].items() if after["admin"][asked] == said]
    assert same == []


def test_a_search_by_meaning_compares_what_is_seen(compared):
    """The best entry of all is the hidden one; whoever may see it finds it first."""
    for mode in ("semantic", "hybrid"):
        asked = f"/api/glossary?q=aaa right&domain=rights&mode={mode}"
        page = {who: json.loads(compared[1][who][asked][1]) for who in WHO}
        assert page["admin"]["entries"][0]["id"] == "rg-secret", page
        assert {one["id"] for one in page["student"]["entries"]} == {"rg-a", "rg-b"}, page
        assert [page[who]["pagination"]["total_count"] for who in WHO] == [2, 3], page
        scores = {one["id"]: one["score"] for one in page["student"]["entries"]}
        assert all(score > 0 for score in scores.values()), page


def test_every_route_that_reads_is_asked(stack):
    """A route that comes later is not forgotten here."""
    asked = {path.partition("?")[0] for path in PATHS + OUT_OF_SIGHT} | ELSEWHERE
    routes = stack.get("/openapi.json").json()["paths"]
    reads = [path for path in routes if "get" in routes[path]
             and path.startswith(("/api/graph/", "/api/glossary"))]
    assert len(reads) > 15, reads
    for path in reads:
        form = re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path))
        assert any(form.fullmatch(one) for one in asked), path


def test_nothing_hidden_can_be_named(compared, stack):
    for path in OUT_OF_SIGHT:
        assert answer(stack, path, "student")[0] == 404, path
        assert settled(stack, path, "admin")[0] == 200, path


def test_no_answer_names_what_is_hidden(compared):
    told = json.dumps([what for asked, what in compared[1]["student"].items()
                       if not asked.endswith("RgSecret")])  # which repeats what was asked
    shown = json.dumps(list(compared[1]["admin"].values()))
    for secret in ("RgSecret", "RG_SECRET", '\\"secret\\"', '\\"a1\\"', '\\"s3\\"', "aaa right"):
        assert secret in shown, secret
        assert secret not in told, secret


def test_what_indexes_and_vectors_take_is_told(compared, stack):
    def at_least(figure, least):
        return eventually(lambda: stack.figure("graph", f"cairn_graph_{figure}") >= least,
                          seconds=60, what=stack.logs)

    at_least('indexes{kind="values"}', 1)
    at_least('index_bytes{kind="values"}', 16 * 80)  # 80 nodes have a kind, at 16 bytes each
    at_least('indexes{kind="words"}', 1)
    at_least('index_bytes{kind="words"}', 16)
    at_least("vectors", 6)
    at_least("vector_bytes", 6 * 512)
