"""Terms that are found in documents: whose counts, what accepting and rejecting do."""

import pytest
from conftest import eventually
from forms import upload
from made_files import docx, paragraph

SCOPES = ["read_glossary", "write_glossary", "read_documents", "search", "session"]
PUBLIC = ("The flux capacitor hums. A flux capacitor needs power, and every flux capacitor "
          "has a warranty. The tachyon lens is cold; a tachyon lens breaks.")
SECRET = ("The flux capacitor was stolen. Another flux capacitor was sold. The zebra "
          "protocol is in force; the zebra protocol ends at noon.")


@pytest.fixture(scope="module")
def callers(stack):
    made = {}
    for name, role, department, scopes in (
            ("law", "staff", "Law", SCOPES), ("it", "staff", "IT", SCOPES),
            ("blind", "staff", "IT", ["read_glossary", "write_glossary", "session"])):
        reply = stack.post("/api/admin/keys", {"name": f"candidates {name}", "user_id": name,
                                               "role": role, "department": department,
                                               "scopes": scopes})
        assert reply.status == 201, reply.body
        made[name] = {"Authorization": "Bearer " + reply.json()["key"]}
    return made


@pytest.fixture(scope="module")
def documents(stack):
    for identity, text, members in (
            ("capacitors", PUBLIC, {}),
            ("capacitors-law", SECRET, {"clearance_level": 3, "department": "Law"})):
        reply = stack.post("/api/documents", {"id": identity, "title": identity, "text": text,
                                              "collection": "gadgets", "metadata": members})
        assert reply.status in (200, 201), reply.body
    yield
    for identity in ("capacitors", "capacitors-law"):
        stack.delete("/api/documents/" + identity)


def extract(stack, headers=None, **body):
    reply = stack.request("POST", "/api/glossary/extract?wait=true", body, headers=headers)
    assert reply.status == 200, reply.body
    assert reply.json()["state"] == "done", reply.body
    return reply.json()


def not_found(stack, document, headers=None):
    """What the job says of a document that is not there for its caller."""
    reply = stack.request("POST", "/api/glossary/extract?wait=true", {"document_id": document},
                          headers=headers)
    job = reply.json()
    assert (job["state"], job["code"], job["total"]) == ("failed", "not_found", 0), job
    assert "result" not in job
    return job["error"]


def proposed(stack, headers=None, query=""):
    reply = stack.get("/api/glossary/candidates?per_page=200" + query, headers=headers)
    assert reply.status == 200, reply.body
    page = reply.json()
    assert page["pagination"]["total_count"] == len(page["candidates"])
    return {one["term"]: one for one in page["candidates"]}


def judge(stack, one, verdict, headers=None, **body):
    return stack.request("POST", f"/api/glossary/candidates/{one['id']}/{verdict}", body,
                         headers=headers)


def test_counts_are_of_what_the_caller_may_read(stack, callers, documents):
    job = extract(stack, collection="gadgets")
    assert job["result"]["documents"] == 2 and job["done"] == 2
    law = proposed(stack, callers["law"], "&q=flux")["flux capacitor"]
    assert (law["frequency"], law["documents"], law["words"]) == (5, 2, 2)
    assert {one["document_id"] for one in law["contexts"]} == {"capacitors", "capacitors-law"}
    assert "zebra protocol" in proposed(stack, callers["law"])

    it = proposed(stack, callers["it"])
    assert (it["flux capacitor"]["frequency"], it["flux capacitor"]["documents"]) == (3, 1)
    assert [one["document_id"] for one in it["flux capacitor"]["contexts"]] == ["capacitors"]
    context = it["flux capacitor"]["contexts"][0]
    assert context["before"] + context["form"] + context["after"] in PUBLIC
    assert context["form"] == "flux capacitor" and context["before"] == "The "
    assert "zebra protocol" not in it
    zebra = proposed(stack, callers["law"])["zebra protocol"]
    for verdict in ("accept", "reject", "reopen"):
        assert judge(stack, zebra, verdict, callers["it"]).status == 404
    assert stack.get("/api/glossary/candidates", headers=callers["blind"]).status == 403
    # what one may not read is not looked through either, and nothing tells that it is there
    closed = not_found(stack, "capacitors-law", callers["it"])
    assert closed == not_found(stack, "capacitors-none", callers["it"])
    assert extract(stack, callers["it"], collection="gadgets")["result"]["documents"] == 1


def test_a_document_that_is_not_there_fails_the_job_until_it_is(stack):
    reply = stack.post("/api/glossary/extract", {"document_id": "capacitors-late"})
    assert reply.status == 202, reply.body
    place = "/api/jobs/" + reply.json()["job_id"]

    def in_state(state):
        return eventually(lambda: (job := stack.get(place).json())["state"] == state and job)

    assert in_state("failed")["code"] == "not_found"
    stored = stack.post("/api/documents", {"id": "capacitors-late", "title": "t", "text": PUBLIC})
    assert stored.status == 201, stored.body
    assert stack.post(place + "/retry", {}).status in (200, 202)
    assert in_state("done")["result"]["documents"] == 1
    stack.delete("/api/documents/capacitors-late")


def test_a_document_that_is_closed_takes_its_candidates_along(stack, callers, documents):
    extract(stack, collection="gadgets")
    assert "tachyon lens" in proposed(stack, callers["it"])
    body = {"id": "capacitors", "title": "capacitors", "text": PUBLIC,
            "collection": "gadgets", "metadata": {"clearance_level": 3, "department": "Law"}}
    assert stack.post("/api/documents?refresh=true", body).status in (200, 201)
    assert "tachyon lens" not in proposed(stack, callers["it"])
    assert "tachyon lens" in proposed(stack, callers["law"])
    body["metadata"] = {"clearance_level": 1}
    assert stack.post("/api/documents?refresh=true", body).status in (200, 201)
    assert "tachyon lens" in proposed(stack, callers["it"])


def test_accepted_ones_become_drafts_and_rejected_ones_stay_away(stack, callers, documents):
    extract(stack, collection="gadgets")
    found = proposed(stack, callers["it"])
    lens, power = found["tachyon lens"], found["flux capacitor"]
    accepted = judge(stack, lens, "accept", callers["it"], definition="Bends what is faster.",
                     domain="gadgets")
    assert accepted.status == 200, accepted.body
    entry = stack.get("/api/glossary/" + accepted.json()["term_id"]).json()
    assert (entry["term"], entry["status"], entry["clearance_level"], entry["domain"]) == (
        "tachyon lens", "draft", 1, "gadgets")
    again = judge(stack, lens, "accept", callers["it"]).json()
    assert again["term_id"] == entry["id"]
    assert judge(stack, lens, "reject", callers["it"]).status == 409

    bulk = stack.request("POST", "/api/glossary/candidates/reject",
                         {"ids": [power["id"], "00000000-0000-0000-0000-000000000000"]},
                         headers=callers["it"])
    assert [one["outcome"] for one in bulk.json()["results"]] == ["rejected", "not_found"]
    for path, ids, field in (("reject", [power["id"], "none"], "ids[1]"),
                             ("reject", "none", "ids"), ("none/reject", None, "id")):
        wrong = stack.request("POST", f"/api/glossary/candidates/{path}", ids and {"ids": ids},
                              headers=callers["it"])
        assert (wrong.status, wrong.json()["field"]) == (400, field), wrong.body
    extract(stack, collection="gadgets")
    open_now = proposed(stack, callers["it"])
    assert "flux capacitor" not in open_now and "tachyon lens" not in open_now
    assert "flux capacitor" in proposed(stack, callers["it"], "&status=rejected")
    assert proposed(stack, callers["it"], "&status=accepted")["tachyon lens"][
        "term_id"] == entry["id"]
    assert judge(stack, power, "reopen", callers["it"]).status == 200
    assert "flux capacitor" in proposed(stack, callers["it"])
    assert stack.delete("/api/glossary/" + entry["id"]).status == 200


def test_lists_are_sorted_filtered_and_paged(stack, callers, documents):
    job = extract(stack, collection="gadgets")
    assert stack.get("/api/glossary/candidates?kind=sentence").status == 400
    phrases = proposed(stack, None, f"&kind=phrase&job_id={job['job_id']}")
    assert phrases and all(one["words"] > 1 for one in phrases.values())
    names = list(proposed(stack, None, f"&sort=term&job_id={job['job_id']}"))
    assert names == sorted(names, key=str.lower) and len(names) > 2
    counts = [one["frequency"] for one in
              proposed(stack, None, "&sort=frequency&min_frequency=3").values()]
    assert counts == sorted(counts, reverse=True) and min(counts) >= 3
    page = stack.get(f"/api/glossary/candidates?sort=term&per_page=1&page=2&job_id={job['job_id']}")
    assert [one["term"] for one in page.json()["candidates"]] == names[1:2]
    behind = stack.get(f"/api/glossary/candidates?page=1000&job_id={job['job_id']}").json()
    assert behind["candidates"] == [] and behind["pagination"]["total_count"] == len(names)


def test_the_whole_corpus_is_looked_through_as_a_job(stack, documents):
    reply = stack.post("/api/glossary/extract", {"max_candidates": 50})
    assert reply.status == 202, reply.body
    job = "/api/jobs/" + reply.json()["job_id"]
    ended = eventually(lambda: (one := stack.get(job).json())["state"] == "done" and one)
    assert ended["result"]["documents"] == ended["total"] > 2
    assert proposed(stack, None, f"&job_id={ended['job_id']}")


def test_from_an_uploaded_file_to_an_exported_term(stack):
    file = docx(paragraph("Mills", "Heading1") + paragraph(
        "The sluice gate is shut. A sluice gate holds the water back, and a second sluice gate "
        "lets it out."))
    stored = upload(stack, "mills.docx", file, collection="mills")
    assert stored.status in (200, 201), stored.body
    document = stored.json()["document_id"]
    try:
        assert extract(stack, document_id=document)["result"]["documents"] == 1
        found = proposed(stack, None, "&q=sluice gate".replace(" ", "%20"))["sluice gate"]
        assert (found["frequency"], found["documents"]) == (3, 1)
        assert found["contexts"][0]["document_id"] == document
        accepted = judge(stack, found, "accept", definition="It holds water back.",
                         domain="mills").json()
        path = "/api/glossary/" + accepted["term_id"]
        entry = stack.get(path).json()
        assert stack.request("PUT", path, {"term": entry["term"], "definition": entry["definition"],
                                           "domain": "mills", "status": "validated"}).status == 200
        exported = stack.get("/api/glossary/export?format=csv&domain=mills").body.decode()
        assert "sluice gate" in exported and "validated" in exported
        assert stack.delete(path).status == 200
    finally:
        stack.delete("/api/documents/" + document)
