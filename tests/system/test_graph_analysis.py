"""Cheapest and all paths, analyses, similar nodes: through the gateway."""

import signal

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


def ids(items):
    return [item["id"] for item in items]


def is_label(stack, name):
    labels = get(stack, "/api/graph/labels").json()["labels"]
    return any(item["name"] == name for item in labels)


@pytest.fixture(scope="module")
def roads(stack):
    """From a to d: over b and c for 1 + 1 + 1, over e for 2.5 + 2, by a ferry that says no
    price, and through a tunnel that only some may see for 0."""
    stack.psql("""
        INSERT INTO graph_nodes (id, labels, clearance_level)
            SELECT id, '{Town}', 1 FROM unnest('{a,b,c,d,e}'::text[]) id;
        INSERT INTO graph_nodes (id, labels, clearance_level) VALUES ('x', '{Town}', 5);
        INSERT INTO graph_edges (id, type, from_id, to_id, properties) VALUES
            ('ab', 'ROAD', 'a', 'b', '{"km": 1}'), ('bc', 'ROAD', 'b', 'c', '{"km": 1}'),
            ('cd', 'ROAD', 'c', 'd', '{"km": 1}'), ('ae', 'ROAD', 'a', 'e', '{"km": 2.5}'),
            ('ed', 'ROAD', 'e', 'd', '{"km": 2}'), ('ad', 'FERRY', 'a', 'd', '{"km": "?"}'),
            ('ax', 'ROAD', 'a', 'x', '{"km": 0}'), ('xd', 'ROAD', 'x', 'd', '{"km": 0}');""")
    eventually(lambda: is_label(stack, "Town"), seconds=60, what=stack.logs)
    yield stack
    stack.psql("DELETE FROM graph_nodes WHERE labels && '{Town}'")


def test_the_cheapest_path_is_not_the_shortest(roads):
    def way(query, who=STUDENT):
        return get(roads, f"/api/graph/path?from=a&to=d&{query}", who).json()

    assert (way("")["length"], way("")["cost"]) == (1, 1)
    cheap = way("weight=km")
    assert (ids(cheap["edges"]), cheap["cost"]) == (["ab", "bc", "cd"], 3)
    assert cheap["unweighted_skipped"] is True
    assert way("weight=km&type=ROAD")["unweighted_skipped"] is False
    assert ids(way("weight=km&max_depth=2")["edges"]) == ["ae", "ed"]
    assert way("weight=nothing")["found"] is False
    assert way("weight=km", ADMIN)["cost"] == 0  # through the tunnel
    three = way("k=3")
    assert [ids(path["edges"]) for path in three["paths"]] == [
        ["ad"], ["ae", "ed"], ["ab", "bc", "cd"]]
    assert ids(three["nodes"]) == ["a", "d"]
    assert [path["cost"] for path in way("k=9&weight=km")["paths"]] == [3, 4.5]
    assert get(roads, "/api/graph/path?from=a&to=x&weight=km").status == 404
    assert get(roads, "/api/graph/path?from=a&to=d&k=51").json()["field"] == "k"


def test_all_paths_up_to_a_depth(roads):
    def ways(query, who=STUDENT):
        return get(roads, f"/api/graph/paths?from=a&to=d&{query}", who).json()

    assert [ids(path["nodes"]) for path in ways("")["paths"]] == [
        ["a", "d"], ["a", "e", "d"], ["a", "b", "c", "d"]]
    assert ways("")["truncated"] is False
    assert [path["length"] for path in ways("", ADMIN)["paths"]] == [1, 2, 2, 3]
    assert [path["length"] for path in ways("max_depth=2")["paths"]] == [1, 2]
    few = ways("limit=2")
    assert ([path["length"] for path in few["paths"]], few["truncated"]) == ([1, 2], True)
    assert ways("type=FERRY&direction=in")["paths"] == []
    assert get(roads, "/api/graph/paths?from=a&to=d&max_depth=11").status == 400


# --- analyses -------------------------------------------------------------------------------

def analyse(stack, body, who=STUDENT):
    """The ended job."""
    reply = stack.post("/api/graph/analysis", body, headers=who)
    assert reply.status == 202, reply.body
    assert reply.headers["Location"] == "/api/jobs/" + reply.json()["job_id"]

    def ended():
        job = get(stack, "/api/jobs/" + reply.json()["job_id"], who).json()
        return job["state"] in ("done", "failed", "cancelled") and job

    job = eventually(ended, seconds=60, what=stack.logs)
    assert job["state"] == "done", job
    return job["result"]


def test_degrees_and_ranks_are_of_what_is_seen(roads):
    degrees = analyse(roads, {"kind": "degree", "label": "Town", "parameters": {"top": 2}})
    assert (degrees["nodes"], degrees["edges"]) == (5, 6)
    assert degrees["top"] == [{"id": "a", "value": 3}, {"id": "d", "value": 3}]
    all_of_it = analyse(roads, {"kind": "degree", "label": "Town"}, ADMIN)
    assert (all_of_it["nodes"], all_of_it["edges"]) == (6, 8)
    ranks = analyse(roads, {"kind": "pagerank", "label": "Town", "type": "ROAD"})
    assert (ranks["edges"], ranks["converged"]) == (5, True)
    assert ranks["top"][0]["id"] == "d"
    assert "x" not in ids(ranks["top"])
    assert sum(item["value"] for item in ranks["top"]) == pytest.approx(1)


def test_groups_are_told_and_written(roads):
    ferry = {"kind": "components", "label": "Town", "type": "FERRY"}
    found = analyse(roads, ferry)
    assert found["group_count"] == 4
    assert found["groups"][0] == {"number": 0, "size": 2, "members": ["a", "d"]}
    assert roads.post("/api/graph/analysis", {**ferry, "write_property": "part"},
                      headers=STUDENT).status == 403
    written = analyse(roads, {**ferry, "write_property": "part"}, ADMIN)
    assert (written["written"], written["property"]) == (6, "part")

    def part(node):
        return get(roads, f"/api/graph/nodes/{node}").json()["properties"].get("part")

    eventually(lambda: part("d") == 0 and part("e") == 3, seconds=60, what=roads.logs)
    again = analyse(roads, {**ferry, "write_property": "part"}, ADMIN)
    assert again["written"] == 0  # it is so already
    communities = analyse(roads, {"kind": "communities", "label": "Town"})
    assert sum(group["size"] for group in communities["groups"]) == 5
    assert -0.5 <= communities["modularity"] <= 1
    nothing = analyse(roads, {"kind": "communities", "label": "Nowhere"})
    assert (nothing["nodes"], nothing["groups"]) == (0, [])


def test_an_analysis_says_what_it_cannot_do(roads):
    def refused(body):
        reply = roads.post("/api/graph/analysis", body, headers=STUDENT)
        return reply.status, reply.json()["field"]

    assert refused({"kind": "magic"}) == (400, "kind")
    assert refused({}) == (400, "kind")
    assert refused({"kind": "pagerank", "parameters": {"damping": 1}}) == (
        400, "parameters.damping")


# --- similar nodes --------------------------------------------------------------------------

@pytest.fixture(scope="module")
def animals(stack):
    stack.psql("""
        INSERT INTO graph_nodes (id, labels, properties, clearance_level) VALUES
            ('dog', '{Animal}', '{"name": "dog", "description": "a pet that barks"}', 1),
            ('puppy', '{Animal}', '{"name": "puppy", "description": "a young dog"}', 1),
            ('wolf', '{Animal,Wild}', '{"name": "wolf", "description": "a wild dog"}', 1),
            ('spydog', '{Animal}', '{"name": "dog", "description": "a pet that barks"}', 5),
            ('loan', '{Money}', '{"name": "loan", "description": "interest at a bank"}', 1),
            ('mute', '{Animal}', '{"legs": 4}', 1);""")
    eventually(lambda: is_label(stack, "Money"), seconds=60, what=stack.logs)
    # nobody wanted vectors before: the first who asks is told to wait, and for what
    first = get(stack, "/api/graph/nodes/dog/similar")
    assert (first.status, first.json()["code"]) == (503, "vectors_not_ready")
    assert "being made" in first.json()["error"]
    eventually(lambda: get(stack, "/api/graph/nodes/dog/similar").status == 200,
               seconds=120, what=stack.logs)
    yield stack
    stack.psql("DELETE FROM graph_nodes WHERE labels && '{Animal,Money}'")


def test_similar_nodes_are_of_what_is_seen(animals):
    def similar(query="", who=STUDENT, node="dog"):
        return get(animals, f"/api/graph/nodes/{node}/similar?{query}", who).json()

    answer = similar("limit=3")
    assert (answer["has_text"], answer["partial"]) == (True, False)
    assert "spydog" not in ids(answer["nodes"])
    assert "dog" not in ids(answer["nodes"])
    assert set(ids(answer["nodes"])[:2]) == {"puppy", "wolf"}
    assert answer["nodes"][0]["similarity"] > answer["nodes"][2]["similarity"]
    seen = similar("limit=1", ADMIN)["nodes"][0]
    assert (seen["id"], seen["similarity"]) == ("spydog", pytest.approx(1, abs=0.01))
    assert ids(similar("label=Wild")["nodes"]) == ["wolf"]
    assert similar("label=Nowhere")["nodes"] == []
    assert similar(node="mute") == {"nodes": [], "has_text": False, "partial": False}
    assert get(animals, "/api/graph/nodes/spydog/similar").status == 404


def test_vectors_are_there_after_a_restart(animals):
    before = get(animals, "/api/graph/nodes/dog/similar").json()
    animals.signal("embedder", signal.SIGSTOP)  # nobody could make them anew
    try:
        animals.returned("graph", animals.signal("graph", signal.SIGTERM))
        eventually(lambda: get(animals, "/api/graph/nodes/dog/similar").status == 200,
                   seconds=120, what=animals.logs)
        assert get(animals, "/api/graph/nodes/dog/similar").json() == before
    finally:
        animals.signal("embedder", signal.SIGCONT)


def test_similarity_follows_the_texts(animals):
    def best():
        answer = get(animals, "/api/graph/nodes/loan/similar?limit=1")
        return answer.status == 200 and ids(answer.json()["nodes"])

    animals.psql("""INSERT INTO graph_nodes (id, labels, properties) VALUES ('debt',
        '{Money}', '{"name": "loan", "description": "interest at a bank"}')""")
    eventually(lambda: best() == ["debt"], seconds=120, what=animals.logs)
