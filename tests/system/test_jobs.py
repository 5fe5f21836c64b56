"""Batches as jobs: progress, errors of single lines, cancelling, trying again, and what a
killed search leaves behind."""

import http.client
import json
import urllib.parse

from conftest import ADMIN, eventually

NDJSON = {"Content-Type": "application/x-ndjson"}


def lines(documents):
    return b"".join(json.dumps(one).encode() + b"\n" for one in documents)


def documents(prefix, count, **more):
    return [{"id": f"{prefix}-{n}", "title": f"{prefix} {n}", "collection": prefix,
             "text": f"Document {n} of {prefix}.", **more} for n in range(count)]


def submit(stack, body, query=""):
    reply = stack.post("/api/documents/batch" + query, body, headers=NDJSON)
    assert reply.status == 202, reply.body
    assert reply.headers["Location"] == f"/api/jobs/{reply.json()['job_id']}"
    return reply.json()


def job_of(stack, job_id):
    """Each loop of the gateway meets a search that was started anew by itself."""
    def answered():
        reply = stack.get(f"/api/jobs/{job_id}")
        return None if reply.status == 503 else reply

    reply = eventually(answered, seconds=60, what=stack.logs)
    assert reply.status == 200, reply.body
    return reply.json()


def ended(stack, job_id, seconds=60):
    def over():
        job = job_of(stack, job_id)
        return job if job["state"] not in ("queued", "running") else None

    return eventually(over, seconds=seconds, what=stack.logs)


def count(stack, collection):
    """What is stored, page by page: nothing of it twice."""
    ids, page = [], 1
    while True:
        path = f"/api/documents?collection={collection}&per_page=100&page={page}"
        answer = eventually(lambda path=path: (lambda reply: reply.status == 200 and reply)(
            stack.get(path)), what=stack.logs).json()
        ids += [one["document_id"] for one in answer["documents"]]
        if not answer["pagination"]["has_next"]:
            assert len(ids) == len(set(ids))
            return len(ids)
        page += 1


def events(stack, job_id, headers=None):
    """The events of a job as (name, data), until the stream ends."""
    where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
    try:
        connection.request("GET", f"/api/jobs/{job_id}/events", headers=headers or {})
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        name = None
        for line in answer:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)
    finally:
        connection.close()


def test_a_batch_is_a_job_that_tells_its_progress(stack):
    job = submit(stack, lines(documents("jobprogress", 120)))
    assert job["total"] == 120
    told = list(events(stack, job["job_id"], {"Last-Event-ID": "9999999"}))
    assert [name for name, _ in told[:-1]] == ["progress"] * (len(told) - 1)
    assert told[-1][0] == "end"
    done = [data["done"] for _, data in told]
    assert done == sorted(done)
    last = told[-1][1]
    assert (last["state"], last["done"], last["failed"]) == ("done", 120, 0)
    assert last["job_id"] == job["job_id"] and last["kind"] == "ingest"
    assert last["finished_at"] >= last["started_at"] >= last["created_at"]
    assert count(stack, "jobprogress") == 120


def test_a_job_shows_what_its_file_was_called(stack):
    """Without folders and what cannot be seen, whatever its sender said."""
    body = lines(documents("jobnames", 1))
    for sent, shown in ((None, None), ("", None), ("jobs of may.ndjson", "jobs of may.ndjson"),
                        ("../../etc/Träume\u202e\n 🦀.ndjson", "Träume 🦀.ndjson"),
                        ("C:\\notes\\" + 400 * "é" + ".jsonl", None), ("\u200b", "file")):
        query = "" if sent is None else "?" + urllib.parse.urlencode({"file_name": sent})
        ident = submit(stack, body, query)["job_id"]
        name = ended(stack, ident)["file_name"]
        if sent and len(sent) > 255:
            assert name.endswith("é.jsonl") and 200 < len(name.encode()) <= 255, name
        else:
            assert name == shown, (sent, name)
        listed = {one["job_id"]: one for one in stack.get("/api/jobs?per_page=20").json()["jobs"]}
        assert listed[ident]["file_name"] == name
    for bad in ("?file_name=%ff", "?file_name=" + 1025 * "x"):
        refused = stack.post("/api/documents/batch" + bad, body, headers=NDJSON)
        assert refused.status == 400 and refused.json()["field"] == "file_name", refused.body


def test_a_bad_line_fails_alone_and_says_where(stack):
    body = lines(documents("joberrors", 3)) + b"{no json\n\n" + \
        b'{"id":"x","title":"","text":"y"}\n' + \
        b'{"id":"joberrors-late","title":"t","text":"u","collection":"joberrors",' + \
        b'"metadata":{"priority":"much"}}\n' + lines(documents("joberrorsb", 1))
    job = ended(stack, submit(stack, body)["job_id"])
    assert (job["state"], job["done"], job["failed"], job["total"]) == ("done", 4, 3, 7)
    errors = {one["item"]: one for one in job["errors"]}
    assert set(errors) == {"line 4", "line 6", "line 7"}
    assert errors["line 4"]["code"] == "malformed_json"
    assert "title" in errors["line 6"]["error"]
    assert "priority" in errors["line 7"]["error"]
    assert count(stack, "joberrors") == 3


REFUSE = """
CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'not this one' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER refuse_one BEFORE INSERT ON documents FOR EACH ROW
    WHEN (NEW.id = 'company-7') EXECUTE FUNCTION refuse_one();
"""


def test_what_the_record_refuses_keeps_back_no_other_of_its_transaction(stack):
    stack.psql(REFUSE)
    try:
        job = submit(stack, lines(documents("company", 200)))
        job = ended(stack, job["job_id"])
    finally:
        stack.psql("DROP TRIGGER refuse_one ON documents; DROP FUNCTION refuse_one()")
    assert (job["state"], job["done"], job["failed"]) == ("done", 199, 1)
    assert job["errors"][0]["item"] == "line 8"
    assert count(stack, "company") == 199
    together = stack.psql("SELECT count(DISTINCT xmin::text) FROM documents "
                          "WHERE collection = 'company'")
    assert int(together) < 199


def test_what_failed_is_tried_again_on_demand(stack):
    body = b'{no json\n' + lines(documents("jobretry", 1, metadata={"priority": 77}))
    job = ended(stack, submit(stack, body)["job_id"])
    assert (job["state"], job["failed"]) == ("failed", 2)
    reply = stack.post(f"/api/jobs/{job['job_id']}/retry", b"")
    assert reply.status == 202, reply.body  # it fails again: it is as it was
    assert ended(stack, job["job_id"])["failed"] == 2
    unreadable = ended(stack, submit(stack, b"{no json\n")["job_id"])
    reply = stack.post(f"/api/jobs/{unreadable['job_id']}/retry", b"")
    assert reply.status == 409, reply.body


def test_the_last_of_several_versions_wins(stack):
    versions = [{"id": "jobversions", "title": f"Version {n}", "text": f"Text {n}."}
                for n in range(12)]
    assert ended(stack, submit(stack, lines(versions))["job_id"])["done"] == 12
    assert stack.get("/api/documents/jobversions").json()["title"] == "Version 11"


def test_documents_without_an_id_are_stored_once(stack):
    nameless = [{"title": f"N{n}", "text": "Nameless.", "collection": "jobnameless"}
                for n in range(30)]
    assert ended(stack, submit(stack, lines(nameless))["job_id"])["done"] == 30
    assert count(stack, "jobnameless") == 30


def test_jobs_are_listed_newest_first(stack):
    ids = [submit(stack, lines(documents(f"joblist{n}", 1)))["job_id"] for n in range(2)]
    for one in ids:
        ended(stack, one)
    page = stack.get("/api/jobs?kind=ingest&state=done&per_page=2").json()
    assert [one["job_id"] for one in page["jobs"]] == ids[::-1]
    assert page["pagination"]["total_count"] >= 2
    assert stack.get("/api/jobs?kind=nothing").json()["jobs"] == []
    assert stack.get("/api/jobs?state=asleep").status == 400
    for path in ("/api/jobs/no-such-job", "/api/jobs/no-such-job/events",
                 "/api/jobs/00000000-0000-0000-0000-000000000000"):
        assert stack.get(path).status == 404


def test_an_empty_batch_is_done_at_once(stack):
    job = submit(stack, b"\n \n")
    assert (job["state"], job["total"]) == ("done", 0)


def test_a_cancelled_job_stops(stack):
    """What is in hand is finished, the rest is dropped."""
    job = submit(stack, lines(documents("jobcancel", 3000)))
    reply = stack.delete(f"/api/jobs/{job['job_id']}")
    assert reply.status == 200, reply.body
    assert reply.json()["state"] == "cancelled"
    assert stack.delete(f"/api/jobs/{job['job_id']}").status == 409
    assert stack.post(f"/api/jobs/{job['job_id']}/retry", b"").status == 409
    assert list(events(stack, job["job_id"]))[-1][0] == "end"
    eventually(lambda: stack.psql("SELECT count(*) FROM job_items WHERE worker IS NOT NULL "
                                  f"AND job_id = '{job['job_id']}'") == "0")
    assert job_of(stack, job["job_id"])["done"] == count(stack, "jobcancel") < 3000


def test_who_leaves_in_the_middle_leaves_no_job(stack):
    where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
    connection.putrequest("POST", "/api/documents/batch")
    connection.putheader("Content-Type", "application/x-ndjson")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    body = lines(documents("jobleft", 50))
    connection.send(b"%x\r\n%s\r\n" % (len(body), body))

    def mine():
        jobs = stack.get("/api/jobs?per_page=1").json()["jobs"]
        return jobs[0] if jobs and jobs[0]["total"] == 50 else None

    job = eventually(mine)
    connection.close()
    eventually(lambda: job_of(stack, job["job_id"])["state"] == "cancelled")


def test_a_killed_search_loses_nothing(new_stack):
    """In the middle of a job, twice: it ends by itself, and every document is there once."""
    stack = new_stack(JOB_LEASE_SECONDS=2).settled()
    job = submit(stack, lines(documents("jobkill", 300)))
    for least in (20, 120):
        eventually(lambda least=least: job_of(stack, job["job_id"])["done"] >= least,
                   seconds=60, what=stack.logs)
        stack.returned("search", stack.kill("search"))
    last = ended(stack, job["job_id"])
    assert (last["state"], last["done"], last["failed"]) == ("done", 300, 0)
    assert count(stack, "jobkill") == 300
    assert stack.psql("SELECT count(*) FROM job_items") == "0"
    eventually(lambda: stack.search("document", user=ADMIN, config={"mode": "text"},
                                    filters={"document_id": "jobkill-299"})["results"],
               seconds=60, what=stack.logs)
