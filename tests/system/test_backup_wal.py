"""Physical sets of a real PostgreSQL and its write-ahead log: recovered to a moment."""

import pytest
from backups import Backups


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
