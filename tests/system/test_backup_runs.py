"""Runs of the backup service: what was promised is there, whatever is killed."""

import contextlib
import http.client
import json
import pathlib
import shutil
import subprocess
import threading
import urllib.parse

from conftest import eventually


def ended(stack, place):
    def over():
        reply = stack.get(place)
        assert reply.status in (200, 503), reply.body
        run = reply.json()
        return run if run.get("state") in ("done", "failed", "cancelled") else None
    return eventually(over, seconds=60, what=stack.logs)


def test_a_run_that_was_answered_is_known_after_a_kill(stack):
    """Killed with the answer: it was done all the same, or is told as interrupted."""
    for _ in range(4):
        reply = stack.taken("/api/backups/prune", {"dry_run": True})
        stack.returned("backup", stack.kill("backup"))
        run = ended(stack, reply.headers["Location"])
        assert run["run_id"] == reply.json()["run_id"]
        assert run["state"] == "done" or run["code"] == "interrupted", run
        listed = stack.get("/api/backups/runs").json()["runs"]
        assert run["run_id"] in [one["run_id"] for one in listed]


def keyed(stack, path, body, key, method="POST"):
    """Each loop of the gateway meets a service that was started anew by itself."""
    def taken():
        reply = stack.request(method, path, body, {"Idempotency-Key": key})
        return None if reply.status == 503 else reply
    return eventually(taken, seconds=60, what=stack.logs)


def begun(reply):
    assert reply.status == 202, reply.body
    return reply.json()["run_id"]


def reused(reply):
    return (reply.status, reply.json()["code"]) == (409, "idempotency_key_reused")


def count(stack):
    return len(stack.get("/api/backups/runs").json()["runs"])


def test_a_key_begins_a_run_once(stack):
    body = {"kind": "config", "verify": False}
    first = begun(keyed(stack, "/api/backups", body, "run-once"))
    before = count(stack)
    again = keyed(stack, "/api/backups", body, "run-once")
    assert begun(again) == first
    assert again.headers["Location"] == f"/api/backups/runs/{first}"
    assert reused(keyed(stack, "/api/backups", {**body, "label": "x"}, "run-once"))
    assert reused(keyed(stack, "/api/backups/prune", {"dry_run": True}, "run-once"))
    assert count(stack) == before
    made = ended(stack, again.headers["Location"])
    assert made["state"] == "done" and "ledger" not in made
    assert begun(keyed(stack, "/api/backups", body, "run-once")) == first
    other = begun(keyed(stack, "/api/backups", body, "run-twice"))
    assert other != first
    sets = {ended(stack, f"/api/backups/runs/{run}")["result"]["id"] for run in (first, other)}
    assert len(sets) == 2
    for name in sets:
        shutil.rmtree(pathlib.Path(stack.dir, "backups", name))


def half_a_set(stack, name):
    """It has no manifest."""
    pathlib.Path(stack.dir, "backups", name).mkdir()


def test_every_route_that_begins_a_run_takes_a_key(stack):
    name = "/api/backups/20000101T000000Z-full"
    half_a_set(stack, name.rpartition("/")[2])  # most of the runs fail
    for method, path, body in (("POST", name + "/verify", None), ("POST", name + "/drill", None),
                               ("POST", name + "/copy", None),
                               ("POST", name + "/restore", {"target": "scratch"}),
                               ("POST", "/api/backups/undo", {"confirm": "undo"}),
                               ("POST", "/api/backups/prune", {"dry_run": True}),
                               ("DELETE", name, None)):
        key = f"route {method} {path[-8:]}"
        runs = {begun(keyed(stack, path, body, key, method)) for _ in range(3)}
        assert len(runs) == 1, path
        run = ended(stack, f"/api/backups/runs/{runs.pop()}")
        assert run["set"] == (name.rpartition("/")[2] if path.startswith(name) else "")
        long = stack.request(method, path, body, {"Idempotency-Key": "k" * 65})
        assert (long.status, long.json()["field"]) == (400, "Idempotency-Key")


def test_nothing_is_begun_for_a_set_that_is_not_there(stack):
    before = count(stack)
    for name in ("20000101T000000Z-full", "none", "..%2Fbackups", ".runs"):
        path = f"/api/backups/{name}"
        live = {"target": "live", "confirm": urllib.parse.unquote(name)}
        unknown = stack.get(path)
        assert (unknown.status, unknown.json()["code"]) == (404, "not_found")
        for method, rest, body in (("POST", "/verify", None), ("POST", "/drill", None),
                                   ("POST", "/copy", None), ("DELETE", "", None),
                                   ("POST", "/restore", {"target": "scratch"}),
                                   ("POST", "/restore", live)):
            reply = stack.request(method, path + rest, body, {"Idempotency-Key": name + rest})
            assert (reply.status, reply.json()["code"]) == (404, "not_found"), reply.body
            assert reply.json()["field"] == "id" and "no such backup set" in reply.json()["error"]
    assert count(stack) == before


def test_a_copy_of_what_is_no_set_has_no_result(stack):
    name = "20000102T000000Z-full"
    half_a_set(stack, name)
    run = ended(stack, stack.taken(f"/api/backups/{name}/copy", None).headers["Location"])
    assert (run["state"], run["result"]) == ("failed", None), run
    assert run["code"] != "ok" and run["error"]
    gone = stack.delete(f"/api/backups/{name}")
    assert ended(stack, gone.headers["Location"])["result"]["removed"] == name


def test_a_key_that_comes_many_times_at_once_begins_one_run(stack):
    answers = []
    senders = [threading.Thread(target=lambda: answers.append(
        keyed(stack, "/api/backups/prune", {"dry_run": True}, "run-at-once"))) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len({begun(reply) for reply in answers}) == 1


def test_a_key_outlives_the_service(stack):
    """Which may be killed with its first answer."""
    body = {"dry_run": True}
    first = keyed(stack, "/api/backups/prune", body, "run-again")
    stack.returned("backup", stack.kill("backup"))
    assert begun(keyed(stack, "/api/backups/prune", body, "run-again")) == begun(first)
    assert reused(keyed(stack, "/api/backups/prune", {"dry_run": False}, "run-again"))
    ended(stack, first.headers["Location"])


def watch(stack, run, seen=None):
    """Its events as (name, data), until the stream ends; `seen` is called for each."""
    where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
    told, name = [], None
    try:
        connection.request("GET", f"/api/backups/runs/{run}/events")
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        for line in answer:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                told.append((name, json.loads(value)))
                if seen:
                    seen(told[-1][1])
    finally:
        connection.close()
    return told


@contextlib.contextmanager
def held(stack):
    """A table that a dump wants is locked meanwhile."""
    holder = subprocess.Popen(["psql", "-Xqc", "BEGIN; LOCK TABLE chunks; SELECT 'held'", "-f-",
                               stack.env["DATABASE_URL"]], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        while "held" not in holder.stdout.readline():
            assert holder.poll() is None
        yield
    finally:
        holder.stdin.close()
        holder.wait(timeout=60)


def test_a_run_tells_its_progress(stack):
    """From where it waits, by its stages, to its end, each time as a whole."""
    with held(stack):
        run = begun(stack.taken("/api/backups", {"verify": False}))
        watcher = threading.Thread(target=lambda: told.extend(watch(stack, run, saw)))
        stages, dumping, told = set(), threading.Event(), []

        def saw(data):
            stages.add(data["stage"])
            if data["stage"] == "dump":
                dumping.set()

        watcher.start()
        assert dumping.wait(60), stages  # told while it is under way
    watcher.join()
    assert [name for name, _ in told[:-1]] == ["progress"] * (len(told) - 1)
    name, last = told[-1]
    assert (name, last["state"], last["run_id"]) == ("end", "done", run)
    assert last == stack.get(f"/api/backups/runs/{run}").json()
    assert len({data["stage"] for _, data in told}) > 2, told
    assert watch(stack, run)[-1] == ("end", last)  # also when it is over
    shutil.rmtree(pathlib.Path(stack.dir, "backups", last["result"]["id"]))


def test_watching_goes_on_over_a_kill_of_the_service(stack):
    """The run's process outlives its service; the next one tells how it ended."""
    with held(stack):
        run = begun(stack.taken("/api/backups", {"verify": False}))
        dumping, told = threading.Event(), []
        watcher = threading.Thread(target=lambda: told.extend(
            watch(stack, run, lambda data: data["stage"] == "dump" and dumping.set())))
        watcher.start()
        assert dumping.wait(60)
        note = pathlib.Path(stack.dir, "backups/.runs", run + ".json")
        eventually(lambda: json.loads(note.read_text())["stage"] == "dump", seconds=60)
        stack.returned("backup", stack.kill("backup"))
    watcher.join()
    name, last = told[-1]
    assert (name, last["state"]) == ("end", "done"), last
    shutil.rmtree(pathlib.Path(stack.dir, "backups", last["result"]["id"]))


def test_a_run_that_is_not_there_cannot_be_watched(stack):
    for run in ("0" * 32, "none", "x" * 60):
        reply = stack.get(f"/api/backups/runs/{run}/events")
        assert (reply.status, reply.json()["code"]) == (404, "not_found")
