"""The graph through the gateway."""

import hashlib
import pathlib

import pytest
from conftest import Stack, eventually
from tokens import JWT, bearer

STUDENT, ADMIN = bearer("sam", "student"), bearer("root", "admin")


@pytest.fixture(scope="module")
def stack():
    """One that looks who asks."""
    running = Stack(**JWT, RATE_LIMIT_ENABLED="false").up()
    yield running
    running.down()


def get(stack, path, who=STUDENT):
    return stack.get(path, headers=who)


def schema(stack):
    return get(stack, "/api/graph/schema").json()


def label(answer, name):
    return next((item for item in answer["labels"] if item["name"] == name), None)


def test_the_schema_follows_the_record(stack):
    stack.psql("""
        INSERT INTO graph_nodes (id, labels, properties) VALUES
            ('schema-ada', '{SchemaPerson}', '{"name": "Ada", "born": 1815}'),
            ('schema-notes', '{SchemaPaper}', '{"pages": 66.5}');
        INSERT INTO graph_edges (id, type, from_id, to_id) VALUES
            ('schema-wrote', 'SCHEMA_WROTE', 'schema-ada', 'schema-notes');""")
    eventually(lambda: label(schema(stack), "SchemaPerson"), seconds=60, what=stack.logs)
    answer = schema(stack)
    assert label(answer, "SchemaPerson") == {
        "name": "SchemaPerson", "count": 1,
        "properties": [{"name": "born", "types": ["integer"]},
                       {"name": "name", "types": ["string"]}]}
    wrote = next(item for item in answer["relationship_types"]
                 if item["name"] == "SCHEMA_WROTE")
    assert wrote == {"name": "SCHEMA_WROTE", "count": 1,
                     "from_labels": ["SchemaPerson"], "to_labels": ["SchemaPaper"]}
    stack.psql("DELETE FROM graph_nodes WHERE id LIKE 'schema-%'")
    eventually(lambda: label(schema(stack), "SchemaPerson") is None, seconds=60,
               what=stack.logs)


@pytest.fixture(scope="module")
def people(stack):
    """ada -KNOWS-> ben -KNOWS-> cyd -KNOWS-> dan, a short cut through a hidden node, and
    hub, which knows thirty others."""
    stack.psql("""
        INSERT INTO graph_nodes (id, labels, properties, clearance_level) VALUES
            ('ada', '{Human}', '{"name": "Ada", "age": 36}', 1),
            ('ben', '{Human}', '{"name": "Ben", "age": 7.5}', 1),
            ('cyd', '{Human}', '{"name": "Cyd"}', 1),
            ('dan', '{Human}', '{"name": "Dan", "age": 36, "odd": true}', 1),
            ('spy', '{Human}', '{"name": "Spy"}', 5), ('hub', '{Hub}', '{}', 1);
        INSERT INTO graph_nodes (id, labels) SELECT 'leaf' || n, '{Leaf}'
            FROM generate_series(1, 30) n;
        INSERT INTO graph_edges (id, type, from_id, to_id, properties) VALUES
            ('ab', 'KNOWS', 'ada', 'ben', '{"since": 1833}'),
            ('bc', 'KNOWS', 'ben', 'cyd', '{}'), ('cd', 'KNOWS', 'cyd', 'dan', '{}'),
            ('as', 'KNOWS', 'ada', 'spy', '{}'), ('sd', 'KNOWS', 'spy', 'dan', '{}'),
            ('da', 'LIKES', 'dan', 'ada', '{}');
        INSERT INTO graph_edges (id, type, from_id, to_id) SELECT 'h' || n, 'HAS', 'hub',
            'leaf' || n FROM generate_series(1, 30) n;""")
    eventually(lambda: label(schema(stack), "Leaf"), seconds=60, what=stack.logs)
    yield stack
    stack.psql("DELETE FROM graph_nodes WHERE labels && '{Human,Hub,Leaf}'")


def ids(items):
    return [item["id"] for item in items]


def test_labels_and_their_pages(people):
    labels = {item["name"]: item["count"]
              for item in get(people, "/api/graph/labels").json()["labels"]}
    assert (labels["Human"], labels["Hub"], labels["Leaf"]) == (4, 1, 30)
    page = get(people, "/api/graph/labels/Human?per_page=3&sort=-age").json()
    assert ids(page["nodes"]) == ["ada", "dan", "ben"]
    assert page["pagination"] == {"page": 1, "per_page": 3, "total_count": 4,
                                  "total_pages": 2, "has_next": True, "has_prev": False}
    last = get(people, "/api/graph/labels/Human?per_page=3&sort=-age&page=2").json()
    assert ids(last["nodes"]) == ["cyd"]  # has no age
    assert last["pagination"]["has_next"] is False

    def found(query):
        return ids(get(people, f"/api/graph/labels/Human?{query}").json()["nodes"])

    assert found("prop.age=36") == ["ada", "dan"]
    assert found("prop.age=36&prop.odd=true") == ["dan"]
    assert found("prop.age=7.50") == ["ben"]
    assert found("prop.name=Spy") == []
    assert found("prop.nothing=1") == []
    empty = get(people, "/api/graph/labels/Nobody").json()
    assert (empty["nodes"], empty["pagination"]["total_count"]) == ([], 0)
    for field, value in (("per_page", "0"), ("per_page", "abc"), ("per_page", "1000000"),
                         ("page", "0"), ("page", "-1")):
        refused = get(people, f"/api/graph/labels/Human?{field}={value}")
        assert (refused.status, refused.json()["field"]) == (400, field), value


def test_nodes_are_found_by_name(people):
    def found(query, who=STUDENT):
        reply = get(people, f"/api/graph/search?{query}", who)
        assert reply.status == 200, reply.body
        answer = reply.json()
        assert answer["pagination"]["total_count"] >= len(answer["nodes"])
        return [(item["id"], item["match"]) for item in answer["nodes"]]

    # what is made at the first question may take a busy machine long
    eventually(lambda: get(people, "/api/graph/search?q=ADA").status == 200, seconds=60,
               what=people.logs)
    assert found("q=ADA") == [("ada", "exact")]
    assert found("q=c") == [("cyd", "prefix")]
    assert found("q=spy") == []
    assert found("q=spy", ADMIN) == [("spy", "exact")]
    assert found("q=ada&label=Hub") == []
    assert found("q=ada&property=nothing") == []
    answer = get(people, "/api/graph/search?q=d&limit=1&page=2").json()
    assert (answer["nodes"], answer["pagination"]["total_count"]) == ([], 1)
    assert get(people, "/api/graph/search").status == 400
    people.psql("INSERT INTO graph_nodes (id, labels, properties) VALUES "
                "('sea', '{Sea}', '{\"title\": \"The Mediterranean Sea\"}')")
    eventually(lambda: found("q=mediteranean+se") == [("sea", "fuzzy")], seconds=60,
               what=people.logs)
    assert found("q=sea+the") == [("sea", "words")]
    people.psql("DELETE FROM graph_nodes WHERE id = 'sea'")
    eventually(lambda: found("q=sea") == [], seconds=60, what=people.logs)


def test_a_node_and_its_neighbours(people):
    node = get(people, "/api/graph/nodes/ada").json()
    assert node["properties"] == {"name": "Ada", "age": 36}
    assert node["number"] == int(people.psql(
        "SELECT number FROM graph_nodes WHERE id = 'ada'"))
    assert node["relationships"] == [
        {"type": "KNOWS", "direction": "out", "count": 1},  # spy is not seen
        {"type": "LIKES", "direction": "in", "count": 1}]
    assert node["degree"] == 2
    reply = get(people, "/api/graph/nodes/ada/neighbors?type=KNOWS").json()
    assert ids(reply["nodes"]) == ["ben"]
    number = int(people.psql("SELECT number FROM graph_edges WHERE id = 'ab'"))
    assert reply["edges"] == [{"id": "ab", "number": number, "type": "KNOWS",
                               "from": "ada", "to": "ben",
                               "properties": {"since": 1833}}]
    assert reply["next_cursor"] is None
    assert ids(get(people, "/api/graph/nodes/ada/neighbors?direction=in").json()
               ["nodes"]) == ["dan"]
    assert get(people, "/api/graph/nodes/ada", ADMIN).json()["degree"] == 3
    assert get(people, "/api/graph/nodes/spy", ADMIN).status == 200
    for missing in ("nobody", "spy"):
        for path in ("", "/neighbors"):
            reply = get(people, f"/api/graph/nodes/{missing}{path}")
            assert reply.status == 404
            assert reply.json()["code"] == "node_not_found"


def test_a_hub_is_paged(people):
    seen, cursor = [], ""
    while cursor is not None:
        page = get(people, f"/api/graph/nodes/hub/neighbors?limit=7&cursor={cursor}").json()
        seen += ids(page["nodes"])
        assert len(page["edges"]) <= 7
        cursor = page["next_cursor"]
    assert sorted(seen) == sorted(f"leaf{n}" for n in range(1, 31))
    bad = get(people, "/api/graph/nodes/hub/neighbors?cursor=garbage")
    assert (bad.status, bad.json()["field"]) == (400, "cursor")


def test_paths_go_where_the_caller_may_look(people):
    def path(query):
        return get(people, f"/api/graph/path?from=ada&to=dan&{query}").json()

    way = path("direction=out")
    assert ids(way["nodes"]) == ["ada", "ben", "cyd", "dan"]
    assert ids(way["edges"]) == ["ab", "bc", "cd"]
    assert (way["found"], way["length"], way["truncated"]) == (True, 3, False)
    short = get(people, "/api/graph/path?from=ada&to=dan&direction=out", ADMIN).json()
    assert ids(short["nodes"]) == ["ada", "spy", "dan"]
    assert path("")["length"] == 1  # LIKES, backwards
    assert path("type=KNOWS&max_depth=2") == {
        "found": False, "length": None, "cost": None, "nodes": [], "edges": [],
        "truncated": False}
    assert path("type=NEVER")["found"] is False
    assert get(people, "/api/graph/path?from=ada").json()["field"] == "to"
    assert get(people, "/api/graph/path?from=ada&to=spy").status == 404
    wrong = get(people, "/api/graph/path?from=ada&to=dan&direction=up")
    assert (wrong.status, wrong.json()["field"]) == (400, "direction")


def test_what_lies_around(people):
    around = get(people, "/api/graph/subgraph?root=ada&depth=1").json()
    assert ids(around["nodes"]) == ["ada", "ben", "dan"]
    assert sorted(ids(around["edges"])) == ["ab", "da"]
    assert around["truncated"] is False
    few = get(people, "/api/graph/subgraph?root=hub&limit=5").json()
    assert (len(few["nodes"]), len(few["edges"]), few["truncated"]) == (5, 4, True)
    assert get(people, "/api/graph/subgraph?root=hub&depth=11").status == 400


def query(stack, text, who=STUDENT, **body):
    return stack.post("/api/graph/query", {"query": text, **body}, headers=who)


def test_a_query_in_opencypher(people):
    answer = query(people, "MATCH (a:Human)-[r:KNOWS]->(b) WHERE a.name = $name "
                           "RETURN b, r, b.age AS age", parameters={"name": "Ada"})
    assert answer.status == 200, answer.text
    answer = answer.json()
    assert answer["columns"] == ["b", "r", "age"]
    assert (answer["row_count"], answer["truncated"]) == (1, False)
    node, edge, age = answer["rows"][0]  # spy is not seen
    assert node == {key: value for key, value in
                    get(people, "/api/graph/nodes/ben").json().items()
                    if key in ("id", "number", "labels", "properties")}
    assert (edge["id"], edge["from"], edge["to"], edge["properties"]) == (
        "ab", "ada", "ben", {"since": 1833})
    assert age == 7.5

    def one(text, who=STUDENT, **body):
        return query(people, text, who, **body).json()["rows"][0]

    assert one("MATCH (n:Human) RETURN count(n)") == [4]
    assert one("MATCH (n:Human) RETURN count(n)", ADMIN) == [5]
    path = one("MATCH p = shortestPath((a {name: 'Ada'})-[:KNOWS*]->(d {name: 'Dan'})) "
               "RETURN p")[0]
    assert ids(path["nodes"]) == ["ada", "ben", "cyd", "dan"]
    assert ids(path["edges"]) == ["ab", "bc", "cd"]
    assert one("RETURN $p AS p", parameters={"p": {"a": [1, -2.5, None, "x", True]}}) == [
        {"a": [1, -2.5, None, "x", True]}]
    nodes, edges = one("CALL db.schema.visualization()")
    human = next(node for node in nodes if node["labels"] == ["Human"])
    knows = next(edge for edge in edges if edge["type"] == "KNOWS")
    assert human["number"] < 0 and human["properties"]["name"] == "Human"
    assert (knows["from"], knows["to"], knows["number"] < 0) == (human["id"], human["id"], True)
    assert one("EXPLAIN MATCH (n:Human) WHERE n.name = $no RETURN n") == [
        1, "NodeByLabelScan", "(n:Human)"]
    few = query(people, "MATCH (n:Leaf) RETURN n", max_rows=7).json()
    assert (few["row_count"], len(few["rows"]), few["truncated"]) == (7, 7, True)


def test_what_a_query_cannot_do(people):
    def refused(text, **body):
        answer = query(people, text, **body)
        assert answer.status == 400, answer.text
        return answer.json()["code"], answer.json()["error"]

    code, said = refused("MATCH (n)\nDETACH DELETE n")
    assert (code, said.startswith("line 2, column 1: ")) == ("write_refused", True)
    assert refused("RETURN 1 +")[0] == "cypher_syntax"
    assert refused("CALL { RETURN 1 }")[0] == "cypher_unsupported"
    assert refused("RETURN $none")[0] == "cypher_arguments"
    assert refused("RETURN 1 + true")[0] == "cypher_type"
    endless = "UNWIND range(1, 1000000) AS a UNWIND range(1, 1000000) AS b " \
              "WITH a WHERE a < 0 RETURN a"
    assert refused(endless, timeout_ms=50)[0] == "budget_exceeded"
    assert query(people, "RETURN 1", who={}).status == 401


def snapshot_loads(stack, outcome):
    return stack.figure("graph",
                        f'cairn_graph_snapshot_loads_total{{outcome="{outcome}"}}') or 0


def test_it_starts_from_its_snapshot_and_without_it(people):
    folder = pathlib.Path(people.dir, "data", "graph")

    def edges():
        """None while the gateway does not reach the new process yet."""
        found = get(people, "/api/graph/nodes/ada/neighbors?direction=both", ADMIN)
        return sorted(ids(found.json()["edges"])) if found.status == 200 else None

    before = eventually(edges, seconds=60, what=people.logs)
    # what changes while it is away is there when it is ready again
    people.restart("graph", between=lambda: people.psql(
        "INSERT INTO graph_edges (id, type, from_id, to_id) "
        "VALUES ('away', 'KNOWS', 'cyd', 'ada')"))
    assert snapshot_loads(people, "loaded") == 1
    eventually(lambda: edges() == sorted([*before, "away"]), seconds=60,
               what=people.logs)
    people.psql("DELETE FROM graph_edges WHERE id = 'away'")

    def spoil():
        for path in folder.glob("snapshot-*/graph"):
            data = bytearray(path.read_bytes())
            data[len(data) // 3] ^= 0x55
            path.write_bytes(data)

    people.restart("graph", between=spoil)
    assert snapshot_loads(people, "loaded") == 0
    assert len(list(folder.glob("corrupt-*"))) == 1
    eventually(lambda: edges() == before, seconds=60, what=people.logs)


VIEWS = [
    ("/api/graph/schema", "graph_schema", "", None),
    ("/api/graph/labels", "graph_labels", "", None),
    ("/api/graph/labels/Human?per_page=2", "graph_label", "Human", 2),
    ("/api/graph/nodes/ada", "graph_node", "ada", None),
    ("/api/graph/nodes/hub/neighbors?limit=7", "graph_neighbors", "hub", 7),
    ("/api/graph/path?from=ada&to=dan", "graph_path", "ada -> dan", None),
    ("/api/graph/paths?from=ada&to=cyd", "graph_paths", "ada -> cyd", None),
    ("/api/graph/subgraph?root=ben&depth=0", "graph_subgraph", "ben", 1),
    ("/api/graph/search?q=ben", "graph_search", "", 1),
    ("/api/graph/edges/ab", "graph_edge", "ab", None),
    ("/api/graph/export?label=Hub", "export_graph", "Hub", None),
    ("/api/graph/nodes/spy", "graph_node", "spy", None),
    ("/api/glossary?q=quire", "list_glossary", "", 0),
]


def hash_of(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def test_every_view_leaves_a_record(people):
    """Who looked at what, with hashes of what was asked, without AUDIT_READS."""
    who = bearer("viewer", "student")
    for path, *_ in VIEWS:  # what is made at the first question may take a busy machine long
        eventually(lambda p=path: get(people, p, ADMIN).status in (200, 404), seconds=60,
                   what=people.logs)
    for path, *_ in VIEWS:
        assert people.get(path, headers=who).status in (200, 404), path
    asked = "MATCH (n:Human) RETURN n.name"
    people.request("POST", "/api/graph/query", {"query": asked}, headers=who)
    seen = "SELECT count(*) FROM audit_log WHERE user_id = 'viewer'"
    eventually(lambda: people.psql(seen) == str(len(VIEWS) + 1), seconds=60, what=people.logs)
    for path, action, target, count in VIEWS:
        where = f" AND action = '{action}' AND target = '{target}'"
        if count is not None:
            where += f" AND results_returned = {count}"
        if "q=" in path:
            where += f" AND query_hash = '{hash_of(path.split('q=')[1])}' AND query = ''"
        assert people.psql(seen + where) == "1", path
    assert people.psql(seen + " AND action = 'graph_query' AND results_returned = 4 AND "
                       f"query_hash = '{hash_of(asked)}' AND query = ''") == "1"
    assert people.psql(seen + " AND action = 'graph_node' AND target = 'spy' "
                       "AND status = 404") == "1"


def test_the_largest_part_of_the_graph_comes_whole(people):
    """As many nodes and relationships as a question may ask for."""
    people.psql("""
        INSERT INTO graph_nodes (id, labels, properties)
        SELECT 'large' || n, '{Large}', '{}' FROM generate_series(0, 4999) n;
        INSERT INTO graph_edges (id, type, from_id, to_id)
        SELECT 'large' || n || '-' || k, 'NEAR', 'large' || n, 'large' || (n * 7 + k) % 5000
        FROM generate_series(0, 4999) n, generate_series(1, 4) k""")
    try:
        def part():
            reply = get(people, "/api/graph/subgraph?root=large0&depth=10&limit=5000")
            return reply if reply.status == 200 and len(reply.json()["edges"]) == 20000 else None
        found = eventually(part, seconds=60, what=people.logs).json()
        assert len(found["nodes"]) == 5000 and found["truncated"] is False
    finally:
        people.psql("DELETE FROM graph_edges WHERE type = 'NEAR' AND id LIKE 'large%';"
                    "DELETE FROM graph_nodes WHERE labels = '{Large}'")
