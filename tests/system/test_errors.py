"""Bad input of every kind: the right status, a code, and an unharmed process."""

import json
import socket
import urllib.parse

import pytest
from wire import exchange


def raw(stack, data, half_close=False):
    """All that comes back on these bytes until the server closes."""
    return exchange(stack.env["GATEWAY_URL"], data, ends=half_close)


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


def problem_of(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, answer
    assert b"X-Request-ID: " in head
    return json.loads(body)


def check_problem(reply, status, code=None):
    assert reply.status == status, reply.body
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    problem = reply.json()
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"] and problem["error"] and problem["code"]
    assert problem["request_id"] == reply.headers["X-Request-ID"]
    if code:
        assert problem["code"] == code


@pytest.fixture(autouse=True)
def unharmed(stack):
    pids = {s: stack.pid(s) for s in ("gateway", "search", "embedder", "graph", "backup")}
    yield
    assert stack.get("/health/ping").status == 200
    assert pids == {s: stack.pid(s) for s in pids}


def test_unknown_route(stack):
    check_problem(stack.get("/no/such"), 404, "not_found")
    check_problem(stack.get("/api/nothing"), 404, "not_found")


def test_wrong_method_says_which_are_allowed(stack):
    reply = stack.request("DELETE", "/api/search")
    check_problem(reply, 405)
    assert set(reply.headers["Allow"].replace(" ", "").split(",")) >= {"GET", "POST"}


def test_malformed_json_says_where(stack):
    reply = stack.post("/api/search", '{"query":', headers={"Content-Type": "application/json"})
    check_problem(reply, 400, "malformed_json")
    assert "line" in reply.json()["error"]


@pytest.mark.parametrize("body", [
    b'{"query":"a","query":"b"}', b'{"query":"\xff"}', b'{"query":"a\\u0000b"}', b"[]",
    b'"text"', b"", b"[" * 5000, b'{"query":"\\ud800"}',
])
def test_hostile_json_is_refused(stack, body):
    reply = stack.post("/api/search", body, headers={"Content-Type": "application/json"})
    check_problem(reply, 400)


def test_other_content_types(stack):
    check_problem(stack.post("/api/search", "query=x",
                             headers={"Content-Type": "text/xml"}), 415)


def test_oversized_body(stack):
    reply = stack.post("/api/search", {"query": "x" * (2 << 20)})
    check_problem(reply, 413, "too_large")


def test_oversized_header(stack):
    answer = raw(stack, b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40000 + b"\r\n\r\n")
    assert status_of(answer) == 431
    problem_of(answer)


def test_oversized_request_line(stack):
    answer = raw(stack, b"GET /" + b"a" * 12000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status_of(answer) == 414


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\nHost: a\n\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    b"POST /api/search HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/search HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"POST /api/search HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    b"POST /api/search HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40,
    b"GARBAGE\r\n\r\n",
])
def test_smuggling_and_garbage_are_refused_and_closed(stack, data):
    answer = raw(stack, data)
    assert status_of(answer) == 400, answer
    problem_of(answer)


def test_half_closed_clients_still_get_their_answer(stack):
    body = b'{"query":"eduroam"}'
    answer = raw(stack, b"POST /api/search HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                 % (len(body), body), half_close=True)
    assert status_of(answer) == 200


def test_a_body_cut_short_stores_nothing(stack):
    body = b'{"id":"cut-short","title":"x","text":"y"}'
    raw(stack, b"POST /api/documents HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
               b"Content-Length: %d\r\n\r\n%s" % (len(body) + 10, body), half_close=True)
    assert stack.get("/api/documents/cut-short").status == 404


def test_expect_100_continue(stack):
    where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
    body = b'{"query":"eduroam"}'
    with socket.create_connection((where.hostname, where.port), timeout=30) as s:
        s.sendall(b"POST /api/search HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                  b"Connection: close\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(body))
        assert s.recv(65536).startswith(b"HTTP/1.1 100")
        s.sendall(body)
        assert b"200 OK" in s.recv(65536)


def test_pipelined_requests_are_answered_in_order(stack):
    one = b"GET /health/ping HTTP/1.1\r\nHost: x\r\nX-Request-ID: n%d\r\n\r\n"
    last = b"GET /health/ping HTTP/1.1\r\nHost: x\r\nX-Request-ID: last\r\n" \
           b"Connection: close\r\n\r\n"
    answer = raw(stack, b"".join(one % n for n in range(20)) + last)
    ids = [line.split(b": ")[1] for line in answer.split(b"\r\n")
           if line.lower().startswith(b"x-request-id")]
    assert ids == [b"n%d" % n for n in range(20)] + [b"last"]


def test_slow_senders_are_cut_off(new_stack):
    stack = new_stack(HTTP_HEAD_TIMEOUT_MS=300)
    answer = raw(stack, b"GET / HTTP/1.1\r\nHost:")
    assert status_of(answer) == 408


def test_traversal_is_just_a_missing_route(stack):
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/..%2f..%2fetc"):
        assert stack.get(path).status in (400, 404)
    assert stack.get("/api/documents/%00").status in (400, 404)
    assert stack.get("/api/documents/%zz").status == 400
