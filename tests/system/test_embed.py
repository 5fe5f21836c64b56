"""POST /api/embed, and the embedder behind a server that speaks Ollama's protocol."""

import json
import math
import subprocess
import sys
import urllib.request

import pytest
from conftest import ADMIN, ROOT, eventually


def embed(stack, **body):
    reply = stack.post("/api/embed", body)
    assert reply.status == 200, reply.body
    return reply.json()


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b))


def test_vectors_are_normalised_and_mean_something(stack):
    answer = embed(stack, input=["how to reset a password", "resetting my password",
                                 "horses graze on the meadow"])
    a, b, c = answer["embeddings"]
    for vector in (a, b, c):
        assert math.isclose(cosine(vector, vector), 1, abs_tol=1e-4)
    assert cosine(a, b) > cosine(a, c) + 0.2
    assert answer["total_duration"] > 0 and answer["prompt_eval_count"] > 0


def test_one_text_or_many(stack):
    one = embed(stack, input="same words")["embeddings"]
    many = embed(stack, input=["same words", "other", "same words"])["embeddings"]
    assert len(one) == 1 and len(many) == 3
    assert many[0] == many[2]
    assert math.isclose(cosine(one[0], many[0]), 1, abs_tol=1e-4)
    assert embed(stack, input=[])["embeddings"] == []


def test_the_model_is_the_real_one(stack):
    reference = json.loads((ROOT / "tests/data/use-lite-vectors.json").read_text())
    for row in reference:
        if not 0 < len(row["ids"]) < 128:  # no vector for no text; windows for long ones
            continue
        got = embed(stack, input=row["text"], truncate=True)["embeddings"][0]
        assert cosine(got, row["vector"]) > 0.9999, row["text"]


def test_requests_for_vectors_are_counted(stack):
    def counted(status):
        name = f'vector_search_embedding_requests_total{{status="{status}"}}'
        return stack.figure("gateway", name) or 0

    good, bad = counted("success"), counted("error")
    embed(stack, input="counted")
    assert stack.post("/v1/embeddings", {"input": "x", "model": "none"}).status == 404
    stack.get("/api/tags")
    eventually(lambda: (counted("success"), counted("error")) == (good + 1, bad + 1))


def test_fewer_dimensions(stack):
    vector = embed(stack, input="short", dimensions=64)["embeddings"][0]
    assert len(vector) == 64
    assert math.isclose(cosine(vector, vector), 1, abs_tol=1e-4)


@pytest.mark.parametrize("body, status, field", [
    ({}, 400, "input"),
    ({"input": 5}, 400, "input"),
    ({"input": ["a", 5]}, 400, "input[1]"),
    ({"input": "a", "dimensions": 100000}, 400, "dimensions"),
    ({"input": "a", "model": "no-such-model"}, 404, None),
])
def test_bad_requests(stack, body, status, field):
    reply = stack.post("/api/embed", body)
    assert reply.status == status, reply.body
    assert reply.headers["Content-Type"] == "application/json"  # as Ollama has it
    assert set(reply.json()) == {"error"}
    if field:
        assert reply.json()["error"].startswith(field + " ")


@pytest.fixture
def ollama():
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/support/fake_ollama.py"), "--port", "0"],
        stdout=subprocess.PIPE, text=True)
    url = server.stdout.readline().strip()

    def fault(mode, **more):
        data = json.dumps({"mode": mode, **more}).encode()
        urllib.request.urlopen(urllib.request.Request(url + "/fault", data), timeout=10).close()

    server.url, server.fault = url, fault
    yield server
    server.kill()
    server.wait()
    server.stdout.close()


def test_search_over_ollama(new_stack, ollama):
    stack = new_stack(OLLAMA=ollama.url).settled()
    stack.put(id="o-1", title="Ollama", text="the quick brown fox jumps over the lazy dog")
    answer = stack.search("quick fox", config={"mode": "vector"})
    assert answer["results"][0]["document_id"] == "o-1"
    assert answer["degraded"] == []


@pytest.mark.parametrize("mode", ["500", "wrong_dimension", "half_body", "nan", "garbage"])
def test_a_faulty_endpoint_degrades_and_loses_nothing(new_stack, ollama, mode):
    stack = new_stack(OLLAMA=ollama.url, EMBEDDING_TIMEOUT=2).settled()
    ollama.fault(mode)
    answer = stack.put(id="kept", title="Kept", text="capybara in the bath")
    assert answer["pending_embedding"] >= 1
    found = stack.search("capybara")
    assert found["results"][0]["document_id"] == "kept"
    assert found["degraded"] == ["embedding"]

    ollama.fault("ok")
    eventually(lambda: stack.search("capybara")["degraded"] == [], seconds=40)
    eventually(lambda: [h["document_id"] for h in stack.search(
        "capybara bath", config={"mode": "vector"})["results"]] == ["kept"], seconds=40,
        what="the pending document was never embedded")


def test_one_bad_text_does_not_spoil_its_batch(new_stack, ollama):
    stack = new_stack(OLLAMA=ollama.url).settled()
    ollama.fault("500", match="poison")
    lines = [{"id": f"p-{n}", "title": "T", "text": "poison pill" if n == 3 else f"fine {n}"}
             for n in range(6)]
    reply = stack.post("/api/documents/batch?wait=true",
                       "\n".join(json.dumps(line) for line in lines),
                       headers={"Content-Type": "application/x-ndjson"})
    results = [json.loads(line) for line in reply.body.splitlines()]
    assert [r.get("pending_embedding", 0) for r in results] == [0, 0, 0, 1, 0, 0]
    answer = stack.search("poison pill", user=ADMIN, config={"mode": "text"})
    assert answer["results"][0]["document_id"] == "p-3"


def test_a_hanging_endpoint_does_not_hang_searches(new_stack, ollama):
    stack = new_stack(OLLAMA=ollama.url, EMBEDDING_TIMEOUT=30).settled()
    stack.put(id="h", title="H", text="axolotl")
    ollama.fault("hang")
    answer = stack.search("axolotl")
    assert answer["degraded"] == ["embedding"]
    assert answer["results"][0]["document_id"] == "h"
    assert answer["response_time"] < 3
