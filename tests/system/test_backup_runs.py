"""Runs of the backup service: what was promised is there, whatever is killed."""

import pathlib
import shutil
import threading

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


def test_every_route_that_begins_a_run_takes_a_key(stack):
    name = "/api/backups/20000101T000000Z-full"  # which is not there: the runs fail
    for method, path, body in (("POST", name + "/verify", None), ("POST", name + "/drill", None),
                               ("POST", name + "/copy", None), ("DELETE", name, None),
                               ("POST", name + "/restore", {"target": "scratch"}),
                               ("POST", "/api/backups/undo", {"confirm": "undo"}),
                               ("POST", "/api/backups/prune", {"dry_run": True})):
        key = f"route {method} {path[-8:]}"
        runs = {begun(keyed(stack, path, body, key, method)) for _ in range(3)}
        assert len(runs) == 1, path
        ended(stack, f"/api/backups/runs/{runs.pop()}")
        long = stack.request(method, path, body, {"Idempotency-Key": "k" * 65})
        assert (long.status, long.json()["field"]) == (400, "Idempotency-Key")


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
