"""Runs of the backup service: what was promised is there, whatever is killed."""

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
