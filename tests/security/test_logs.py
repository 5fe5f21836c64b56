"""What strangers send is in the logs as text: each line stays one JSON object, and nothing in
it turns, clears or colours a terminal. Secrets are in none, nor in what answers show."""

import json
import os
import pathlib
import re
import resource
import signal
import tempfile

import pytest
from conftest import PASSWORD, SERVICES, SETTINGS, by
from stack import BIN, eventually
from wire import exchange

# newline, carriage return, NUL, escape, C1, line separator, bidi override and isolate, zero
# width, a line that looks like ours
POISON = ('x\n{"level":"CRITICAL","message":"forged"}\r\0\x1b[2J\x1b]0;t\x07\x9b31m\u2028\u202e'
          '\u2066\u200b","forged":"1')
NASTY = re.compile("[\0-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def lines_of(stack):
    """Of every service, the last one perhaps half written."""
    for service in SERVICES:
        yield from stack.log(service).splitlines(keepends=True)


def sent(stack):
    """Poison in every place that is logged; what HTTP cannot bear, percent-encoded."""
    quoted = "".join(f"%{byte:02x}" for byte in POISON.encode())
    inline = POISON.replace("\n", "").replace("\r", "").replace("\0", "")
    latin = inline.encode()
    stack.get(f"/{quoted}?{quoted}={quoted}")
    stack.get(f"/api/documents/{quoted}", headers=by("staff"))
    for name in ("User-Agent", "Referer", "X-Request-ID", "X-Forwarded-For", "traceparent",
                 "Origin", "Authorization", "Cookie", "X-API-Key", "If-None-Match", "Range"):
        exchange(stack.env["GATEWAY_URL"], b"GET /api/search?q=x HTTP/1.1\r\nHost: x\r\n"
                 b"Connection: close\r\n" + name.encode() + b": " + latin + b"\r\n\r\n", ends=True)
        exchange(stack.env["GATEWAY_URL"], b"GET /api/search?q=x HTTP/1.1\r\nHost: x\r\n"
                 b"Connection: close\r\n" + name.encode() + b": \x1b[31mred\r\n\r\n", ends=True)
    exchange(stack.env["GATEWAY_URL"], latin + b" / HTTP/1.1\r\nHost: x\r\n\r\n", ends=True)
    exchange(stack.env["GATEWAY_URL"], b"GET / HTTP/1.1\r\nHost: " + latin + b"\r\n\r\n",
             ends=True)
    stack.post("/api/auth/login", {"username": POISON.replace("\0", ""), "password": "x"})
    clean = POISON.replace("\0", "")
    for path, body in (
            ("/api/documents", {"id": clean, "title": clean, "text": clean}),
            ("/api/documents", {"title": clean, "text": clean, "metadata": {clean: clean}}),
            ("/api/search", {"query": clean}),
            ("/api/graph/query", {"query": f"MATCH (n:`{clean}`) RETURN n"}),
            ("/api/graph/nodes", {"labels": [clean], "properties": {clean: clean}}),
            ("/api/glossary", {"term": clean, "definition": clean}),
            ("/api/admin/keys", {"name": clean, "scopes": [clean]})):
        stack.post(path, body, headers=by("admin", user=clean, department=clean))


def test_every_line_is_one_object(target):
    sent(target)
    target.get("/api/documents/the-last-one-of-these", headers=by("staff"))
    eventually(lambda: "the-last-one-of-these" in target.log("gateway"), seconds=60)
    for line in lines_of(target):
        if not line.endswith("\n"):
            continue
        entry = json.loads(line)
        assert isinstance(entry, dict) and entry["level"] in (
            "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), line
        assert "forged" not in entry and entry["message"] != "forged", line
        assert not NASTY.search(line.rstrip("\n")), ascii(line)


def test_terminals_are_safe_from_answers(target):
    """An error repeats no control character of what it complains of."""
    for path in ("/%1b%5b2J", "/api/documents/%1b%5b2J%c2%9b", "/api/search?q=%1b%5b31m&mode=%1b"):
        reply = target.get(path, headers=by("staff"))
        assert not re.search(rb"[\0-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", reply.body), reply.body


# --- secrets

def secrets_of(stack):
    """Everything that only the configuration may know."""
    found = {"the token key": SETTINGS["JWT_SECRET_KEY"], "the audit key": SETTINGS["AUDIT_KEY"],
             "the admin's password": PASSWORD,
             "the database's password": stack.env["DATABASE_URL"].split(":")[2].split("@")[0]}
    for path in pathlib.Path(stack.dir, "keys").glob("*.key"):
        found[path.name] = path.read_text().strip()
    assert len(found) == 4 + len(SERVICES)
    return found


def used(stack):
    """Secrets that are sent: none may be seen afterwards."""
    login = stack.post("/api/auth/login", {"username": "root", "password": PASSWORD})
    assert login.status == 200, login.body
    key = stack.post("/api/admin/keys", {"name": "seen nowhere", "scopes": ["search"],
                                         "role": "admin"}, headers=by("admin"))
    assert key.status == 201, key.body
    token, made = by("admin")["Authorization"].split()[1], key.json()["key"]
    session = re.search(r"cairn_session=([^;]+)", login.headers["Set-Cookie"]).group(1)
    typed = "Mistyped-Password-31337"
    for headers in ({"X-API-Key": made}, {"Authorization": f"Bearer {token}"},
                    {"Authorization": f"Basic {typed}"}, {"Cookie": f"cairn_session={session}"},
                    {"Authorization": f"Bearer {token[:-4]}AAAA"}, {"X-API-Key": made[:-1]}):
        stack.get("/api/auth/me", headers=headers)
        stack.post("/api/search", {"query": 7}, headers=headers)
    stack.post("/api/auth/login", {"username": "root", "password": typed})
    stack.post("/api/auth/login", '{"username": "root", "password": "' + typed + '"',
               headers={"Content-Type": "application/json"})
    return {"a token": token, "a key": made, "a session": session, "a wrong password": typed,
            "a token's signature": token.rsplit(".", 1)[1]}


def shown(stack):
    """Whatever can be asked for."""
    yield from (stack.get(path, headers=by("admin")).body.decode(errors="replace") for path in (
        "/health", "/health/detailed", "/health/metrics", "/metrics", "/api/errors/stats",
        "/api/admin/stats", "/api/admin/audit", "/api/admin/users", "/api/admin/keys",
        "/openapi.json", "/docs", "/api/backups", "/no/such/path"))
    for service in SERVICES:
        yield stack.get("/metrics", base=stack.ops(service)).body.decode()
        yield stack.get("/readyz", base=stack.ops(service)).body.decode()


def test_secrets_are_shown_nowhere(target):
    hidden = {**secrets_of(target), **used(target)}
    target.get("/the-end-of-the-secrets")
    eventually(lambda: "the-end-of-the-secrets" in target.log("gateway"), seconds=60)
    texts = {f"answer {n}": text for n, text in enumerate(shown(target))}
    for service in SERVICES:
        texts[f"log of {service}"] = target.log(service)
        pid = target.pid(service)
        texts[f"command line of {service}"] = pathlib.Path(f"/proc/{pid}/cmdline").read_text()
    for where, text in texts.items():
        for what, secret in hidden.items():
            assert secret not in text, (what, where)


# --- core dumps

def test_no_service_leaves_a_core(target):
    for service in SERVICES:
        limits = pathlib.Path(f"/proc/{target.pid(service)}/limits").read_text()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.M), (service, limits)


def crash(program, folder, **environment):
    """Whether a core was made of what is sent SIGSEGV; with as many as the system takes."""
    ready, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
            os.chdir(folder)
            os.dup2(told, 1)
            os.execve(program, [program], {"PATH": os.environ["PATH"], **environment})
        finally:
            os._exit(1)
    os.close(told)
    with os.fdopen(ready) as lines:
        assert any("started" in line for line in lines)
    os.kill(pid, signal.SIGSEGV)
    return os.WCOREDUMP(os.waitpid(pid, 0)[1])


def test_a_crash_leaves_no_core():
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        pytest.skip("this machine makes no core files")
    with tempfile.TemporaryDirectory(prefix="cairn-") as folder:
        settings = {"OPS_PORT": "0", "RPC_BIND": f"ipc://{folder}/bus", "MODEL_DIR": folder,
                    "ASAN_OPTIONS": "handle_segv=0:disable_coredump=0"}
        if not crash(str(BIN / "cairn-embedder"), folder, CORE_DUMPS="true", **settings):
            pytest.skip("this machine makes no core files")
        assert not crash(str(BIN / "cairn-embedder"), folder, **settings)
