"""`cairn bench` against the real stack."""

import json
import re

import pytest
from cairn import Cairn


@pytest.fixture
def cairn(stack, tmp_path):
    return Cairn(tmp_path, stack.env["GATEWAY_URL"])


def bench(cairn, *words, code=0):
    done = cairn.run("bench", "--json", *words, code=code)
    return json.loads(done.stdout)


def searches(stack):
    text = stack.get("/metrics").body.decode()
    return sum(int(count) for count in re.findall(
        r'http_requests_total{[^}]*endpoint="search_documents"[^}]*} (\d+)', text))


def test_every_request_is_made_and_reported(cairn, stack):
    before = searches(stack)
    report = bench(cairn, "--users", "4", "--requests", "3", "--as", "staff:Library")
    assert searches(stack) - before == 12
    assert (report["requests"], report["succeeded"]) == (12, 12)
    assert (report["limited"], report["failed"], report["success_rate"]) == (0, 0, 1)
    assert 0 < report["p50_s"] <= report["p95_s"] <= report["max_s"] <= report["seconds"] + 0.001
    assert report["requests_per_s"] == pytest.approx(12 / report["seconds"], rel=0.1)


def test_fresh_questions_are_not_answered_by_the_cache(cairn):
    words = ("--users", "1", "--requests", "5", "--query", "printing a poster")
    bench(cairn, *words)
    assert bench(cairn, *words)["cache_hit_rate"] == 1
    for _ in range(2):  # nor by what the run before left there
        assert bench(cairn, *words, "--fresh")["cache_hit_rate"] == 0


def test_a_bound_that_is_passed_fails(cairn):
    words = ("--users", "1", "--requests", "2")
    assert bench(cairn, *words, "--max-p95", "60")["succeeded"] == 2
    done = cairn.run("bench", *words, "--max-p95", "0.000001", code=1)
    assert "max-p95" in done.stderr
    assert "succeeded" in done.stdout
    cairn.run("bench", *words, "--max-p95", "soon", code=2)


def test_what_fails_is_counted(tmp_path, stack):
    nowhere = Cairn(tmp_path, stack.env["GATEWAY_URL"].rsplit(":", 1)[0] + ":1")
    done = nowhere.run("bench", "--json", "--users", "2", "--requests", "2", code=1)
    report = json.loads(done.stdout)
    assert (report["succeeded"], report["failed"], report["success_rate"]) == (0, 4, 0)
    assert "4 failed" in done.stderr
