"""Accounts over HTTP: logging in and out, sessions and their cookies, forged requests, locks
over two gateways, and what is left of it all when Redis or PostgreSQL is away."""

import base64
import concurrent.futures
import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import urllib.parse

import pytest
from conftest import BIN, ROOT, Stack, eventually

SECRET = "a-secret-of-this-test-alone-0123456789"
ROOT_PASSWORD = "Correct-Horse-71"
GOOD = "Battery-Staple-42"
BAD = "Wrong-Horse-4242"
SETTINGS = {"AUTH_MODE": "jwt", "JWT_SECRET_KEY": SECRET, "RATE_LIMIT_ENABLED": "false",
            "ADMIN_USERNAME": "root", "ADMIN_PASSWORD": ROOT_PASSWORD, "WORKERS": "2"}
COOKIE = "cairn_session"


class Browser:
    """Keeps the cookie and the token of a login, as a page does."""

    def __init__(self, stack, base=None):
        self.stack, self.base = stack, base
        self.cookie = self.csrf = None

    def request(self, method, path, body=None, csrf=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            headers["Cookie"] = f"{COOKIE}={self.cookie}"
        if csrf or (self.csrf and csrf is None):
            headers["X-CSRF-Token"] = csrf or self.csrf
        reply = self.stack.request(method, path, body, headers, base=self.base)
        given = reply.headers.get("Set-Cookie")
        if given:
            self.cookie = re.match(rf"{COOKIE}=([^;]*)", given).group(1) or None
        return reply

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, {} if body is None else body, **more)

    def login(self, username="root", password=ROOT_PASSWORD, **more):
        reply = self.post("/api/auth/login", {"username": username, "password": password},
                          **more)
        if reply.status == 200:
            self.csrf = reply.json()["csrf_token"]
        return reply


def wait_for_root(stack):
    """Trying to log in before there is that admin would lock the name."""
    eventually(lambda: stack.psql("SELECT count(*) FROM users") != "0", seconds=60,
               what=stack.logs)
    eventually(lambda: Browser(stack).login().status == 200, seconds=60, what=stack.logs)


@pytest.fixture(scope="module")
def guarded():
    running = Stack(**SETTINGS).up()
    wait_for_root(running)
    yield running
    running.down()


@pytest.fixture
def root(guarded):
    browser = Browser(guarded)
    assert browser.login().status == 200
    return browser


@pytest.fixture
def person(root):
    """A function that makes a user and gives their id."""
    made = []

    def make(username, role="staff", **more):
        reply = root.post("/api/admin/users", {"username": username, "password": GOOD,
                                               "role": role, **more})
        assert reply.status == 201, reply.body
        made.append(reply.json()["id"])
        return made[-1]

    yield make
    root.login()  # the test may have ended that session
    for identity in made:
        root.request("DELETE", f"/api/admin/users/{identity}")


@contextlib.contextmanager
def another_gateway(stack, **settings):
    process = subprocess.Popen(
        [BIN / "cairn-gateway"], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**stack.environment, "API_PORT": "0", "OPS_PORT": "0", "WORKERS": "1",
             "DATABASE_URL": stack.env["DATABASE_URL"], "REDIS_URL": stack.env["REDIS_URL"],
             **settings})
    try:
        message = next(line["message"] for line in map(json.loads, process.stdout)
                       if line.get("message", "").startswith("listening on"))
        threading.Thread(target=process.stdout.read, daemon=True).start()
        base = "http://127.0.0.1:" + re.search(r"port (\d+)", message).group(1)
        eventually(lambda: stack.post("/api/auth/login", {"username": "nobody-yet",
                   "password": BAD}, base=base).status in (401, 423), seconds=60)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()


def flush_redis(stack):
    subprocess.run(["redis-cli", "-u", stack.env["REDIS_URL"], "FLUSHALL"], check=True,
                   timeout=60, capture_output=True)


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def bearer(reply):
    return {"Authorization": "Bearer " + reply.json()["access_token"]}


def problem(reply, status, code):
    assert reply.status == status, reply.body
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.json()["code"] == code
    return reply.json()


# --- logging in

def test_login_gives_a_token_and_a_cookie(guarded, person):
    identity = person("john.smith", department="IT Services", campus="West")
    browser = Browser(guarded)
    reply = browser.login("John.Smith", GOOD)
    assert reply.status == 200
    answer = reply.json()
    assert (answer["user_id"], answer["role"]) == (identity, "staff")
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 28800)
    claims = claims_of(answer["access_token"])
    assert claims["exp"] - claims["iat"] == 28800
    assert (claims["sub"], claims["role"], claims["department"]) == (
        identity, "staff", "IT Services")
    assert reply.headers["Cache-Control"] == "no-store"
    for me in (browser.get("/api/auth/me"), guarded.get("/api/auth/me", headers=bearer(reply))):
        assert me.status == 200, me.body
        assert me.json()["username"] == "john.smith"
        assert me.json()["department"] == "IT Services"
    assert browser.get("/api/auth/me").json()["csrf_token"] == browser.csrf


def test_the_cookie_is_for_this_host_alone(guarded):
    reply = Browser(guarded).login()
    flags = [part.strip() for part in reply.headers["Set-Cookie"].split(";")]
    assert flags[1:] == ["Path=/", "HttpOnly", "SameSite=Lax"]  # loopback, in development
    reply = Browser(guarded).post("/api/auth/login", {
        "username": "root", "password": ROOT_PASSWORD, "remember": True})
    assert "Max-Age=43200" in reply.headers["Set-Cookie"]


def test_wrong_and_unknown_get_the_same_answer(guarded, person):
    person("ann")
    answers = []
    for name in ("ann", "no.such.user"):
        reply = Browser(guarded).login(name, BAD)
        answer = problem(reply, 401, "invalid_credentials")
        assert answer["error"] == "Invalid username or password"
        answer.pop("request_id")
        answers.append((answer, sorted(set(reply.headers) - {"Set-Cookie"})))
        assert "Set-Cookie" not in reply.headers
    assert answers[0] == answers[1]


def test_an_unknown_name_costs_a_hash_too(guarded):
    def hashes():
        return guarded.figure("gateway", "cairn_gateway_password_checks_total")
    before = hashes()
    problem(Browser(guarded).login("somebody.else", BAD), 401, "invalid_credentials")
    assert hashes() == before + 1


@pytest.mark.parametrize("body, field", [
    ({}, "username"), ({"username": "root"}, "password"),
    ({"username": ["root"], "password": GOOD}, "username"),
    ({"username": "root", "password": 7}, "password"),
    ({"username": "u" * 65, "password": GOOD}, "username"),
    ({"username": "root", "password": "p" * 257}, "password"),
    ({"username": "root", "password": "\u00e4" * 200}, "password"),
    ({"username": "", "password": GOOD}, "username"),
])
def test_bodies_that_are_no_login(guarded, body, field):
    assert problem(Browser(guarded).post("/api/auth/login", body), 400,
                   "invalid_request")["field"] == field


def test_what_is_oversized_is_refused(guarded):
    huge = json.dumps({"username": "root", "password": "p" * (2 << 20)})
    reply = guarded.request("POST", "/api/auth/login", huge,
                            {"Content-Type": "application/json"})
    assert reply.status == 413
    for cookie in (f"{COOKIE}=" + "A" * 8000, "; ".join(f"c{i}=x" for i in range(1500)),
                   f"{COOKIE}=\x80\xff", f"{COOKIE}=\"{'A' * 43}\""):
        reply = guarded.get("/api/auth/me", headers={"Cookie": cookie.encode("latin-1")})
        problem(reply, 401, reply.json()["code"])


# --- locks

def test_five_failures_lock_on_every_gateway(guarded, person):
    person("bea")
    with another_gateway(guarded) as other:
        places = [guarded.env["GATEWAY_URL"], other]
        for name in ("bea", "not.here"):
            for i in range(5):
                problem(Browser(guarded, places[i % 2]).login(name, BAD), 401,
                        "invalid_credentials")
            flush_redis(guarded)
            for base in places:
                reply = Browser(guarded, base).login(name, GOOD)
                answer = problem(reply, 423, "account_locked")
                assert answer["error"] == "Account is locked. Try again later."
                assert 0 < int(reply.headers["Retry-After"]) <= 900


def test_parallel_guesses_learn_no_more_than_five(guarded, person):
    person("cleo")
    with another_gateway(guarded) as other:
        places = [guarded.env["GATEWAY_URL"], other]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            found = list(pool.map(
                lambda i: Browser(guarded, places[i % 2]).login("cleo", BAD).status,
                range(32)))
    assert found.count(401) == 5, found
    assert found.count(423) == 27, found


def test_an_admin_ends_a_lock(guarded, root, person):
    identity = person("dora")
    for _ in range(5):
        Browser(guarded).login("dora", BAD)
    problem(Browser(guarded).login("dora", GOOD), 423, "account_locked")
    assert root.get(f"/api/admin/users/{identity}").json()["locked"] is True
    reply = root.request("PUT", f"/api/admin/users/{identity}", {"locked": False})
    assert (reply.status, reply.json()["locked"]) == (200, False)
    assert Browser(guarded).login("dora", GOOD).status == 200


def test_failures_and_locks_are_figures(guarded):
    page = guarded.get("/metrics", base=guarded.ops("gateway")).body.decode()
    assert 'auth_login_failures_total{reason="wrong"}' in page
    assert 'auth_login_failures_total{reason="locked"}' in page
    assert "\nauth_lockouts_total " in page


def test_logins_are_in_the_audit_log(guarded, root, person):
    identity = person("audited")
    Browser(guarded).login("audited", BAD)
    Browser(guarded).login("audited", GOOD)

    def records():
        rows = guarded.psql("SELECT status, outcome, code, user_id FROM audit_log WHERE "
                            "action = 'login' AND target = 'audited' ORDER BY status DESC")
        return rows.splitlines()
    eventually(lambda: len(records()) == 2, seconds=60, what=records)
    assert records()[0].startswith("401|denied|invalid_credentials|")
    assert records()[1] == f"200|ok||{identity}"


# --- sessions

def test_a_replayed_cookie_is_worth_nothing_after_logout(root):
    cookie = root.cookie
    reply = root.post("/api/auth/logout")
    assert (reply.status, root.cookie) == (200, None)
    assert "Max-Age=0" in reply.headers["Set-Cookie"]
    root.cookie = cookie
    problem(root.get("/api/auth/me"), 401, root.get("/api/auth/me").json()["code"])
    assert root.post("/api/auth/logout").status == 200  # nothing left to end


def test_a_planted_cookie_is_not_taken_over(guarded):
    browser = Browser(guarded)
    browser.cookie = planted = "A" * 43
    assert browser.login().status == 200
    assert browser.cookie != planted
    assert browser.get("/api/auth/me").status == 200
    browser.cookie = planted
    assert browser.get("/api/auth/me").status == 401


def test_login_ends_the_session_before_it(guarded, root):
    before = root.cookie
    assert root.login().status == 200
    assert root.cookie != before
    old = Browser(guarded)
    old.cookie = before
    assert old.get("/api/auth/me").status == 401


def test_a_session_holds_on_every_gateway(guarded, root):
    with another_gateway(guarded) as other:
        elsewhere = Browser(guarded, other)
        elsewhere.cookie = root.cookie
        assert elsewhere.get("/api/auth/me").json()["username"] == "root"


def test_two_cookies_of_the_name_are_none(guarded, root):
    reply = guarded.get("/api/auth/me", headers={
        "Cookie": f"{COOKIE}={root.cookie}; {COOKIE}={'A' * 43}"})
    assert reply.status == 401


def test_refresh_gives_a_token_and_a_new_cookie(guarded, root):
    before = root.cookie
    reply = root.post("/api/auth/refresh")
    assert reply.status == 200, reply.body
    assert root.cookie != before
    root.csrf = reply.json()["csrf_token"]
    assert guarded.get("/api/auth/me", headers=bearer(reply)).status == 200
    assert root.get("/api/auth/me").status == 200
    # A token alone cannot make itself last.
    again = guarded.post("/api/auth/refresh", {}, headers=bearer(reply))
    problem(again, 401, "session_ended")
    assert "cookie" in again.json()["error"] and "log in again" in again.json()["error"]


def test_who_is_remembered_stays_so(guarded, person):
    def age(reply):
        assert reply.status == 200, reply.body
        browser.csrf = reply.json()["csrf_token"]
        found = re.search("Max-Age=([0-9]+)", reply.headers["Set-Cookie"])
        return found and int(found.group(1))

    person("fay")
    browser = Browser(guarded)
    login = {"username": "fay", "password": GOOD}
    assert age(browser.post("/api/auth/login", {**login, "remember": True})) == 43200
    assert 43000 < age(browser.post("/api/auth/refresh")) <= 43200
    assert 43000 < age(browser.post("/api/auth/password", {
        "current_password": GOOD, "new_password": GOOD + "1"})) <= 43200
    login["password"] += "1"
    assert age(browser.post("/api/auth/login", login)) is None
    assert age(browser.post("/api/auth/refresh")) is None


def test_who_lost_the_account_gets_no_new_token(guarded, root, person):
    identity = person("eve")
    browser = Browser(guarded)
    browser.login("eve", GOOD)
    guarded.psql(f"UPDATE users SET active = false WHERE id = '{identity}'")
    problem(browser.post("/api/auth/refresh"), 401, "session_ended")


# --- requests that somebody else's page made up

def change(browser, **more):
    return browser.request("PUT", "/api/admin/users/00000000-0000-4000-8000-000000000000",
                           {"active": True}, **more)


def test_a_cookie_alone_changes_nothing(root):
    token = root.csrf
    assert change(root).status == 404  # let in, to find nobody
    root.csrf = None
    problem(change(root), 403, "csrf_refused")
    for forged in ("A" * 43, token[:-1], token + "A", token.swapcase(), "x" * 5000):
        problem(change(root, csrf=forged), 403, "csrf_refused")
    problem(root.post("/api/auth/logout"), 403, "csrf_refused")
    problem(root.post("/api/auth/refresh"), 403, "csrf_refused")
    assert root.get("/api/auth/me").status == 200


def test_the_token_of_another_session_is_none(guarded, root):
    other = Browser(guarded)
    other.login()
    problem(change(root, csrf=other.csrf), 403, "csrf_refused")


def test_pages_of_other_sites_are_refused(guarded, root):
    host = guarded.env["GATEWAY_URL"].removeprefix("http://")
    for origin in ("https://evil.example", f"http://{host}.evil.example", "null",
                   f"http://evil.example:{host.split(':')[1]}", f"ftp://{host}"):
        problem(change(root, Origin=origin), 403, "csrf_refused")
        problem(Browser(guarded).login(Origin=origin), 403, "csrf_refused")
    for site in ("cross-site", "same-site"):
        problem(change(root, Sec_Fetch_Site=site), 403, "csrf_refused")
        problem(Browser(guarded).login(Sec_Fetch_Site=site), 403, "csrf_refused")
    assert change(root, Origin=f"http://{host}", Sec_Fetch_Site="same-origin").status == 404


def test_behind_tls_and_with_friends(guarded):
    """SESSION_COOKIE_SECURE, and an origin that CORS_ORIGINS lists with credentials."""
    friend = "https://pages.example"
    with another_gateway(guarded, SESSION_COOKIE_SECURE="true", CORS_ORIGINS=friend,
                         CORS_ALLOW_CREDENTIALS="true") as base:
        host = base.removeprefix("http://")

        def login(**headers):
            return guarded.post("/api/auth/login", {
                "username": "root", "password": ROOT_PASSWORD}, base=base, headers=headers)
        reply = login(Origin=f"https://{host}")
        name, _, rest = reply.headers["Set-Cookie"].partition("=")
        assert name == "__Host-cairn_session"
        value, *flags = [part.strip() for part in rest.split(";")]
        assert flags == ["Path=/", "HttpOnly", "Secure", "SameSite=Lax"]
        cookie = {"Cookie": f"{name}={value}"}
        assert guarded.get("/api/auth/me", base=base, headers=cookie).status == 200
        plain = {"Cookie": f"{COOKIE}={value}"}  # anybody could plant that one
        assert guarded.get("/api/auth/me", base=base, headers=plain).status == 401
        problem(login(Origin=f"http://{host}"), 403, "csrf_refused")
        problem(login(Origin=friend + ".evil.example"), 403, "csrf_refused")
        assert login(**{"Origin": friend, "Sec-Fetch-Site": "cross-site"}).status == 200
        again = {**cookie, "Origin": friend, "Sec-Fetch-Site": "cross-site"}
        problem(guarded.post("/api/auth/logout", {}, base=base, headers=again), 403,
                "csrf_refused")  # a friend needs the token, too
        again["X-CSRF-Token"] = reply.json()["csrf_token"]
        assert guarded.post("/api/auth/logout", {}, base=base, headers=again).status == 200


def test_a_bearer_token_needs_no_other(guarded, root):
    token = bearer(root.login())
    reply = guarded.request("PUT", "/api/admin/users/00000000-0000-4000-8000-000000000000",
                            {"active": True}, headers=token)
    assert reply.status == 404


# --- clients that leave

def leave(stack, path, body, headers, meanwhile):
    """Send a request and reset the connection before its answer was read."""
    where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
    with socket.create_connection((where.hostname, where.port), timeout=60) as client:
        body = json.dumps(body)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: {where.netloc}\r\n{head}"
                       f"Content-Type: application/json\r\nContent-Length: {len(body)}"
                       f"\r\n\r\n{body}".encode())
        meanwhile()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_clients_that_leave_break_nothing(guarded, root, person):
    person("mia")
    browser = Browser(guarded)
    browser.login("mia", GOOD)
    page = {"Cookie": f"{COOKIE}={browser.cookie}", "X-CSRF-Token": browser.csrf}
    admin = {"Cookie": f"{COOKIE}={root.cookie}", "X-CSRF-Token": root.csrf}
    pauses = [lambda: None, lambda: guarded.get("/api/auth/me"),
              lambda: Browser(guarded).login("leaver", BAD)]
    for meanwhile in pauses:
        for _ in range(2):
            leave(guarded, "/api/auth/login", {"username": "root",
                                               "password": ROOT_PASSWORD}, {}, meanwhile)
            leave(guarded, "/api/auth/password", {"current_password": BAD,
                                                  "new_password": "Other-Staple-44"},
                  page, meanwhile)
            leave(guarded, "/api/admin/users", {"username": "leaver", "password": GOOD,
                                                "role": "staff"}, admin, meanwhile)
            leave(guarded, "/api/auth/refresh", {}, page, meanwhile)
    assert root.login().status == 200
    left = root.get("/api/admin/users?q=leaver").json()["users"]
    assert len(left) <= 1  # made once, by one of those who did not wait to hear of it
    for user in left:
        assert root.request("DELETE", f"/api/admin/users/{user['id']}").status == 200


# --- passwords

def test_a_new_password_ends_the_other_sessions(guarded, person):
    person("fay")
    here, there = Browser(guarded), Browser(guarded)
    here.login("fay", GOOD)
    there.login("fay", GOOD)
    before = here.cookie
    reply = here.post("/api/auth/password", {"current_password": GOOD,
                                             "new_password": "Another-Staple-43"})
    assert reply.status == 200, reply.body
    here.csrf = reply.json()["csrf_token"]
    assert here.get("/api/auth/me").status == 200
    assert there.get("/api/auth/me").status == 401
    there.cookie = before
    assert there.get("/api/auth/me").status == 401
    problem(Browser(guarded).login("fay", GOOD), 401, "invalid_credentials")
    assert Browser(guarded).login("fay", "Another-Staple-43").status == 200


def test_a_password_change_wants_the_old_one(guarded, person):
    person("gus")
    browser = Browser(guarded)
    browser.login("gus", GOOD)
    body = {"current_password": BAD, "new_password": "Another-Staple-43"}
    for _ in range(5):
        problem(browser.post("/api/auth/password", body), 403, "wrong_password")
    problem(browser.post("/api/auth/password", body), 423, "account_locked")


def test_bad_passwords_are_refused(guarded, person):
    person("hal")
    browser = Browser(guarded)
    browser.login("hal", GOOD)
    for password in ("Short1!", "alllower1!", "ALLUPPER1!", "NoDigits!!", "NoSymbol11",
                     "Password1!", GOOD):
        reply = browser.post("/api/auth/password", {"current_password": GOOD,
                                                    "new_password": password})
        assert problem(reply, 400, "invalid_request")["field"] == "new_password"


# --- administration

def test_users_in_pages(root, person):
    for i in range(5):
        person(f"page-{i}")
    first = root.get("/api/admin/users?q=page-&per_page=2").json()
    assert [user["username"] for user in first["users"]] == ["page-0", "page-1"]
    assert first["pagination"] == {"page": 1, "per_page": 2, "total_count": 5,
                                   "total_pages": 3, "has_next": True, "has_prev": False}
    last = root.get("/api/admin/users?q=PAGE-&per_page=2&page=3").json()
    assert [user["username"] for user in last["users"]] == ["page-4"]
    assert (last["pagination"]["has_next"], last["pagination"]["has_prev"]) == (False, True)
    assert "password" not in json.dumps(first) and "argon2" not in json.dumps(first)


def test_a_name_is_taken_once(root, person):
    person("ivy")
    reply = root.post("/api/admin/users", {"username": "IVY", "password": GOOD,
                                           "role": "staff"})
    problem(reply, 409, "username_taken")


@pytest.mark.parametrize("change_of, field", [
    ({"username": "a b"}, "username"), ({"username": "<script>"}, "username"),
    ({"password": "weak"}, "password"), ({"role": "emperor"}, "role"),
    ({"role": "anonymous"}, "role"), ({"department": "d" * 65}, "department"),
])
def test_users_that_cannot_be(root, change_of, field):
    body = {"username": "new.one", "password": GOOD, "role": "staff", **change_of}
    assert problem(root.post("/api/admin/users", body), 400,
                   "invalid_request")["field"] == field


def test_the_last_admin_stays(root):
    identity = root.get("/api/auth/me").json()["user_id"]
    path = f"/api/admin/users/{identity}"
    for body in ({"active": False}, {"role": "staff"}):
        problem(root.request("PUT", path, body), 409, "last_admin")
    problem(root.request("DELETE", path), 409, "last_admin")
    assert root.get("/api/auth/me").json()["role"] == "admin"


def test_deactivation_and_demotion_end_sessions(guarded, root, person):
    identity = person("jan", role="academic")
    path = f"/api/admin/users/{identity.upper()}"
    for body in ({"role": "staff"}, {"password": GOOD + "x"}, {"active": False}):
        browser = Browser(guarded)
        password = GOOD if body == {"role": "staff"} or "password" in body else GOOD + "x"
        assert browser.login("jan", password).status == 200
        reply = root.request("PUT", path, body)
        assert (reply.status, reply.json()["sessions_ended"]) == (200, True)
        assert browser.get("/api/auth/me").status == 401
    problem(Browser(guarded).login("jan", GOOD + "x"), 401, "invalid_credentials")
    assert "sessions_ended" not in root.request("PUT", path, {"campus": ""}).json()


def test_a_removed_user_is_out(guarded, root, person):
    identity = person("kim")
    browser = Browser(guarded)
    browser.login("kim", GOOD)
    reply = root.request("DELETE", f"/api/admin/users/{identity.upper()}")
    assert (reply.status, reply.json()["deleted"]) == (200, True)
    assert browser.get("/api/auth/me").status == 401
    assert root.get(f"/api/admin/users/{identity}").status == 404
    for wrong in ("nonsense", "00000000-0000-4000-8000-00000000000g", "%27%3B--"):
        assert root.get(f"/api/admin/users/{wrong}").status == 404


def test_only_admins_administer(guarded, person):
    person("lea")
    browser = Browser(guarded)
    browser.login("lea", GOOD)
    assert browser.get("/api/admin/users").status == 403
    assert guarded.get("/api/admin/users").status == 401
    assert guarded.get("/api/auth/me").status == 401


# --- users of a directory

@pytest.fixture(scope="module")
def directory():
    """The settings of a private slapd."""
    process = subprocess.Popen(
        [ROOT / "tests/support/with_slapd.sh", "sh", "-c", "env; echo; cat"], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    found = {}
    for line in process.stdout:
        if line == "\n" and "TEST_LDAPI_URL" in found:
            break
        name, _, value = line.rstrip("\n").partition("=")
        found[name] = value
    people = "ou=people,dc=example,dc=org"
    yield {"LDAP_URL": found["TEST_LDAPI_URL"], "LDAP_USER_DN": "uid={}," + people,
           "LDAP_TIMEOUT_MS": "30000",
           "LDAP_GROUP_MAP": "cn=staff,ou=groups,dc=example,dc=org=staff"}
    process.stdin.close()
    assert process.wait(timeout=60) == 0


@pytest.fixture(scope="module")
def spare(directory):
    """A stack with a directory, whose stores may be stopped for a while."""
    running = Stack(**SETTINGS, **directory, WRITE_TIMEOUT_MS=5000).up()
    wait_for_root(running)
    yield running
    running.down()


def test_users_of_a_directory_log_in(spare):
    stack, root, browser = spare, Browser(spare), Browser(spare)
    assert root.login().status == 200
    reply = browser.login("ann", "Ann-secret-1")
    assert reply.status == 200, reply.body
    assert claims_of(reply.json()["access_token"])["role"] == "staff"
    for me in (browser.get("/api/auth/me"), stack.get("/api/auth/me", headers=bearer(reply))):
        assert (me.json()["user_id"], me.json()["department"]) == ("ann", "IT Services")
    refreshed = browser.post("/api/auth/refresh")
    assert refreshed.json()["user_id"] == "ann"
    browser.csrf = refreshed.json()["csrf_token"]
    change_of = {"current_password": "Ann-secret-1", "new_password": GOOD}
    problem(browser.post("/api/auth/password", change_of), 409, "not_local")
    # They are locked like everybody, and an account of ours wins over one of theirs.
    for _ in range(5):
        problem(Browser(stack).login("bob", BAD), 401, "invalid_credentials")
    problem(Browser(stack).login("bob", "Bob-secret-1"), 423, "account_locked")
    root.post("/api/admin/users", {"username": "Ann", "password": GOOD, "role": "student"})
    problem(Browser(stack).login("ann", "Ann-secret-1"), 401, "invalid_credentials")
    assert Browser(stack).login("ann", GOOD).json()["role"] == "student"


# --- without Redis, without PostgreSQL

def test_without_redis_tokens_hold_and_cookies_do_not(spare):
    stack, browser = spare, Browser(spare)
    token = bearer(browser.login())
    redis = stack.signal("redis", signal.SIGSTOP)
    try:
        assert browser.get("/api/auth/me").status == 503
        assert "Retry-After" in browser.get("/api/auth/me").headers
        assert stack.get("/api/auth/me", headers=token).status == 200
        reply = Browser(stack).login()
        assert reply.status == 200
        assert (reply.json()["csrf_token"], "Set-Cookie" in reply.headers) == (None, False)
        assert stack.get("/api/auth/me", headers=bearer(reply)).status == 200
    finally:
        os.kill(redis, signal.SIGCONT)
    eventually(lambda: browser.get("/api/auth/me").status == 200, seconds=60,
               what=stack.logs)


def test_without_postgresql_nobody_gets_in(spare):
    stack, browser = spare, Browser(spare)
    assert browser.login().status == 200
    with stack.stopped("postgres"):
        assert Browser(stack).login().status in (503, 504)
        assert browser.get("/api/admin/users").status in (503, 504)
        assert browser.get("/api/auth/me").status == 200  # a session needs Redis alone
    eventually(lambda: Browser(stack).login().status == 200, seconds=60, what=stack.logs)


# --- the first admin from the command line

def create_admin(stack, name, **kwargs):
    environment = {**stack.environment, "DATABASE_URL": stack.env["DATABASE_URL"]}
    environment.pop("ADMIN_PASSWORD")
    environment.pop("ADMIN_USERNAME")
    environment.update(kwargs.pop("env", {}))
    return subprocess.run([BIN / "cairn-gateway", "--create-admin", name], text=True,
                          check=False, timeout=60, capture_output=True, env=environment,
                          **kwargs)


def test_an_admin_from_the_command_line(guarded, root, tmp_path):
    kept = tmp_path / "password"
    kept.write_text(GOOD + "\n")
    runs = [create_admin(guarded, "cli.one", input=GOOD + "\n"),
            create_admin(guarded, "cli.two", input="", env={"ADMIN_PASSWORD": GOOD}),
            create_admin(guarded, "cli.three", input="", env={"ADMIN_PASSWORD_FILE": str(kept)})]
    for done, name in zip(runs, ("cli.one", "cli.two", "cli.three")):
        assert done.returncode == 0, done.stderr
        reply = Browser(guarded).login(name, GOOD)
        assert reply.json()["role"] == "admin"
        path = f"/api/admin/users/{reply.json()['user_id']}"
        assert root.request("DELETE", path).status == 200


@pytest.mark.parametrize("name, password, says", [
    ("root", GOOD, "already"), ("new", "weak\n", "8"), ("a b", GOOD, "letters"),
    ("new", "", "no password")])
def test_admins_that_the_command_line_does_not_make(guarded, name, password, says):
    done = create_admin(guarded, name, input=password)
    assert done.returncode == 1
    assert says in done.stderr


def test_the_local_stack_gives_tokens_by_itself(stack):
    """AUTH_MODE=trusted, no setting made: accounts work, and a token says who one is."""
    reply = stack.post("/api/admin/users", {"username": "local.one", "password": GOOD,
                                            "role": "student"})
    assert reply.status == 201, reply.body
    try:
        login = Browser(stack).login("local.one", GOOD)
        assert login.status == 200, login.body
        me = stack.get("/api/auth/me", headers=bearer(login)).json()
        assert (me["username"], me["role"]) == ("local.one", "student")
    finally:
        stack.delete(f"/api/admin/users/{reply.json()['id']}")


def test_whom_the_network_vouches_for_has_no_password_here(stack):
    """AUTH_MODE=trusted: there is a caller, and nothing that was shown."""
    reply = stack.post("/api/auth/password", {
        "current_password": GOOD, "new_password": GOOD + "1"}, headers={
        "X-User-Id": "11111111-1111-4111-8111-111111111111", "X-User-Role": "admin"})
    problem(reply, 409, "not_local")
