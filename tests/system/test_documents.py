"""Documents in and out: one by one, and as a stream."""

import http.client
import json
import threading
import urllib.parse

import pytest
from conftest import ADMIN


def found(stack, query, **filters):
    answer = stack.search(query, user=ADMIN, filters=filters, config={"mode": "text"})
    return {hit["document_id"] for hit in answer["results"]}


def test_a_document_is_searchable_when_its_answer_arrives(stack):
    reply = stack.post("/api/documents", {
        "id": "doc-new", "title": "Xylophones", "collection": "music",
        "sections": [{"title": "Tuning", "text": "The marimbula is tuned by ear.",
                      "page_number": 3}],
        "metadata": {"priority": 2, "colour": "red"}})
    assert reply.status == 201, reply.body
    assert reply.json()["document_id"] == "doc-new"
    assert reply.json()["chunks"] == 1
    assert found(stack, "marimbula") == {"doc-new"}


def test_reading_gives_back_what_was_stored(stack):
    document = {"id": "doc-read", "title": "Ætherial “quotes” 数据", "collection": "round",
                "sections": [{"title": "One", "text": "First.\n\nSecond.", "page_number": 1},
                             {"title": "Two", "text": "Third 😀", "page_number": 2}],
                "metadata": {"department": "Library", "priority": 3, "nested": {"a": [1]}}}
    stack.put(**document)
    answer = stack.get("/api/documents/doc-read").json()
    assert answer["title"] == document["title"]
    assert answer["collection"] == "round"
    assert [{k: s[k] for k in ("title", "text", "page_number")}
            for s in answer["sections"]] == document["sections"]
    for name, value in document["metadata"].items():
        assert answer["metadata"][name] == value


def test_without_an_id_one_is_made(stack):
    first = stack.put(title="Anonymous", text="one of a kind")
    second = stack.put(title="Anonymous", text="one of a kind")
    assert first["document_id"] != second["document_id"]
    assert stack.get(f"/api/documents/{first['document_id']}").status == 200


def test_the_same_id_replaces_the_whole(stack):
    stack.put(id="doc-replace", title="Old", text="pangolin")
    stack.put(id="doc-replace", title="New", text="aardvark")
    assert found(stack, "pangolin") == set()
    assert found(stack, "aardvark") == {"doc-replace"}
    assert stack.get("/api/documents/doc-replace").json()["title"] == "New"


def test_an_unchanged_document_costs_nothing(stack):
    document = {"id": "doc-same", "title": "Same", "text": "wombat burrow"}
    stack.put(**document)
    before = stack.get("/api/documents/doc-same").json()["updated_at"]
    answer = stack.put(**document)
    assert answer["unchanged"] is True
    assert stack.get("/api/documents/doc-same").json()["updated_at"] == before


def test_deleted_is_gone_everywhere(stack):
    stack.put(id="doc-delete", title="Doomed", text="thylacine")
    assert stack.delete("/api/documents/doc-delete").status == 200
    assert found(stack, "thylacine") == set()
    assert stack.get("/api/documents/doc-delete").status == 404
    reply = stack.delete("/api/documents/doc-delete")
    assert reply.status == 404
    assert reply.json()["code"] == "not_found"


def test_ids_may_hold_what_urls_must_escape(stack):
    stack.put(id="a/b c?d", title="Odd id", text="numbat")
    reply = stack.get("/api/documents/" + urllib.parse.quote("a/b c?d", safe=""))
    assert reply.status == 200
    assert reply.json()["id"] == "a/b c?d"


def test_list_is_paged(stack):
    for n in range(5):
        stack.put(id=f"page-{n}", title=f"Page {n}", text="list me", collection="paged")
    seen = []
    for page in (1, 2, 3):
        answer = stack.get(f"/api/documents?collection=paged&per_page=2&page={page}").json()
        assert answer["pagination"]["total_count"] == 5
        assert answer["pagination"]["total_pages"] == 3
        assert answer["pagination"]["has_next"] is (page < 3)
        seen += [d["id"] for d in answer["documents"]]
    assert sorted(seen) == [f"page-{n}" for n in range(5)]
    assert stack.get("/api/documents?per_page=0").status == 400
    assert stack.get("/api/documents?page=-1").status == 400


def test_a_long_document_is_cut_into_overlapping_passages(stack):
    text = "\n\n".join(f"Paragraph {n}. " + "lorem ipsum dolor sit amet consectetur. " * 12
                       for n in range(60))
    answer = stack.put(id="doc-long", title="Long", text=text)
    assert answer["chunks"] > 5
    answer = stack.search("paragraph 37", filters={"document_id": "doc-long"},
                          config={"mode": "text"})
    assert "Paragraph 37." in answer["results"][0]["text"]


@pytest.mark.parametrize("body, field", [
    ({"title": 5, "text": "x"}, "title"),
    ({"title": "x"}, "text"),
    ({"title": "x", "text": 7}, "text"),
    ({"title": "x", "text": "y", "id": "z" * 300}, "id"),
    ({"title": "x", "sections": "nope"}, "sections"),
    ({"title": "x", "sections": [{"title": "t", "text": "u"}, {"text": 5}]}, "sections[1].text"),
    ({"title": "x", "text": "y", "metadata": []}, "metadata"),
    ({"title": "x", "text": "y", "metadata": {"priority": 9}}, "metadata.priority"),
    ({"title": "x", "text": "y", "metadata": {"clearance_level": "top"}},
     "metadata.clearance_level"),
])
def test_bad_documents_name_the_field_and_store_nothing(stack, body, field):
    before = stack.get("/api/documents?per_page=1").json()["pagination"]["total_count"]
    reply = stack.post("/api/documents", body)
    assert reply.status == 400, reply.body
    assert reply.json()["field"] == field
    after = stack.get("/api/documents?per_page=1").json()["pagination"]["total_count"]
    assert after == before


def test_batch_answers_one_line_for_each_line(stack):
    good = [{"id": f"batch-{n}", "title": f"B{n}", "text": f"batchword{n}"}
            for n in range(40)]
    lines = [json.dumps(d).encode() for d in good]
    lines.insert(7, b"{not json")
    lines.insert(11, b'{"id":"batch-bad","title":"x","text":"\xff\xfe"}')
    lines.insert(20, b'{"id":"batch-type","title":[],"text":"x"}')
    lines.insert(21, b"")
    reply = stack.post("/api/documents/batch?wait=true", b"\n".join(lines) + b"\n",
                       headers={"Content-Type": "application/x-ndjson"})
    assert reply.status == 200, reply.body
    results = [json.loads(line) for line in reply.body.splitlines()]
    failed = [r["line"] for r in results if r["status"] == "error"]
    assert failed == [8, 12, 21]
    assert [r["line"] for r in results] == sorted(r["line"] for r in results)
    assert sum(r["status"] == "created" for r in results) == 40
    for r in results:
        if r["status"] == "error":
            assert r["error"]["code"]
    assert found(stack, "batchword39") == {"batch-39"}
    assert stack.get("/api/documents/batch-bad").status == 404


def test_batch_streams_without_holding_all(stack):
    """Results come while later lines have not been sent yet."""
    where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
    connection.putrequest("POST", "/api/documents/batch?wait=true")
    connection.putheader("Content-Type", "application/x-ndjson")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()

    def send(line):
        data = json.dumps(line).encode() + b"\n"
        connection.send(b"%x\r\n%s\r\n" % (len(data), data))

    send({"id": "stream-1", "title": "S1", "text": "first of a stream"})
    response = connection.response_class(connection.sock, method="POST")
    response.begin()
    assert json.loads(response.readline())["document_id"] == "stream-1"
    send({"id": "stream-2", "title": "S2", "text": "second of a stream"})
    assert json.loads(response.readline())["document_id"] == "stream-2"
    connection.send(b"0\r\n\r\n")
    assert response.read() == b""
    connection.close()


def batch(stack, lines):
    body = "\n".join(json.dumps(line) for line in lines)
    reply = stack.post("/api/documents/batch?wait=true", body,
                       headers={"Content-Type": "application/x-ndjson"})
    assert reply.status == 200, reply.body
    return [json.loads(line) for line in reply.body.splitlines()]


def test_the_last_line_of_one_id_wins(stack):
    lines = batch(stack, [{"id": "one-id", "title": "t", "text": f"version {n}"}
                          for n in range(20)])
    assert [line["status"] for line in lines] == ["created"] + ["replaced"] * 19
    stored = stack.get("/api/documents/one-id").json()
    assert stored["sections"][0]["text"] == "version 19"


def test_metadata_that_is_accepted_comes_back_and_is_searchable(stack):
    stack.put(id="md-large", title="t", text="bandicoot",
              metadata={"n": [1] * 12000, "big": 1e300, "most": 2 ** 63 - 1})
    assert found(stack, "bandicoot") == {"md-large"}
    stored = stack.get("/api/documents/md-large")
    assert stored.status == 200
    assert float(stored.json()["metadata"]["big"]) == 1e300


def test_metadata_that_would_not_come_back_is_refused(stack):
    for metadata in ({"n": [1e300] * 300}, {"n": ["x" * 10] * 6000}):
        reply = stack.post("/api/documents", {"title": "t", "text": "x", "metadata": metadata})
        assert reply.status == 400, reply.body
        assert reply.json()["field"] == "metadata"


def test_a_key_stores_one_document_however_often_it_is_sent(stack):
    """Also without an id, where each request would make one."""
    def send(text, key):
        return stack.post("/api/documents", {"title": "Keyed", "text": text},
                          headers={"Idempotency-Key": key})

    first, again = send("glockenspiel once", "k-1"), send("glockenspiel once", "k-1")
    assert first.status == again.status == 201
    assert again.json()["document_id"] == first.json()["document_id"]
    assert again.json()["chunks"] == first.json()["chunks"] == 1
    assert found(stack, "glockenspiel") == {first.json()["document_id"]}
    other = send("glockenspiel twice", "k-1")
    assert (other.status, other.json()["code"]) == (409, "idempotency_key_reused")
    assert send("glockenspiel once", "k-2").json()["document_id"] != \
        first.json()["document_id"]


def test_a_key_of_what_was_there_already_is_used(stack):
    """Sent again after somebody else's write it must not undo that."""
    def send(text, key=None):
        return stack.post("/api/documents", {"id": "kept", "title": "Kept", "text": text},
                          headers={"Idempotency-Key": key} if key else {})

    assert send("sackbut one").status == 201
    assert send("sackbut one", "k-same").json()["unchanged"]
    assert send("sackbut two").status == 201
    assert send("sackbut one", "k-same").status == 201
    assert stack.get("/api/documents/kept").json()["sections"][0]["text"] == "sackbut two"
    other = send("sackbut three", "k-same")
    assert (other.status, other.json()["code"]) == (409, "idempotency_key_reused")


def test_a_page_beyond_all_numbers_is_refused(stack):
    def send(number):
        return stack.post("/api/documents", {"id": "paged", "title": "Paged", "sections": [
            {"title": "", "text": "x", "page_number": number}]})

    assert send(2 ** 31 - 1).status == 201
    assert stack.get("/api/documents/paged").json()["sections"][0]["page_number"] == 2 ** 31 - 1
    assert send(2 ** 31).status == 400


def test_a_key_that_comes_many_times_at_once_stores_one_document(stack):
    def send(answers):
        answers.append(stack.post("/api/documents", {"title": "Keyed", "text": "flugelhorn"},
                                  headers={"Idempotency-Key": "at-once"}))

    answers = []
    senders = [threading.Thread(target=send, args=(answers,)) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert {reply.status for reply in answers} == {201}, [reply.body for reply in answers]
    assert len({reply.json()["document_id"] for reply in answers}) == 1
    assert len(found(stack, "flugelhorn")) == 1
