"""SEARCH_BACKEND=pgvector: what only this backend has. The shared tests run on it by
`make test-pgvector`; all of it needs PGVECTOR_DATABASE_URL, a PostgreSQL with pgvector."""

import random
import signal

import pytest
from conftest import ADMIN, eventually
from stack import PGVECTOR_URL

pytestmark = pytest.mark.skipif(
    not PGVECTOR_URL, reason="PGVECTOR_DATABASE_URL names no PostgreSQL with pgvector")

WORDS = ("library network access student staff laboratory safety holiday payroll printer "
         "parking archive museum veterinary clinic surgery chemistry physics exam term "
         "lecture seminar campus bicycle canteen heating roof garden river bridge").split()


def load(stack, count, collection="many"):
    """Passages of few words each, half of them of an even number."""
    made = random.Random(5)
    lines = "\n".join(
        f'{{"id":"{collection}-{n}","title":"{made.choice(WORDS)}","collection":"{collection}",'
        f'"text":"{" ".join(made.choices(WORDS, k=12))}",'
        f'"metadata":{{"n":{n},"even":{"true" if n % 2 == 0 else "false"}}}}}'
        for n in range(count))
    reply = stack.post("/api/documents/batch?wait=true", lines,
                       headers={"Content-Type": "application/x-ndjson"})
    assert reply.status == 200, reply.body
    assert reply.body.count(b'"status":"created"') == count
    eventually(lambda: stack.psql("SELECT count(*) FROM pending_embeddings") == "0",
               seconds=120)


@pytest.fixture(scope="module")
def by_index(request):
    """A stack that never compares all passages when it may use the index."""
    from stack import Stack
    stack = Stack(SEARCH_BACKEND="pgvector", PGVECTOR_SCAN_MAX=0).up()
    request.addfinalizer(stack.down)
    load(stack.settled(), 600)
    return stack


def ask(stack, query, **config):
    filters = config.pop("filters", {"collection": "many"})
    return stack.search(query, user=ADMIN, filters=filters,
                        config={"explain": True, **config})


def plan_of(answer):
    return answer["plan"]["vector"]


def test_health_says_what_it_cannot_do(by_index):
    index = by_index.get("/health", base=by_index.ops("search")).json()["checks"]["index"]
    assert index["backend"] == "pgvector"
    assert tuple(map(int, index["version"].split("."))) >= (0, 8)
    assert {"bm25", "spelling"} <= set(index["lacks"])
    assert index["loaded"] is True and index["current"] is True


def test_the_index_finds_what_the_scan_finds(by_index, new_stack):
    by_scan = new_stack(SEARCH_BACKEND="pgvector").settled()
    load(by_scan, 600)
    wanted = found = 0
    for query in WORDS[:12]:
        fast = ask(by_index, query, mode="vector", max_results=10)
        exact = ask(by_scan, query, mode="vector", max_results=10)
        assert plan_of(fast)["strategy"] == "pgvector_hnsw"
        assert plan_of(exact)["strategy"] == "pgvector_exact"
        assert plan_of(exact)["scanned"] == plan_of(exact)["allowed"] == 600
        wanted += 10
        found += len({hit["chunk_id"] for hit in exact["results"]} &
                     {hit["chunk_id"] for hit in fast["results"]})
    assert found / wanted >= 0.95


def test_beyond_the_depth_of_a_leg_everything_is_compared(by_index):
    answer = ask(by_index, "garden", mode="vector", max_results=10, offset=590)
    assert answer["count"] == 10
    assert plan_of(answer)["strategy"] == "pgvector_exact"
    assert plan_of(answer)["scanned"] == 600


def test_a_filter_costs_no_results(by_index):
    """Where the index gives up before it has enough, everything left is compared."""
    filters = {"collection": "many", "metadata": {"n": {"any": [7, 77, 577]}}}
    answer = ask(by_index, "bridge", mode="vector", filters=filters, max_results=10)
    assert {hit["metadata"]["n"] for hit in answer["results"]} == {7, 77, 577}
    assert plan_of(answer)["strategy"] == "pgvector_exact"
    assert answer["plan"]["complete"] is True
    assert answer["total"] == 3


def test_paging_goes_on_where_it_stopped(by_index):
    whole = [h["chunk_id"] for h in ask(by_index, "river bridge", max_results=40)["results"]]
    pages = []
    for offset in range(0, 40, 10):
        pages += [h["chunk_id"] for h in ask(by_index, "river bridge", max_results=10,
                                             offset=offset)["results"]]
    assert pages == whole
    assert len(set(whole)) == 40


def test_diversity_brings_others(by_index):
    plain = ask(by_index, "museum", max_results=10)
    diverse = ask(by_index, "museum", max_results=10, diversity=0.9)
    assert diverse["count"] == 10
    assert diverse["results"][0]["chunk_id"] == plain["results"][0]["chunk_id"]
    assert [h["chunk_id"] for h in diverse["results"]] != \
        [h["chunk_id"] for h in plain["results"]]


@pytest.mark.parametrize("query, expected", [
    ('"zebra crossing"', ["words-0"]),
    ("zebra -crossing", ["words-1"]),
    ("+zebra +café", ["words-1"]),
    ("zebr*", ["words-0", "words-1"]),
    ("zebr", ["words-0", "words-1"]),
    ("检索", ["words-2"]),
    ("Häuser", ["words-3"]),
    ("haus", ["words-3"]),
    ("of the", []),
])
def test_words_signs_and_phrases(by_index, query, expected):
    if by_index.psql("SELECT count(*) FROM documents WHERE collection = 'words'") == "0":
        for n, (text, language) in enumerate([
                ("a zebra crossing by the station", "en"),
                ("crossing out what a zebra said in the Café", "en"),
                ("数据检索系统", "zh"), ("Die Häuser am Fluss", "de")]):
            text = text if n != 1 else "what a zebra said in the Café"
            by_index.put(id=f"words-{n}", title="Words", text=text, collection="words",
                         metadata={"language": language})
    answer = by_index.search(query, filters={"collection": "words"}, config={"mode": "text"})
    assert sorted(hit["document_id"] for hit in answer["results"]) == expected


def test_a_document_is_found_as_soon_as_it_is_stored_and_no_longer(by_index):
    by_index.put(id="fresh", title="Fresh", text="a quagga at dawn")
    assert by_index.search("quagga")["results"][0]["document_id"] == "fresh"
    by_index.put(id="fresh", title="Fresh", text="an axolotl at dusk")
    text = {"mode": "text"}
    assert by_index.search("quagga", config=text)["count"] == 0
    assert by_index.search("axolotl", config=text)["count"] == 1
    assert by_index.delete("/api/documents/fresh").status in (200, 204)
    assert by_index.search("axolotl", config=text)["count"] == 0


def test_what_was_stored_before_is_taken_over(new_stack):
    """The second copy begins when a service with this backend first starts."""
    stack = new_stack(SEARCH_BACKEND="pgvector", PGVECTOR_TYPE="vector")
    load(stack.settled(), 40)
    stack.psql("SELECT search_teardown()")
    old = stack.kill("search")
    stack.returned("search", old)
    assert stack.psql("SELECT count(*) FROM search_words") == "40"
    assert stack.psql("SELECT count(*) FROM search_vectors") == "40"
    stack.settled()
    answer = ask(stack, "library", mode="vector", max_results=40)
    assert answer["count"] == 40
    assert plan_of(answer)["type"] == "vector"


def test_a_terminated_replica_ends_well(new_stack):
    stack = new_stack(SEARCH_BACKEND="pgvector").settled()
    old = stack.signal("search", signal.SIGTERM)
    stack.returned("search", old)
    assert "search ended (status 0)" in stack.log("stack")


def test_an_extension_that_will_not_do_is_told(new_stack):
    stack = new_stack(SEARCH_BACKEND="pgvector")
    stack.settled()
    stack.psql("CREATE SCHEMA hidden")
    stack.psql(f'ALTER DATABASE "{stack.database}" SET search_path TO hidden, public')
    stack.psql("CREATE FUNCTION hidden.search_setup(text, integer, text) RETURNS text "
               "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
               "'pgvector 0.7.4 is too old, 0.8 is needed'; END $$")
    old = stack.kill("search")
    eventually(lambda: stack.pid_or_none("search") not in (None, old))

    def told():
        try:
            health = stack.get("/health", base=stack.ops("search")).json()
        except OSError:
            return False
        return "too old" in health["checks"].get("index", {}).get("message", "")

    eventually(told, seconds=60, what=stack.logs)
    assert not stack.ready("search")
    assert stack.post("/api/search", {"query": "anything"}).status == 503
    stack.psql("DROP FUNCTION hidden.search_setup(text, integer, text)")
    eventually(lambda: stack.ready("search"), seconds=60, what=stack.logs)
