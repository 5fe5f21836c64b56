"""The glossary searched by meaning: rights, changes, a restart."""

import urllib.parse

import pytest
from conftest import eventually

ENTRIES = {
    "m-car": ("automobile", "A road vehicle with an engine and four wheels."),
    "m-oak": ("oak", "A tree whose fruit is the acorn."),
    "m-soup": ("soup", "A hot liquid dish of vegetables or meat."),
}


@pytest.fixture(scope="module")
def law(stack):
    reply = stack.post("/api/admin/keys", {"name": "meaning law", "user_id": "meaning",
                                           "role": "staff", "department": "IT",
                                           "scopes": ["read_glossary", "session"]})
    assert reply.status == 201, reply.body
    return {"Authorization": "Bearer " + reply.json()["key"]}


@pytest.fixture(scope="module")
def entries(stack):
    for identity, (term, definition) in ENTRIES.items():
        put(stack, identity, term, definition)
    put(stack, "m-secret", "coach", "A large road vehicle with many seats.", clearance_level=3,
        department="Law")
    yield
    stack.psql("DELETE FROM glossary_terms WHERE domain = 'meaning'")


def put(stack, identity, term, definition, method="POST", **members):
    where = "/api/glossary" if method == "POST" else "/api/glossary/" + identity
    reply = stack.request(method, where, {"id": identity, "term": term, "domain": "meaning",
                                          "definition": definition, **members})
    assert reply.status in (200, 201), reply.body


def ask(stack, q, mode="semantic", headers=None, **query):
    reply = stack.get("/api/glossary?" + urllib.parse.urlencode(
        {"q": q, "mode": mode, "domain": "meaning", **query}), headers=headers)
    assert reply.status == 200, reply.body
    return reply.json()


def ids(page):
    return [entry["id"] for entry in page["entries"]]


def whole(stack):
    """Every entry has its vector."""
    eventually(lambda: ask(stack, "anything")["degraded"] == [], seconds=120, what=stack.logs)


def test_what_means_the_same_is_found_first(stack, entries, law):
    whole(stack)
    eventually(lambda: len(ids(ask(stack, "anything"))) == 4, seconds=60, what=stack.logs)
    for question, best in (("motor car", {"m-car", "m-secret"}), ("woodland plant", {"m-oak"}),
                           ("something to eat with a spoon", {"m-soup"})):
        page = ask(stack, question)
        assert page["entries"][0]["id"] in best, page
        scores = [entry["score"] for entry in page["entries"]]
        assert scores == sorted(scores, reverse=True)
        assert page["pagination"]["total_count"] == 4
    # what one may not see is neither found nor counted
    page = ask(stack, "bus", headers=law)
    assert sorted(ids(page)) == sorted(ENTRIES) and page["pagination"]["total_count"] == 3
    assert ids(ask(stack, "bus", language="de")) == []
    first = ids(ask(stack, "motor car", per_page=2, page=1))
    assert first + ids(ask(stack, "motor car", per_page=2, page=2)) == ids(ask(stack, "motor car"))
    assert stack.get("/api/glossary?q=a&mode=psychic").status == 400


def test_hybrid_puts_words_and_meaning_together(stack, entries):
    whole(stack)
    eventually(lambda: len(ids(ask(stack, "anything"))) == 4, seconds=60, what=stack.logs)
    page = ask(stack, "oak", "hybrid")
    assert page["entries"][0]["id"] == "m-oak" and "<mark>" not in page["entries"][0]["term"]
    assert len(ids(page)) == len(set(ids(page))) == 4
    assert ids(ask(stack, "oak", "text")) == ["m-oak"]


def test_changes_are_followed(stack, entries):
    whole(stack)
    put(stack, "m-oak", "submarine", "A ship that dives.", "PUT")
    eventually(lambda: ids(ask(stack, "vessel under water"))[:1] == ["m-oak"], seconds=60,
               what=stack.logs)
    stored = "SELECT md5(vector) FROM glossary_vectors WHERE term_id = 'm-oak'"
    before = eventually(lambda: stack.psql(stored), seconds=60, what=stack.logs)
    put(stack, "m-oak", *ENTRIES["m-oak"], "PUT")
    eventually(lambda: stack.psql(stored) not in ("", before), seconds=60, what=stack.logs)
    put(stack, "m-gone", "helicopter", "It flies.")
    eventually(lambda: "m-gone" in ids(ask(stack, "aircraft")), seconds=60, what=stack.logs)
    assert stack.delete("/api/glossary/m-gone").status == 200
    assert "m-gone" not in ids(ask(stack, "aircraft"))


def test_vectors_survive_a_restart_and_words_the_embedder(new_stack):
    stack = new_stack().settled()
    for identity, (term, definition) in ENTRIES.items():
        put(stack, identity, term, definition)
    eventually(lambda: len(ids(ask(stack, "anything"))) == 3 and
               ask(stack, "anything")["degraded"] == [], seconds=120, what=stack.logs)
    made = stack.psql("SELECT string_agg(xmin::text, ',' ORDER BY term_id) FROM glossary_vectors")
    stack.returned("search", stack.kill("search"))
    eventually(lambda: (reply := stack.get("/api/glossary?q=car&mode=semantic")).status == 200
               and len(ids(reply.json())) == 3, seconds=120, what=stack.logs)
    assert stack.psql("SELECT string_agg(xmin::text, ',' ORDER BY term_id) "
                      "FROM glossary_vectors") == made
    with stack.stopped("embedder"):
        assert stack.get("/api/glossary?q=vehicle&mode=semantic").status == 503
        page = ask(stack, "soup", "hybrid")
        assert ids(page) == ["m-soup"] and page["degraded"] == ["embedding"]
