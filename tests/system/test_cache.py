"""The result cache in a running system: never older than a write that was acknowledged, never
what others may see, and no harm when Redis goes."""

import itertools
import subprocess

import pytest
from conftest import ADMIN, ROOT, Stack, eventually

ROLES = ("anonymous", "student", "staff", "academic", "admin")
TEXT = {"mode": "text", "max_results": 50}


@pytest.fixture(scope="module")
def cached():
    """Two loops that share the port: whichever answers must know of what the other did."""
    stack = Stack(WORKERS=2).up().settled()
    sample = (ROOT / "examples/university.ndjson").read_bytes()
    reply = stack.post("/api/documents/batch?wait=true", sample,
                       headers={"Content-Type": "application/x-ndjson"})
    assert reply.status == 200, reply.body
    yield stack.embedded()
    stack.down()


def from_cache(stack, query, **more):
    """The answer once it comes from the cache. What was written before may still change the
    state of the data for a moment: vectors that are added, the other replica."""
    answers = iter(lambda: stack.search(query, **more), None)
    return eventually(lambda: (answer := next(answers))["from_cache"] and answer,
                      seconds=60, what=stack.logs)


def figures(stack):
    page = stack.get("/api/admin/stats").json()
    return page["services"]["gateway"]["replicas"][0]["answers"]


def test_its_figures_are_among_the_statistics(cached):
    before = figures(cached)
    from_cache(cached, "a question for its figures", user=ADMIN)
    eventually(lambda: (now := figures(cached))["hits"] > before["hits"]
               and now["misses"] > before["misses"] and now["entries"] > 0
               and now["bytes"] > 0, seconds=60, what=lambda: figures(cached))


def redis_cli(stack, *words):
    done = subprocess.run(["redis-cli", "-u", stack.env["REDIS_URL"], *words], check=True,
                          timeout=60, capture_output=True, text=True)
    return done.stdout.split()


def what_it_says(answer):
    own = {"response_time", "from_cache", "request_id", "timestamp", "user_id"}
    return {name: value for name, value in answer.items() if name not in own}


def test_a_repeated_search_is_the_same_but_for_what_is_its_own(cached):
    first = cached.search("library opening hours", user=ADMIN)
    again = from_cache(cached, "library opening hours", user={**ADMIN, "user_id": "other"})
    assert again["results"]
    assert what_it_says(again) == what_it_says(first)
    assert again["user_id"] == "other"
    assert again["request_id"] != first["request_id"]
    assert again["timestamp"] >= first["timestamp"]


def test_a_write_is_searched_at_once(cached):
    count = 0
    for i in range(20):
        if i % 5 == 0:
            assert from_cache(cached, "ptarmigan", user=ADMIN, config=TEXT)["count"] == count
        cached.put(id=f"bird-{i}", title=f"Bird {i}", text=f"ptarmigan number {i}")
        count += 1
        for _ in range(4):  # new connections: sooner or later each of the loops
            assert cached.search("ptarmigan", user=ADMIN, config=TEXT)["count"] == count
    for i in (3, 7, 11):
        from_cache(cached, "ptarmigan", user=ADMIN, config=TEXT)
        assert cached.delete(f"/api/documents/bird-{i}").status == 200
        count -= 1
        for _ in range(4):
            assert cached.search("ptarmigan", user=ADMIN, config=TEXT)["count"] == count


def test_nobody_gets_what_others_may_see(cached):
    """Beside what an explained search says, which is never kept."""
    for level, department in itertools.product(range(1, 6), ("IT", "HR")):
        cached.put(id=f"secret-{level}-{department}", title="Secret",
                   text="quagga report", metadata={"clearance_level": level,
                                                   "department": department})
    members = [{"role": role, "department": department, "user_id": "same"}
               for role in ROLES for department in ("", "IT", "HR")]

    def ids(answer):
        return sorted(hit["document_id"] for hit in answer["results"])
    seen = set()
    for _ in range(2):
        for user in members:
            expected = cached.search("quagga", user=user, config={**TEXT, "explain": True})
            answer = cached.search("quagga", user=user, config=TEXT)
            assert not expected["from_cache"]
            assert ids(answer) == ids(expected), user
            seen.add(tuple(ids(answer)))
    assert len(seen) > 4
    for user in members:
        answer = from_cache(cached, "quagga", user=user, config=TEXT)
        expected = cached.search("quagga", user=user, config={**TEXT, "explain": True})
        assert ids(answer) == ids(expected), user


def test_clearing_is_everywhere(cached):
    from_cache(cached, "library", user=ADMIN)
    reply = cached.post("/api/admin/cache/clear", b"")
    assert reply.status == 200, reply.body
    assert reply.json()["cleared"] >= 1
    assert cached.search("library", user=ADMIN)["from_cache"] is False
    assert cached.figure("gateway",
                         'cache_operations_total{operation="clear",status="success"}') >= 1
    eventually(lambda: cached.post("/api/admin/cache/clear", b"").json()["everywhere"],
               seconds=60, what=cached.logs)


def test_without_redis_searches_go_on(new_stack):
    stack = new_stack(WORKERS=1).settled()
    stack.put(id="a", title="A", text="okapi")
    assert from_cache(stack, "okapi", config=TEXT)["count"] == 1
    stack.kill("redis")
    assert from_cache(stack, "okapi", config=TEXT)["count"] == 1
    assert stack.search("another okapi", config=TEXT)["from_cache"] is False
    assert from_cache(stack, "another okapi", config=TEXT)["count"] == 1
    stack.put(id="b", title="B", text="okapi")
    assert stack.search("okapi", config=TEXT)["count"] == 2


def kept_names(stack):
    return [name for name in redis_cli(stack, "KEYS", "cairn:search:*")
            if not name.endswith("epoch")]


def test_answers_outlive_their_gateway_and_poison_does_no_harm(new_stack):
    stack = new_stack(WORKERS=1).settled()
    stack.put(id="a", title="A", text="okapi")
    stack.embedded()

    def kept():
        """Redis may have been too slow to be waited for: then once more."""
        stack.post("/api/admin/cache/clear", b"")
        stack.search("okapi", config=TEXT)
        return kept_names(stack)
    eventually(kept, seconds=60, what=stack.logs)
    first = from_cache(stack, "okapi", config=TEXT)
    stack.returned("gateway", stack.kill("gateway"))
    again = from_cache(stack, "okapi", config=TEXT)
    assert what_it_says(again) == what_it_says(first)
    for name in kept_names(stack):
        redis_cli(stack, "SET", name, "\x01{\"" * 100)
    redis_cli(stack, "SET", "cairn:search:epoch", "nonsense")
    stack.returned("gateway", stack.kill("gateway"))
    assert stack.search("okapi", config=TEXT)["count"] == 1
    assert what_it_says(from_cache(stack, "okapi", config=TEXT)) == what_it_says(first)
    # which shows the same, and so says the same of its state
    stack.returned("search", stack.kill("search"))
    assert what_it_says(from_cache(stack, "okapi", config=TEXT)) == what_it_says(first)


def test_replicas_that_show_the_same_share_what_is_kept(new_stack):
    stack = new_stack(SEARCH_REPLICAS=2, WORKERS=2).settled()
    for i in range(1, 6):
        reply = stack.post("/api/documents?refresh=true",
                           {"id": f"d{i}", "title": "D", "text": "okapi"})
        assert reply.status == 201, reply.body
        assert reply.json()["replicas"]["visible"] == 2
        for _ in range(4):
            assert stack.search("okapi", config=TEXT)["count"] == i
        assert from_cache(stack, "okapi", config=TEXT)["count"] == i
