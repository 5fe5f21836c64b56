"""What is left out of documents, what is there twice, and that both is told."""

import random

import pytest
from conftest import ADMIN, eventually

WORDS = ("harbour", "signal", "ledger", "orchard", "granite", "lantern", "meadow", "carriage",
         "thistle", "compass", "furnace", "gallery", "pasture", "quarter", "sapling", "tannery")


@pytest.fixture
def put(stack):
    """Stores documents that are gone afterwards."""
    stored = set()

    def store(identity, text="", **more):
        stored.add(identity)
        body = more if "sections" in more else {**more, "text": text}
        return stack.put(id=identity, title="Quality", **body)

    yield store
    for identity in stored:
        stack.delete(f"/api/documents/{identity}")


def prose(seed, words=120):
    pick = random.Random(seed)
    return " ".join(f"{pick.choice(WORDS)}{pick.randrange(100)}" for _ in range(words))


def report(stack, identity, headers=None):
    reply = stack.get(f"/api/documents/{identity}/report", headers=headers)
    assert reply.status == 200, reply.body
    return reply.json()


def compared(stack, *identities):
    eventually(lambda: all(report(stack, one)["compared"] for one in identities),
               seconds=60, what="passages are compared")


def texts(stack, query, identity):
    reply = stack.search(query, mode="text", user=ADMIN, filters={"document_id": identity},
                         config={"max_results": 50})
    return [hit["text"] for hit in reply["results"]]


def test_what_pages_repeat_is_in_no_passage(stack, put):
    pages = [{"page_number": n, "text": f"Gazetteer of Glenmorrow\n{prose(n)}\nPage {n} of 8"}
             for n in range(1, 9)]
    pages[0]["text"] = "\n".join(["Gazetteer of Glenmorrow", "Contents"]
                                 + [f"Chapter {n} {'.' * 12} {2 * n}" for n in range(1, 6)]
                                 + [prose(1), "Page 1 of 8"])
    pages.append({"page_number": 9, "text": "* * *"})
    put("quality-1", sections=pages, metadata={"language": "en"})
    told = report(stack, "quality-1")
    assert told["pages"] == 9 and told["sections"] == 9 and told["language"] == "en"
    assert told["characters"] == sum(len(page["text"]) for page in pages)
    assert told["kept_all"] is False
    reasons = {}
    for drop in told["dropped"]:
        reasons[drop["reason"]] = reasons.get(drop["reason"], 0) + drop["count"]
    assert reasons == {"repeated_line": 7, "page_number": 8, "contents": 5, "no_words": 1}
    assert told["dropped_total"] == 21
    found = texts(stack, "Gazetteer of Glenmorrow", "quality-1")
    assert len([text for text in found if "Glenmorrow" in text]) == 1
    assert not [text for text in found if "of 8" in text or "....." in text]
    # The record has it all.
    sections = stack.get("/api/documents/quality-1").json()["sections"]
    assert [section["text"] for section in sections] == [page["text"] for page in pages]
    assert told["chunks"] == 8


def test_a_document_of_nothing_else_is_kept(stack, put):
    assert put("quality-2", "--- 4711 ---")["chunks"] == 1
    told = report(stack, "quality-2")
    assert told["kept_all"] is True and told["dropped"] == []
    assert texts(stack, "4711", "quality-2") == ["--- 4711 ---"]


def test_what_is_there_twice_is_marked(stack, put):
    base = prose("twice", 200).split()
    near = base[:60] + ["another", "word"] + base[60:]
    for identity, words in (("quality-3", base), ("quality-4", base), ("quality-5", near),
                            ("quality-6", prose("other", 200).split())):
        put(identity, " ".join(words))
        compared(stack, identity)
    first, again, nearly, other = (report(stack, f"quality-{n}")["duplicates"]
                                   for n in (3, 4, 5, 6))
    assert first == [] and other == []
    assert again == [{"chunk_id": "quality-4#0", "duplicate_of": "quality-3#0",
                      "similarity": 1.0}]
    assert nearly[0]["duplicate_of"] == "quality-3#0" and nearly[0]["similarity"] >= 0.85
    # When the original goes, another one takes its place.
    stack.delete("/api/documents/quality-3")
    compared(stack, "quality-4", "quality-5")
    marks = [report(stack, f"quality-{n}")["duplicates"] for n in (4, 5)]
    assert sorted(len(mark) for mark in marks) == [0, 1]


def test_of_documents_that_one_may_not_read_nothing_is_told(stack, put):
    secret = prose("secret", 200)
    put("quality-7", secret, metadata={"clearance_level": 5})
    compared(stack, "quality-7")
    put("quality-8", secret)
    compared(stack, "quality-8")
    assert report(stack, "quality-8")["duplicates"][0]["duplicate_of"] == "quality-7#0"
    reply = stack.post("/api/admin/keys", {"name": "quality", "user_id": "quality",
                                           "role": "student", "scopes": ["read_documents"]})
    headers = {"Authorization": "Bearer " + reply.json()["key"]}
    assert report(stack, "quality-8", headers)["duplicates"] == []
    assert stack.get("/api/documents/quality-7/report", headers=headers).status == 404
    assert stack.get("/api/documents/quality-0/report").status == 404


def test_what_was_inherited_is_told(stack, put):
    stack.request("PUT", "/api/collections/Quality", {"department": "Law", "priority": 2})
    put("quality-9", prose("heir"), collection="Quality", metadata={"priority": 4})
    assert report(stack, "quality-9")["inherited"] == ["department"]
    stack.delete("/api/collections/Quality?documents=true")
