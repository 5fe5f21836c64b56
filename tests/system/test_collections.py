"""Collections with defaults of their own, and who may read what and why."""

import urllib.parse

import pytest
from conftest import ADMIN

TEXT = "The quay of Balnamoon is closed to carriages while the tide is out. "


@pytest.fixture(scope="module")
def callers(stack):
    """Headers of somebody of each role; the test itself is the operator."""
    made = {}
    for name, role, department in (("law", "staff", "Law"), ("it", "staff", "IT"),
                                   ("student", "student", ""), ("academic", "academic", "")):
        reply = stack.post("/api/admin/keys", {"name": f"collections {name}", "user_id": name,
                                               "role": role, "department": department,
                                               "scopes": ["search", "read_documents",
                                                          "session"]})
        assert reply.status == 201, reply.body
        made[name] = {"Authorization": "Bearer " + reply.json()["key"]}
    return made


def path(name):
    return "/api/collections/" + urllib.parse.quote(name, safe="")


def define(stack, name, headers=None, **members):
    return stack.request("PUT", path(name), members, headers=headers)


@pytest.fixture
def collection(stack):
    """Defines collections that are gone afterwards, with all in them."""
    names = []

    def make(name, **members):
        reply = define(stack, name, **members)
        assert reply.status in (200, 201), reply.body
        names.append(name)
        return reply.json()

    yield make
    for name in names:
        stack.delete(path(name) + "?documents=true")


def put(stack, identity, text, **more):
    return stack.put(id=identity, title="Quay", text=text, **more)


def found(stack, query, headers=None, **filters):
    asked = {"query": query, "filters": filters, "mode": "text"}
    reply = stack.request("POST", "/api/search", asked if headers else {**asked, "user": ADMIN},
                          headers=headers)
    assert reply.status == 200, reply.body
    return reply.json()["results"]


def test_defaults_hold_for_documents_that_do_not_say(stack, collection):
    defined = collection("Harbour papers", title="Harbour", department="Law", campus="Central",
                         language="de", clearance_level=2, priority=4, chunk_tokens=40,
                         chunk_overlap_percent=0)
    assert defined["defined"] and defined["documents"] == 0
    stored = put(stack, "col-1", TEXT * 20, collection="Harbour papers")
    assert stored["chunks"] > 4  # one of the service's own size
    metadata = stack.get("/api/documents/col-1").json()["metadata"]
    assert metadata == {"department": "Law", "campus": "Central", "language": "de",
                        "clearance_level": 2, "priority": 4}
    hits = found(stack, "Balnamoon", collection="Harbour papers", department="Law",
                 campus="Central", min_priority=4)
    assert {hit["document_id"] for hit in hits} == {"col-1"}
    assert hits[0]["metadata"]["clearance_level"] == 2

    own = {"department": "IT", "campus": "K", "language": "en", "clearance_level": 3,
           "priority": 1}
    put(stack, "col-2", TEXT, collection="Harbour papers", metadata=own)
    assert stack.get("/api/documents/col-2").json()["metadata"] == own
    # Without a collection of that name nothing is inherited.
    put(stack, "col-3", TEXT, collection="Harbour papers too")
    assert stack.get("/api/documents/col-3").json()["metadata"] == {}
    stack.delete("/api/documents/col-3")


def test_a_document_is_never_below_its_collections_clearance(stack, collection):
    collection("Sealed", clearance_level=4)
    reply = stack.post("/api/documents", {"id": "sealed-1", "title": "Quay", "text": TEXT,
                                          "collection": "Sealed",
                                          "metadata": {"clearance_level": 3}})
    assert reply.status == 400
    assert reply.json()["field"] == "metadata.clearance_level"
    put(stack, "sealed-1", TEXT, collection="Sealed", metadata={"clearance_level": 5})
    put(stack, "sealed-2", TEXT, collection="Sealed", metadata={"clearance_level": None})
    levels = [stack.get(f"/api/documents/sealed-{i}").json()["metadata"]["clearance_level"]
              for i in (1, 2)]
    assert levels == [5, 4]


def test_a_change_holds_from_the_next_document_on(stack, collection):
    collection("Moving", department="Law", chunk_tokens=400)
    first = put(stack, "moving-1", TEXT * 20, collection="Moving")
    again = put(stack, "moving-1", TEXT * 20, collection="Moving")
    assert again["unchanged"] is True
    collection("Moving", department="IT", chunk_tokens=40)
    assert stack.get("/api/documents/moving-1").json()["metadata"]["department"] == "Law"
    later = put(stack, "moving-1", TEXT * 20, collection="Moving")
    assert "unchanged" not in later
    assert later["chunks"] > first["chunks"]
    assert stack.get("/api/documents/moving-1").json()["metadata"]["department"] == "IT"
    assert put(stack, "moving-1", TEXT * 20, collection="Moving")["unchanged"] is True


def test_counts_and_definitions_are_for_those_who_may_read(stack, collection, callers):
    collection("Open and closed", clearance_level=1)
    collection("Closed", clearance_level=4, department="Law")
    put(stack, "oc-1", TEXT, collection="Open and closed")
    put(stack, "oc-2", TEXT, collection="Open and closed",
        metadata={"clearance_level": 3, "department": "Law"})
    put(stack, "oc-3", TEXT, collection="Closed")

    def counts(headers=None):
        page = stack.get("/api/collections?per_page=100", headers=headers).json()
        assert page["pagination"]["total_count"] == len(page["collections"])
        return {one["name"]: one["documents"] for one in page["collections"]
                if one["name"] in ("Open and closed", "Closed")}

    assert counts() == {"Open and closed": 2, "Closed": 1}
    assert counts(callers["law"]) == {"Open and closed": 2}
    assert counts(callers["student"]) == {"Open and closed": 1}
    assert counts(callers["academic"]) == {"Open and closed": 2, "Closed": 1}
    assert stack.get(path("Closed"), headers=callers["student"]).status == 404
    one = stack.get(path("Closed")).json()
    assert one["department"] == "Law" and one["clearance_level"] == 4
    # A collection that nobody defined is known by its documents.
    put(stack, "oc-4", TEXT, collection="Just so")
    one = stack.get(path("Just so")).json()
    assert one["defined"] is False and one["documents"] == 1 and one["department"] is None
    stack.delete("/api/documents/oc-4")
    assert stack.get(path("Just so")).status == 404


def test_only_managers_define_and_delete(stack, collection, callers):
    for headers in (callers["law"], callers["academic"]):
        assert define(stack, "Theirs", headers=headers, title="x").status == 403
        assert stack.delete(path("Theirs"), headers=headers).status == 403
    assert stack.get(path("Theirs")).status == 404


@pytest.mark.parametrize(("body", "field"), [
    ({"clearance_level": 6}, "clearance_level"),
    ({"clearance_level": 0}, "clearance_level"),
    ({"chunk_tokens": 31}, "chunk_tokens"),
    ({"chunk_overlap_percent": 51}, "chunk_overlap_percent"),
    ({"language": 7}, "language"),
])
def test_a_wrong_definition_is_named(stack, body, field):
    reply = stack.request("PUT", path("Wrong"), body)
    assert reply.status == 400
    assert reply.json()["field"] == field


@pytest.mark.parametrize("name", ["a/b", "a\x01b", " a", "..", "x" * 257])
def test_a_name_can_be_part_of_a_path(stack, name):
    assert stack.request("PUT", path(name), {"title": "x"}).status == 400


def test_a_collection_goes_when_it_is_empty(stack, collection):
    collection("Full")
    for i in range(3):
        put(stack, f"full-{i}", f"{TEXT} {i}", collection="Full")
    reply = stack.delete(path("Full"))
    assert reply.status == 409
    assert stack.get(path("Full")).json()["documents"] == 3
    reply = stack.delete(path("Full") + "?documents=true")
    assert reply.status == 200
    assert reply.json() == {"deleted": True, "documents_deleted": 3, "documents_left": 0,
                            "visible": True}
    assert stack.get(path("Full")).status == 404
    assert not found(stack, "Balnamoon", collection="Full")
    assert stack.delete(path("Full")).status == 404
    assert stack.delete(path("Full") + "?documents=true").status == 404
    assert stack.delete(path("Full") + "?documents=maybe").status == 400


# --- access ---------------------------------------------------------------------------------


def access(stack, identity, query="", headers=None):
    return stack.get(f"/api/documents/{identity}/access{query}", headers=headers)


def test_access_says_why(stack, callers):
    put(stack, "acc-1", TEXT, metadata={"clearance_level": 3, "department": "Law"})
    told = access(stack, "acc-1", "?role=staff&department=IT").json()
    assert told["readable"] is False
    assert told["because"] == [
        {"rule": "clearance", "document": 3, "caller": 3, "ok": True},
        {"rule": "department", "document": "Law", "caller": "IT", "ok": False,
         "why": "other_department"}]
    assert {one["role"]: one["readable"] for one in told["roles"]} == {
        "anonymous": "never", "student": "never", "staff": "in_department",
        "academic": "always", "admin": "always"}
    told = access(stack, "acc-1", "?role=staff&department=Law").json()
    assert told["readable"] is True
    assert told["because"][1]["why"] == "own_department"
    told = access(stack, "acc-1", "?role=student").json()
    assert [rule["ok"] for rule in told["because"]] == [False, False]
    # About oneself everybody may ask, and only of what one may read.
    told = access(stack, "acc-1", headers=callers["law"]).json()
    assert told["readable"] is True and told["subject"]["department"] == "Law"
    assert "roles" not in told
    assert access(stack, "acc-1", headers=callers["it"]).status == 404
    assert access(stack, "acc-1", "?role=student", headers=callers["law"]).status == 403
    assert access(stack, "acc-1", "?role=nobody").status == 400
    assert access(stack, "acc-0").status == 404
    stack.delete("/api/documents/acc-1")


def test_access_of_a_user(stack):
    made = stack.post("/api/admin/users", {"username": "quay.warden", "role": "staff",
                                           "password": "Battery-Staple-42",
                                           "department": "Law"}).json()
    put(stack, "acc-2", TEXT, metadata={"clearance_level": 3, "department": "Law"})
    for who in (made["id"], "Quay.Warden"):
        told = access(stack, "acc-2", f"?user={who}").json()
        assert told["readable"] is True
        assert told["subject"] == {"user_id": made["id"], "username": "quay.warden",
                                   "role": "staff", "department": "Law", "clearance": 3}
    stack.request("PUT", f"/api/admin/users/{made['id']}", {"active": False})
    told = access(stack, "acc-2", f"?user={made['id']}").json()
    assert told["readable"] is False
    assert told["because"][-1] == {"rule": "active", "ok": False}
    assert access(stack, "acc-2", "?user=nobody.there").status == 404
    stack.delete(f"/api/admin/users/{made['id']}")
    stack.delete("/api/documents/acc-2")


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("department", ["Law", "IT", None])
def test_what_access_says_is_what_a_search_does(stack, callers, level, department):
    word = f"zephyrine{level}{department or 'none'}"
    identity = f"acc-{word}"
    put(stack, identity, f"{word} {TEXT}",
        metadata={"clearance_level": level, "department": department})
    asked = {"law": "?role=staff&department=Law", "it": "?role=staff&department=IT",
             "student": "?role=student", "academic": "?role=academic"}
    for name, query in asked.items():
        readable = access(stack, identity, query).json()["readable"]
        hits = found(stack, word, headers=callers[name])
        assert (identity in {hit["document_id"] for hit in hits}) is readable
        got = stack.get(f"/api/documents/{identity}", headers=callers[name])
        assert (got.status == 200) is readable
    stack.delete(f"/api/documents/{identity}")


def test_a_change_of_attributes_shows_at_once(stack, callers):
    word = "chrysalide"
    for level, department, seen in ((1, None, {"law", "it", "student"}),
                                    (3, "Law", {"law"}), (3, "IT", {"it"}),
                                    (2, "Law", {"law", "it", "student"}), (5, None, set())):
        stored = put(stack, "acc-3", f"{word} {TEXT}",
                     metadata={"clearance_level": level, "department": department})
        assert stored["visible"] is True
        for name in ("law", "it", "student"):
            hits = {hit["document_id"] for hit in found(stack, word, headers=callers[name])}
            assert ("acc-3" in hits) is (name in seen), (level, department, name)
    stack.delete("/api/documents/acc-3")


@pytest.mark.parametrize("name", ["..", ".", "%2e%2e", "%2E", "a%2Fb", "%20a", "a%20", "%ff",
                                  "a" * 257])
def test_a_name_that_cannot_be_is_named(stack, name):
    reply = stack.request("PUT", f"/api/collections/{name}", {"title": "none"})
    assert (reply.status, reply.json()["field"]) == (400, "name"), reply.body
