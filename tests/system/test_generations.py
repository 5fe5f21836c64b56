"""Generations of vectors: built beside the live one, activated under searches, rolled back,
dropped; a model that is replaced behind its name or taken away."""

import json
import subprocess
import sys
import threading
import urllib.request

import pytest
from conftest import ROOT, eventually

WORDS = ["lamp", "river", "engine", "garden", "ledger", "violin", "harbour", "comet"]


def fill(stack, count):
    lines = "\n".join(json.dumps({
        "id": f"g-{i}", "title": f"{WORDS[i % 8]} {i}",
        "text": f"The {WORDS[i % 8]} stands beside the {WORDS[i // 8 % 8]} of house {i}."})
        for i in range(count))
    reply = stack.post("/api/documents/batch?wait=true", lines,
                       headers={"Content-Type": "application/x-ndjson"})
    assert reply.status == 200, reply.body
    return stack.embedded()


def listed(stack):
    reply = stack.get("/api/generations")
    assert reply.status == 200, reply.body
    return reply.json()["generations"]


def generations(stack):
    return {one["model"]: one for one in listed(stack)}


def models(stack):
    """Those at hand."""
    listed_now = stack.get("/api/tags").json()["models"]
    return {one["name"].removesuffix(":latest") for one in listed_now}


def live(stack):
    return next(one for one in listed(stack) if one["state"] == "live")


def reindex(stack, model, activate=False):
    reply = stack.post("/api/reindex", {"model": model, "activate": activate})
    assert reply.status == 202, reply.body
    job = reply.json()["job_id"]
    assert reply.headers["Location"] == f"/api/jobs/{job}"
    return job


def job_state(stack, job):
    return stack.psql(f"SELECT state FROM jobs WHERE id = '{job}'")


def job_ends(stack, job, state="done"):
    eventually(lambda: job_state(stack, job) in ("done", "failed", "cancelled"), seconds=120,
               what=stack.logs)
    told = stack.psql(f"SELECT state, error_code, error FROM jobs WHERE id = '{job}'")
    assert told.startswith(state), told
    return stack.psql(f"SELECT result FROM jobs WHERE id = '{job}'")


def searched(stack):
    """What the next search uses, once it uses vectors at all."""
    answer = stack.search("river beside the garden", config={"mode": "vector"})
    return answer["generation"]


def activate(stack, fingerprint):
    reply = stack.post(f"/api/generations/{fingerprint}/activate", b"")
    assert reply.status == 200, reply.body
    eventually(lambda: searched(stack) == fingerprint, seconds=60, what=stack.logs)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A stack whose embedder has use-lite and hashing; hashing is live at first."""
    from stack import Stack
    running = Stack(EMBEDDING_MODEL="hashing", REINDEX_SHARE="1", JOB_LEASE_SECONDS="2")
    running.up().settled()
    yield fill(running, 200)
    running.down()


class Searchers:
    """Searches without pause until told to end; keeps what they were answered."""

    def __init__(self, stack, count=3):
        self.stack, self.over, self.faults, self.seen = stack, threading.Event(), [], []
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]

    def run(self, number):
        turn = 0
        while not self.over.is_set():
            turn += 1
            query = f"{WORDS[turn % 8]} beside {WORDS[number]} {turn}"
            try:
                reply = self.stack.post("/api/search", {"query": query})
            except OSError as error:
                self.faults.append(repr(error))
                return
            if reply.status != 200 or reply.json()["degraded"]:
                self.faults.append((reply.status, reply.body[:300]))
            else:
                self.seen.append(reply.json()["generation"])

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def test_a_switch_under_searches_and_back(two):
    old = live(two)
    assert (old["model"], old["state"]) == ("hashing", "live")
    with Searchers(two) as searchers:
        job = reindex(two, "builtin:use-lite", activate=True)
        result = json.loads(job_ends(two, job))
        assert result["activated"] is True
        new = result["fingerprint"]
        eventually(lambda: new in searchers.seen, seconds=60, what=two.logs)
        reply = two.post("/api/generations/rollback", b"")
        assert (reply.status, reply.json()["fingerprint"]) == (200, old["fingerprint"])
        count = len(searchers.seen)
        eventually(lambda: old["fingerprint"] in searchers.seen[count:], seconds=60)
    assert searchers.faults == []
    assert set(searchers.seen) == {old["fingerprint"], new}
    both = generations(two)
    assert both["hashing"]["state"] == "live"
    assert both["use-lite"]["state"] == "retired"
    assert both["use-lite"]["vectors"] == both["hashing"]["vectors"]


def test_what_is_stored_meanwhile_is_in_both(two):
    job_ends(two, reindex(two, "builtin:use-lite"))
    new = generations(two)["use-lite"]
    assert (new["state"], new["pending"]) == ("ready", 0)
    assert searched(two) == live(two)["fingerprint"] != new["fingerprint"]
    two.put(id="late", title="Late", text="a walrus on the ice that came late")
    eventually(lambda: two.psql(
        "SELECT count(*) FROM chunk_vectors WHERE chunk_id LIKE 'late#%'") == "2", seconds=60,
        what=two.logs)
    activate(two, new["fingerprint"])
    found = two.search("walrus", config={"mode": "vector"})
    assert found["results"][0]["document_id"] == "late"


def test_two_are_compared(two):
    both = generations(two)
    for queries in ({"queries": ["lamp beside the river", "the violin of house 5"]},
                    {"judged": [{"query": "walrus on the ice", "relevant": {"late": 2}}]}, {}):
        reply = two.post("/api/generations/compare", {
            "from": both["hashing"]["fingerprint"], "to": both["use-lite"]["fingerprint"],
            **queries})
        assert reply.status == 202, reply.body
        told = json.loads(job_ends(two, reply.json()["job_id"]))
        assert 0 <= told["overlap_at_10"] <= 1 and -1 <= told["rank_correlation"] <= 1
        assert len(told["by_query"]) == told["queries"] > 0
        if "judged" in queries:
            assert told["ndcg_at_10"]["from"] == pytest.approx(1)
        else:
            assert "ndcg_at_10" not in told
    reply = two.post("/api/generations/compare", {"from": "same", "to": "same"})
    assert reply.status == 400


def test_dropping(two):
    both = generations(two)
    now, other = live(two), next(one for one in both.values() if one["state"] != "live")
    reply = two.delete(f"/api/generations/{now['fingerprint']}")
    assert (reply.status, reply.json()["code"]) == (409, "generation_live")
    assert two.delete("/api/generations/unheard-of").status == 404
    assert two.post("/api/generations/unheard-of/activate", b"").status == 404
    reply = two.delete(f"/api/generations/{other['fingerprint']}")
    assert reply.status == 202, reply.body
    job_ends(two, reply.json()["job_id"])
    assert two.psql("SELECT count(DISTINCT fingerprint) FROM chunk_vectors") == "1"
    assert list(generations(two)) == [now["model"]]
    reply = two.post("/api/generations/rollback", b"")
    assert (reply.status, reply.json()["code"]) == (409, "no_previous_generation")
    reply = two.post("/api/reindex", {"model": "no-such-model"})
    job_ends(two, reply.json()["job_id"], state="failed|model_not_found")


def test_a_build_goes_on_after_a_crash(two):
    """SIGKILL while vectors are made; an incomplete generation cannot be activated."""
    other = "hashing" if live(two)["model"] == "use-lite" else "use-lite"
    two.psql("CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
             "PERFORM pg_sleep(0.2); RETURN NULL; END $$; CREATE TRIGGER slowly AFTER INSERT "
             "ON chunk_vectors FOR EACH STATEMENT EXECUTE FUNCTION slowly()")
    job = reindex(two, f"builtin:{other}")
    eventually(lambda: generations(two).get(other, {}).get("vectors", 0) > 0, seconds=60,
               what=two.logs)
    half = generations(two)[other]
    assert half["state"] == "building", half
    reply = two.post(f"/api/generations/{half['fingerprint']}/activate", b"")
    assert (reply.status, reply.json()["code"]) == (409, "generation_incomplete")
    two.kill("search")
    two.psql("DROP TRIGGER slowly ON chunk_vectors; DROP FUNCTION slowly(); "
             "UPDATE generation_pending SET next_attempt_at = now()")  # the dead one's lease
    eventually(lambda: two.ready("search"), seconds=60, what=two.logs)
    job_ends(two, job)
    done = generations(two)[other]
    assert (done["state"], done["pending"]) == ("ready", 0)
    assert done["vectors"] == int(two.psql("SELECT count(*) FROM chunks"))
    assert two.psql("SELECT count(*) FROM chunk_vectors GROUP BY chunk_id "
                    "HAVING count(*) <> 2") == ""


def test_a_dropped_model_is_at_hand_no_more(two):
    both = generations(two)
    activate(two, both["hashing"]["fingerprint"])
    assert models(two) == {"hashing", "use-lite"}
    reply = two.delete(f"/api/generations/{both['use-lite']['fingerprint']}")
    job_ends(two, reply.json()["job_id"])
    eventually(lambda: models(two) == {"hashing"}, seconds=60, what=two.logs)


# --- models that are replaced or taken away -------------------------------------------------


@pytest.fixture
def ollama():
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/support/fake_ollama.py"), "--port", "0"],
        stdout=subprocess.PIPE, text=True)
    url = server.stdout.readline().strip()

    def change(**what):
        data = json.dumps(what).encode()
        urllib.request.urlopen(urllib.request.Request(url + "/model", data), timeout=10).close()

    server.url, server.change = url, change
    yield server
    server.kill()
    server.wait()
    server.stdout.close()


def ask_anew(stack, numbers=iter(range(10 ** 6))):
    """Not what was asked before: its vector is kept, and is of the old model."""
    return stack.search(f"ledger {next(numbers)}")


def test_a_model_that_changed_behind_its_name_is_not_mixed(new_stack, ollama):
    stack = fill(new_stack(OLLAMA=ollama.url, GENERATION_AUTO="false").settled(), 20)
    before = searched(stack)
    ollama.change(seed="other", digest="other")
    eventually(lambda: ask_anew(stack)["degraded"] == ["embedding"], seconds=60, what=stack.logs)
    eventually(lambda: b"no more" in stack.get("/health", base=stack.ops("search")).body,
               seconds=60, what=stack.logs)
    job_ends(stack, reindex(stack, "nomic-embed-text", activate=True))
    eventually(lambda: searched(stack) != before, seconds=60, what=stack.logs)
    assert stack.search("violin beside the comet")["degraded"] == []


def test_a_lost_model_is_replaced_by_itself(new_stack, ollama):
    stack = fill(new_stack(OLLAMA=ollama.url).settled(), 20)
    before = searched(stack)
    ollama.change(seed="other", digest="other")
    eventually(lambda: ask_anew(stack) and live(stack)["fingerprint"] != before, seconds=90,
               what=stack.logs)
    eventually(lambda: searched(stack) != before, seconds=60, what=stack.logs)
    assert stack.search("a garden with a lamp")["degraded"] == []
