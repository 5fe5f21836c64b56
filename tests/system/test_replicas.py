"""Several replicas of search: what each of them shows, and when."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import threading
import time

import pytest
from conftest import ADMIN, BIN, ROOT, eventually

WORDS = ("otter beaver walrus narwhal dugong manatee badger marten stoat polecat weasel "
         "heron egret bittern curlew plover dunlin knot sanderling turnstone").split()
REPLICAS = ("search", "search-2", "search-3")


@pytest.fixture
def three(new_stack):
    return new_stack(SEARCH_REPLICAS=3)


@contextlib.contextmanager
def gateways(stack):
    """A gateway for each replica that knows no other: what it answers is that replica's."""
    started = []
    try:
        addresses = []
        for replica in REPLICAS:
            process = subprocess.Popen(
                [BIN / "cairn-gateway"], stdout=subprocess.PIPE, text=True, cwd=ROOT,
                env={**stack.environment, "API_PORT": "0", "OPS_PORT": "0",
                     "WORKERS": "1", "READ_TIMEOUT_MS": "60000",
                     "DATABASE_URL": stack.env["DATABASE_URL"],
                     "REDIS_URL": stack.env["REDIS_URL"],
                     "SEARCH_ENDPOINTS": f"ipc://{stack.dir}/run/{replica}.sock",
                     "EMBEDDER_ENDPOINTS": f"ipc://{stack.dir}/run/embedder.sock"})
            started.append(process)
            message = next(line["message"] for line in map(json.loads, process.stdout)
                           if line["message"].startswith("listening on"))
            threading.Thread(target=process.stdout.read, daemon=True).start()
            port = re.search(r"port (\d+)", message).group(1)
            addresses.append(f"http://127.0.0.1:{port}")
        for address in addresses:
            eventually(lambda at=address: stack.get("/readyz", base=at).status == 200,
                       seconds=60)
        yield addresses
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=60)
            process.stdout.close()


def ask_each(stack, addresses, query, **config):
    """What each replica answers, but for what belongs to the moment."""
    answers = []
    for address in addresses:
        reply = stack.post("/api/search", {
            "query": query, "user": ADMIN, "config": {"max_results": 200, **config}},
            base=address)
        assert reply.status == 200, reply.body
        page = reply.json()
        assert page["degraded"] == [], page["degraded"]
        answers.append({name: page[name] for name in ("results", "count", "total")})
    return answers


def record(stack):
    """All documents as PostgreSQL has them: id to the words of title and text."""
    words, number = {}, 1
    while True:
        page = stack.get(f"/api/documents?per_page=100&page={number}").json()
        for document in page["documents"]:
            one = stack.get(f"/api/documents/{document['id']}").json()
            words[one["id"]] = set((one["title"] + " " + one["sections"][0]["text"]).split())
        if not page["pagination"]["has_next"]:
            return words
        number += 1


class Writer(threading.Thread):
    """Puts and deletes documents of its own and of others, as chance has it."""

    def __init__(self, stack, seed, steps):
        super().__init__()
        self.stack, self.steps = stack, steps
        self.random = random.Random(seed)
        self.errors, self.done = [], 0

    def step(self):
        draw = self.random
        refresh = draw.choice(["", "", "?refresh=false", "?refresh=true"])
        name = f"d{draw.randrange(40)}"
        if draw.random() < 0.3:
            return self.stack.delete(f"/api/documents/{name}{refresh}")
        text = " ".join(draw.choices(WORDS, k=draw.randrange(3, 30)))
        return self.stack.post(f"/api/documents{refresh}", {
            "id": name, "title": draw.choice(WORDS), "text": text,
            "metadata": {"priority": draw.randrange(1, 6)}})

    def run(self):
        for _ in range(self.steps):
            reply = self.step()
            # A replica that is killed takes the writes with it that it was doing.
            if reply.status not in (200, 201, 404, 500, 503, 504):
                self.errors.append((reply.status, reply.body))
            self.done += 1


def shown_by_all(stack):
    """Wait until three replicas show whatever was written before."""
    def asked():
        reply = stack.post("/api/documents?refresh=true", {
            "id": "last", "title": "The last", "text": f"written at {time.time()}"})
        return reply.status in (200, 201) and reply.json().get("visible") is True and \
            reply.json()["replicas"] == {"total": 3, "visible": 3}
    eventually(asked, seconds=120, what=stack.logs)


def check_converged(stack, addresses):
    words = record(stack)
    for word in WORDS:
        answers = ask_each(stack, addresses, f'"{word}"', mode="text")
        assert answers[0] == answers[1] == answers[2], word
        found = {hit["document_id"] for hit in answers[0]["results"]}
        assert found == {name for name in words if word in words[name]}, word
    for query in ("otter and walrus", "heron egret bittern", "+curlew -plover", "birds"):
        answers = ask_each(stack, addresses, query)
        assert answers[0] == answers[1] == answers[2], query


@pytest.mark.parametrize("killed", [None, "search-2"])
def test_replicas_converge_on_the_same_answers(three, killed):
    seed = int(os.environ.get("TEST_SEED", time.time()))
    print(f"TEST_SEED={seed}")
    stack = three.settled()
    writers = [Writer(stack, seed + n, 60) for n in range(4)]
    for writer in writers:
        writer.start()
    if killed:
        eventually(lambda: sum(writer.done for writer in writers) > 60, seconds=120)
        old = stack.kill(killed)
    for writer in writers:
        writer.join()
        assert writer.errors == []
    if killed:
        eventually(lambda: stack.pid_or_none(killed) not in (None, old), seconds=60)
    shown_by_all(stack)
    with gateways(stack) as addresses:
        check_converged(stack, addresses)


def test_a_write_that_all_replicas_show_is_found_on_each(three):
    with gateways(three) as addresses:
        for number in range(10):
            words = f"firefly{number} lantern"
            stored = three.post("/api/documents?refresh=true", {
                "id": "one", "title": "T", "text": words}).json()
            assert stored["visible"] is True
            assert stored["replicas"] == {"total": 3, "visible": 3}
            for answer in ask_each(three, addresses, f"firefly{number}", mode="text"):
                assert [hit["text"] for hit in answer["results"]] == [words]
            gone = three.delete("/api/documents/one?refresh=true").json()
            assert gone["visible"] is True
            for answer in ask_each(three, addresses, "lantern", mode="text"):
                assert answer["results"] == []


def test_each_line_of_a_batch_may_wait_for_all(three):
    lines = "".join(json.dumps({"id": f"b{n}", "title": "T", "text": f"batch {n}"}) + "\n"
                    for n in range(50))
    reply = three.post("/api/documents/batch?wait=true&refresh=true", lines,
                       headers={"Content-Type": "application/x-ndjson"})
    results = [json.loads(line) for line in reply.body.splitlines()]
    assert [line["visible"] for line in results] == [True] * 50
    assert {line["replicas"]["total"] for line in results} == {3}
    with gateways(three) as addresses:
        for answer in ask_each(three, addresses, "batch", mode="text"):
            assert answer["total"] == 50


class Session:
    """psql on the stack's database, to hold transactions open."""

    def __init__(self, stack):
        self.process = subprocess.Popen(
            ["psql", "-qAt", "-v", "ON_ERROR_STOP=1", stack.env["DATABASE_URL"]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def run(self, sql):
        """The first field of its last line, when it has been done."""
        self.process.stdin.write(sql + ";\n\\echo done\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == "done\n":
                return lines[-1] if lines else None
            lines.append(line.strip())
        raise AssertionError(f"psql ended at: {sql}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()


def test_what_is_not_shown_in_time_is_stored_all_the_same(new_stack):
    """An older transaction holds all views back."""
    stack = new_stack(SEARCH_REPLICAS=2, REFRESH_TIMEOUT_MS=300)
    with Session(stack) as session:
        session.run("BEGIN; SELECT pg_current_xact_id()")
        late = stack.put(id="own", title="T", text="osprey")
        assert late["visible"] is False and "replicas" not in late
        reply = stack.post("/api/documents?refresh=true", {"id": "all", "title": "T",
                                                           "text": "kestrel"})
        assert reply.status == 201
        assert reply.json()["visible"] is False
        assert reply.json()["replicas"] == {"total": 2, "visible": 0}
        quick = stack.post("/api/documents?refresh=false", {"id": "none", "title": "T",
                                                            "text": "merlin"}).json()
        assert "visible" not in quick and "replicas" not in quick
        for name in ("own", "all", "none"):
            assert stack.get(f"/api/documents/{name}").status == 200
        assert stack.search("osprey kestrel merlin", config={"mode": "text"})["count"] == 0
        session.run("ROLLBACK")
    eventually(lambda: stack.post("/api/documents?refresh=true", {
        "id": "all", "title": "T", "text": "kestrel"}).json()["replicas"]["visible"] == 2,
        seconds=60)
    for _ in range(8):  # whichever replica answers
        assert stack.search("osprey kestrel merlin", config={"mode": "text"})["count"] == 3


def test_a_stopped_replica_holds_no_write_up_for_long(new_stack):
    stack = new_stack(SEARCH_REPLICAS=3, REFRESH_TIMEOUT_MS=1500)
    pid = stack.signal("search-3", signal.SIGSTOP)
    try:
        def without_the_stopped_one():
            reply = stack.post("/api/documents?refresh=true", {
                "id": "x", "title": "T", "text": f"walrus {time.time()}"})
            return reply.status in (200, 201) and reply.json()
        stored = eventually(without_the_stopped_one, seconds=60)
        assert stored["visible"] is False
        assert stored["replicas"]["visible"] == 2
    finally:
        os.kill(pid, signal.SIGCONT)
    shown_by_all(stack)


def test_a_replica_that_was_away_for_too_long_reloads_everything(three):
    three.put(id="before", title="T", text="badger")
    three.put(id="doomed", title="T", text="badger")
    shown_by_all(three)
    pid = three.signal("search-3", signal.SIGSTOP)
    try:
        def drop():
            reply = three.delete("/api/documents/doomed")
            return reply.status in (200, 404)
        eventually(drop, seconds=60)
        for number in range(20):
            eventually(lambda n=number: three.post("/api/documents", {
                "id": f"after-{n}", "title": "T", "text": "badger"}).status in (200, 201),
                seconds=60)
        with Session(three) as session:
            eventually(lambda: session.run(
                "SELECT outbox_trim('search_outbox', '0 s')") is not None and
                session.run("SELECT count(*) FROM search_outbox") == "0", seconds=60)
    finally:
        os.kill(pid, signal.SIGCONT)
    shown_by_all(three)
    assert "trimmed" in three.log("search-3")
    with gateways(three) as addresses:
        for answer in ask_each(three, addresses, "badger", mode="text"):
            assert answer["total"] == 21
