"""Every route of the OpenAPI document, by everybody who must not: one that is added is tried
without anybody thinking of it, and one with a permission that this file does not know fails."""

import http.client
import json
import re
import time
import urllib.parse

import pytest
from conftest import by
from tokens import b64, bearer

READS = {"search", "read_documents", "read_glossary"}
KNOWN = READS | {"session", "embed", "read_graph"}
WRITES = KNOWN | {"write_documents", "write_glossary", "write_graph"}
ROLES = {"anonymous": READS, "student": KNOWN, "staff": WRITES,
         "academic": WRITES | {"validate_glossary"}}
ADMIN = {"manage_documents", "backups", "operate", "admin_users", "admin_keys", "admin_cache",
         "admin_models", "read_audit", "impersonate"}
KNOWN_PERMISSIONS = ADMIN | ROLES["academic"]
MALFORMED = b"{"  # of those who may: what is wrong with it is said, and nothing happens


class Route:
    def __init__(self, method, path, operation):
        self.method, self.path = method.upper(), re.sub(r"\{[a-z]+\}", "nobody", path)
        self.public = operation.get("security") == []
        self.permission = operation.get("x-permission")
        self.types = list(operation.get("requestBody", {}).get("content", {}))
        self.name = operation["operationId"]

    def body(self):
        if self.method == "GET":
            return None, {}
        return MALFORMED, {"Content-Type": self.types[0] if self.types else "application/json"}


class Caller:
    """One connection for hundreds of requests."""

    def __init__(self, stack):
        where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)

    def ask(self, route, headers):
        body, own = route.body()
        for _ in range(2):  # the server may have closed it after the last refusal
            try:
                self.connection.request(route.method, route.path, body, {**own, **headers})
                reply = self.connection.getresponse()
                return reply.status, reply.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection.close()
        raise AssertionError((route.method, route.path))


@pytest.fixture(scope="module")
def routes(target):
    document = target.get("/openapi.json").json()
    found = [Route(method, path, operation)
             for path, operations in document["paths"].items()
             for method, operation in operations.items()
             if method in ("get", "post", "put", "delete")]
    assert len(found) > 100
    return found


@pytest.fixture(scope="module")
def caller(target):
    return Caller(target)


def unsigned(alg):
    """A token that says of itself that it needs no signature."""
    claims = {"sub": "x", "role": "admin", "aud": "cairn", "exp": int(time.time()) + 3600}
    text = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": alg}, claims))
    return {"Authorization": f"Bearer {text}."}


FORGED = {
    "garbage": {"Authorization": "Bearer a.b.c"},
    "no signature": unsigned("none"),
    "no signature, in other letters": unsigned("NoNe"),
    "expired": bearer("x", "admin", aud="cairn", exp=int(time.time()) - 3600),
    "for another service": bearer("x", "admin", aud="other"),
    "for nobody": bearer("x", "admin"),
    "spoilt": {"Authorization": by("admin")["Authorization"][:-6] + "AAAAAA"},
    "unknown key": {"X-API-Key": "ck_" + "0" * 43},
}


def test_every_permission_is_known_here(routes):
    for route in routes:
        assert route.public or route.permission in KNOWN_PERMISSIONS, route.name


def test_nothing_is_open_that_is_not_said_to_be(routes):
    assert {route.path for route in routes if route.public} == {
        "/health/ping", "/health/ping/nobody", "/health", "/health/ready", "/health/liveness",
        "/openapi.json", "/docs", "/api/auth/login", "/api/auth/logout"}


def test_without_a_token(routes, caller):
    for route in routes:
        if not route.public and route.permission not in ROLES["anonymous"]:
            assert caller.ask(route, {})[0] == 401, route.name


@pytest.mark.parametrize("what", FORGED)
def test_with_a_token_that_is_none(routes, caller, what):
    for route in routes:
        if not route.public:
            status, body = caller.ask(route, FORGED[what])
            assert status == 401, (route.name, status, body)


@pytest.mark.parametrize("role", ["student", "staff", "academic"])
def test_with_lower_rights(routes, caller, role):
    for route in routes:
        if not route.public and route.permission not in ROLES[role]:
            status, body = caller.ask(route, by(role))
            assert (status, json.loads(body)["code"]) == (403, "forbidden"), (
                route.name, status, body)


@pytest.mark.parametrize("role", [*ROLES, "admin"])
def test_who_may_gets_past_the_door(routes, caller, role):
    """Or the tests above would pass with everything shut."""
    may = ROLES.get(role, KNOWN_PERMISSIONS)
    for route in routes:
        harmless = route.method == "GET" or "application/json" in route.types
        if not route.public and route.permission in may and harmless:
            status, body = caller.ask(route, {} if role == "anonymous" else by(role))
            assert status not in (401, 403), (route.name, status, body)
            assert status < 500 or status == 503, (route.name, status, body)


def test_with_a_key_of_a_narrow_scope(routes, caller, target):
    made = target.post("/api/admin/keys", {"name": "narrow", "scopes": ["search"],
                                           "role": "admin"}, headers=by("admin"))
    assert made.status == 201, made.body
    key = {"X-API-Key": made.json()["key"]}
    for route in routes:
        if not route.public and route.permission != "search":
            status, body = caller.ask(route, key)
            assert status == 403, (route.name, status, body)
    assert target.post("/api/search", {"query": "x"}, headers=key).status == 200


def test_other_names_of_a_path_are_no_way_round(routes, caller):
    """What a proxy may take for another path, the gateway must not take for a route."""
    disguises = ("/{}", "{}/", "/.{}", "/x/..{}", "{};a=b", "{}%00", "{}%20", "/%2e{}", "{}.json")
    for route in routes:
        if route.public or route.permission not in ADMIN:
            continue
        for disguise in disguises:
            other = Route(route.method, disguise.format(route.path), {"operationId": ""})
            status, body = caller.ask(other, by("staff"))
            assert status in (400, 401, 403, 404, 405), (other.path, status, body)
    upper = Route("GET", "/API/ADMIN/USERS", {"operationId": ""})
    assert caller.ask(upper, by("staff"))[0] in (403, 404)


def test_the_other_methods_of_a_path_are_shut(routes, caller):
    """And a header does not turn one method into another."""
    paths = {}
    for route in routes:
        paths.setdefault(route.path, set()).add(route.method)
    for path, methods in paths.items():
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "FROB"} - methods:
            other = Route(method, path, {"operationId": ""})
            status, body = caller.ask(other, by("admin"))
            assert status in (405, 501), (method, path, status, body)
    hidden = {"X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "DELETE",
              "X-Method-Override": "DELETE", "X-Original-URL": "/api/admin/users",
              "X-Rewrite-URL": "/api/admin/users"}
    one = Route("GET", "/health/ping", {"operationId": ""})
    status, body = caller.ask(one, hidden)
    assert status == 200 and b"users" not in body
