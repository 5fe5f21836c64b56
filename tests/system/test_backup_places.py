"""Copies elsewhere, and from there to an empty machine."""

import pathlib
import subprocess

import pytest
from backups import Backups, empty_server
from fake_s3 import BUCKET, FakeS3


@pytest.fixture(scope="module")
def s3():
    fake = FakeS3()
    yield fake
    fake.close()


@pytest.fixture(scope="module")
def copied(stack, s3, tmp_path_factory):
    """A set that is also in a bucket and in another directory."""
    home = tmp_path_factory.mktemp("places")
    settings = {name: value for name, value in s3.settings().items() if name != "FILE_STORE"}
    backups = Backups(home, stack, BACKUP_PART_MB="1", BACKUP_COMPRESSION="none", **settings,
                      BACKUP_PLACES=f"s3://{BUCKET}/cairn,{home}/elsewhere")
    files = pathlib.Path(stack.dir, "files")
    backups.expected_files = sorted(path.name for path in files.rglob("*") if path.is_file())
    backups.made = backups.create("--verify", "verify")
    return backups


def test_a_set_is_copied_to_all_places(copied, s3):
    assert [copy["ok"] for copy in copied.made["copies"]] == [True, True]
    name = copied.made["id"]
    local = {path.name: path.read_bytes() for path in (copied.dir / name).iterdir()}
    assert {"manifest.json", "database.000", "golden.000", "settings.000"} <= set(local)
    there = {key.rsplit("/", 1)[1]: data for key, data in s3.objects().items()
             if f"/{name}/" in key}
    elsewhere = copied.scratch / "elsewhere" / name
    assert there == local == {path.name: path.read_bytes() for path in elsewhere.iterdir()}


def test_a_copy_goes_on_where_it_broke_off(copied, s3):
    name = copied.made["id"]
    settings = {"BACKUP_PLACES": f"s3://{BUCKET}/again", "S3_ATTEMPTS": "1"}
    s3.fault("status", 1, method="PUT", status=403, code="AccessDenied")
    assert "403" in copied.run("copy", name, code=1, **settings)
    assert not any(key.endswith("manifest.json") for key in s3.objects() if "again/" in key)
    first = copied.run("copy", name, **settings)[0]["sent_bytes"]
    again = copied.run("copy", name, **settings)[0]["sent_bytes"]
    manifest = (copied.dir / name / "manifest.json").stat().st_size
    assert first > again == manifest  # which is always sent


def test_what_is_damaged_is_not_copied(copied, s3):
    name = copied.made["id"]
    path = copied.dir / name / "database.000"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    try:
        copied.run("copy", name, code=1, BACKUP_PLACES=f"s3://{BUCKET}/bad", S3_ATTEMPTS="1")
        copied.run("copy", name, code=1, BACKUP_PLACES=f"{copied.scratch}/bad")
    finally:
        path.write_bytes(good)
    assert not any(key.endswith("manifest.json") for key in s3.objects() if "bad/" in key)
    assert not (copied.scratch / "bad" / name / "manifest.json").exists()


def test_it_comes_back_from_a_directory(stack, copied, tmp_path):
    name = copied.made["id"]
    machine = Backups(tmp_path, stack, FILE_STORE=f"dir:{tmp_path}/files")
    machine.run("fetch", name, "--from", f"{copied.scratch}/elsewhere")
    assert [one["id"] for one in machine.sets()] == [name]
    assert machine.run("verify", name)["ok"] is True
    assert [path.name for path in machine.dir.rglob(".files/*/*")] == [
        path.name for path in copied.dir.rglob(".files/*/*")]


def test_an_empty_machine_gets_everything_back(stack, copied, tmp_path):
    """As docs/disaster-recovery.md says."""
    name = copied.made["id"]
    with empty_server() as url:
        machine = Backups(tmp_path, stack, **{
            key: copied.environment[key] for key in copied.environment if key.startswith("S3_")})
        machine.environment.update(DATABASE_URL=url + "/cairn",
                                   FILE_STORE=f"dir:{tmp_path}/files")
        assert machine.sets() == []
        machine.run("fetch", name, "--from", f"s3://{BUCKET}/cairn")
        assert [one["id"] for one in machine.sets()] == [name]
        assert machine.run("verify", name)["ok"] is True
        assert "confirm" in machine.run("restore", name, "--target", "live", code=2)
        done = machine.run("restore", name, "--target", "live", "--confirm", name)
        assert done["previous_database"] is None
        assert done["originals"]["damaged"] == []
        assert done["originals"]["restored"] == copied.made["originals"]["files"]

        def ask(query):
            return subprocess.run(["psql", "-XAtqc", query, url + "/cairn"], check=True,
                                  capture_output=True, text=True).stdout.strip()
        tables = copied.manifest(name)["facts"]["tables"]
        for table, count in tables.items():
            assert int(ask(f"SELECT count(*) FROM {table}")) == count, table

        # the wrong set: what was there comes back
        ask("DELETE FROM chunks")
        done = machine.run("restore", name, "--target", "live", "--confirm", name)
        assert done["safety_backup"] in [one["id"] for one in machine.sets()]
        assert int(ask("SELECT count(*) FROM chunks")) == tables["public.chunks"]
        assert "no restore was undone" in machine.run("undo", "--confirm", "redo", code=1)
        done = machine.run("undo", "--confirm", "undo")
        assert (done["what"], done["set"]) == ("undo", name)
        assert ask("SELECT count(*) FROM chunks") == "0"
        assert "undone already" in machine.run("undo", "--confirm", "undo", code=1)
        assert ask("SELECT count(*) FROM chunks") == "0"
        done = machine.run("undo", "--confirm", "redo")
        assert (done["what"], done["set"]) == ("redo", name)
        assert int(ask("SELECT count(*) FROM chunks")) == tables["public.chunks"]
