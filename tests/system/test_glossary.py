"""The glossary: entries, their status, who may what; searching them."""

import io
import json
import urllib.parse
import zipfile

import pytest
from conftest import eventually

READS = ["read_glossary", "session"]
WRITES = [*READS, "write_glossary"]


@pytest.fixture(scope="module")
def callers(stack):
    """Headers of somebody of each role; the test itself is the operator."""
    made = {}
    for name, role, department, scopes in (
            ("student", "student", "", READS), ("law", "staff", "Law", WRITES),
            ("it", "staff", "IT", WRITES),
            ("academic", "academic", "", [*WRITES, "validate_glossary"])):
        reply = stack.post("/api/admin/keys", {"name": f"glossary {name}", "user_id": name,
                                               "role": role, "department": department,
                                               "scopes": scopes})
        assert reply.status == 201, reply.body
        made[name] = {"Authorization": "Bearer " + reply.json()["key"]}
    return made


def path(identity):
    return "/api/glossary/" + urllib.parse.quote(identity, safe="")


def add(stack, term, headers=None, **members):
    reply = stack.request("POST", "/api/glossary", {"term": term, **members}, headers=headers)
    assert reply.status == 201, reply.body
    return reply.json()


def change(stack, entry, headers=None, **members):
    body = {name: value for name, value in {**entry, **members}.items() if value is not None}
    return stack.request("PUT", path(entry["id"]), body, headers=headers)


def listed(stack, headers=None, **query):
    reply = stack.get("/api/glossary?" + urllib.parse.urlencode(query), headers=headers)
    assert reply.status == 200, reply.body
    return reply.json()


def terms(page):
    return [entry["term"] for entry in page["entries"]]


def test_an_entry_is_stored_read_changed_and_deleted(stack):
    stored = add(stack, "quern", definition="A stone for grinding corn.", domain="milling",
                 part_of_speech="noun", source="survey", metadata={"plural": "querns"})
    assert stored["status"] == "draft" and stored["language"] == "en"
    read = stack.get(path(stored["id"]))
    assert read.status == 200
    entry = read.json()
    assert entry == {name: value for name, value in stored.items() if name != "visible"}
    assert entry["metadata"] == {"plural": "querns"} and entry["domain"] == "milling"

    changed = change(stack, entry, definition="A hand mill.").json()
    assert changed["definition"] == "A hand mill." and changed["created_at"] == entry["created_at"]
    assert stack.get(path(entry["id"])).json()["definition"] == "A hand mill."

    assert stack.delete(path(entry["id"])).json() == {"deleted": True, "id": entry["id"],
                                                      "visible": True}
    for method in ("GET", "DELETE"):
        assert stack.request(method, path(entry["id"])).status == 404
    assert change(stack, entry).status == 404


def test_what_is_wrong_is_refused_and_named(stack):
    for body, field in (({"definition": "x"}, "term"), ({"term": ""}, "term"),
                        ({"term": "a" * 513}, "term"), ({"term": "a\nb"}, "term"),
                        ({"term": "a", "language": "12"}, "language"),
                        ({"term": "a", "status": "final"}, "status"),
                        ({"term": "a", "clearance_level": 6}, "clearance_level"),
                        ({"term": "a", "id": "a\tb"}, "id"),
                        ({"term": "a", "metadata": []}, "metadata")):
        reply = stack.post("/api/glossary", body)
        assert (reply.status, reply.json()["field"]) == (400, field), body
    for query in ("status=final", "sort=size", "page=0", "per_page=1001"):
        assert stack.get("/api/glossary?" + query).status == 400


def test_the_same_term_twice_is_a_conflict(stack):
    first = add(stack, "sluice", domain="hydraulics")
    for members in ({}, {"definition": "again"}):
        reply = stack.post("/api/glossary", {"term": "sluice", "domain": "hydraulics", **members})
        assert reply.status == 409 and reply.json()["code"] == "duplicate_term"
        assert first["id"] in reply.json()["error"]
    assert stack.post("/api/glossary", {"term": "other", "id": first["id"]}).status == 409
    other = add(stack, "sluice", domain="mining")
    add(stack, "sluice", domain="hydraulics", language="nl")
    add(stack, "sluice", domain="hydraulics", sense="2")
    reply = change(stack, other, domain="hydraulics")
    assert reply.status == 409 and first["id"] in reply.json()["error"]


def test_drafts_are_validated_and_then_deprecated(stack, callers):
    entry = add(stack, "tailrace", headers=callers["law"])
    assert change(stack, entry, callers["law"], definition="Behind the wheel.").status == 200
    entry = stack.get(path(entry["id"])).json()
    reply = change(stack, entry, callers["law"], status="validated")
    assert (reply.status, reply.json()["field"]) == (403, "status")
    assert change(stack, entry, callers["academic"], status="deprecated").status == 409
    assert change(stack, entry, callers["academic"], status="validated").status == 200
    # what is validated is out of reach for who may not validate
    assert change(stack, entry, callers["law"], definition="Mine.").status == 403
    assert stack.request("DELETE", path(entry["id"]), headers=callers["law"]).status == 403
    assert change(stack, entry, callers["academic"], status="deprecated").status == 200
    assert change(stack, entry, callers["academic"], status="draft").status == 409
    assert change(stack, entry, callers["academic"], status="validated").status == 200
    assert change(stack, entry, callers["academic"], status="draft").status == 200
    assert stack.request("DELETE", path(entry["id"]), headers=callers["law"]).status == 200
    reply = stack.request("POST", "/api/glossary", {"term": "x", "status": "validated"},
                          headers=callers["law"])
    assert reply.status == 403


def test_what_one_may_not_read_is_not_there(stack, callers):
    secret = add(stack, "gantrywright", clearance_level=3, department="Law",
                 headers=callers["law"])
    for name, sees in (("law", True), ("it", False), ("student", False), ("academic", True)):
        headers = callers[name]
        assert stack.get(path(secret["id"]), headers=headers).status == (200 if sees else 404)
        for query in ({"q": "gantrywright"}, {"q": "gantrywr"}, {"domain": "none"}):
            page = listed(stack, headers, **query)
            expected = int(sees and "q" in query)
            assert page["pagination"]["total_count"] == len(page["entries"]) == expected
    assert change(stack, secret, callers["it"], clearance_level=1,
                  department=None).status == 404
    assert stack.request("DELETE", path(secret["id"]), headers=callers["it"]).status == 404
    # neither does a conflict tell of it
    reply = stack.request("POST", "/api/glossary", {"term": "gantrywright"},
                          headers=callers["it"])
    assert reply.status == 409 and secret["id"] not in reply.json()["error"]
    # nobody gives away what is above one's own
    for members in ({"clearance_level": 4}, {"clearance_level": 3, "department": "Law"}):
        reply = stack.request("POST", "/api/glossary", {"term": "y", **members},
                              headers=callers["it"])
        assert reply.status == 403, reply.body
    # students read only, nobody at all writes without a key
    for method, at in (("POST", "/api/glossary"), ("PUT", path("x")), ("DELETE", path("x"))):
        reply = stack.request(method, at, {"term": "z"}, headers=callers["student"])
        assert reply.status == 403


def test_pages_are_sorted_and_filtered(stack):
    for number in range(5):
        add(stack, f"Aale {number}", domain="paging", language="de" if number % 2 else "en")
    assert terms(listed(stack, domain="paging")) == [f"Aale {i}" for i in range(5)]
    assert terms(listed(stack, domain="paging", sort="-term")) == [
        f"Aale {i}" for i in range(4, -1, -1)]
    assert terms(listed(stack, domain="paging", sort="-updated_at"))[0] == "Aale 4"
    assert terms(listed(stack, domain="paging", language="de")) == ["Aale 1", "Aale 3"]
    assert terms(listed(stack, domain="paging", status="validated")) == []
    page = listed(stack, domain="paging", page=2, per_page=2)
    assert terms(page) == ["Aale 2", "Aale 3"]
    assert page["pagination"]["total_count"] == 5 and page["pagination"]["has_next"]


def test_search_knows_phrases_stems_beginnings_and_exclusion(stack):
    add(stack, "penstock", domain="words",
        definition="A pipe feeding the running wheel & more <i>.")
    add(stack, "wheel pit", domain="words", definition="Where wheels turn.")
    add(stack, "Mühle", domain="words", language="de", definition="Mahlt alle Getreidesorten.")

    def found(query, **more):
        return terms(listed(stack, q=query, domain="words", **more))

    assert found("penstock") == ["penstock"]
    assert found("pens") == ["penstock"]  # a beginning
    assert found("runs") == ["penstock"]  # a stem
    assert set(found("wheel")) == {"wheel pit", "penstock"}
    assert found("wheel")[0] == "wheel pit"  # the term counts more than the definition
    assert found('"running wheel"') == ["penstock"] and found('"wheel running"') == []
    assert found("wheel -pipe") == ["wheel pit"]
    assert set(found("pipe or turn")) == {"wheel pit", "penstock"}
    assert found("Getreidesorte", language="de") == ["Mühle"]
    hit = listed(stack, q="wheel", domain="words")["entries"][1]
    assert hit["highlight"] == ("A pipe feeding the running <mark>wheel</mark> &amp; more "
                                "&lt;i&gt;.")
    for query in ('"a b" -c && (', "'", "\\", "%", "!!", "a:*b", ":", "<->", "\U0001f980"):
        listed(stack, q=query)
    assert found("100%") == [] and found("p_nstock") == []


# --- files

ROWS = [
    {"id": "file-1", "term": "=SUM(A1)", "definition": 'A "quoted", <b>bold</b> & odd\nline',
     "language": "en", "domain": "filed", "status": "validated", "sense": "1",
     "source": "a;b", "part_of_speech": "noun", "metadata": {"a": [1, "ü"]}},
    {"id": "urn:x/y z%20", "term": "Wörter 🦀", "language": "de", "domain": "filed",
     "status": "draft", "clearance_level": 2, "department": "Law", "metadata": {}},
    {"id": "'quote", "term": "'-x", "language": "en", "domain": "filed", "status": "deprecated",
     "metadata": {"acronym": "X"}},
]
TYPES = {"csv": "text/csv", "json": "application/json", "tbx": "application/x-tbx+xml",
         "skos": "application/rdf+xml", "xlsx": "application/vnd.openxmlformats-"
         "officedocument.spreadsheetml.sheet"}


def bring(stack, body, kind, headers=None, query="wait=true"):
    reply = stack.request("POST", "/api/glossary/import?" + query, body,
                          headers={"Content-Type": TYPES[kind], **(headers or {})})
    return reply


def brought(stack, body, kind, headers=None):
    reply = bring(stack, body, kind, headers)
    assert reply.status == 200, reply.body
    job = reply.json()
    assert job["state"] in ("done", "failed")
    return job


def export(stack, kind, headers=None, **query):
    reply = stack.get("/api/glossary/export?" + urllib.parse.urlencode(
        {"format": kind, **query}), headers=headers)
    assert reply.status == 200, reply.body
    assert f'filename="glossary.{"rdf" if kind == "skos" else kind}"' in reply.headers[
        "Content-Disposition"]
    return reply.body


def filed(stack):
    entries = listed(stack, domain="filed")["entries"]
    return sorted(({k: v for k, v in e.items() if not k.endswith("_at")} for e in entries),
                  key=lambda e: e["id"])


@pytest.fixture
def files(stack):
    """The rows above, brought as JSON; gone afterwards."""
    result = brought(stack, json.dumps(ROWS).encode(), "json")["result"]
    assert (result["created"], result["failed"]) == (3, 0), result
    yield filed(stack)
    remove_filed(stack)


def remove_filed(stack):
    for entry in filed(stack):
        assert stack.delete(path(entry["id"])).status == 200


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_what_is_exported_comes_back_the_same(stack, files, kind):
    body = export(stack, kind, domain="filed")
    job = brought(stack, body, kind)
    result = job["result"]
    assert (result["unchanged"], result["rows"]) == (3, 3), result
    assert (job["done"], job["failed"], job["total"]) == (3, 0, 3)
    assert job["errors"] == result["errors"] == []
    remove_filed(stack)
    assert filed(stack) == []
    result = brought(stack, body, kind)["result"]
    assert (result["created"], result["failed"]) == (3, 0), result
    assert filed(stack) == files


def test_a_table_names_its_columns_and_is_no_formula(stack, files):
    lines = export(stack, "csv", domain="filed").decode().split("\r\n")
    assert lines[0].startswith("id,term,definition,language,domain")
    assert any('"\'=SUM(A1)"' in line for line in lines)
    workbook = zipfile.ZipFile(io.BytesIO(export(stack, "xlsx", domain="filed")))
    assert workbook.testzip() is None
    assert b"=SUM(A1)" in workbook.read("xl/worksheets/sheet1.xml")


def test_what_is_wrong_with_a_line_stops_no_other(stack):
    table = ("term;lang;subject;status;clearance_level\n"
             "good one;en;filed;draft;1\n;en;filed;;\nbad level;en;filed;;9\n"
             "good one;en;filed;;\nbad tag;e1!;filed;;\nlast;en;filed;;\n").encode()
    job = brought(stack, table, "csv")
    result = job["result"]
    assert (result["rows"], result["created"], result["failed"]) == (6, 2, 4), result
    told = {error["item"]: error["code"] for error in result["errors"]}
    assert told == {"line 3": "invalid_request", "line 4": "invalid_request",
                    "line 5": "duplicate", "line 6": "invalid_request"}
    assert (job["done"], job["failed"], job["total"]) == (2, 4, 6)
    assert job["errors"] == result["errors"]
    assert stack.get("/api/jobs/" + job["job_id"]).json()["errors"] == job["errors"]
    assert [entry["term"] for entry in filed(stack)] != []
    remove_filed(stack)


def test_an_import_has_the_rights_of_who_brings_it(stack, callers):
    rows = [{"term": "mine", "domain": "filed", "clearance_level": 3, "department": "Law"},
            {"term": "hers", "domain": "filed", "clearance_level": 3, "department": "IT"},
            {"term": "above", "domain": "filed", "clearance_level": 4, "department": "Law"},
            {"term": "final", "domain": "filed", "status": "validated"}]
    result = brought(stack, json.dumps(rows).encode(), "json", callers["law"])["result"]
    assert (result["created"], result["failed"]) == (1, 3), result
    assert [error["code"] for error in result["errors"]] == ["forbidden", "forbidden", "status"]
    seen = export(stack, "json", callers["it"], domain="filed")
    assert json.loads(seen) == []
    assert [e["term"] for e in json.loads(export(stack, "json", callers["law"],
                                                 domain="filed"))] == ["mine"]
    reply = bring(stack, b"[]", "json", callers["student"])
    assert reply.status == 403
    remove_filed(stack)


def test_files_that_are_none_are_refused(stack):
    bomb = b'<!DOCTYPE x [<!ENTITY a "b">]><rdf:RDF xmlns:rdf="r">&a;</rdf:RDF>'
    for kind, body, code in (("skos", bomb, "damaged"), ("xlsx", b"PK\x03\x04none", "damaged"),
                             ("tbx", b"<tbx>", "damaged"), ("csv", b"a,b\n1,2\n", "damaged"),
                             ("csv", b'term,domain\na,"b\nc,d\n', "damaged"),
                             ("json", b"  ", "no_text")):
        job = brought(stack, body, kind)
        assert (job["state"], job["code"]) == ("failed", code), (kind, job)
        assert (job["done"], job["failed"], job["total"], job["errors"]) == (0, 0, 0, [])
    assert stack.request("POST", "/api/glossary/import", b"x",
                         headers={"Content-Type": "image/png"}).status == 400
    assert stack.get("/api/glossary/export?format=pdf").status == 400


def test_an_import_is_a_job(stack):
    reply = bring(stack, b'{"term":"jobbed","domain":"filed"}\n', "json", query="")
    assert reply.status == 202, reply.body
    place = reply.headers["Location"]
    assert place == "/api/jobs/" + reply.json()["job_id"]
    eventually(lambda: stack.get(place).json()["state"] == "done", seconds=60, what=stack.logs)
    assert stack.get(place).json()["result"]["created"] == 1
    remove_filed(stack)


def test_a_form_brings_a_file_whose_name_tells_its_format(stack):
    body = (b'--b\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\n'
            b"term,domain\r\nformed,filed\r\n\r\n--b--\r\n")
    reply = stack.request("POST", "/api/glossary/import?wait=true", body,
                          headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert reply.status == 200 and reply.json()["result"]["created"] == 1, reply.body
    assert reply.json()["file_name"] == "t.csv"
    for query, name in (("&file_name=terms.csv", "terms.csv"), ("", None)):
        again = bring(stack, b"term,domain\r\nformed,filed\r\n", "csv", query="wait=true" + query)
        assert again.json()["file_name"] == name, again.body
    remove_filed(stack)


def test_more_than_a_page_goes_through(stack):
    rows = b"".join(b'{"term":"many %d","id":"many-%d","domain":"filed","definition":"%s"}\n'
                    % (i, i, b"x" * 100) for i in range(1301))
    result = brought(stack, rows, "json")["result"]
    assert (result["created"], result["failed"]) == (1301, 0)
    for kind in TYPES:
        result = brought(stack, export(stack, kind, domain="filed"), kind)["result"]
        assert (result["unchanged"], result["rows"]) == (1301, 1301), (kind, result)
    stack.psql("DELETE FROM glossary_terms WHERE domain = 'filed'")


# --- relations

def relate(stack, entry, kind, other, headers=None):
    return stack.request("POST", path(entry["id"]) + "/relations",
                         {"type": kind, "to": other["id"]}, headers=headers)


def related(stack, entry, headers=None, **query):
    reply = stack.get(path(entry["id"]) + "/relations?" + urllib.parse.urlencode(query),
                      headers=headers)
    assert reply.status == 200, reply.body
    return sorted((r["type"], r["direction"], r["to"]) for r in reply.json()["relations"])


def shows(stack, entry, expected, headers=None):
    eventually(lambda: related(stack, entry, headers) == sorted(expected), seconds=30,
               what=lambda: str(related(stack, entry, headers)))


def test_relations_have_their_inverse_and_go_with_their_term(stack):
    mill = add(stack, "mill", domain="inverse")
    water = add(stack, "water mill", domain="inverse")
    muehle = add(stack, "Mühle", domain="inverse", language="de")
    assert related(stack, mill) == []
    reply = relate(stack, water, "BROADER", mill)
    assert reply.status == 201, reply.body
    assert relate(stack, water, "BROADER", mill).status == 201  # again: the same one
    shows(stack, water, [("BROADER", "out", mill["id"])])
    shows(stack, mill, [("NARROWER", "out", water["id"])])
    # what holds both ways is one relation, whichever end names it
    assert relate(stack, mill, "TRANSLATION_OF", muehle).status == 201
    assert relate(stack, muehle, "TRANSLATION_OF", mill).status == 201
    shows(stack, mill, [("NARROWER", "out", water["id"]),
                        ("TRANSLATION_OF", "both", muehle["id"])])
    shows(stack, muehle, [("TRANSLATION_OF", "both", mill["id"])])
    assert related(stack, mill, type="NARROWER") == [("NARROWER", "out", water["id"])]
    # it can be deleted from either side
    where = path(mill["id"]) + f"/relations?type=NARROWER&to={water['id']}"
    assert stack.delete(where).status == 200
    assert stack.delete(where).status == 404
    shows(stack, water, [])
    # a term takes its relations with it
    assert "relations_deleted" not in stack.delete(path(muehle["id"])).json()
    shows(stack, mill, [])
    for body, status in (({"type": "LIKE", "to": mill["id"]}, 400), ({"type": "RELATED"}, 400),
                         ({"type": "RELATED", "to": water["id"]}, 400),
                         ({"type": "RELATED", "to": "none"}, 404)):
        assert stack.post(path(water["id"]) + "/relations", body).status == status
    assert stack.get(path("none") + "/relations").status == 404


def test_a_relation_to_a_hidden_term_is_hidden(stack, callers):
    seen = add(stack, "seen", domain="hidden relations")
    secret = add(stack, "secret", domain="hidden relations", clearance_level=3, department="Law",
                 headers=callers["law"])
    assert relate(stack, seen, "RELATED", secret, callers["it"]).status == 404
    assert relate(stack, seen, "RELATED", secret, callers["law"]).status == 201
    shows(stack, seen, [("RELATED", "both", secret["id"])], callers["law"])
    assert related(stack, seen, callers["it"]) == []
    assert relate(stack, seen, "RELATED", seen, callers["student"]).status == 403
