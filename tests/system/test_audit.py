"""The audit log of a running stack: who did what, with the attacks on it."""

import hashlib
import json
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from conftest import ROOT, STAFF, BIN, eventually

QUERY = "password reset instructions for staff"


def records(stack, path="/api/admin/audit?limit=500"):
    reply = stack.get(path)
    assert reply.status == 200, reply.body
    return reply.json()["records"]


def recorded(stack, **members):
    """The newest record that has these members; it comes within a flush of the answer."""
    def look():
        for record in records(stack):
            if all(record[name] == value for name, value in members.items()):
                return record
        return None
    return eventually(look, seconds=30)


def verify(stack, *words, **settings):
    environment = {**stack.environment, **stack.env, **settings}
    return subprocess.run([BIN / "cairn-gateway", "--verify-audit", *words], cwd=ROOT,
                          env=environment, check=False, timeout=120, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def searches_stored(stack):
    """In PostgreSQL, which has a record a tenth of a second later than the log."""
    return int(stack.psql("SELECT count(*) FROM audit_log WHERE action = 'search_documents'"))


def test_a_search_is_recorded(stack):
    reply = stack.post("/api/search", {"query": QUERY, "user": STAFF,
                                       "filters": {"campus": "King's Buildings"}},
                       headers={"User-Agent": "test/1 \"q\"", "X-Request-ID": "audit-1"})
    assert reply.status == 200
    record = recorded(stack, request_id="audit-1")
    assert record["query_hash"] == hashlib.sha256(QUERY.encode()).hexdigest()[:16]
    assert record["query"] == ""
    assert record["user_id"] == STAFF["user_id"]
    assert record["user_role"] == "staff"
    assert record["department"] == STAFF["department"]
    assert record["action"] == "search_documents"
    assert record["results_returned"] == reply.json()["count"]
    assert json.loads(record["filters_applied"]) == {"campus": "King's Buildings"}
    assert record["ip_address"] == "127.0.0.1"
    assert record["user_agent"] == 'test/1 "q"'
    assert (record["outcome"], record["status"], record["success_status"]) == ("ok", 200, True)
    assert 0 < record["response_time"] < 60


def test_the_text_of_a_query_is_nowhere(stack):
    assert stack.search("a secret nobody writes down", user=STAFF)
    recorded(stack, query_hash=hashlib.sha256(b"a secret nobody writes down").hexdigest()[:16])
    assert stack.psql("SELECT count(*) FROM audit_log l WHERE l::text LIKE '%nobody writes%'"
                      ) == "0"
    assert "nobody writes" not in stack.log("gateway")


def test_refused_searches_and_changes_are_recorded(stack):
    stack.post("/api/search", {"query": "x", "user": {"role": "emperor"}},
               headers={"X-Request-ID": "audit-2"})
    record = recorded(stack, request_id="audit-2")
    assert record["outcome"] == "invalid"
    assert record["success_status"] is False
    stack.put(id="audit-doc", title="t", text="for the record")
    assert recorded(stack, action="store_document", target="audit-doc")["outcome"] == "ok"
    stack.delete("/api/documents/audit-doc")
    recorded(stack, action="delete_document", target="audit-doc")


def test_probes_and_reads_are_not_recorded(stack):
    for path in ("/health", "/health/ping", "/metrics", "/api/documents"):
        stack.get(path, headers={"X-Request-ID": "audit-3"})
    stack.get("/api/admin/audit", headers={"X-Request-ID": "audit-4"})
    recorded(stack, request_id="audit-4")  # is itself what administrators do
    assert not [r for r in records(stack) if r["request_id"] == "audit-3"]


def test_hostile_fields_forge_nothing(stack):
    forged = 'x"}\n{"logger":"audit","user_id":"forged"}\n\x1b[2J'
    stack.post("/api/search", {"query": "x", "user": {"user_id": forged[:60], "role": "staff"}},
               headers={"X-Request-ID": "audit-5"})
    record = recorded(stack, request_id="audit-5")
    assert "\n" not in record["user_id"] and "\x1b" not in record["user_id"]
    lines = [json.loads(line) for line in stack.log("gateway").splitlines()
             if '"logger":"audit"' in line]
    assert any(line["request_id"] == "audit-5" for line in lines)
    assert not any(line["user_id"] == "forged" for line in lines)


def test_pages_by_cursor_and_filters(stack):
    for i in range(7):
        stack.post("/api/search", {"query": f"page {i}", "user": {"user_id": "pager",
                                                                  "role": "staff"}})
    eventually(lambda: len(records(stack, "/api/admin/audit?user=pager")) == 7)
    whole = [r["id"] for r in records(stack, "/api/admin/audit?user=pager")]
    paged, cursor = [], ""
    while cursor is not None:
        page = stack.get(f"/api/admin/audit?user=pager&limit=3{cursor}").json()
        paged += [r["id"] for r in page["records"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert paged == whole and len(set(paged)) == 7
    assert records(stack, "/api/admin/audit?user=pager&until=2020-01-01") == []
    assert len(records(stack, "/api/admin/audit?user=pager&since=2020-01-01T00:00:00Z")) == 7
    assert records(stack, "/api/admin/audit?user=pager&outcome=denied") == []
    assert records(stack, "/api/admin/audit?user=pager&action=store_document") == []
    for bad in ("since=tomorrow", "cursor=x", "limit=0", "cursor=1-2x", "kind=reads", "kind=read,",
                "outcome=good"):
        assert stack.get(f"/api/admin/audit?{bad}").status == 400
    for day in ("2026-02-30", "2025-02-29T12:00:00Z", "2026-4-1", "1969-12-31"):
        for name in ("since", "until"):
            refused = stack.get(f"/api/admin/audit?{name}={day}")
            assert (refused.status, refused.json()["field"]) == (400, name), refused.body


def test_changes_are_found_among_reads_by_their_kind(stack):
    """Pages of what was asked for alone: what is passed over takes no place on them."""
    for i in range(2):
        stack.put(id=f"kind-{i}", title="t", text="for the record")
        for _ in range(3):
            stack.get("/api/admin/audit?limit=1", headers={"X-Request-ID": f"kind-read-{i}"})
    recorded(stack, request_id="kind-read-1")
    first = stack.get("/api/admin/audit?kind=change&limit=1").json()
    assert [r["target"] for r in first["records"]] == ["kind-1"]
    second = stack.get(f"/api/admin/audit?kind=change&limit=1&cursor={first['next_cursor']}").json()
    assert [r["target"] for r in second["records"]] == ["kind-0"]
    kinds = {kind: {r["action"] for r in records(stack, f"/api/admin/audit?limit=500&kind={kind}")}
             for kind in ("change", "search", "read", "change,search,login", "denied")}
    names = first["actions"]
    assert "list_audit" in kinds["read"] and kinds["read"] <= set(names["read"])
    assert "store_document" in kinds["change"] and kinds["change"] <= set(names["change"])
    assert kinds["search"] <= set(names["search"])
    assert kinds["change,search,login"] >= kinds["change"] | kinds["search"]
    assert not kinds["change,search,login"] & kinds["read"]
    assert {r["outcome"] for r in records(stack, "/api/admin/audit?kind=denied")} <= {"denied"}


ADMIN = {"username": "chief", "password": "Correct-Horse-9-Battery"}


def test_logins_and_refusals_are_recorded(new_stack):
    stack = new_stack(AUTH_MODE="jwt", JWT_SECRET_KEY="s" * 40, WORKERS=1,
                      ADMIN_USERNAME=ADMIN["username"], ADMIN_PASSWORD=ADMIN["password"])
    reply = eventually(lambda: (lambda r: r if r.status == 200 else None)(
        stack.post("/api/auth/login", ADMIN)), seconds=60)
    token = {"Authorization": "Bearer " + reply.json()["access_token"]}
    user_id = reply.json()["user_id"]
    stack.post("/api/auth/login", {**ADMIN, "password": "Wrong-Password-1"})
    assert stack.get("/api/admin/audit").status == 401
    assert stack.get("/api/admin/audit", headers={"Authorization": "Bearer x.y.z"}).status == 401
    made = stack.post("/api/admin/users", {"username": "ann", "role": "student",
                                           "password": "Another-Horse-7-Staple"}, headers=token)
    assert made.status == 201, made.body

    def seen(**members):
        found = stack.get("/api/admin/audit?limit=500", headers=token).json()["records"]
        return [r for r in found if all(r[k] == v for k, v in members.items())]

    eventually(lambda: seen(action="create_user", user_id=user_id, target="ann", auth="token",
                            outcome="ok", user_role="admin"))
    assert seen(action="login", user_id=user_id, target="chief", outcome="ok")
    assert seen(action="login", user_id="", target="chief", outcome="denied",
                code="invalid_credentials")
    assert len(seen(action="list_audit", user_id="", outcome="denied", status=401)) == 2
    found = stack.get("/api/admin/audit?kind=login,denied", headers=token).json()["records"]
    assert {(r["action"], r["outcome"]) for r in found} == {
        ("login", "ok"), ("login", "denied"), ("list_audit", "denied")}
    text = stack.psql("SELECT string_agg(l::text, ' ') FROM audit_log l") + stack.log("gateway")
    for secret in (ADMIN["password"], "Wrong-Password-1", "Another-Horse", token["Authorization"]):
        assert secret not in text


def test_the_command_finds_an_edited_record(new_stack):
    stack = new_stack(AUDIT_KEY="a key of this test, long enough", WORKERS=1,
                      AUDIT_VIEWS="false")
    assert stack.get("/api/graph/labels").status == 200
    stack.search("one", user=STAFF)
    recorded(stack, action="search_documents")
    assert not [r for r in records(stack) if r["action"] == "graph_labels"]
    done = verify(stack)
    assert done.returncode == 0, done.stdout
    assert "0 faults" in done.stdout
    stack.psql("SET session_replication_role = replica; "
               "UPDATE audit_log SET user_id = 'eve' WHERE action = 'search_documents'")
    done = verify(stack)
    assert done.returncode == 1, done.stdout
    assert "changed" in done.stdout
    done = verify(stack, AUDIT_KEY="another key, as long as the first")
    assert done.returncode == 1
    assert "AUDIT_KEY_PREVIOUS" in done.stdout


def test_a_rotated_log_loses_no_line(new_stack, tmp_path):
    stack = new_stack(LOG_DIR=tmp_path, WORKERS=2)
    for i in range(20):
        stack.search(f"before {i}", user=STAFF)
    for name in ("app.log", "audit.log", "errors.log"):
        (tmp_path / name).rename(tmp_path / f"{name}.1")
    for i in range(20):
        stack.search(f"between {i}", user=STAFF)
    stack.signal("gateway", signal.SIGHUP)
    eventually(lambda: all((tmp_path / name).exists() for name in ("app.log", "audit.log")))
    for i in range(20):
        stack.search(f"after {i}", user=STAFF)
    files = [str(tmp_path / "audit.log.1"), str(tmp_path / "audit.log")]
    eventually(lambda: sum(pathlib.Path(file).read_text().count("search_documents")
                           for file in files) == 60)
    eventually(lambda: searches_stored(stack) == 60)
    done = verify(stack, "db", *files)
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not shutil.which("logrotate"), reason="logrotate is not there")
def test_the_shipped_logrotate_file(new_stack, tmp_path):
    stack = new_stack(LOG_DIR=tmp_path / "log", WORKERS=1)
    services = ("gateway", "search", "embedder", "graph", "backup")
    hang_up = "kill -HUP " + " ".join(str(stack.pid(service)) for service in services)
    shipped = (ROOT / "compose/logrotate/cairn").read_text()
    rules = re.sub(r"systemctl kill.*", hang_up, shipped)
    rules = rules.replace("/var/log/cairn", str(tmp_path / "log"))
    for word in ("dateext", "compress", "delaycompress"):  # names by number, to be read here
        rules = rules.replace(f"    {word}\n", "")
    assert rules.count("endscript") == 1 and "systemctl kill" not in rules
    (tmp_path / "rules").write_text(rules)
    (tmp_path / "rules").chmod(0o644)
    (tmp_path / "log").chmod(0o755)

    def total(name):
        return sum(file.read_text().count('"search_documents"')
                   for file in (tmp_path / "log").glob(name + "*"))

    for turn in range(3):
        for i in range(5):
            stack.search(f"turn {turn} {i}", user=STAFF)
        eventually(lambda n=5 * (turn + 1): total("audit.log") == n)
        subprocess.run(["logrotate", "-f", "-s", tmp_path / "state", tmp_path / "rules"],
                       check=True, timeout=60)
        eventually(lambda: (tmp_path / "log/audit.log").exists() and
                   (tmp_path / "log/app.log").exists())
    stack.search("the last", user=STAFF)
    eventually(lambda: total("audit.log") == 16 and searches_stored(stack) == 16)
    files = [tmp_path / f"log/audit.log{suffix}" for suffix in (".3", ".2", ".1", "")]
    done = verify(stack, "db", *map(str, files))
    assert done.returncode == 0, done.stdout


def test_a_killed_gateway_leaves_its_records(new_stack):
    stack = new_stack(WORKERS=1)
    stack.search("one", user=STAFF)
    journals = pathlib.Path(stack.dir, "audit")
    eventually(lambda: stack.psql("SELECT count(*) FROM audit_log WHERE action = "
                                  "'search_documents'") == "1" or
               any(b"search_documents" in file.read_bytes() for file in journals.iterdir()))
    stack.kill("gateway")
    eventually(lambda: stack.ready("gateway"), seconds=60)
    eventually(lambda: stack.psql("SELECT count(*) FROM audit_log WHERE action = "
                                  "'search_documents'") == "1", seconds=60)
    done = verify(stack)
    assert done.returncode == 0, done.stdout
    assert "has no end" in done.stdout
