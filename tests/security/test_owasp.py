"""The OWASP API Security Top 10 (2023), a test or more for each; what has a file of its own
is named. https://owasp.org/API-Security/editions/2023/en/0x11-t10/"""

import contextlib
import json
import re
import subprocess
import threading

import pytest
from conftest import PASSWORD, SETTINGS, by
from stack import BIN, ROOT, eventually
from tokens import bearer

FINANCE = {"clearance_level": 3, "department": "Finance"}


@pytest.fixture(scope="module")
def hidden(target):
    """A document that staff of another department must not see."""
    document = {"id": "owasp-1", "title": "Budget", "text": "quokka figures",
                "metadata": FINANCE}
    reply = target.post("/api/documents", document, headers=by("admin"))
    assert reply.status in (200, 201), reply.body
    return "owasp-1"


STAFF = by("staff", department="IT Services")
BY_WORDS = {"config": {"mode": "text"}}  # by vectors everything is a little alike


def shape(reply):
    """What an answer tells, but for what differs from one to the next."""
    problem = reply.json()
    problem.pop("request_id")
    return reply.status, problem


# API1: broken object level authorisation

@pytest.mark.parametrize("rest", ["", "/file", "/access", "/report"])
def test_api1_objects_of_others_are_as_if_they_were_not(target, hidden, rest):
    seen = target.get(f"/api/documents/{hidden}{rest}", headers=STAFF)
    unknown = target.get(f"/api/documents/owasp-none{rest}", headers=STAFF)
    assert seen.status == 404
    assert shape(seen) == tuple(json.loads(json.dumps(shape(unknown)).replace(
        "owasp-none", hidden)))


def test_api1_they_are_in_no_search_count_or_list(target, hidden):
    def found(headers):
        reply = target.post("/api/search", {"query": "quokka", **BY_WORDS}, headers=headers)
        return reply.status == 200 and reply.json()

    eventually(lambda: (one := found(by("admin"))) and one["count"] == 1, seconds=60)
    answer = found(STAFF)
    assert (answer["count"], answer["results"]) == (0, [])
    assert hidden not in target.get("/api/documents?limit=100", headers=STAFF).body.decode()
    for reply in (target.delete(f"/api/documents/{hidden}", headers=STAFF),
                  target.post("/api/documents", {"id": hidden, "title": "t", "text": "mine",
                                                 "metadata": {"clearance_level": 1}},
                              headers=STAFF)):
        assert reply.status in (403, 404), reply.body
    assert found(by("admin"))["count"] == 1


# API2: broken authentication; see also test_routes.py (every route by every wrong token)

def test_api2_a_token_is_taken_from_its_header_alone(target):
    token = by("admin")["Authorization"].split()[1]
    for path in (f"/api/admin/users?access_token={token}", f"/api/admin/users?token={token}",
                 f"/api/admin/users?api_key={token}", f"/api/admin/users?jwt={token}"):
        assert target.get(path).status == 401
    for headers in ({"X-Auth-Token": token}, {"Cookie": f"token={token}; cairn_session={token}"},
                    {"Authorization": token}, {"Authorization": f"Token {token}"},
                    {"X-User": "root", "X-Role": "admin", "X-Forwarded-User": "root",
                     "Remote-User": "root", "X-Remote-User": "root"}):
        assert target.get("/api/admin/users", headers=headers).status == 401, headers


def test_api2_every_login_that_fails_costs_the_same_work(target):
    """Known, unknown, locked or not: one Argon2 hash each, and one answer."""
    def hashes():
        return target.figure("gateway", "cairn_gateway_password_checks_total") or 0

    made = target.post("/api/admin/users", {"username": "owasp-known", "password": PASSWORD,
                                            "role": "staff"}, headers=by("admin"))
    assert made.status == 201, made.body
    told = set()
    for name in ("owasp-known", "owasp-unknown", "x" * 64, "owasp'--"):
        before = hashes()
        reply = target.post("/api/auth/login", {"username": name, "password": "Wrong-Horse-4"})
        assert hashes() == before + 1, name
        told.add((reply.status, reply.json()["code"], reply.json()["error"]))
    assert len(told) == 1 and told.pop()[0] == 401


# API3: broken object property level authorisation

def test_api3_nobody_gives_themselves_more(target):
    """Members that a body may not set are refused or without effect."""
    more = {"role": "admin", "clearance": 5, "is_admin": True, "permissions": ["admin_users"],
            "user": {"user_id": "root", "role": "admin"}, "user_id": "root"}
    reply = target.post("/api/search", {"query": "quokka", **BY_WORDS, **more},
                        headers=STAFF)
    assert reply.status == 400 or reply.json()["count"] == 0, reply.body
    reply = target.post("/api/auth/login", {"username": "owasp-known", "password": PASSWORD,
                                            **more})
    assert reply.status == 400 or reply.json()["role"] == "staff", reply.body


def test_api3_answers_hold_no_property_that_is_secret(target):
    for path in ("/api/admin/users", "/api/admin/keys", "/api/auth/me"):
        reply = target.get(path, headers=by("admin"))
        names = set(re.findall(r'"(\w+)":', reply.body.decode()))
        assert not names & {"password", "password_hash", "hash", "secret", "key_hash", "key",
                            "epoch", "salt"}, (path, names)
        assert "$argon2" not in reply.body.decode()


# API4: unrestricted resource consumption; see also test_bombs.py and test_ports.py

@pytest.mark.parametrize("path", [
    "/api/documents?limit=1000000000", "/api/admin/users?limit=1000000000",
    "/api/admin/audit?limit=1000000000", "/api/graph/search?q=a&limit=1000000000",
    "/api/glossary?limit=1000000000", "/api/jobs?limit=1000000000",
    "/api/documents?page=999999999999999999999", "/api/documents?limit=-1"])
def test_api4_pages_have_bounds(target, path):
    reply = target.get(path, headers=by("admin"))
    assert reply.status in (200, 400, 404), reply.body
    assert len(reply.body) < 1 << 20


# API5: broken function level authorisation: test_routes.py
# API6: unrestricted access to sensitive business flows

@contextlib.contextmanager
def limited_gateway(stack):
    """One that counts, as outside the tests."""
    process = subprocess.Popen(
        [BIN / "cairn-gateway"], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**stack.environment, "API_PORT": "0", "OPS_PORT": "0", "WORKERS": "1",
             "BOLT_PORT": "0", "RATE_LIMIT_ENABLED": "true",
             "DATABASE_URL": stack.env["DATABASE_URL"], "REDIS_URL": stack.env["REDIS_URL"]})
    try:
        message = next(line["message"] for line in map(json.loads, process.stdout)
                       if line["message"].startswith("listening on"))
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield "http://127.0.0.1:" + re.search(r"port (\d+)", message).group(1)
    finally:
        process.terminate()
        process.wait(timeout=60)


def test_api6_guessing_and_loading_are_slowed_down(target):
    with limited_gateway(target) as base:
        logins = [target.post("/api/auth/login", {"username": f"owasp-{n}", "password": "x"},
                              base=base).status for n in range(14)]
        assert 429 in logins
        refused = None
        for n in range(200):
            reply = target.post("/api/documents", {"id": f"owasp-{n}"}, base=base,
                                headers=bearer("owasp-loader", "staff", aud="cairn"))
            if reply.status == 429:
                refused = reply
                break
        assert refused and int(refused.headers["Retry-After"]) >= 1
        assert refused.json()["code"] == "rate_limited"


# API7: server side request forgery: test_ssrf.py
# API8: security misconfiguration

def test_api8_faults_tell_nothing_of_the_inside(target):
    told = []
    for method, path, body in (
            ("GET", "/api/documents/%ff%fe", None), ("POST", "/api/search", b"\xff\xfe"),
            ("POST", "/api/graph/query", b'{"query": "MATCH (n) RETURN n.`"}'),
            ("GET", "/api/jobs/'%20OR%201=1--", None), ("DELETE", "/api/admin/users/'", None),
            ("GET", "/api/admin/audit?user='%20UNION%20SELECT%201--", None),
            ("GET", "/api/glossary?q='%3B%20DROP%20TABLE%20users%3B--", None),
            ("GET", "/api/graph/nodes/%27", None), ("TRACE", "/", None), ("GET", "/../etc", None)):
        reply = target.request(method, path, body, {"Content-Type": "application/json",
                                                    **by("admin")})
        assert reply.status < 500, (path, reply.body)
        told.append(reply.body.decode(errors="replace"))
    for text in told:
        assert not re.search(r"(?i)postgres|relation \"|syntax error at|select |/home/|/src/|\.c:"
                             r"|0x[0-9a-f]{6}|traceback|sanitizer|libpq|errno", text), text
    assert target.psql("SELECT count(*) > 0 FROM users") == "t"


@pytest.mark.parametrize("settings", [
    {"AUTH_MODE": "trusted"}, {"JWT_SECRET_KEY": "short"}, {"JWT_SECRET_KEY": "changeme"},
    {"CORS_ORIGINS": '["*"]'}, {"ADMIN_PASSWORD": "password"}])
def test_api8_production_refuses_what_is_weak(settings, tmp_path):
    strong = {**SETTINGS, "JWT_SECRET_KEY": "0f3c9a" * 8, "ENVIRONMENT": "production",
              "DATABASE_URL": "postgresql://u:6f1d0a97c2@127.0.0.1/d",
              "REDIS_URL": "redis://:6f1d0a97c2@127.0.0.1/0", "BEHIND_TLS_PROXY": "true"}
    for name in ("STACK_KEYS", "METRICS_PUBLIC"):
        strong.pop(name)

    def run(environment, *words):
        return subprocess.run([BIN / "cairn-gateway", *words], timeout=60, check=False,
                              capture_output=True, text=True, cwd=tmp_path,
                              env={name: str(value) for name, value in environment.items()})

    good = run(strong, "--check-config")
    assert good.returncode == 0, good.stderr
    done = run({**strong, **settings})  # it ends by itself
    assert done.returncode != 0, (done.stdout, done.stderr)
    (name,) = settings
    assert name in done.stdout + done.stderr
    for secret in ("changeme", "0f3c9a"):
        assert secret not in done.stdout + done.stderr


# API9: improper inventory management

def test_api9_there_is_nothing_beside_the_document(target):
    """Doors that others forget: nothing answers that the document does not name."""
    for path in ("/admin", "/api", "/api/v2/documents", "/api/v0/search", "/api/debug",
                 "/debug/pprof", "/actuator/env", "/.env", "/.git/config", "/swagger.json",
                 "/graphql", "/server-status", "/console", "/api/internal", "/api/admin",
                 "/api/admin/config", "/api/admin/shell", "/api/v1/v1/search",
                 "/static/../etc/passwd", "/backup.sql", "/phpinfo.php", "/api/users"):
        reply = target.get(path, headers=by("admin"))
        assert reply.status in (400, 404), (path, reply.status)
    document = target.get("/openapi.json").json()
    for path in document["paths"]:
        if path.startswith("/api/") and "{" not in path:
            plain = target.get(path).status
            assert target.get(path.replace("/api/", "/api/v1/", 1)).status == plain, path


# API10: unsafe consumption of APIs: redirections in test_ssrf.py; answers that are garbage
# in tests/system: test_embed, test_search_answer, test_glossary_lookup, test_files
