"""Physical sets of a real PostgreSQL, and the service that keeps its write-ahead log."""

import re
import urllib.request

import pytest
from backups import Backups, service
from conftest import eventually


@pytest.fixture(scope="module")
def backups(stack, tmp_path_factory):
    stack.psql("CREATE TABLE IF NOT EXISTS wal_notes (id serial PRIMARY KEY, note text)")
    yield Backups(tmp_path_factory.mktemp("wal"), stack)
    stack.psql("DROP TABLE wal_notes")


@pytest.fixture(scope="module")
def made(backups):
    return backups.create("--kind", "physical")


def test_a_physical_set_proves_itself(stack, backups, made):
    assert made["ok"] is True and made["proof"]["level"] == "restored"
    assert made["proof"]["found"]["tables"]["public.chunks"] > 0
    manifest = backups.manifest(made["id"])
    assert manifest["proven"] == "restored" and "originals" in manifest
    about = manifest["database"]
    assert about["system_identifier"] == stack.psql(
        "SELECT system_identifier FROM pg_control_system()")
    assert about["server_version"] == stack.psql("SHOW server_version")
    assert about["timeline"] == 1 and about["wal_start"] < about["wal_end"]
    assert {"base", "golden", "files", "settings"} <= set(manifest["streams"])
    assert stack.psql("SELECT count(*) FROM pg_replication_slots "
                      "WHERE slot_name LIKE 'cairn_base%'") == "0"


def test_a_damaged_physical_set_is_found(backups, made):
    path = backups.dir / made["id"] / "base.000"
    good = path.read_bytes()
    path.write_bytes(good[:5000] + bytes([good[5000] ^ 1]) + good[5001:])
    try:
        result = backups.run("verify", made["id"], code=3)
        assert "base.000" in result["problems"][0]
    finally:
        path.write_bytes(good)
    assert backups.run("verify", made["id"])["level"] == "archive"


def test_what_cannot_be_is_refused(backups, made):
    said = backups.run("restore", made["id"], "--target", "scratch", "--until", "soon", code=2)
    assert "until is latest" in said
    assert "the stored log ends" in backups.run("drill", made["id"], "--until", "FF/0", code=1)
    assert "an older one" in backups.run("drill", made["id"], "--until", "0/1", code=2)
    assert "BACKUP_RESTORE_DIR" in backups.run(
        "restore", made["id"], "--target", "live", "--confirm", made["id"], code=2)
    assert backups.sets()[0]["verified"] is True  # none of which says anything about the set


# --- the service


def ops_of(home, process, start):
    """Where the process answers that was the start-th."""
    def port():
        assert process.poll() is None
        found = re.findall(r"ops on 127.0.0.1 port (\d+)", (home / "service.log").read_text())
        return found[-1] if len(found) == start else None
    return f"http://127.0.0.1:{eventually(port, seconds=60)}"


def figure(base, name):
    with urllib.request.urlopen(base + "/metrics", timeout=10) as reply:
        for line in reply.read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
    return None


def near(base, home):
    eventually(lambda: (figure(base, "cairn_backup_rpo_seconds") or 99) < 10, seconds=90,
               what=(home / "service.log").read_text)


def write(stack):
    stack.psql("INSERT INTO wal_notes (note) SELECT repeat('x', 999) "
               "FROM generate_series(1, 2000)")


def test_the_service_keeps_the_recovery_point_near(stack, backups, tmp_path):
    """It makes the first set itself, goes on after it was killed, and closes a gap."""
    own = Backups(tmp_path, stack, BACKUP_WAL="true", BACKUP_WAL_SLOT="wal_service",
                  BACKUP_VERIFY="none", BACKUP_WAL_SECONDS="1",
                  FILE_STORE=f"dir:{tmp_path}/none")
    try:
        with service(own, tmp_path) as process:
            base = ops_of(tmp_path, process, 1)
            near(base, tmp_path)
            assert figure(base, "cairn_backup_wal_slot_lag_bytes") >= 0
            assert [one["kind"] for one in own.sets()] == ["physical"]
            name = own.sets()[0]["id"]
            write(stack)
            stack.psql("SELECT pg_switch_wal()")
            write(stack)
            moment = stack.psql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
                                "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            eventually(lambda: own.run("verify", name)["log"]["recovery_point"] > moment,
                       seconds=90)
            process.kill()
            process.wait(timeout=60)
        assert own.run("verify", name)["log"]["missing"] == 0
        max((own.dir / ".wal").glob("*/0*.json")).unlink()
        with service(own, tmp_path) as process:
            base = ops_of(tmp_path, process, 2)
            eventually(lambda: len(own.sets()) == 2, seconds=90,
                       what=(tmp_path / "service.log").read_text)
            near(base, tmp_path)
    finally:
        eventually(lambda: stack.psql(
            "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'wal_service' "
            "AND active") == "0", seconds=60)
        stack.psql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                   "WHERE slot_name = 'wal_service'")
