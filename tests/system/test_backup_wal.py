"""Physical sets of a real PostgreSQL, and the service that keeps its write-ahead log."""

import subprocess

import pytest
from backups import Backups, Service
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
    assert "--confirm" in backups.run("restore", made["id"], "--target", "live", code=2)
    assert backups.sets()[0]["verified"] is True  # none of which says anything about the set


# --- the service


class Busy:
    """Another backup of the database is being made, as far as can be seen."""

    def __init__(self, stack):
        self.psql = subprocess.Popen(["psql", "-XAtq", stack.env["DATABASE_URL"]],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        self.psql.stdin.write("SELECT pg_try_advisory_lock(hashtext('cairn-backup'), 1);\n")
        self.psql.stdin.flush()
        assert self.psql.stdout.readline().strip() == "t"
        return self

    def __exit__(self, *_):
        self.psql.communicate(timeout=60)


def write(stack):
    stack.psql("INSERT INTO wal_notes (note) SELECT repeat('x', 999) "
               "FROM generate_series(1, 2000)")


def test_the_service_keeps_the_recovery_point_near(stack, backups, tmp_path):
    """It makes the first set itself, goes on after it was killed, and closes a gap."""
    own = Backups(tmp_path, stack, BACKUP_WAL="true", BACKUP_WAL_SLOT="wal_service",
                  BACKUP_VERIFY="none", BACKUP_WAL_SECONDS="1",
                  FILE_STORE=f"dir:{tmp_path}/none")
    try:
        with Service(own, tmp_path / "first.log") as one:
            one.until(lambda: (one.figure("cairn_backup_rpo_seconds") or 99) < 10)
            assert one.figure("cairn_backup_wal_slot_lag_bytes") >= 0
            assert [made["kind"] for made in own.sets()] == ["physical"]
            name = own.sets()[0]["id"]
            write(stack)
            stack.psql("SELECT pg_switch_wal()")
            write(stack)
            moment = stack.psql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
                                "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            one.until(lambda: own.run("verify", name, "--wait")["log"]["recovery_point"] > moment)
            one.process.kill()
            one.process.wait(timeout=60)
        assert own.run("verify", name, "--wait")["log"]["missing"] == 0
        max((own.dir / ".wal").glob("*/0*.json")).unlink()
        with Service(own, tmp_path / "second.log") as other:
            with Busy(stack):  # so that the gap stays for as long as we look
                other.says("segments of the write-ahead log are missing")
                assert len(own.sets()) == 1
            other.until(lambda: len(own.sets()) == 2)
            assert own.run("verify", own.sets()[0]["id"], "--wait")["log"]["missing"] == 0
    finally:
        eventually(lambda: stack.psql(
            "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'wal_service' "
            "AND active") == "0", seconds=60)
        stack.psql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                   "WHERE slot_name = 'wal_service'")
