"""Relations between terms in files: read into the graph, written back out of it."""

import contextlib
import json
import urllib.parse

import pytest
from conftest import eventually

TYPES = {"csv": "text/csv", "json": "application/json", "skos": "application/rdf+xml",
         "tbx": "application/x-tbx+xml",
         "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@pytest.fixture(scope="module")
def callers(stack):
    made = {}
    for name, department in (("law", "Law"), ("it", "IT")):
        reply = stack.post("/api/admin/keys", {"name": f"relations {name}", "user_id": name,
                                               "role": "staff", "department": department,
                                               "scopes": ["read_glossary", "write_glossary",
                                                          "read_graph", "session"]})
        assert reply.status == 201, reply.body
        made[name] = {"Authorization": "Bearer " + reply.json()["key"]}
    return made


@pytest.fixture(autouse=True)
def cleaned(stack):
    yield
    stack.psql("DELETE FROM graph_nodes n USING glossary_terms t WHERE n.id = 'term:' || t.id "
               "AND t.domain = 'related'; DELETE FROM glossary_terms WHERE domain = 'related'")


def bring(stack, kind, body, headers=None):
    reply = stack.request("POST", f"/api/glossary/import?wait=true&format={kind}", body,
                          headers={"Content-Type": TYPES[kind], **(headers or {})})
    assert reply.status == 200, reply.body
    assert reply.json()["state"] == "done", reply.body
    return reply.json()["result"]


def export(stack, kind, headers=None):
    reply = stack.get(f"/api/glossary/export?format={kind}&domain=related", headers=headers)
    assert reply.status == 200, reply.body
    return reply.body


def edges(stack):
    return sorted(stack.psql(
        "SELECT e.type || ' ' || a.id || ' ' || b.id FROM graph_edges e "
        "JOIN glossary_terms a ON e.from_id = 'term:' || a.id "
        "JOIN glossary_terms b ON e.to_id = 'term:' || b.id "
        "WHERE a.domain = 'related'").splitlines())


ENTRIES = [
    {"id": "r-mill", "term": "mill", "relations": [{"type": "BROADER", "to": "r-plant"},
                                                   {"type": "RELATED", "to": "r-corn"}]},
    {"id": "r-plant", "term": "plant"},
    {"id": "r-corn", "term": "corn", "relations": [{"type": "SYNONYM_OF", "to": "r-grain"}]},
    {"id": "r-grain", "term": "grain"},
    {"id": "r-korn", "term": "Korn", "language": "de",
     "relations": [{"type": "TRANSLATION_OF", "to": "r-corn"}]},
    {"id": "r-m", "term": "M.", "relations": [{"type": "ABBREVIATION_OF", "to": "r-mill"},
                                              {"type": "RELATED", "to": "r-none"}]},
]
EDGES = sorted(["BROADER r-mill r-plant", "NARROWER r-plant r-mill", "RELATED r-corn r-mill",
                "SYNONYM_OF r-corn r-grain", "TRANSLATION_OF r-corn r-korn",
                "ABBREVIATION_OF r-m r-mill"])


def test_what_is_exported_brings_the_relations_back(stack):
    lines = [json.dumps({"domain": "related", **entry}) for entry in ENTRIES]
    first = bring(stack, "json", "\n".join(lines).encode())
    assert (first["created"], first["relations"], first["unrelated"]) == (6, 6, 1), first
    assert edges(stack) == EDGES
    for kind in TYPES:
        written = export(stack, kind)
        stack.psql("DELETE FROM graph_nodes WHERE id LIKE 'term:r-%'; "
                   "DELETE FROM glossary_terms WHERE domain = 'related'")
        result = bring(stack, kind, written)
        assert (result["created"], result["unrelated"], result["failed"]) == (6, 0, 0), kind
        assert edges(stack) == EDGES, kind
        again = bring(stack, kind, written)
        assert (again["unchanged"], again["relations"]) == (6, 0), kind
    # what an import wrote is what the routes read, and delete
    where = "/api/glossary/r-mill/relations"
    listed = stack.get(where + "?refresh=true")
    assert listed.status == 200, listed.body
    query = urllib.parse.urlencode({"type": "BROADER", "to": "r-plant"})
    assert stack.delete(f"{where}?{query}").status == 200
    assert [edge for edge in edges(stack) if "plant" in edge] == []


def test_a_table_may_name_terms_instead_of_ids(stack):
    table = ("term,domain,broader,related\nwheel,related,machine,axle|spoke\n"
             "machine,related,,\naxle,related,,\n")
    result = bring(stack, "csv", table.encode())
    assert (result["created"], result["relations"], result["unrelated"]) == (3, 3, 1), result


def test_concepts_of_tbx_point_at_each_other(stack):
    tbx = ('<tbx><text><body>'
           '<conceptEntry id="r-c1"><descrip type="subjectField">related</descrip>'
           '<langSec xml:lang="en"><termSec><term>barn</term>'
           '<descrip type="superordinateConceptGeneric" target="r-c2">building</descrip>'
           '</termSec></langSec></conceptEntry>'
           '<conceptEntry id="r-c2"><descrip type="subjectField">related</descrip>'
           '<langSec xml:lang="en"><termSec><term>building</term></termSec></langSec>'
           '</conceptEntry></body></text></tbx>')
    result = bring(stack, "tbx", tbx.encode())
    assert (result["created"], result["relations"], result["unrelated"]) == (2, 2, 0), result
    assert edges(stack) == ["BROADER r-c1-en-1 r-c2-en-1", "NARROWER r-c2-en-1 r-c1-en-1"]


def test_what_one_may_not_see_is_neither_related_nor_exported(stack, callers):
    bring(stack, "json", json.dumps([
        {"id": "r-secret", "term": "secret", "domain": "related", "clearance_level": 3,
         "department": "Law"}, {"id": "r-open", "term": "open", "domain": "related"}]).encode())
    link = [{"id": "r-other", "term": "other", "domain": "related", "relations": [
        {"type": "RELATED", "to": "r-secret"}, {"type": "RELATED", "to": "r-open"}]}]
    result = bring(stack, "json", json.dumps(link).encode(), callers["it"])
    assert (result["relations"], result["unrelated"]) == (1, 1), result
    result = bring(stack, "json", json.dumps(link).encode(), callers["law"])
    assert (result["relations"], result["unrelated"]) == (1, 0), result
    assert b"r-secret" not in export(stack, "json", callers["it"])
    assert b"r-secret" in export(stack, "json", callers["law"])


def node(stack, identity, headers):
    reply = stack.get("/api/graph/nodes/term:" + identity, headers=headers)
    assert reply.status in (200, 404), reply.body
    return reply.json() if reply.status == 200 else None


def related(stack, identity, headers):
    reply = stack.get(f"/api/glossary/{identity}/relations", headers=headers)
    assert reply.status == 200, reply.body
    return [one["to"] for one in reply.json()["relations"]]


def entry(identity, **members):
    return {"id": identity, "term": identity[2:], "domain": "related", **members}


@pytest.mark.parametrize("way", ["file", "route", "graph away"])
def test_the_graph_shows_a_term_as_it_is(stack, callers, way):
    """However it is changed, its node is what it is: nobody reads there what was closed."""
    link = {"relations": [{"type": "RELATED", "to": "r-lock"}]}
    bring(stack, "json", json.dumps([entry("r-lock"), entry("r-door", **link)]).encode())
    for headers in callers.values():
        eventually(lambda h=headers: related(stack, "r-door", h) == ["r-lock"], seconds=60,
                   what=stack.logs)

    def change(**members):
        body = {**entry("r-lock"), "term": "padlock", **members}
        if way == "file":
            result = bring(stack, "json", json.dumps([body]).encode(), callers["law"])
            assert result["updated"] == 1, result
            return
        reply = stack.request("PUT", "/api/glossary/r-lock", body, headers=callers["law"])
        assert reply.status == 200, reply.body

    if way == "graph away":
        with stack.stopped("graph"):
            change(clearance_level=3, department="Law")
    else:
        change(clearance_level=3, department="Law")
    eventually(lambda: node(stack, "r-lock", callers["it"]) is None, seconds=60, what=stack.logs)
    assert related(stack, "r-door", callers["it"]) == []
    assert related(stack, "r-door", callers["law"]) == ["r-lock"]
    assert node(stack, "r-lock", callers["law"])["properties"]["name"] == "padlock"
    change(clearance_level=1)  # open again
    eventually(lambda: related(stack, "r-door", callers["it"]) == ["r-lock"], seconds=60,
               what=stack.logs)

    with stack.stopped("graph") if way == "graph away" else contextlib.nullcontext():
        assert stack.delete("/api/glossary/r-lock").status == 200
    assert edges(stack) == []
    eventually(lambda: node(stack, "r-lock", None) is None, seconds=60, what=stack.logs)
