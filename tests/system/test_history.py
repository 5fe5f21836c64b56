"""The last hour of a gateway: what was asked of it before anybody looked, on all its loops,
and for whom that is."""

import datetime
import math
import os
import signal

import pytest
from conftest import ADMIN, Stack, eventually
from tokens import JWT, bearer

PATH = "/api/admin/stats/history"


@pytest.fixture(scope="module")
def stack():
    running = Stack(WORKERS=2, SHADOW_RECALL_RATE="1").up().settled()
    running.put(id="h-1", title="Harbour", text="The harbour was built of stone.")
    yield running
    running.down()


def history(stack, query=""):
    reply = stack.get(PATH + query)
    assert reply.status == 200, reply.body
    return reply.json()


def route(page, operation):
    """What is told of a route; nothing was asked of it: none."""
    return next((one for one in page["routes"] if one["operation"] == operation), None)


def test_what_was_asked_on_all_loops_is_in_it(stack):
    before = history(stack)["sums"]
    for n in range(15):  # a connection each: both loops take some
        assert stack.search(f"harbour {n}", user=ADMIN)["results"]
    assert stack.get("/api/nowhere").status == 404
    after = eventually(lambda: (now := history(stack)) and
                       now["sums"]["searches"] >= before["searches"] + 15 and now, seconds=60)
    assert after["sums"]["searches"] == before["searches"] + 15
    assert after["sums"]["requests"] >= before["requests"] + 16
    assert after["sums"]["cache_misses"] > before["cache_misses"]
    assert 0 < after["sums"]["search_p50"] <= after["sums"]["search_p95"] <= 10
    search = route(after, "search_documents")
    assert search["requests"] >= 15 and search["path"] == "/api/search" and search["mean"] > 0
    assert route(after, "health_check") is None  # probes are nobody's work
    assert sum(one["requests"] for one in after["routes"]) == after["sums"]["requests"]
    assert after["instance"] and after["step_seconds"] == 15


def test_steps_follow_each_other_up_to_now(stack):
    page = eventually(lambda: (now := history(stack)) and len(now["steps"]) >= 3 and now,
                      seconds=120)
    ends = [datetime.datetime.fromisoformat(one["ended_at"].replace("Z", "+00:00"))
            for one in page["steps"]]
    assert ends == sorted(ends)
    for earlier, later, step in zip(ends, ends[1:], page["steps"][1:]):
        assert abs((later - earlier).total_seconds() - step["seconds"]) < 0.1
    assert sum(one["searches"] for one in page["steps"]) == page["sums"]["searches"]
    assert page["sums"]["pool_size"] >= page["sums"]["pool_active"]


def now_known(stack, name):
    """The figures of now, once the services were asked and this one is known."""
    return eventually(lambda: (now := history(stack)["sums"])[name] is not None and now, seconds=60)


def test_what_the_services_say_of_themselves_is_in_it(stack):
    assert stack.search("what was the harbour made of", user=ADMIN)["results"]
    now = now_known(stack, "search_recall")
    assert 0 < now["search_recall"] <= 1
    assert 0 <= now["search_lag"] < 60 and 0 <= now_known(stack, "graph_lag")["graph_lag"] < 60
    for service in ("search", "graph"):
        assert 0 <= now[f"{service}_pool_active"] <= now[f"{service}_pool_size"] > 0


def test_a_service_that_hangs_is_unknown_and_holds_nobody_up(stack):
    now_known(stack, "search_lag")
    stopped = stack.signal("search", signal.SIGSTOP)
    try:
        away = eventually(lambda: (now := history(stack)["sums"])["search_lag"] is None and now,
                          seconds=60)
        assert away["search_recall"] is None and away["search_pool_size"] is None
        assert away["graph_lag"] is not None
    finally:
        os.kill(stopped, signal.SIGCONT)
    now_known(stack, "search_lag")
    lags = [step["search_lag"] for step in history(stack)["steps"]]
    known = [at for at, lag in enumerate(lags) if lag is not None]
    assert None in lags[known[0]:known[-1]], "nobody knows it, and 0 is a figure"


def test_lag_is_not_known_while_postgresql_does_not_answer(stack):
    def lags():
        return [stack.figure(name, f"cairn_{name}_view_lag_seconds")
                for name in ("search", "graph")]

    eventually(lambda: all(0 <= lag < 60 for lag in lags()), seconds=60)
    with stack.stopped("postgres"):
        eventually(lambda: all(math.isnan(lag) for lag in lags()), seconds=60)
    eventually(lambda: all(0 <= lag < 60 for lag in lags()), seconds=60)


def test_refusals_and_faults_of_the_question(stack):
    before = history(stack)["sums"]
    for minutes in ("0", "61", "x"):
        assert stack.get(f"{PATH}?minutes={minutes}").status == 400
    assert history(stack, "?minutes=60")["sums"]["requests"] >= before["requests"] + 3


def test_it_is_for_operators(new_stack):
    stack = new_stack(**JWT).settled()
    assert stack.get(PATH).status == 401
    assert stack.get(PATH, headers=bearer("s", "student")).status == 403
    reply = stack.get(PATH, headers=bearer("root", "admin"))
    assert reply.status == 200 and reply.json()["sums"]["refused"] >= 2
