"""`cairn doctor` against what really is wrong: services that stand still, wrong passwords,
certificates that are over, clocks that differ, settings nobody reads."""

import contextlib
import datetime
import http.server
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.parse

import pytest
from cairn import Cairn
from conftest import ROOT, eventually
from fake_cairn import Answer, FakeCairn, problem
from stack import BIN

GOOD = "Good-Pass1"


@pytest.fixture
def cairn(stack, tmp_path):
    return Cairn(tmp_path, stack.env["GATEWAY_URL"])


@pytest.fixture
def fake():
    server = FakeCairn()
    yield server
    server.close()


def look(cairn, *words):
    """What it said: (state, check): remedy; and its exit status."""
    process = cairn.start("doctor", *words, "--json")
    out, err = process.communicate(timeout=120)
    assert "Sanitizer" not in err, err
    rows = json.loads(out)
    assert (process.returncode == 1) == any(row["state"] == "fail" for row in rows), (rows, err)
    assert all(row["remedy"] for row in rows if row["state"] != "ok")
    return {(row["state"], row["check"]): f'{row["said"]} -> {row["remedy"]}' for row in rows}


# --- from the client's side


def test_a_good_set_up_has_nothing_that_fails(cairn):
    def well():
        found = look(cairn)
        return not [check for state, check in found if state == "fail"] and found

    found = eventually(well, seconds=120)
    assert {"address", "gateway", "clock", "identity", "version", "search", "model",
            "service search", "service backup"} <= {check for state, check in found
                                                    if state == "ok"}
    rows = [line.split("\t") for line in cairn.run("doctor").stdout.splitlines()]
    assert {row[0] for row in rows} <= {"ok", "warn"} and all(len(row) == 4 for row in rows)
    assert "ok    address" in cairn.terminal("doctor", NO_COLOR="1")


def test_a_service_that_stands_still_is_named(cairn, stack):
    with stack.stopped("embedder"):
        found = eventually(lambda: (now := look(cairn)) and ("fail", "service embedder") in now
                           and now, seconds=120)
        assert "cairn-embedder" in found["fail", "service embedder"]
        assert cairn.terminal("doctor", code=1, NO_COLOR="1").count("-> ") >= 1
    eventually(lambda: ("ok", "service embedder") in look(cairn), seconds=120)
    stack.settled()


def test_nothing_is_at_the_address(tmp_path):
    found = look(Cairn(tmp_path, "http://127.0.0.1:1"))
    assert "cairn-gateway" in found["fail", "gateway"]
    assert ("fail", "address") in look(Cairn(tmp_path, "http://nowhere.invalid:8000"))
    assert ("fail", "address") in look(Cairn(tmp_path, "ftp://127.0.0.1"))


def test_something_else_is_at_the_address(tmp_path, fake):
    fake.answer = lambda request: Answer(200, {"hello": "world"})
    assert "no gateway" in look(Cairn(tmp_path, fake.url))["fail", "gateway"]


def test_a_token_or_a_key_that_is_no_good(stack, tmp_path):
    token = look(Cairn(tmp_path, stack.env["GATEWAY_URL"], CAIRN_TOKEN="a.b.c"))
    assert "cairn login" in token["fail", "identity"]
    assert "cairn login" in token["warn", "services"]
    key = look(Cairn(tmp_path, stack.env["GATEWAY_URL"], CAIRN_API_KEY="cairn_none"))
    assert "keys create" in key["fail", "identity"]


def server(answers, **headers):
    def answer(request):
        path = request.path.split("?")[0]
        if path == "/health/ping":
            return Answer(200, {"status": "ok", "message": "pong"}, **headers)
        return answers.get(path) or problem(403, "forbidden", "not for you")
    return answer


def test_another_time_and_another_version(tmp_path, fake):
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    health = Answer(503, {"status": "unhealthy", "version": "0.0.9", "maintenance": "by_hand",
                          "subsystems": {"database": {"healthy": False, "status": "unhealthy"},
                                         "cache": {"healthy": False, "status": "unhealthy"}}})
    late = past.strftime("%a, %d %b %Y %H:%M:%S GMT")

    class Late(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response_only(200)
            self.send_header("Date", late)
            self.end_headers()
            self.wfile.write(b'{"status":"ok","message":"pong"}')

        def log_message(self, *_):
            pass

    with serving(Late) as port:
        found = look(Cairn(tmp_path, f"http://127.0.0.1:{port}"))
    assert "ahead of the server's" in found["fail", "clock"]
    fake.answer = server({"/health": health})
    found = look(Cairn(tmp_path, fake.url))
    assert "0.0.9" in found["warn", "version"]
    assert "PostgreSQL" in found["fail", "database"] and "Redis" in found["warn", "cache"]
    assert "maintenance leave" in found["warn", "maintenance"]


def test_a_model_that_is_gone_and_backups_that_are_late(tmp_path, fake):
    fake.answer = server({
        "/api/generations": Answer(200, {"generations": [
            {"fingerprint": "old", "model": "gone", "dimension": 7, "pending": 3}]}),
        "/api/tags": Answer(200, {"models": [{"digest": "new"}]}),
        "/api/search": Answer(200, {"degraded": ["embedding"], "response_time": 0.1}),
        "/api/backups": Answer(200, {"backups": [{"id": "set", "verified": False}]}),
        "/api/backups/schedule": Answer(200, {"late": True, "schedule": "0 2 * * *"}),
        "/api/admin/stats": Answer(200, {"cache": {"used_memory": None}, "services": {
            "gateway": {"replicas": [{"status": "healthy", "version": "2"}], "absent": 0},
            "search": {"absent": 1, "replicas": [
                {"status": "healthy", "version": "1",
                 "database": {"pool_size": 5, "active_connections": 5},
                 "checks": {"index": {"lag_seconds": 60.0}}}]}}})})
    process = Cairn(tmp_path, fake.url).start("doctor", "--json")
    rows = json.loads(process.communicate(timeout=60)[0])
    said = [row["said"] for row in rows if row["state"] != "ok"]
    for words in ("embedded by gone (7 numbers", "3 passages have none", '["embedding"]',
                  "set, is not verified", "full set is late", "does not answer", "1 absent",
                  "another version", "60 s behind", "connections to PostgreSQL are in use"):
        assert any(words in one for one in said), (words, said)


# --- certificates


@contextlib.contextmanager
def serving(handler, certificate=None):
    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        web.socket = context.wrap_socket(web.socket, server_side=True)
    thread = threading.Thread(target=web.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield web.server_port
    web.shutdown()
    web.server_close()
    thread.join()


class Pong(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        good = self.path == "/health/ping"
        self.send_response(200 if good else 403)
        self.end_headers()
        self.wfile.write(b'{"status":"ok","message":"pong"}' if good else b"{}")

    def log_message(self, *_):
        pass


def certificate(folder, name, begin, end):
    """Self-signed, for 127.0.0.1, good from `begin` to `end` days from now."""
    pem = folder / f"{name}.pem"
    now = datetime.datetime.now(datetime.UTC)
    times = [f"{now + datetime.timedelta(days=days):%Y%m%d%H%M%SZ}" for days in (begin, end)]
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n"
        "default_md=sha256\npolicy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n"
        "[x]\nsubjectAltName=IP:127.0.0.1\nbasicConstraints=CA:TRUE\n[req]\n"
        "distinguished_name=n\n[n]\n")
    (folder / "index").write_text("")
    (folder / "serial").write_text("01\n")
    for words in (["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                   "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", f"{name}.key", "-out",
                   f"{name}.csr", "-config", "ca.cnf"],
                  ["ca", "-batch", "-selfsign", "-config", "ca.cnf", "-in", f"{name}.csr",
                   "-keyfile", f"{name}.key", "-startdate", times[0], "-enddate", times[1],
                   "-out", f"{name}.pem", "-notext"]):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    return pem


@pytest.mark.parametrize(("begin", "end", "trusted", "state", "words"), [
    (-10, -1, True, "fail", "renew"),
    (-10, 5, True, "warn", "ends in"),
    (-10, 300, True, "ok", "good for"),
    (-10, 300, False, "fail", "--cacert"),
])
def test_certificates(tmp_path, begin, end, trusted, state, words):
    pem = certificate(tmp_path, "server", begin, end)
    more = {"CAIRN_CACERT": str(pem)} if trusted else {}
    with serving(Pong, pem) as port:
        found = look(Cairn(tmp_path, f"https://127.0.0.1:{port}", **more))
    assert words in found[state, "certificate"], found


# --- beside the services


@pytest.fixture
def here(stack, tmp_path):
    """Settings of services beside the stack's PostgreSQL and Redis, in a file."""
    for name in ("files", "backups"):
        (tmp_path / name).mkdir()
    secret = tmp_path / "jwt"
    secret.touch(0o600)
    secret.write_text("x" * 40)
    settings = {
        "DATABASE_URL": stack.env["DATABASE_URL"], "REDIS_URL": stack.env["REDIS_URL"],
        "BACKUP_DIR": tmp_path / "backups",
        "FILE_STORE": f"dir:{tmp_path}/files", "JWT_SECRET_KEY_FILE": secret,
        "MODEL_DIR": ROOT / "var/models/use-lite", "MIGRATIONS_DIR": ROOT / "db/migrations",
        "API_PORT": 0, "OPS_PORT": 0, "BOLT_PORT": 0}

    def look_here(mode=0o600, **more):
        file = tmp_path / "cairn.env"
        file.touch()
        file.chmod(mode)
        file.write_text("# settings\n" + "".join(
            f"{name}={value}\n" for name, value in {**settings, **more}.items()))
        return look(Cairn(tmp_path), "--env", file)

    look_here.folder = tmp_path
    return look_here


def test_a_good_machine(here):
    found = here()
    assert not [check for state, check in found if state == "fail"], found
    assert {"settings gateway", "settings backup", "postgresql", "schema", "redis",
            "model files", "secrets", "FILE_STORE"} <= {
                check for state, check in found if state == "ok"}
    assert "same file system" in found["warn", "backup directory"]


def test_settings_that_are_wrong_or_misspelt(here):
    found = here(LOG_FORMAT="fancy", DATABSE_URL="x", JWT_SECRT_KEY_FILE="y", UNRELATED_NAME="z")
    assert "LOG_FORMAT" in found["fail", "settings gateway"]
    spelt = here(BACKUP_SHEDULE="0 2 * * *")["warn", "spelling"]
    assert "BACKUP_SHEDULE" in spelt and "call it BACKUP_SCHEDULE" in spelt
    assert "call it" in found["warn", "spelling"] and "UNRELATED" not in str(found)
    missing = Cairn(here.folder)
    assert ("fail", "settings") in look(missing, "--env", here.folder / "none.env")


def test_secrets_that_anybody_can_read(here):
    assert "mode 644" in here(mode=0o644)["fail", "secrets"]
    (here.folder / "jwt").chmod(0o644)
    assert "jwt" in here()["fail", "secrets"]
    (here.folder / "jwt").unlink()
    assert "No such file" in here()["fail", "secrets"]


def test_wrong_passwords_and_servers_that_are_away(here, stack):
    def without_password(name):
        parts = urllib.parse.urlsplit(stack.env[name])
        user = parts.username or ""
        return parts._replace(netloc=f"{user}:wrong@{parts.hostname}:{parts.port}").geturl()

    found = here(DATABASE_URL=without_password("DATABASE_URL"),
                 REDIS_URL=without_password("REDIS_URL"))
    assert "password" in found["fail", "postgresql"] and "ALTER ROLE" in found[
        "fail", "postgresql"]
    assert "REDIS_PASSWORD" in found["fail", "redis"]
    away = here(DATABASE_URL="postgresql://cairn@127.0.0.1:1/cairn",
                REDIS_URL="redis://127.0.0.1:1/0")
    assert "DB_PORT" in away["fail", "postgresql"] and "REDIS_PORT" in away["fail", "redis"]
    parts = urllib.parse.urlsplit(stack.env["DATABASE_URL"])
    none = here(DATABASE_URL=parts._replace(path="/no_such").geturl())
    assert "cairn-migrate up" in none["fail", "postgresql"]


def test_a_schema_that_is_behind(here):
    folder = here.folder / "migrations"
    shutil.copytree(ROOT / "db/migrations", folder)
    (folder / "9999_later.sql").write_text("SELECT 1;\n")
    (folder / "9999_later.down.sql").write_text("SELECT 1;\n")
    found = here(MIGRATIONS_DIR=folder)
    assert "1 of" in found["fail", "schema"] and "cairn-migrate up" in found["fail", "schema"]


def test_ports_models_and_directories(here):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = here(API_PORT=port, MODEL_DIR=here.folder / "files",
                     BACKUP_DIR=here.folder / "nowhere")
    assert str(port) in found["fail", "port gateway"]
    assert "use-lite.pack" in found["fail", "model files"]
    assert "install -d" in found["fail", "backup directory"]


def test_programs_that_are_not_here(tmp_path):
    alone = tmp_path / "cairn"
    shutil.copy(BIN / "cairn", alone)
    done = subprocess.run([alone, "doctor", "--here"], capture_output=True, text=True, timeout=60,
                          check=False, env={"HOME": str(tmp_path), "PATH": "/nonexistent",
                                            "DATABASE_URL": "postgresql://127.0.0.1:1/x",
                                            "REDIS_URL": "redis://127.0.0.1:1"})
    assert done.returncode == 1 and "cairn-gateway is not here" in done.stdout
    assert os.access(pathlib.Path(alone), os.X_OK)
