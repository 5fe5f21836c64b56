"""GET /api/suggest: titles, terms of the glossary and completed words; and that what one may
not read changes nothing of it."""

import urllib.parse

import pytest
from conftest import Stack, eventually
from tokens import JWT, bearer

STUDENT, ADMIN = bearer("sam", "student"), bearer("root", "admin")
STAFF = bearer("kim", "staff", department="Vault")
OTHERS = bearer("lee", "staff", department="Kitchen")


@pytest.fixture(scope="module")
def stack():
    running = Stack(**JWT, RATE_LIMIT_ENABLED="false", AUDIT_READS="false").up().settled()
    yield running
    running.down()


def put(stack, ident, title, text, **metadata):
    reply = stack.post("/api/documents", {"id": ident, "title": title, "text": text,
                                          "metadata": metadata}, headers=ADMIN)
    assert reply.status == 201, reply.body


def term(stack, name, **members):
    reply = stack.post("/api/glossary", {"term": name, "definition": "so it is called",
                                         "language": "en", **members}, headers=ADMIN)
    assert reply.status == 201, reply.body
    return reply.json()["id"]


@pytest.fixture(scope="module", autouse=True)
def known(stack):
    put(stack, "quagga", "Quagga husbandry, a guide", "A quagga is fed with quaggaweed.")
    put(stack, "zebra", "The zebra and the quagga", "Zebras are fed, too.")
    put(stack, "hidden", "Quagga heist plans", "The quaggamire of quagliarello.",
        clearance_level=3, department="Vault")
    terms = {"open": term(stack, "Quagga gait"), "hidden": term(
        stack, "Quagga vault", clearance_level=3, department="Vault")}
    for name in ("Quagga gait", "QUAGGA gait"):
        term(stack, name, language="de")
    yield terms
    for ident in ("quagga", "zebra", "hidden"):
        stack.delete(f"/api/documents/{ident}", headers=ADMIN)


def ask(stack, q, who=STUDENT, **more):
    reply = stack.get("/api/suggest?" + urllib.parse.urlencode({"q": q, **more}), headers=who)
    assert reply.status == 200, reply.body
    return reply.json()


def of_kind(answer, kind):
    return [one["text"] for one in answer["suggestions"] if one["kind"] == kind]


def test_titles_terms_and_words_are_suggested(stack, known):
    answer = ask(stack, "quag")
    assert answer["query"] == "quag" and answer["degraded"] == []
    assert of_kind(answer, "title") == ["Quagga husbandry, a guide", "The zebra and the quagga"]
    assert of_kind(answer, "term") == ["Quagga gait"]  # once, whatever the languages
    assert of_kind(answer, "word") == ["quagga", "quaggaweed"]
    ids = {one["text"]: one.get("id") for one in answer["suggestions"]}
    assert ids["The zebra and the quagga"] == "zebra" and ids["quagga"] is None
    assert ids["Quagga gait"]
    assert of_kind(ask(stack, "zebra and quag"), "word")[0] == "zebra and quagga"
    assert of_kind(ask(stack, "quagga hsbandry"), "title") == ["Quagga husbandry, a guide"]


def test_a_word_goes_on_to_what_stands_with_the_words_before(stack):
    assert of_kind(ask(stack, "is fed with quag"), "word")[0] == "is fed with quaggaweed"
    assert of_kind(ask(stack, "zebra husb"), "word") == ["husbandry"]  # nowhere together
    assert of_kind(ask(stack, "heist quagg"), "word") == of_kind(ask(stack, "quagg"), "word")
    assert of_kind(ask(stack, "heist quaggam", STAFF), "word") == ["heist quaggamire"]


def test_there_are_no_more_than_are_asked_for(stack):
    answer = ask(stack, "quag", limit=3)
    assert [one["kind"] for one in answer["suggestions"]] == ["word", "term", "title"]
    assert len(ask(stack, "quag", limit=1)["suggestions"]) == 1
    for wrong in ("limit=0", "limit=21", "limit=x", "q=" + 513 * "x"):
        assert stack.get(f"/api/suggest?{wrong}", headers=STUDENT).status == 400


@pytest.mark.parametrize("q", ["", "  ", "+-\"*", "%", "_", "\\", "'; --", "\u8a2d\u8a08"])
def test_whatever_is_typed_is_answered(stack, q):
    assert ask(stack, q)["suggestions"] == []


def test_only_who_may_read_gets_suggestions_from_it(stack, known):
    secret = {"Quagga heist plans", "Quagga vault", "quaggamire", "quagliarello"}

    def told(who):
        return {one["text"] for q in ("quag", "quagg", "quagga ", "quagga h", "quagga v", "heist",
                                      "quaggamire", "quagl", "quagliarell", "quagliarella")
                for one in ask(stack, q, who, limit=20)["suggestions"]}

    assert not told(STUDENT) & secret and not told(OTHERS) & secret
    assert told(STAFF) & secret == secret and told(ADMIN) & secret == secret
    assert stack.get("/api/suggest?q=quag").status == 200  # anonymous, as it may search
    assert not told({}) & secret


def test_what_one_may_not_read_changes_nothing(stack):
    typed = ("wol", "wolp", "wolpert", "wolperti", "wolpertinger", "wolpertinger ", "wolpertinge s")
    put(stack, "wolf", "Wolpertinger studies", "A wolpertinger is no wolf.")
    before = [ask(stack, q, limit=20) for q in typed]
    assert any(one["suggestions"] for one in before)
    for n in range(3):
        put(stack, f"wolp-{n}", "Wolpertingers sold", "wolpert wolpertinge wolperting",
            clearance_level=4, department="Vault")
    assert [ask(stack, q, limit=20) for q in typed] == before
    assert [ask(stack, q, ADMIN, limit=20) for q in typed] != before
    for ident in ("wolf", "wolp-0", "wolp-1", "wolp-2"):
        stack.delete(f"/api/documents/{ident}", headers=ADMIN)
    assert [one["suggestions"] for one in (ask(stack, q) for q in typed)] == [[]] * len(typed)


def test_who_may_not_read_the_glossary_gets_no_terms(stack):
    key = stack.post("/api/admin/keys", {"name": "no terms", "user_id": "k", "role": "student",
                                         "scopes": ["read_documents"]}, headers=ADMIN).json()
    answer = ask(stack, "quag", {"Authorization": "Bearer " + key["key"]})
    assert of_kind(answer, "title") and not of_kind(answer, "term")


def test_it_is_no_search_in_the_audit_log(stack):
    ask(stack, "quag")
    assert stack.post("/api/search", {"query": "quagga"}, headers=STUDENT).status == 200

    def actions():
        page = stack.get("/api/admin/audit?limit=500", headers=ADMIN).json()
        return {record["action"] for record in page["records"]}
    eventually(lambda: "search_documents" in actions())
    assert "suggest" not in actions()


@pytest.fixture(scope="module")
def limited():
    running = Stack(RATE_LIMIT_ENABLED="true", RATE_LIMIT_SEARCH_PER_MINUTE=6).up().settled()
    running.put(id="q", title="Quagga", text="quaggaweed")
    yield running
    running.down()


def test_without_the_database_titles_and_words_are_still_there(limited):
    with limited.stopped("postgres"):
        answer = limited.get("/api/suggest?q=quag").json()
    assert answer["degraded"] == ["terms"]
    assert {one["text"] for one in answer["suggestions"]} == {"Quagga", "quaggaweed"}


def test_it_counts_as_a_search(limited):
    replies = [limited.get("/api/suggest?q=quag").status for _ in range(7)]
    assert replies[0] == 200 and replies[-1] == 429, replies
    assert limited.get("/api/search?q=quagga").status == 429
    assert limited.get("/api/documents?title=quagga").status == 200
