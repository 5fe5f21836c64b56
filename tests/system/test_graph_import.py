"""Imports of the graph as jobs: progress, what is refused, cancelling, and what a killed
graph leaves behind."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Stack, eventually
from held import Held
from tokens import JWT, bearer

ADMIN, STAFF = bearer("root", "admin"), bearer("staff", department="IT Services")
NDJSON = {"Content-Type": "application/x-ndjson"}
PORTION = 2000


@pytest.fixture(scope="module")
def stack():
    running = Stack(**JWT, RATE_LIMIT_ENABLED="false", JOB_LEASE_SECONDS="2",
                    JOB_BACKLOG_MB="8").up()
    yield running
    running.down()


def submit(stack, records, who=ADMIN, kind=NDJSON, name=""):
    body = records if isinstance(records, bytes) else "".join(
        (one if isinstance(one, str) else json.dumps(one)) + "\n" for one in records).encode()
    reply = stack.request("POST", "/api/graph/import?job=true" + name, body,
                          headers={**who, **kind})
    assert reply.status == 202, reply.body
    assert reply.headers["Location"] == f"/api/jobs/{reply.json()['job_id']}"
    return reply.json()["job_id"]


def job_of(stack, ident):
    """A service that was started anew is not there at once."""
    def answered():
        reply = stack.get(f"/api/jobs/{ident}", headers=ADMIN)
        return None if reply.status == 503 else reply

    reply = eventually(answered, seconds=60, what=stack.logs)
    assert reply.status == 200, reply.body
    return reply.json()


def ended(stack, ident):
    def over():
        job = job_of(stack, ident)
        return job if job["state"] not in ("queued", "running") else None

    return eventually(over, seconds=120, what=stack.logs)


def nodes(label, count):
    return [{"id": f"{label}-{n}", "labels": [label], "properties": {"n": n}}
            for n in range(count)]


def edges(label, first, end):
    """Without ids of their own, each to the node before."""
    return [{"type": label, "from": f"{label}-{n}", "to": f"{label}-{n - 1}"}
            for n in range(first, end)]


def stored(stack, label):
    return int(stack.psql(f"SELECT count(*) FROM graph_nodes WHERE labels @> '{{{label}}}'"))


def waiting(stack):
    return int(stack.psql("SELECT count(*) FROM graph_import_parts"))


def test_an_import_is_a_job(stack):
    records = [*nodes("GiMade", 2500), "nonsense",
               {"id": "gi-edge", "type": "GI", "from": "GiMade-0", "to": "GiMade-1"},
               {"id": "gi-lost", "type": "GI", "from": "GiMade-0", "to": "nobody"}]
    job = ended(stack, submit(stack, records))
    assert (job["kind"], job["state"], job["done"], job["failed"], job["total"]) == (
        "graph_import", "done", 2501, 2, 2503)
    result = job["result"]
    assert (result["created"], result["unchanged"], result["failed"]) == (2501, 0, 2)
    told = [("line 2501", "malformed_json"), ("line 2503", "node_not_found")]
    for errors in (result["errors"], job["errors"]):
        assert [(error["item"], error["code"]) for error in errors] == told
        assert all(error["error"] for error in errors)
    assert stored(stack, "GiMade") == 2500
    again = ended(stack, submit(stack, records))["result"]
    assert (again["created"], again["replaced"], again["unchanged"]) == (0, 0, 2501)
    assert waiting(stack) == 0


def test_every_format_becomes_a_job(stack):
    table = b"id:ID,:LABEL,n:int\ngi-csv,GiCsv,1\n"
    assert ended(stack, submit(stack, table, kind={"Content-Type": "text/csv"}))[
        "result"]["created"] == 1
    assert stored(stack, "GiCsv") == 1
    empty = ended(stack, submit(stack, b""))
    assert (empty["state"], empty["done"], empty["total"]) == ("done", 0, 0)
    assert empty["errors"] == empty["result"]["errors"] == []
    refused = ended(stack, submit(stack, ["[]", "{"]))
    assert (refused["state"], refused["done"], refused["failed"]) == ("done", 0, 2)
    assert [error["code"] for error in refused["errors"]] == ["invalid_request",
                                                              "malformed_json"]
    wrong = stack.request("POST", "/api/graph/import?job=perhaps", b"",
                          headers={**ADMIN, **NDJSON})
    assert (wrong.status, wrong.json()["field"]) == (400, "job")


def test_what_was_read_of_a_broken_file_is_stored(stack):
    graphml = (b'<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph>'
               b'<node id="gi-whole" labels=":GiBroken"/><node id=')
    job = ended(stack, submit(stack, graphml, kind={"Content-Type": "application/xml"}))
    assert job["state"] == "failed" and job["error"]
    assert stack.psql("SELECT count(*) FROM graph_nodes WHERE id = 'gi-whole'") == "1"
    assert waiting(stack) == 0


def test_a_quote_that_is_not_closed_is_told(stack):
    """It would be one value of all rows that follow."""
    table = b'id:ID,:LABEL,n\ngi-quote,GiQuote,one\ngi-open,GiQuote,"two\ngi-lost,GiQuote,3\n'
    job = ended(stack, submit(stack, table, kind={"Content-Type": "text/csv"}))
    assert job["state"] == "failed" and "row 3 has a quote that is not closed" in job["error"]
    assert stored(stack, "GiQuote") == 1


def test_a_job_may_what_its_caller_may(stack):
    records = [{"id": "gi-mine", "labels": ["GiRight"]},
               {"id": "gi-secret", "labels": ["GiRight"], "clearance_level": 5},
               {"id": "gi-theirs", "labels": ["GiRight"], "clearance_level": 3,
                "department": "Library"}]
    result = ended(stack, submit(stack, records, who=STAFF))["result"]
    assert (result["created"], result["failed"]) == (1, 2)
    assert {error["code"] for error in result["errors"]} == {"forbidden"}
    assert stored(stack, "GiRight") == 1
    student = stack.request("POST", "/api/graph/import?job=true", b"",
                            headers={**bearer("sam", "student"), **NDJSON})
    assert student.status == 403


def blocked(stack):
    """How many wait for a row that somebody else has locked."""
    return int(stack.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event IN "
                          "('transactionid', 'tuple') AND datname = current_database()"))


def test_a_cancelled_import_stops_between_portions(stack):
    ended(stack, submit(stack, nodes("GiHeld", 1)))
    records = [{"id": "GiHeld-0", "labels": ["GiHeld"]}, *nodes("GiCancel", 10 * PORTION)]
    with ThreadPoolExecutor(1) as other, Held(stack, "graph_nodes", "GiHeld-0"):
        ident = submit(stack, records)
        eventually(lambda: blocked(stack) == 1, seconds=60, what=stack.logs)
        cancelled = other.submit(stack.request, "DELETE", f"/api/jobs/{ident}", headers=ADMIN)
        eventually(lambda: blocked(stack) == 2 or cancelled.done(), seconds=60,
                   what=stack.logs)
    assert cancelled.result().status == 200
    assert ended(stack, ident)["state"] == "cancelled"
    assert stored(stack, "GiCancel") < 10 * PORTION
    assert waiting(stack) == 0


def test_a_killed_graph_stores_each_record_once(stack):
    """In the middle of a job whose relationships have no ids of their own."""
    ended(stack, submit(stack, nodes("GiLocked", 1)))
    records = [*nodes("GiKill", PORTION // 2), *edges("GiKill", 1, PORTION // 2),
               {"id": "GiLocked-0", "labels": ["GiLocked"]},
               *edges("GiKill", 1, PORTION // 2), *nodes("GiMore", 2 * PORTION)]
    with Held(stack, "graph_nodes", "GiLocked-0"):
        ident = submit(stack, records)
        eventually(lambda: blocked(stack) > 0, seconds=60, what=stack.logs)
        old = stack.kill("graph")
    stack.returned("graph", old)
    job = ended(stack, ident)
    assert (job["state"], job["done"], job["failed"]) == ("done", len(records), 0)
    assert (stored(stack, "GiKill"), stored(stack, "GiMore")) == (PORTION // 2, 2 * PORTION)
    assert stack.psql("SELECT count(*) FROM graph_edges WHERE type = 'GiKill'") == str(
        PORTION // 2 - 1)
    assert waiting(stack) == 0


def test_a_job_shows_what_its_file_was_called(stack):
    for name, shown in (("&file_name=.%2Fgraph%20of%20may.ndjson", "graph of may.ndjson"),
                        ("", None)):
        ident = submit(stack, nodes("GiNamed", 1), name=name)
        assert ended(stack, ident)["file_name"] == shown


def test_too_much_at_once_is_refused(stack):
    """What waits has to fit into JOB_BACKLOG_MB."""
    big = [{"id": f"gi-big-{n}", "labels": ["GiBig"], "properties": {"text": "x" * 900000}}
           for n in range(12)]
    body = "".join(json.dumps(one) + "\n" for one in big).encode()
    reply = stack.request("POST", "/api/graph/import?job=true", body,
                          headers={**ADMIN, **NDJSON}, timeout=120)
    assert reply.status == 413, reply.body
    assert stored(stack, "GiBig") == 0
