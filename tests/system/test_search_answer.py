"""What becomes of a search around its legs, through the whole stack: the glossary, the
re-ranking endpoint (tests/support/fake_rerank.py), complete or nothing."""

import subprocess
import sys

import pytest
from conftest import ROOT, eventually


def sql(stack, text):
    subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", stack.env["DATABASE_URL"],
                    "-c", text], check=True, stdout=subprocess.PIPE)


def test_the_glossary_widens_a_search(stack):
    stack.put(id="glossary-1", title="Access", collection="glossary",
              text="A quibble warp nexus lets you in from anywhere.")
    stack.put(id="glossary-2", title="Access", collection="glossary",
              text="The qwn is slow today.")
    sql(stack, "INSERT INTO glossary_terms (id, term, metadata) VALUES "
               "('qwn', 'quibble warp nexus', '{\"acronym\": \"QWN\"}')")
    ask = {"filters": {"collection": "glossary"}, "config": {"mode": "text"}}
    answer = eventually(lambda: next((a for a in [stack.search("QWN", **ask)]
                                      if a["expanded"]), None), seconds=60)
    assert answer["expanded"] == [
        {"term": "QWN", "added": ["quibble warp nexus"], "kind": "acronym"}]
    assert [h["document_id"] for h in answer["results"]] == ["glossary-2", "glossary-1"]
    assert "<em>quibble</em>" in answer["results"][1]["highlight"]
    ask["config"]["expand"] = False
    answer = stack.search("QWN", **ask)
    assert answer["expanded"] == [] and answer["total"] == 1


@pytest.fixture
def rerank():
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/support/fake_rerank.py"), "--like", "walrus",
         "--key", "sesame"], stdout=subprocess.PIPE, text=True)
    server.url = server.stdout.readline().strip()
    yield server
    server.kill()
    server.wait()
    server.stdout.close()


def put_seals(stack):
    stack.put(id="seal-1", title="Seals", text="seal seal seal")
    stack.put(id="seal-2", title="Seals", text="a walrus is no seal, whatever people say")
    return stack


def test_an_endpoint_re_ranks_what_was_found(new_stack, rerank):
    stack = put_seals(new_stack(RERANK_URL=rerank.url + "/v2/rerank", RERANK_SHAPE="cohere",
                                RERANK_API_KEY="sesame", RERANK_TIMEOUT_MS=60000).settled())
    answer = stack.search("seal", config={"mode": "text", "explain": True})
    assert answer["degraded"] == []
    assert [h["document_id"] for h in answer["results"]] == ["seal-2", "seal-1"]
    assert answer["results"][0]["explanation"]["rerank"]["rank"] == 1
    assert answer["results"][0]["combined_score"] > answer["results"][1]["combined_score"]
    page = stack.search("seal", config={"mode": "text", "offset": 1, "max_results": 1})
    assert page["results"][0]["document_id"] == "seal-1"


def test_without_the_endpoint_the_order_stands_and_the_answer_says_so(new_stack, rerank):
    stack = put_seals(new_stack(RERANK_URL=rerank.url + "/500/rerank",
                                RERANK_API_KEY="sesame"))
    answer = stack.search("seal", config={"mode": "text", "explain": True})
    assert answer["degraded"] == ["rerank"]
    assert answer["plan"]["complete"] is False
    assert [h["document_id"] for h in answer["results"]] == ["seal-1", "seal-2"]
    reply = stack.post("/api/search", {"query": "seal", "config": {
        "mode": "text", "require_complete": True}})
    assert reply.status == 503
    assert reply.json()["code"] == "dependency_unavailable"
    assert "Retry-After" in reply.headers
