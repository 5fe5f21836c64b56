"""An Idempotency-Key makes it safe to send again what makes or starts something. Documents
have their own tests (test_documents)."""

import threading

from conftest import eventually

COMPARE = {"from": "one", "to": "another", "queries": ["x"]}


def keyed(stack, path, body, key):
    return stack.post(path, body, headers={"Idempotency-Key": key})


def compare(stack, key, **members):
    return keyed(stack, "/api/generations/compare", {**COMPARE, **members}, key)


def made(reply):
    assert reply.status == 202, reply.body
    return reply.json()["job_id"]


def jobs(stack):
    return int(stack.psql("SELECT count(*) FROM jobs"))


def reused(reply):
    return (reply.status, reply.json()["code"]) == (409, "idempotency_key_reused")


def age(stack):
    """All keys are more than a day old now."""
    stack.psql("UPDATE write_keys SET created_at = now() - interval '25 hours'")


def test_a_job_is_begun_once(stack):
    first = made(compare(stack, "wk-job"))
    before = jobs(stack)
    assert made(compare(stack, "wk-job")) == first
    assert jobs(stack) == before
    assert reused(compare(stack, "wk-job", queries=["y"]))
    assert jobs(stack) == before
    assert made(compare(stack, "wk-job-2")) != first
    assert made(stack.post("/api/generations/compare", COMPARE)) != first


def test_a_key_is_of_one_kind_of_job(stack):
    analysis = {"kind": "degree"}
    first = keyed(stack, "/api/graph/analysis", analysis, "wk-kind")
    assert first.status == 202, first.body
    again = keyed(stack, "/api/graph/analysis", analysis, "wk-kind")
    assert again.json()["job_id"] == first.json()["job_id"]
    assert reused(compare(stack, "wk-kind"))


def test_a_key_that_comes_many_times_at_once_begins_one_job(stack):
    answers = []
    senders = [threading.Thread(target=lambda: answers.append(compare(stack, "wk-at-once")))
               for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len({made(reply) for reply in answers}) == 1


def test_a_key_is_forgotten_after_a_day(stack):
    first = made(compare(stack, "wk-old"))
    age(stack)

    def is_new():
        made(compare(stack, f"wk-sweep-{jobs(stack)}"))  # removes some that are too old
        return made(compare(stack, "wk-old")) != first

    eventually(is_new)


def test_an_api_key_is_made_once(stack):
    body = {"name": "once", "role": "student", "scopes": ["search"]}
    first = keyed(stack, "/api/admin/keys", body, "wk-key")
    assert first.status == 201, first.body
    count = stack.psql("SELECT count(*) FROM api_keys")
    again = keyed(stack, "/api/admin/keys", body, "wk-key")
    assert reused(again), again.body
    assert stack.psql("SELECT count(*) FROM api_keys") == count
    assert keyed(stack, "/api/admin/keys", body, "wk-key-2").status == 201


def upload(stack, text, key):
    mark = "wk-boundary"
    body = (f'--{mark}\r\nContent-Disposition: form-data; name="title"\r\n\r\nKeyed\r\n'
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="k.txt"\r\n'
            f"Content-Type: text/plain\r\n\r\n{text}\r\n--{mark}--\r\n")
    return stack.post("/api/documents", body.encode(), headers={
        "Content-Type": f"multipart/form-data; boundary={mark}", "Idempotency-Key": key})


def test_a_file_is_stored_once(stack):
    first = upload(stack, "a bassoon in a file", "wk-file")
    assert first.status == 201, first.body
    again = upload(stack, "a bassoon in a file", "wk-file")
    assert again.json()["document_id"] == first.json()["document_id"]
    assert reused(upload(stack, "another file, of an oboe", "wk-file"))


def test_a_key_has_bounds(stack):
    for path, body in (("/api/generations/compare", COMPARE),
                       ("/api/graph/analysis", {"kind": "degree"}),
                       ("/api/admin/keys", {"name": "n", "role": "student",
                                            "scopes": ["search"]})):
        reply = keyed(stack, path, body, "k" * 65)
        assert (reply.status, reply.json()["field"]) == (400, "Idempotency-Key")
