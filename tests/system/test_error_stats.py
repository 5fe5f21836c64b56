"""Errors as they are counted and told: /api/errors/stats, and an error tracker."""

import json

import pytest
from conftest import STAFF, eventually
from receiver import Receiver


def stats(stack):
    reply = stack.get("/api/errors/stats")
    assert reply.status == 200, reply.body
    return reply.json()


def test_the_shape_and_the_sums(stack):
    answer = stats(stack)
    assert list(answer) == ["error_counts", "error_types", "total_errors",
                            "error_rate_per_minute", "tracking_duration_minutes"]
    assert list(answer["error_counts"]) == ["CRITICAL", "ERROR", "WARNING"]
    assert answer["total_errors"] == sum(answer["error_counts"].values())
    assert answer["total_errors"] == sum(answer["error_types"].values())
    assert answer["tracking_duration_minutes"] > 0
    assert answer["error_rate_per_minute"] == pytest.approx(
        answer["total_errors"] / answer["tracking_duration_minutes"], abs=0.006)


def test_answers_of_5xx_count(new_stack):
    stack = new_stack(WORKERS=1)
    before = stats(stack)
    stack.kill("embedder")
    eventually(lambda: stack.post("/api/embed", {"input": "x"}).status == 503 or None)
    after = eventually(lambda: (lambda s: s if s["total_errors"] > before["total_errors"]
                                else None)(stats(stack)))
    assert after["error_counts"]["ERROR"] > before["error_counts"]["ERROR"]
    assert after["error_types"].get("dependency_unavailable", 0) > 0
    text = stack.get("/metrics").body.decode()
    assert 'cairn_errors_total{level="ERROR",type="dependency_unavailable"}' in text


def test_errors_reach_the_tracker(new_stack):
    with Receiver() as tracker:
        stack = new_stack(SENTRY_DSN=f"http://key@127.0.0.1:{tracker.server_port}/7",
                          SENTRY_TRACES_SAMPLE_RATE="1.0", WORKERS=1)
        stack.search("a question nobody else should read", user=STAFF)
        # an error that the search service logs: its table is gone
        stack.psql("ALTER TABLE documents RENAME TO elsewhere")
        stack.post("/api/documents", {"id": "x", "title": "t", "text": "private text"})
        eventually(lambda: tracker.heard, seconds=60)
        path, headers, body = tracker.heard[0]
        assert path == "/api/7/envelope/"
        assert "sentry_key=key" in headers["X-Sentry-Auth"]
        event = json.loads(body.splitlines()[2])
        assert event["level"] == "error"
        assert event["logger"].startswith("cairn.")
        assert event["environment"] == "development"
        for _, _, text in tracker.heard:
            assert "private text" not in text and "nobody else should" not in text
        tracker.shutdown()
