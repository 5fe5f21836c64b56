"""Limits over the real stack: two gateways with one Redis, which may go away; whom a limit
counts; connections, requests under way and overload."""

import contextlib
import itertools
import json
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.parse

import pytest
from conftest import BIN, ROOT, eventually
from tokens import JWT, bearer

DAY = 86400
PLENTY = {"RATE_LIMIT_API_PER_SECOND": 1000000, "RATE_LIMIT_API_BURST": 1000000}
# 200 a day: one comes back every 432 seconds, so that a test can count exactly
EXACT = {**JWT, **PLENTY, "RATE_LIMIT_ENABLED": "auto", "RATE_LIMIT_REQUESTS": 200,
         "RATE_LIMIT_WINDOW": DAY}
NOWHERE = "/api/no/such/path"  # costs nothing, and counts


def series(stack, base, name):
    """A figure of a gateway, by its public port."""
    for line in stack.get("/metrics", base=base).body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    return None


@contextlib.contextmanager
def another_gateway(stack, **settings):
    """Beside the stack's own; it yields its address."""
    process = subprocess.Popen(
        [BIN / "cairn-gateway"], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**stack.environment, "API_PORT": "0", "OPS_PORT": "0",
             "DATABASE_URL": stack.env["DATABASE_URL"],
             "REDIS_URL": stack.env["REDIS_URL"],
             "SEARCH_ENDPOINTS": f"ipc://{stack.dir}/run/search.sock",
             "EMBEDDER_ENDPOINTS": f"ipc://{stack.dir}/run/embedder.sock",
             **{name: str(value) for name, value in settings.items()}})
    try:
        message = next(line["message"] for line in map(json.loads, process.stdout)
                       if line["message"].startswith("listening on"))
        threading.Thread(target=process.stdout.read, daemon=True).start()
        port = re.search(r"port (\d+)", message).group(1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def counted_in(stack, bases, where, gateways=None):
    """Wait until all gateways count there, and know each other."""
    def settled():
        return all(series(stack, base, f'ratelimit_mode{{mode="{where}"}}') == 1 and
                   gateways in (None, series(stack, base,
                                             "cairn_gateway_ratelimit_gateways"))
                   for base in bases)
    eventually(settled, seconds=60, what=stack.logs)


class Crowd:
    """Clients of several gateways that ask at the same time."""

    def __init__(self, stack, bases, headers=None, clients=8):
        self.stack, self.bases, self.headers = stack, bases, headers or {}
        self.clients = clients
        self.started = time.monotonic()
        self.admitted = 0

    def rush(self, each=25):
        """How many of these were admitted now."""
        seen = []

        def client(number):
            base = self.bases[number % len(self.bases)]
            for _ in range(each):
                seen.append(self.stack.get(NOWHERE, headers=self.headers, base=base).status)

        threads = [threading.Thread(target=client, args=[n]) for n in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(seen) <= {404, 429}, set(seen)
        self.admitted += seen.count(404)
        return seen.count(404)

    def refilled(self, interval):
        """Tokens that can have come back since the first one was taken."""
        return int((time.monotonic() - self.started) / interval) + 1


@pytest.fixture(scope="module")
def stack():
    """Of this module: the limits of every test here are its own."""
    from conftest import Stack
    running = Stack(**EXACT).up()
    yield running
    running.down()


def test_two_gateways_admit_exactly_the_limit(stack):
    with another_gateway(stack) as other:
        bases = [stack.env["GATEWAY_URL"], other]
        counted_in(stack, bases, "redis")
        crowd = Crowd(stack, bases)
        eventually(lambda: crowd.rush() >= 0 and crowd.admitted >= 200, seconds=60)
        assert 200 <= crowd.admitted <= 199 + crowd.refilled(DAY / 200)
        before = crowd.admitted
        crowd.rush()
        assert crowd.admitted - before <= crowd.refilled(DAY / 200) - 1


def test_a_redis_that_is_killed_opens_no_door(new_stack):
    stack = new_stack(**EXACT)
    with another_gateway(stack) as other:
        bases = [stack.env["GATEWAY_URL"], other]
        counted_in(stack, bases, "redis", gateways=2)
        crowd = Crowd(stack, bases)
        assert crowd.rush(each=12) == 96  # each gateway knows what is left
        stack.kill("redis")  # the stack starts another one, which knows nothing
        for _ in range(4):
            crowd.rush()
        counted_in(stack, bases, "redis")
        eventually(lambda: crowd.rush() == 0, seconds=60, what=stack.logs)
        for _ in range(3):
            crowd.rush()
        # 200, and what each had not heard of the other when Redis went; a new bucket for
        # everybody would make it about 400
        assert 150 <= crowd.admitted <= 260 + crowd.refilled(DAY / 200)


def test_a_redis_that_hangs_leaves_each_its_share(new_stack):
    stack = new_stack(**EXACT, REDIS_TIMEOUT_MS=300)
    with another_gateway(stack) as other:
        bases = [stack.env["GATEWAY_URL"], other]
        counted_in(stack, bases, "redis", gateways=2)
        stopped = stack.signal("redis", signal.SIGSTOP)
        try:
            counted_in(stack, bases, "local")
            one = Crowd(stack, bases[:1])
            eventually(lambda: one.rush() == 0, seconds=60, what=stack.logs)
            assert 100 <= one.admitted <= 99 + one.refilled(DAY / 100)
            two = Crowd(stack, bases[1:])
            eventually(lambda: two.rush() == 0, seconds=60, what=stack.logs)
            assert 100 <= two.admitted <= 99 + two.refilled(DAY / 100)
        finally:
            stack.signal("redis", signal.SIGCONT)
        assert stopped == stack.pid("redis")
        counted_in(stack, bases, "redis")
        both = Crowd(stack, bases)  # and Redis learns what was spent meanwhile
        eventually(lambda: both.rush() == 0, seconds=60, what=stack.logs)
        assert both.admitted <= 2


def test_users_are_counted_wherever_they_are(stack):
    """By the role's tier, not by the address, whose limit is spent by others."""
    Crowd(stack, [stack.env["GATEWAY_URL"]]).rush(each=60)
    for user, role, limit in (("ann", "student", 30), ("bob", "staff", 60),
                              ("cat", "academic", 100), ("dan", "admin", 200)):
        crowd = Crowd(stack, [stack.env["GATEWAY_URL"]], bearer(user, role))
        eventually(lambda each=crowd: each.rush() >= 0 and each.admitted >= limit,
                   seconds=60)
        assert crowd.admitted <= limit - 1 + crowd.refilled(60 / limit)
    reply = stack.get(NOWHERE, headers=bearer("eve", "student"))
    assert reply.status == 404  # of the same role, but another user
    assert reply.headers["X-RateLimit-Limit"] == "30"


def test_every_limited_answer_says_how_much_is_left(stack):
    user = bearer("header-reader", "staff")
    first = stack.get(NOWHERE, headers=user)
    assert first.status == 404
    assert first.headers["RateLimit-Policy"] == \
        '"minute";q=60;w=60, "hour";q=1000;w=3600, "api";q=1000000;w=1'
    assert re.fullmatch(r'"minute";r=59;t=1', first.headers["RateLimit"])
    assert first.headers["X-RateLimit-Limit"] == "60"
    assert first.headers["X-RateLimit-Remaining"] == "59"
    assert abs(int(first.headers["X-RateLimit-Reset"]) - time.time()) < 60
    assert "Retry-After" not in first.headers

    def refused():
        reply = stack.get(NOWHERE, headers=user)
        return reply if reply.status == 429 else None

    last = eventually(refused, seconds=60)
    assert last.headers["Content-Type"] == "application/problem+json"
    assert last.json()["code"] == "rate_limited"
    assert last.headers["X-RateLimit-Remaining"] == "0"
    assert 1 <= int(last.headers["Retry-After"]) <= 60
    assert re.fullmatch(r'"minute";r=0;t=\d+', last.headers["RateLimit"])
    base = stack.env["GATEWAY_URL"]
    assert series(stack, base, 'cairn_gateway_rate_limited_total{limit="minute",'
                  'scope="user"}') >= 1


def test_probes_have_no_limit(stack):
    crowd = Crowd(stack, [stack.env["GATEWAY_URL"]])
    eventually(lambda: crowd.rush() == 0, seconds=60)
    for path in ("/health", "/health/ping", "/health/ready", "/livez", "/metrics", "/docs"):
        for _ in range(40):
            reply = stack.get(path)
            assert reply.status == 200, reply.body
            assert "RateLimit" not in reply.headers


def from_address(stack, address, base, **headers):
    return stack.get(NOWHERE, base=base,
                     headers={"X-Forwarded-For": address, "X-Real-IP": address, **headers})


def test_nobody_can_choose_an_address(stack):
    """Without trusted proxies, what a client says about itself counts for nothing."""
    base = stack.env["GATEWAY_URL"]
    crowd = Crowd(stack, [base])
    eventually(lambda: crowd.rush() == 0, seconds=60)
    for n in range(20):
        assert from_address(stack, f"203.0.113.{n}", base).status == 429


def test_a_trusted_proxy_names_its_clients(stack):
    with another_gateway(stack, TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8",
                         RATE_LIMIT_REQUESTS=3) as base:
        counted_in(stack, [base], "redis")
        ask = lambda address: from_address(stack, address, base).status  # noqa: E731
        assert [ask("198.51.100.1") for _ in range(5)] == [404] * 3 + [429] * 2
        assert ask("198.51.100.2") == 404
        # what the client wrote itself stands further left
        assert ask("203.0.113.9, 198.51.100.1") == 429
        assert ask("203.0.113.9, 198.51.100.1, 10.1.2.3") == 429
        assert ask("203.0.113.9, 198.51.100.1:1234") == 429
        # all of a /64 is one client
        for n in range(3):
            assert ask(f"2001:db8:1:2:{n}::1") == 404
        assert ask("2001:db8:1:2:ffff::9") == 429
        assert ask("2001:db8:1:3::1") == 404


def test_logins_are_counted_by_address(stack):
    with another_gateway(stack, TRUSTED_PROXIES="127.0.0.1",
                         RATE_LIMIT_LOGIN_PER_MINUTE=10) as base:
        counted_in(stack, [base], "redis")

        def login(name):
            return stack.post("/api/auth/login",
                              {"username": name, "password": "Wrong-pass-1"}, base=base,
                              headers={"X-Forwarded-For": "198.51.100.77",
                                       **bearer(name)}).status

        users = (f"user-{n}" for n in itertools.count())
        assert [login(next(users)) for _ in range(10)] == [401] * 10
        eventually(lambda: login(next(users)) == 429, seconds=60)


def test_searches_without_an_identity(stack):
    with another_gateway(stack, TRUSTED_PROXIES="127.0.0.1") as base:
        counted_in(stack, [base], "redis")
        client = {"X-Forwarded-For": "198.51.100.88"}

        def search():
            return stack.post("/api/search", {"query": "books"}, headers=client, base=base)

        started = time.monotonic()
        replies = [search() for _ in range(40)]
        refilled = int((time.monotonic() - started) / 2) + 1
        refused = [reply for reply in replies if reply.status == 429]
        assert 10 - refilled <= len(refused) <= 10
        assert replies[0].headers["RateLimit-Policy"] == \
            '"search";q=30;w=60, "general";q=60;w=60, "hour";q=300;w=3600, ' \
            '"api";q=1000000;w=1'


def test_the_burst_of_the_api(stack):
    with another_gateway(stack, TRUSTED_PROXIES="127.0.0.1", RATE_LIMIT_API_PER_SECOND=0.01,
                         RATE_LIMIT_API_BURST=20) as base:
        counted_in(stack, [base], "redis")
        seen = [stack.get(NOWHERE, headers=bearer("burst", "admin"), base=base).status
                for _ in range(25)]
        assert seen == [404] * 20 + [429] * 5


# --- connections, requests under way, overload


def connect(base):
    where = urllib.parse.urlsplit(base)
    return socket.create_connection((where.hostname, where.port), timeout=60)


def answer(sock):
    out = b""
    while piece := sock.recv(65536):
        out += piece
    return out


def test_an_address_has_so_many_connections(stack):
    with another_gateway(stack, HTTP_MAX_CONNECTIONS_PER_ADDRESS=5, WORKERS=2) as base:
        held = []
        for _ in range(5):  # answered once: it is known to be let in
            sock = connect(base)
            sock.sendall(b"GET /health/ping HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sock.recv(15) == b"HTTP/1.1 200 OK"
            held.append(sock)
        with connect(base) as extra:
            refusal = answer(extra)
        assert refusal.startswith(b"HTTP/1.1 503 "), refusal
        assert b'"code":"too_many_connections"' in refusal
        assert b"Retry-After: " in refusal
        held.pop().close()
        eventually(lambda: stack.get("/health/ping", base=base).status == 200, seconds=60)
        for sock in held:
            sock.close()


def test_requests_under_way_have_a_number(stack):
    with another_gateway(stack, HTTP_MAX_REQUESTS_IN_FLIGHT=1, WORKERS=1) as base:
        with connect(base) as slow:
            slow.sendall(b"POST /api/search HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n"
                         b"Content-Type: application/json\r\nConnection: close\r\n\r\n")
            refusal = eventually(
                lambda: next((reply for reply in [stack.get(NOWHERE, base=base)]
                              if reply.status == 503), None), seconds=60)
            assert refusal.json()["code"] == "overloaded"
            assert refusal.headers["Retry-After"] == "1"
            assert stack.get("/health/ping", base=base).status == 200
            slow.sendall(b'{"query":"books"}')
            assert answer(slow).startswith(b"HTTP/1.1 ")
        assert stack.get(NOWHERE, base=base).status in (404, 429)
        assert series(stack, base, 'cairn_gateway_shed_total{reason="in_flight"}') >= 1


@pytest.mark.parametrize("setting", [{"TRUSTED_PROXIES": "10.0.0.1/8"},
                                     {"TRUSTED_PROXIES": "proxy.example"},
                                     {"RATE_LIMIT_ENABLED": "perhaps"}])
def test_settings_that_make_no_sense_stop_the_start(stack, setting):
    done = subprocess.run([BIN / "cairn-gateway"], check=False, timeout=60,
                          capture_output=True, text=True, cwd=ROOT,
                          env={**stack.environment, "API_PORT": "0", "OPS_PORT": "0",
                               **setting})
    assert done.returncode != 0
    assert next(iter(setting)) in done.stdout + done.stderr
