"""GET /api/documents/{id}/passages, and titles: GET /api/documents?title=."""

import urllib.parse

import pytest
from conftest import ADMIN

LONG = "passages-long"


@pytest.fixture(scope="module", autouse=True)
def document(stack):
    def words(part):
        return " ".join(f"Sentence {n} of part {part} tells of the zumbooruk."
                        for n in range(120))
    stack.put(id=LONG, title="Überlange Zumbooruk Geschichte", metadata={"priority": 1},
              sections=[{"title": f"Part {n}", "page_number": n, "text": words(n)}
                        for n in range(1, 4)])
    stack.put(id="passages-secret", title="Zumbooruk secrets", text="hush",
              metadata={"clearance_level": 5, "department": "Vault"})
    yield
    for name in (LONG, "passages-secret"):
        stack.delete(f"/api/documents/{name}")


def page_of(stack, **query):
    reply = stack.get(f"/api/documents/{LONG}/passages?" + urllib.parse.urlencode(query))
    assert reply.status == 200, reply.body
    return reply.json()


def test_pages_make_up_the_document_in_reading_order(stack):
    whole = page_of(stack, per_page=100)
    total = stack.get(f"/api/documents/{LONG}").json()["chunks"]
    assert whole["pagination"]["total_count"] == total == len(whole["passages"]) > 3
    assert [p["page_number"] for p in whole["passages"]] == \
        sorted(p["page_number"] for p in whole["passages"])
    assert {p["section_title"] for p in whole["passages"]} == {"Part 1", "Part 2", "Part 3"}
    parts = [page_of(stack, per_page=2, page=n)["passages"]
             for n in range(1, (total + 3) // 2)]
    assert sum(parts, []) == whole["passages"]
    beyond = page_of(stack, per_page=2, page=1000)
    assert beyond["passages"] == [] and beyond["pagination"]["total_count"] == total


def test_a_results_passage_is_on_the_page_that_is_asked_for_by_it(stack):
    hits = stack.search("zumbooruk", user=ADMIN, filters={"document_id": LONG},
                        config={"mode": "text", "max_results": 50})["results"]
    for hit in hits:
        page = page_of(stack, per_page=2, passage=hit["chunk_id"])
        same = [p for p in page["passages"] if p["chunk_id"] == hit["chunk_id"]]
        assert [p["text"] for p in same] == [hit["text"]]
        assert same[0]["page_number"] == hit["page_number"]
    assert page_of(stack, per_page=2, passage="none")["pagination"]["page"] == 1


@pytest.mark.parametrize("query", ["page=0", "per_page=101", "page=x"])
def test_what_is_wrong_is_said(stack, query):
    assert stack.get(f"/api/documents/{LONG}/passages?{query}").status == 400
    assert stack.get("/api/documents/nobody-has-it/passages").status == 404


def titled(stack, title, **more):
    reply = stack.get("/api/documents?" + urllib.parse.urlencode({"title": title, **more}))
    assert reply.status == 200, reply.body
    return [d["id"] for d in reply.json()["documents"]], reply.json()["pagination"]


def test_titles_are_found_by_parts_of_words_in_any_case_without_marks(stack):
    for title in ("überlange", "UBERLANGE boor", "geschichte zumb", "passages-long"):
        assert titled(stack, title)[0] == [LONG], title
    assert titled(stack, "überlange nowhere")[0] == []
    ids, pagination = titled(stack, "zumbooruk", per_page=1, page=2)
    assert pagination["total_count"] == 2 and ids == [LONG]
    reply = stack.post("/api/documents/query", {"user": ADMIN, "title": "zumboo",
                                                "sort": "-title"})
    assert [d["id"] for d in reply.json()["documents"]] == [LONG, "passages-secret"]
    assert stack.get("/api/documents?title=x&page=10001&per_page=1").status == 400


def test_what_one_may_not_read_has_no_title(stack):
    reply = stack.post("/api/documents/query", {"user": {"user_id": "s", "role": "student"},
                                                "title": "zumbooruk"})
    assert [d["id"] for d in reply.json()["documents"]] == [LONG]
    assert reply.json()["pagination"]["total_count"] == 1
