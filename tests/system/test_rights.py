"""Tokens, API keys and roles over the real stack with AUTH_MODE=jwt: two loops, PostgreSQL,
and an identity provider of our own."""

import base64
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

from conftest import BIN, ROOT, Stack, eventually

SECRET = "a secret for the tests that is long enough"
ISSUER = "https://sso.example.org"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def hs256(text):
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()


def token(role, sign=hs256, head=None, **claims):
    claims = {"sub": f"user-{role}", "role": role, "iss": ISSUER, "aud": "cairn",
              "exp": int(time.time()) + 3600, **claims}
    text = ".".join(b64(json.dumps(part).encode())
                    for part in (head or {"alg": "HS256"}, claims))
    return text + "." + b64(sign(text))


def bearer(role, **claims):
    return {"Authorization": "Bearer " + token(role, **claims)}


ADMIN = {"role": "admin"}


class Provider:
    """An identity provider with an RSA key; openssl signs for it."""

    def __init__(self, folder):
        self.folder = folder
        self.keys = []
        self.rotate("first")
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps({"keys": outer.keys}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/jwks.json"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def openssl(self, *words, stdin=b""):
        return subprocess.run(["openssl", *words], input=stdin, check=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def rotate(self, kid):
        self.kid = kid
        self.file = str(self.folder / f"{kid}.pem")
        self.openssl("genrsa", "-out", self.file, "2048")
        modulus = self.openssl("rsa", "-in", self.file, "-noout", "-modulus")
        number = bytes.fromhex(modulus.decode().strip().split("=")[1])
        self.keys = [{"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256",
                      "n": b64(number), "e": "AQAB"}]

    def bearer(self, role, **claims):
        file = self.file
        return bearer(role, head={"alg": "RS256", "kid": self.kid}, sign=lambda text: self.openssl(
            "dgst", "-sha256", "-sign", file, stdin=text.encode()), **claims)


def roles(**more):
    """The table of the documentation, as a file."""
    known = ["search", "read_documents", "session", "embed"]
    every = known + ["write_documents", "read_graph", "write_graph", "backups", "operate",
                     "admin_users", "admin_keys", "admin_cache", "admin_models", "read_audit",
                     "impersonate"]
    rows = {"anonymous": (1, 10, "public", ["search"]), "student": (2, 20, "public", known),
            "staff": (3, 50, "own", known + ["write_documents"]),
            "academic": (4, 100, "all", known), "admin": (5, 200, "all", every), **more}
    return json.dumps({"roles": {
        name: {"clearance": row[0], "max_results": row[1], "departments": row[2],
               "permissions": row[3], "requests_per_minute": 100000,
               "requests_per_hour": 10000000} for name, row in rows.items()}})


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rights")
    provider = Provider(folder)
    file = folder / "roles.json"
    file.write_text(roles())
    stack = Stack(AUTH_MODE="jwt", JWT_SECRET_KEY=SECRET, JWT_ISSUER=ISSUER,
                  JWT_AUDIENCE="cairn", JWT_JWKS_URL=provider.url,
                  JWT_JWKS_COOLDOWN_SECONDS=0, ROLES_FILE=file, WORKERS=2,
                  API_KEY_CACHE_SECONDS=60, RATE_LIMIT_ENABLED="false").up()
    stack.provider, stack.roles_file = provider, file
    sample = (ROOT / "examples/university.ndjson").read_bytes()

    def load():
        return stack.post("/api/documents/batch?wait=true", sample, headers={
            "Content-Type": "application/x-ndjson", **bearer("admin")})

    eventually(lambda: load().status == 200, seconds=60, what=stack.logs)
    yield stack
    provider.server.shutdown()
    stack.down()


def ask(stack, headers, query="books", **members):
    """Not refused for the moment: each loop has connections of its own."""
    reply = []

    def settled():
        reply[:] = [stack.post("/api/search", {"query": query, **members}, headers=headers)]
        return reply[0].status != 503

    eventually(settled, seconds=60, what=stack.logs)
    return reply[0]


def problem(reply):
    assert reply.headers["Content-Type"].startswith("application/problem+json"), reply.body
    return reply.json()["code"]


# --- tokens

def test_tokens_say_who_asks(secured):
    answer = ask(secured, bearer("staff", sub="staff-7")).json()
    assert answer["user_id"] == "staff-7"
    answer = ask(secured, {}, user={"user_id": "root", "role": "admin"}).json()
    assert answer["user_id"] != "root"
    limit = {"config": {"max_results": 500}}
    assert len(ask(secured, {}, "university", **limit).json()["results"]) <= 10


def test_forged_and_foreign_tokens_are_refused(secured):
    def other(text):
        return hmac.new(b"x" * 40, text.encode(), hashlib.sha256).digest()

    pem = secured.provider.openssl("rsa", "-in", secured.provider.file, "-pubout")

    def by_public_key(text):
        return hmac.new(pem, text.encode(), hashlib.sha256).digest()

    bad = [token("admin", sign=other), token("admin", sign=by_public_key),
           token("admin", sign=lambda text: b"", head={"alg": "none"}),
           token("admin", sign=lambda text: b"", head={"alg": "nOnE"}),
           token("admin", iss="https://evil.example"), token("admin", aud="other"),
           token("admin", nbf=int(time.time()) + 3600), token("admin")[:-2], "a.b.c", "x" * 9000]
    for one in bad:
        reply = ask(secured, {"Authorization": "Bearer " + one})
        assert reply.status == 401, one
        assert problem(reply) == "invalid_token"
        assert reply.headers["WWW-Authenticate"].startswith('Bearer realm="cairn"')
    reply = ask(secured, bearer("admin", exp=int(time.time()) - 3600))
    assert (reply.status, problem(reply)) == (401, "token_expired")


def test_an_identity_provider_may_change_its_keys(secured):
    provider = secured.provider
    old = provider.bearer("academic_staff", guid="g-1")
    assert ask(secured, old).json()["user_id"] == "g-1"
    provider.rotate("second")
    # each loop takes the new key over; none refuses it
    new = provider.bearer("academic_staff", guid="g-2")
    for _ in range(20):
        assert ask(secured, new).json()["user_id"] == "g-2"
    for _ in range(20):  # the withdrawn one counts on no loop, known or not
        assert ask(secured, old).status == 401


# --- what a role may see and do

def test_clearance_by_filter(secured):
    def status(role, filters, **claims):
        return ask(secured, bearer(role, **claims), "research", filters=filters).status

    assert status("student", {"max_clearance": 4}) == 403
    assert status("student", {"max_clearance": 2}) == 200
    assert status("academic", {"max_clearance": 4}) == 403  # no department
    assert status("academic", {"max_clearance": 4}, department="Physics") == 200
    assert status("academic", {"max_clearance": 5}, department="Physics") == 403
    # among the metadata, too; there without the rule about departments, as facets lead there
    for level, expected in ((2, 200), (3, 403), ({"gte": 1, "lt": 3}, 200), ({"gt": 2}, 403)):
        assert status("student", {"metadata": {"clearance_level": level}}) == expected, level
    assert status("academic", {"metadata": {"clearance_level": 4}}) == 200
    for hit in ask(secured, bearer("student"), "confidential research").json()["results"]:
        assert hit["metadata"]["clearance_level"] <= 2


@pytest.mark.parametrize("method,path,role,status", [
    ("GET", "/api/admin/keys", None, 401), ("GET", "/api/admin/keys", "staff", 403),
    ("GET", "/api/admin/keys", "admin", 200), ("GET", "/api/backups", "academic", 403),
    ("DELETE", "/api/documents/nothing", None, 401),
    ("DELETE", "/api/documents/nothing", "student", 403),
    ("GET", "/metrics", None, 200), ("GET", "/health/ping", None, 200),
])
def test_routes_ask_for_permissions(secured, method, path, role, status):
    reply = secured.request(method, path, headers=bearer(role) if role else {})
    assert reply.status == status, reply.body


def test_nobody_writes_what_they_cannot_read(secured):
    staff = bearer("staff", department="IT Services")
    path = "/api/documents"

    def put(headers, status, **metadata):
        document = {"id": "rights-1", "title": "t", "text": f"words {metadata}",
                    "metadata": metadata}
        reply = secured.post(path, document, headers=headers)
        assert reply.status in (status, 201 if status == 200 else status), reply.body

    put(staff, 403, clearance_level=4, department="IT Services")
    put(staff, 403, clearance_level=3, department="Finance")
    put(staff, 403, clearance_level=3)
    put(staff, 200, clearance_level=3, department="IT Services")
    put(staff, 200, clearance_level=2, department="Finance")
    put(bearer("admin"), 200, clearance_level=3, department="Finance")
    put(staff, 403, clearance_level=1)  # it is out of reach now, so it stays
    assert secured.delete(f"{path}/rights-1", headers=staff).status == 404
    lines = secured.post(f"{path}/batch?wait=true", json.dumps(
        {"id": "rights-1", "title": "t", "text": "mine"}).encode(), headers={
            "Content-Type": "application/x-ndjson", **staff})
    assert json.loads(lines.body)["error"]["status"] == 403, lines.body
    kept = secured.get(f"{path}/rights-1", headers=bearer("admin")).json()
    assert kept["metadata"]["department"] == "Finance"
    assert secured.delete(f"{path}/rights-1", headers=bearer("admin")).status == 200


def test_denials_are_in_the_audit_log(secured):
    assert secured.get("/api/admin/keys", headers=bearer("staff", sub="snoop")).status == 403

    def record():
        page = secured.get("/api/admin/audit?user=snoop&outcome=denied",
                           headers=bearer("admin")).json()
        return page["records"]

    eventually(record, seconds=60, what=secured.logs)
    (one,) = record()
    assert (one["action"], one["status"]) == ("list_api_keys", 403)


def test_impersonation_narrows(secured):
    student = {"user_id": "s1", "role": "student"}
    answer = ask(secured, bearer("admin"), user=student).json()
    assert answer["user_id"] == "s1"
    assert ask(secured, bearer("admin"), user=student,
               filters={"max_clearance": 3}).status == 403
    assert ask(secured, bearer("staff", sub="me"), user=student).json()["user_id"] == "me"


def test_roles_are_read_again(secured):
    visitor = bearer("visitor")
    delete = {"headers": visitor}
    assert secured.delete("/api/documents/nothing", **delete).status == 403
    secured.roles_file.write_text(roles(visitor=(1, 5, "public", ["write_documents"])))
    secured.signal("gateway", signal.SIGHUP)
    eventually(lambda: secured.delete("/api/documents/nothing", **delete).status != 403)
    assert ask(secured, visitor).status == 403  # and may not search
    secured.roles_file.write_text('{"roles": {"anonymous": {}}}')
    secured.signal("gateway", signal.SIGHUP)
    eventually(lambda: "ROLES_FILE" in secured.log("gateway"))
    assert ask(secured, visitor).status == 403
    assert ask(secured, bearer("staff")).status == 200
    secured.roles_file.write_text(roles())
    secured.signal("gateway", signal.SIGHUP)
    eventually(lambda: ask(secured, visitor).status == 200)


# --- API keys

def make_key(stack, headers=None, status=201, **members):
    body = {"name": "a program", "role": "staff", "scopes": ["search"], **members}
    reply = stack.post("/api/admin/keys", body, headers=headers or bearer("admin"))
    assert reply.status == status, reply.body
    return reply.json()


def everywhere(stack, key, status):
    """On every loop: one is as likely as another to take a connection."""
    for _ in range(20):
        reply = ask(stack, {"X-API-Key": key})
        assert reply.status == status, reply.body
    return reply


def test_keys_are_shown_once_and_kept_as_hashes(secured):
    made = make_key(secured, user_id="robot", department="IT Services")
    key = made["key"]
    assert re.fullmatch(r"cairn_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", key)
    assert everywhere(secured, key, 200).json()["user_id"] == "robot"
    assert ask(secured, {"Authorization": "Bearer " + key}).json()["user_id"] == "robot"
    secret = key.split("_", 2)[2]
    for path in ("/api/admin/keys", f"/api/admin/keys/{made['id']}"):
        reply = secured.get(path, headers=bearer("admin"))
        assert reply.status == 200 and secret.encode() not in reply.body
        assert reply.headers["Cache-Control"] == "no-store"
    assert secured.psql(f"SELECT count(*) FROM api_keys k WHERE k::text LIKE '%{secret}%'") == "0"
    assert secured.psql("SELECT encode(secret_hash, 'hex') FROM api_keys "
                        f"WHERE id = '{made['id']}'") == hashlib.sha256(key.encode()).hexdigest()
    assert secret not in secured.log("gateway")
    eventually(lambda: secured.get(f"/api/admin/keys/{made['id']}",
                                   headers=bearer("admin")).json()["last_used_at"], seconds=60)


def test_wrong_keys_are_refused(secured):
    key = make_key(secured)["key"]
    last = "A" if key[-1] != "A" else "B"
    for wrong in (key[:-1] + last, key[:-1], key + "A",
                  key.upper(), "cairn_" + "0" * 12 + key[18:]):
        reply = ask(secured, {"X-API-Key": wrong})
        assert (reply.status, problem(reply)) == (401, "invalid_api_key")
    assert ask(secured, {"X-API-Key": key, **bearer("staff")}).status == 400


def test_scopes_are_a_fence(secured):
    key = {"X-API-Key": make_key(secured)["key"]}
    document = {"title": "t", "text": "words"}
    assert secured.post("/api/documents", document, headers=key).status == 403
    assert secured.get("/api/admin/keys", headers=key).status == 403
    writer = {"X-API-Key": make_key(secured, scopes=["write_documents"])["key"]}
    assert ask(secured, writer).status == 403
    assert secured.delete("/api/documents/nothing", headers=writer).status != 403


def test_nobody_makes_a_key_stronger_than_themselves(secured):
    maker = {"X-API-Key": make_key(secured, role="admin",
                                   scopes=["admin_keys", "search"])["key"]}
    make_key(secured, maker, role="admin", scopes=["search"])
    assert make_key(secured, maker, 403, role="admin",
                    scopes=["search", "admin_users"])["field"] == "scopes"
    make_key(secured, maker, 403, role="admin", scopes=["impersonate"])
    make_key(secured, status=400, scopes=["admin_users"])  # not of that role
    make_key(secured, status=400, scopes=["everything"])
    make_key(secured, status=400, scopes=[])
    make_key(secured, status=400, role="king")
    make_key(secured, bearer("staff"), 403)


def test_revoked_keys_are_over_at_once(secured):
    made = make_key(secured)
    everywhere(secured, made["key"], 200)
    reply = secured.delete(f"/api/admin/keys/{made['id']}", headers=bearer("admin"))
    assert reply.status == 200 and reply.json() == {"id": made["id"], "revoked": True}
    everywhere(secured, made["key"], 401)
    assert secured.delete(f"/api/admin/keys/{made['id']}",
                          headers=bearer("admin")).status == 404
    shown = secured.get(f"/api/admin/keys/{made['id']}", headers=bearer("admin")).json()
    assert shown["revoked_at"] is not None


def test_other_gateways_hear_of_a_revocation(secured):
    made = make_key(secured)
    everywhere(secured, made["key"], 200)
    # as another gateway does it; without the news this one would believe it for a minute
    secured.psql("WITH gone AS (UPDATE api_keys SET revoked_at = now() WHERE id = "
                 f"'{made['id']}' RETURNING id) SELECT pg_notify('cairn_api_keys', id) FROM gone")
    eventually(lambda: ask(secured, {"X-API-Key": made["key"]}).status == 401, seconds=30)
    everywhere(secured, made["key"], 401)


def test_keys_expire(secured):
    made = make_key(secured, expires_in=3600)
    assert made["expires_at"] is not None
    secured.psql(f"UPDATE api_keys SET expires_at = now() WHERE id = '{made['id']}'")
    everywhere(secured, made["key"], 401)


# --- limits

def test_trying_credentials_counts_as_asking(new_stack):
    stack = new_stack(AUTH_MODE="jwt", JWT_SECRET_KEY=SECRET, RATE_LIMIT_ENABLED="true",
                      RATE_LIMIT_SEARCH_PER_MINUTE=10,
                      RATE_LIMIT_API_BURST=1000, RATE_LIMIT_API_PER_SECOND=1000)
    guesses = [{"X-API-Key": f"cairn_{i:012x}_" + "A" * 43} for i in range(30)]
    guesses += [{"Authorization": f"Bearer a.b.{i}"} for i in range(30)]
    statuses = [stack.post("/api/search", {"query": "x"}, headers=one).status for one in guesses]
    assert set(statuses) <= {401, 429} and statuses.count(429) >= 30
    assert ask(stack, bearer("staff")).status == 200  # somebody who is known is not held up


# --- settings

@pytest.mark.parametrize("settings,named", [
    ({"AUTH_MODE": "jwt"}, "AUTH_MODE=jwt needs"),
    ({"AUTH_MODE": "jwt", "JWT_SECRET_KEY": "short"}, "JWT_SECRET_KEY"),
    ({"AUTH_MODE": "jwt", "JWT_PUBLIC_KEY": "no key"}, "JWT_PUBLIC_KEY"),
    ({"API_HOST": "0.0.0.0"}, "API_HOST"),
    ({"AUTH_MODE": "everybody"}, "AUTH_MODE"),
    ({"ROLES_FILE": "/nowhere/roles.json"}, "ROLES_FILE"),
    ({"JWT_ROLE_MAP": "admin"}, "JWT_ROLE_MAP"),
    ({"LDAP_URL": "ldap://ldap.example.org", "LDAP_STARTTLS": "false"}, "LDAP_URL"),
    ({"ENVIRONMENT": "production", "SESSION_COOKIE_SECURE": "true"}, "AUTH_MODE=trusted"),
    ({"ENVIRONMENT": "production", "AUTH_MODE": "jwt",
      "JWT_SECRET_KEY": "change-me"}, "JWT_SECRET_KEY"),
])
def test_unsafe_settings_stop_the_start(settings, named, tmp_path):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("JWT_", "AUTH_", "LDAP_"))}
    done = subprocess.run([pathlib.Path(BIN).resolve() / "cairn-gateway"], timeout=60, cwd=tmp_path,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**clean, "API_PORT": "0", "OPS_PORT": "0", **settings})
    assert done.returncode != 0
    assert named in done.stdout


def roles_of(stack):
    reply = stack.get("/api/admin/roles", headers=bearer("admin"))
    assert reply.status == 200, reply.body
    return {role["name"]: role for role in reply.json()["roles"]}


def test_roles_are_shown_as_they_are_in_force(secured):
    shown = roles_of(secured)
    assert list(shown) == ["anonymous", "student", "staff", "academic", "admin"]
    assert {role["source"] for role in shown.values()} == {"file"}
    assert [name for name, role in shown.items() if not role["assignable"]] == ["anonymous"]
    staff = shown["staff"]
    assert (staff["clearance"], staff["departments"], staff["max_results"]) == (3, "own", 50)
    assert staff["requests_per_minute"] == 100000 and staff["requests_per_hour"] == 10000000
    assert set(staff["permissions"]) == {"search", "read_documents", "session", "embed",
                                         "write_documents"}
    assert not staff["max_results_limited"]
    for who in ("staff", "academic"):
        assert secured.get("/api/admin/roles", headers=bearer(who)).status == 403
    assert secured.get("/api/admin/roles").status == 401


def test_a_role_that_a_file_brings_is_shown(secured):
    secured.roles_file.write_text(roles(visitor=(1, 7, "public", ["search"])))
    try:
        secured.signal("gateway", signal.SIGHUP)
        eventually(lambda: "visitor" in roles_of(secured))
        assert roles_of(secured)["visitor"]["max_results"] == 7
    finally:
        secured.roles_file.write_text(roles())
        secured.signal("gateway", signal.SIGHUP)
        eventually(lambda: "visitor" not in roles_of(secured))
