"""A model fitted to the corpus itself: fitted and activated through HTTP, fetched by every
embedder that is asked for it, begun anew after a crash in the middle."""

import glob
import json
import os
import signal

import pytest
from conftest import eventually

SUBJECTS = {
    "wing": "lift and drag of the wing in a supersonic flow of air at high speed",
    "airfoil": "the airfoil gives lift in the flow of air and drag grows with speed",
    "dough": "flour water and yeast make the dough that rises before it is baked",
    "bread": "bread is baked from dough of flour and yeast in a hot oven",
}


def fill(stack, count, first=0):
    names = list(SUBJECTS)
    lines = "\n".join(json.dumps({
        "id": f"lsa-{i}", "title": f"{names[i % 4]} {i}",
        "text": f"{SUBJECTS[names[i % 4]]}, as note {i} of series {i % 7} says"})
        for i in range(first, first + count))
    reply = stack.post("/api/documents/batch?wait=true", lines,
                       headers={"Content-Type": "application/x-ndjson"})
    assert reply.status == 200, reply.body
    return stack.embedded()


def reindex(stack, model="builtin:lsa", activate=True):
    reply = stack.post("/api/reindex", {"model": model, "activate": activate})
    assert reply.status == 202, reply.body
    return reply.json()["job_id"]


def job_ends(stack, job, state="done"):
    def ended():
        return stack.psql(f"SELECT state FROM jobs WHERE id = '{job}'") in (
            "done", "failed", "cancelled")
    eventually(ended, seconds=120, what=stack.logs)
    told = stack.psql(f"SELECT state, error_code, error FROM jobs WHERE id = '{job}'")
    assert told.startswith(state), told


def live(stack):
    return next(one for one in stack.get("/api/generations").json()["generations"]
                if one["state"] == "live")


def by_meaning(stack, query):
    return stack.search(query, config={"mode": "vector", "max_results": 40})


def files(stack):
    return glob.glob(f"{stack.dir}/data/*/*.lsa")


@pytest.fixture(scope="module")
def two():
    """A stack with two embedders, whose default is the hashing model."""
    from stack import Stack
    running = Stack(EMBEDDING_MODEL="hashing", EMBEDDER_REPLICAS=2, REINDEX_SHARE="1",
                    JOB_LEASE_SECONDS=2, LSA_REFIT_INTERVAL=1).up().settled()
    yield fill(running, 160)
    running.down()


def test_fitted_activated_searched(two):
    job_ends(two, reindex(two))
    generation = live(two)
    assert (generation["model"], generation["provider"]) == ("lsa", "builtin")
    assert generation["vectors"] == 160
    answer = by_meaning(two, "supersonic drag of a wing")
    assert answer["degraded"] == []
    assert two.psql("SELECT complete, texts, corpus FROM fitted_models") == "t|160|160"


def test_every_embedder_fetches_it(two):
    """One fitted it; both are asked for it, and hold the file that PostgreSQL keeps."""
    fingerprint = live(two)["fingerprint"]

    def both_have_it():
        by_meaning(two, f"flour {os.urandom(4).hex()}")  # no two questions are the same
        return len(files(two)) == 2
    eventually(both_have_it, seconds=60, what=two.logs)
    assert {os.path.basename(name) for name in files(two)} == {f"{fingerprint}.lsa"}
    stored = int(two.psql("SELECT sum(octet_length(piece)) FROM fitted_model_pieces"))
    assert {os.path.getsize(name) for name in files(two)} == {stored}


def test_a_question_of_unknown_words_goes_by_text(two):
    answer = two.search("zyzzyva quokka")
    assert answer["results"] == []
    assert answer["degraded"] == [] and answer["mode"] == "text"
    reply = two.post("/api/search", {"query": "zyzzyva", "config": {"mode": "vector"},
                                     "user": {"user_id": "u", "role": "admin"}})
    assert reply.status == 400, reply.body


def test_the_same_corpus_makes_the_same_model(two):
    """It is live already: nothing is built, and no second file is kept."""
    job_ends(two, reindex(two), "failed")
    assert two.psql("SELECT count(*) FROM fitted_models") == "1"


def test_killed_in_the_middle_it_begins_anew(two):
    before = live(two)["fingerprint"]
    fill(two, 40, first=160)
    job = reindex(two)
    eventually(lambda: two.psql(f"SELECT state FROM jobs WHERE id = '{job}'") != "queued",
               seconds=60, what=two.logs)
    for service in ("embedder", "search"):
        for pid in two.family(service):
            os.kill(pid, signal.SIGKILL)
    job_ends(two, job)
    generation = live(two)
    assert generation["fingerprint"] != before
    assert generation["vectors"] == 200
    assert two.psql("SELECT count(*) FROM fitted_models WHERE complete") == "2"
    eventually(lambda: by_meaning(two, "yeast dough")["results"], seconds=60, what=two.logs)


def test_too_little_text_says_so(new_stack):
    stack = new_stack(EMBEDDING_MODEL="hashing").settled()
    stack.put(id="alone", title="Alone", text="nothing stands beside this")
    stack.embedded()
    job = reindex(stack)
    job_ends(stack, job, "failed")
    assert stack.psql(f"SELECT error_code FROM jobs WHERE id = '{job}'") == "too_little_text"


def test_it_is_fitted_anew_when_the_corpus_has_grown(two):
    """The live one was fitted to 200 passages; 120 more are over half of that."""
    before = live(two)["fingerprint"]
    # the job that was asked for is no hour old, which would keep this one off
    two.psql("UPDATE jobs SET created_at = created_at - interval '2 hours'")
    fill(two, 120, first=200)
    eventually(lambda: live(two)["fingerprint"] != before, seconds=150, what=two.logs)
    assert live(two)["model"] == "lsa"
    assert live(two)["vectors"] == 320
