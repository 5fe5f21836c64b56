"""Backups of a real PostgreSQL: made, read again, restored, compared, taken apart."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import urllib.parse

import pytest
from backups import PROGRAM, Backups
from conftest import eventually


def sql(stack, query, database=None):
    url = urllib.parse.urlsplit(stack.env["DATABASE_URL"])
    if database:
        url = url._replace(path="/" + database)
    done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", query, url.geturl()],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def original(stack):
    """A document with a file."""
    text = b"# Backups\n\nThe lighthouse keeper wrote everything down twice.\n"
    boundary = "x1"
    body = (f"--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; "
            f"filename=\"keeper.md\"\r\nContent-Type: text/markdown\r\n\r\n").encode() + text + \
        f"\r\n--{boundary}--\r\n".encode()
    reply = stack.post("/api/documents", body, headers={
        "Content-Type": f"multipart/form-data; boundary={boundary}"})
    assert reply.status in (200, 201, 202), reply.body
    eventually(lambda: sql(stack, "SELECT count(*) FROM documents WHERE file_hash IS NOT NULL")
               != "0", seconds=60)
    return text


@pytest.fixture(scope="module")
def backups(stack, original, tmp_path_factory):
    return Backups(tmp_path_factory.mktemp("backups"), stack)


@pytest.fixture(scope="module")
def slow(stack):
    """Settings by which a run takes long enough to be met."""
    name = "backup_tests_large"
    url = urllib.parse.urlsplit(stack.env["DATABASE_URL"])._replace(path="/" + name)
    sql(stack, f"CREATE DATABASE {name}")
    sql(stack, "CREATE TABLE filler AS SELECT g, md5(g::text) FROM generate_series(1, 400000) g",
        name)
    yield {"DATABASE_URL": url.geturl(), "BACKUP_COMPRESSION": "none", "BACKUP_RATE_MB": "1"}
    sql(stack, f"DROP DATABASE {name} WITH (FORCE)")


def met(backups, process):
    """It is writing."""
    def writes():
        assert process.poll() is None
        return any(path.name.startswith(".making-") and any(
            part.stat().st_size for part in path.iterdir()) for path in backups.dir.iterdir())
    eventually(writes, seconds=60)


@pytest.fixture(scope="module")
def made(backups):
    """A full set that was restored once to prove it."""
    return backups.create("--label", "before the move", "--by", "the tests")


def test_a_set_is_made_and_proves_itself(stack, backups, made):
    assert made["ok"] is True
    found = made["proof"]["found"]
    assert found["tables"]["public.chunks"] > 0
    assert found["foreign_keys"] > 5
    assert [vectors["dimensions"] for vectors in found["vectors"].values()] == [512]
    manifest = backups.manifest(made["id"])
    assert manifest["verified"] and manifest["drill"]["ok"]
    assert manifest["proven"] == made["proof"]["level"] == "restored"
    assert manifest["label"] == "before the move" and manifest["created_by"] == "the tests"
    assert manifest["facts"]["tables"] == found["tables"]
    assert manifest["database"]["wal_start"] and manifest["database"]["schema_version"] != ""
    assert "pg_dump" in manifest["database"]["tool"]
    assert manifest["golden"] == 8
    assert manifest["originals"]["files"] == 1
    assert backups.sets()[0] == {"verified": True, "proven": "restored", **{
        key: made[key] for key in ("id", "kind", "label", "created_at", "size_bytes")}}
    assert "Backup completed: " + made["id"] in backups.log()
    assert backups.hidden() == []


def test_the_password_is_on_no_command_line(stack, backups, slow):
    password = urllib.parse.urlsplit(stack.env["DATABASE_URL"]).password
    process = backups.start("create", "--verify", "none", **slow)
    seen = set()
    while process.poll() is None and not any("pg_dump" in words for words in seen):
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = path.read_bytes().decode(errors="replace")
                if "pg_dump" in words or "cairn-backup" in words:
                    seen.add(words)
    process.terminate()
    process.communicate(timeout=60)
    assert any("pg_dump" in words for words in seen)
    assert not any(password in words for words in seen)


def test_originals_are_copied_once(backups, made, original):
    files = [path for path in (backups.dir / ".files").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files] == [original]
    again = backups.create("--verify", "none", "--kind", "files")
    assert again["originals"]["files"] >= 1 and again["originals"]["copied"] == 0


def test_a_flipped_bit_is_found(backups, made):
    manifest = backups.manifest(made["id"])
    parts = [part["name"] for stream in manifest["streams"].values() for part in stream["parts"]]
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    for name in [*parts, "manifest.json"]:
        path = backups.dir / made["id"] / name
        good = path.read_bytes()
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        path.write_bytes(bad)
        if name == "manifest.json" and json_equal(good, bad):
            path.write_bytes(good)
            continue
        result = backups.run("verify", made["id"], code=3)
        assert result["ok"] is False and result["problems"], (name, seed)
        assert made["id"] not in [s["id"] for s in backups.sets() if s["verified"]], (name, seed)
        path.write_bytes(good)
    assert backups.run("verify", made["id"])["ok"] is True, seed


def json_equal(one, other):
    """A bit of white space says nothing."""
    try:
        return json.loads(one) == json.loads(bytes(other))
    except ValueError:
        return False


def test_a_killed_run_leaves_no_set(backups, slow):
    before = [one["id"] for one in backups.sets()]
    process = backups.start("create", "--verify", "none", **slow)
    met(backups, process)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert [one["id"] for one in backups.sets()] == before
    assert backups.run("prune")["removed"] == []  # any next run clears away
    assert backups.hidden() == []


def test_a_cancelled_run_leaves_nothing(backups, slow):
    before = [one["id"] for one in backups.sets()]
    process = backups.start("create", "--verify", "none", **slow)
    met(backups, process)
    assert "another run is under way" in backups.run("create", code=1)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 1 and "cancelled" in said
    assert backups.hidden() == [] and [one["id"] for one in backups.sets()] == before


def test_a_full_disk_leaves_nothing(backups):
    before = [one["id"] for one in backups.sets()]
    assert "short" in backups.run("create", code=1, BACKUP_MIN_FREE_MB="999999999")
    limited = subprocess.run(
        ["prlimit", "--fsize=20000", PROGRAM, "create", "--verify", "none"],
        env=backups.environment, capture_output=True, text=True, timeout=120, check=False)
    assert limited.returncode == 1 and "cannot be written" in limited.stderr
    assert backups.hidden() == [] and [one["id"] for one in backups.sets()] == before


def test_encrypted_sets_need_the_private_key(stack, backups, tmp_path):
    keys = backups.run("keys")
    server = Backups(tmp_path, stack, BACKUP_PUBLIC_KEY=keys["BACKUP_PUBLIC_KEY"],
                     BACKUP_SIGNING_KEY=keys["BACKUP_SIGNING_KEY"])
    made = server.create()
    assert made["proof"]["level"] == "checksums"  # all that can be looked at there
    assert [(one["verified"], one["proven"]) for one in server.sets()] == [(True, "checksums")]
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"lighthouse" not in path.read_bytes()
    assert "BACKUP_PRIVATE_KEY" in server.run("drill", made["id"], code=1)
    owner = {"BACKUP_PRIVATE_KEY": keys["BACKUP_PRIVATE_KEY"]}
    assert server.run("drill", made["id"], **owner)["ok"] is True
    assert server.run("verify", made["id"])["level"] == "checksums"
    assert server.sets()[0]["proven"] == "restored"  # which those bytes once were
    other = backups.run("keys")["BACKUP_SIGNING_KEY"]
    refused = server.run("verify", made["id"], code=3, BACKUP_SIGNING_KEY=other)
    assert "another key" in refused["problems"][0]


NO_RULES = {f"BACKUP_RETENTION_{name}": "0" for name in ("DAYS", "DAILY", "WEEKLY", "MONTHLY")}


@pytest.fixture
def sealed(stack, backups, tmp_path):
    """A server without the private key, with two sets of files: the first has one more."""
    server = Backups(tmp_path, stack, FILE_STORE=f"dir:{tmp_path}/store", **NO_RULES,
                     BACKUP_PUBLIC_KEY=backups.run("keys")["BACKUP_PUBLIC_KEY"],
                     BACKUP_RETENTION_COUNT="1")
    server.hashes = []
    for text in (b"kept", b"dropped"):
        name = hashlib.sha256(text).hexdigest()
        path = tmp_path / "store" / name[:2] / name
        path.parent.mkdir(parents=True)
        path.write_bytes(text)
        server.hashes.append(name)
    server.old = server.create("--kind", "files")["id"]
    path.unlink()
    server.new = server.create("--kind", "files")["id"]
    return server


def pool(server):
    return sorted(path.stem for path in (server.dir / ".files").rglob("*.sealed"))


def test_a_server_without_the_private_key_prunes_originals(sealed):
    assert pool(sealed) == sorted(sealed.hashes)
    dry = sealed.run("prune", "--dry-run")
    assert dry["removed"] == [sealed.old] and dry["originals_removed"] == 1
    done = sealed.run("prune")
    assert done["removed"] == [sealed.old] and done["originals_removed"] == 1
    assert "originals_kept" not in done and pool(sealed) == sealed.hashes[:1]
    damaged = next(sealed.dir.rglob("*.sealed"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert "damaged" in sealed.run("verify", sealed.new, code=3)["problems"][0]


def test_originals_stay_while_a_list_of_them_cannot_be_read(sealed):
    (sealed.dir / sealed.new / "files.000").write_bytes(b"nothing")
    done = sealed.run("prune")
    assert done["removed"] == [sealed.old] and done["originals_removed"] == 0
    assert "files.000" in done["originals_kept"] and pool(sealed) == sorted(sealed.hashes)


def test_a_set_becomes_another_database(stack, backups, made):
    name = "restored_by_tests"
    backups.run("restore", made["id"], "--target", "database", "--database", name)
    try:
        tables = made["proof"]["found"]["tables"]
        for table in ("documents", "chunks", "chunk_vectors"):
            assert int(sql(stack, f"SELECT count(*) FROM {table}", name)) \
                == tables["public." + table]
        assert "already" in backups.run("restore", made["id"], "--target", "database",
                                        "--database", name, code=1)
    finally:
        sql(stack, f"DROP DATABASE {name}")


def test_retention_never_takes_the_last_verified_set(backups, made):
    rules = {**NO_RULES, "BACKUP_RETENTION_COUNT": "1"}
    unwanted = backups.create("--verify", "none")["id"]
    newest = backups.create("--verify", "none")["id"]
    dry = backups.run("prune", "--dry-run", **rules)
    assert made["id"] in [one["id"] for one in dry["kept"]]
    assert unwanted in dry["removed"]
    assert set(dry["removed"]) <= {one["id"] for one in backups.sets()}
    assert backups.run("prune", **rules)["removed"] == dry["removed"]
    left = [one["id"] for one in backups.sets()]
    assert newest in left and made["id"] in left
    assert "stays" in backups.run("delete", made["id"], code=1)
    assert "no rule keeps it" in backups.log()
    assert backups.run("verify", made["id"])["ok"] is True


# --- by the gateway


def finished(stack, reply):
    assert reply.status == 202, reply.body
    place = reply.headers["Location"]

    def ended():
        reply = stack.get(place)
        if reply.status == 503:  # the service was just started again
            return None
        run = reply.json()
        return run if run["state"] not in ("queued", "running") else None
    return eventually(ended, seconds=120, what=stack.logs)


def test_the_api_makes_proves_and_removes_sets(stack, original):
    run = finished(stack, stack.taken("/api/backups", {"label": "by the API", "verify": True}))
    assert run["state"] == "done", run
    assert run["result"]["proof"]["ok"] is True and run["kind"] == "create"
    name = run["result"]["id"]
    listed = stack.get("/api/backups").json()["backups"][0]
    assert listed["id"] == name and listed["verified"] is True
    assert listed["proven"] == "restored"
    manifest = stack.get(f"/api/backups/{name}").json()
    assert manifest["label"] == "by the API" and manifest["drill"]["ok"] is True
    assert stack.get("/api/backups/none").status == 404
    assert stack.get("/api/backups/..").status in (400, 404)
    assert finished(stack, stack.post(f"/api/backups/{name}/verify", None))["state"] == "done"
    run = finished(stack, stack.post(f"/api/backups/{name}/restore", {"target": "scratch"}))
    assert run["state"] == "done" and run["result"]["ok"] is True
    run = finished(stack, stack.post(f"/api/backups/{name}/restore?until=latest",
                                     {"target": "scratch"}))
    assert run["state"] == "failed" and "until needs a physical set" in run["error"]
    assert stack.post(f"/api/backups/{name}/restore", {"target": "live"}).status == 400
    run = finished(stack, stack.delete(f"/api/backups/{name}"))
    assert run["state"] == "failed" and "stays" in run["error"]
    assert finished(stack, stack.post("/api/backups/prune", {"dry_run": True}))["result"][
        "removed"] == []
    assert {"create", "verify", "restore", "delete", "prune"} <= {
        run["kind"] for run in stack.get("/api/backups/runs").json()["runs"]}
    schedule = stack.get("/api/backups/schedule").json()
    assert schedule["schedule"] == "" and schedule["next"] == []  # as stack.py has it
    for series in ('cairn_backup_last_success_timestamp_seconds{kind="full"}',
                   "cairn_backup_last_verified_restore_timestamp_seconds",
                   'cairn_backup_size_bytes{kind="full"}',
                   'cairn_backup_duration_seconds_count{run="create"}', "cairn_backup_rpo_seconds",
                   'cairn_backup_failures_total{stage="delete"}'):
        eventually(lambda name=series: stack.figure("backup", name), seconds=60,
                   what=stack.logs)
    shutil.rmtree(pathlib.Path(stack.dir, "backups", name))  # other tests know of none


def test_runs_are_known_after_their_service_was_killed(stack):
    """The run itself goes on; killed too, it is told as interrupted."""
    def ask(path, key, method=stack.get):  # for a moment nobody may be there to answer
        def taken():
            reply = method(path)
            return reply if reply.status != 503 else None
        return eventually(taken, seconds=60, what=stack.logs).json()[key]

    def locks(how):
        return int(sql(stack, f"SELECT count(*) FROM pg_locks WHERE {how} "
                       "AND relation = 'chunks'::regclass"))

    def held():
        return locks("granted AND mode = 'AccessExclusiveLock'") == 1

    finished(stack, stack.taken("/api/backups/prune", {"dry_run": True}))
    older = ask("/api/backups/runs", "runs")[0]["run_id"]
    before = {path.name for path in pathlib.Path(stack.dir, "backups").iterdir()}
    holder = subprocess.Popen(["psql", "-Xq", stack.env["DATABASE_URL"]],
                              stdin=subprocess.PIPE, text=True)
    for ending in ("interrupted", "canceled"):
        holder.stdin.write("BEGIN; LOCK TABLE chunks;\n")
        holder.stdin.flush()
        eventually(held, seconds=60)
        place = stack.taken("/api/backups", {"verify": False}).headers["Location"]
        note = pathlib.Path(stack.dir, "backups/.runs", place.rsplit("/", 1)[1] + ".json")
        eventually(lambda at=note: at.exists() and json.loads(at.read_text())["state"] ==
                   "running" and locks("NOT granted") > 0, seconds=60, what=stack.logs)
        service, *run = stack.family("backup")
        stack.kill("backup")
        eventually(lambda old=service: stack.pid_or_none("backup") not in (None, old),
                   seconds=60, what=stack.logs)
        assert older in [one["run_id"] for one in ask("/api/backups/runs", "runs")]
        assert ask(place, "state") == "running"  # by the process that was left
        if ending == "interrupted":
            os.kill(run[0], signal.SIGKILL)
        else:
            ask(place, "state", stack.delete)
        holder.stdin.write("COMMIT;\n")
        holder.stdin.flush()
        eventually(lambda at=place: ask(at, "state") != "running", seconds=60, what=stack.logs)
        assert ask(place, "code") == ending
        assert ask(place, "state") == ("failed" if ending == "interrupted" else "cancelled")
        assert ask(place, "code", stack.delete) == "conflict"
    holder.stdin.close()
    holder.wait(timeout=60)
    eventually(lambda: finished(stack, stack.taken("/api/backups/prune", {"dry_run": True}))[
        "state"] == "done", seconds=60, what=stack.logs)  # which clears away
    left = {path.name for path in pathlib.Path(stack.dir, "backups").iterdir()}
    assert {name for name in left - before if name[0] != "."} == set()
    assert not any(name.startswith(".making") for name in left)


def test_sets_are_due_by_a_schedule(backups):
    plan = backups.run("schedule", "--next", "5")
    assert plan["schedule"] == "0 2 * * *" and len(plan["next"]) == 5
    never = backups.run("schedule", "--next", "5", BACKUP_SCHEDULE="")
    assert never["next"] == []


def test_what_makes_no_sense_is_refused(stack):
    reply = stack.post("/api/backups", {"kind": "everything"})
    assert reply.status == 400 and reply.json()["field"] == "kind"
