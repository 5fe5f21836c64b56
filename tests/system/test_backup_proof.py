"""What a set says of itself, and what a drill finds where it is not so."""

import contextlib
import hashlib
import json
import pathlib
import re
import signal

import pytest
from backups import Backups
from conftest import eventually


@pytest.fixture(scope="module")
def backups(stack, tmp_path_factory):
    return Backups(tmp_path_factory.mktemp("proof"), stack, BACKUP_COMPRESSION="none",
                   BACKUP_FILES="false")


@pytest.fixture(scope="module")
def name(backups):
    return backups.create("--verify", "none", "--by", "the tests")["id"]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def of_the_whole(manifest):
    return sha256("".join(f"{part['name']} {part['size']} {part['sha256']}\n"
                          for stream in manifest["streams"].values()
                          for part in stream["parts"]).encode())


def test_a_manifest_says_what_there_is(stack, backups, name):
    manifest, folder = backups.manifest(name), backups.dir / name
    parts = [part for stream in manifest["streams"].values() for part in stream["parts"]]
    assert {part["name"] for part in parts} | {"manifest.json"} == {
        path.name for path in folder.iterdir()}
    for part in parts:
        data = (folder / part["name"]).read_bytes()
        assert (part["size"], part["sha256"]) == (len(data), sha256(data))
    assert manifest["sha256"] == of_the_whole(manifest)
    assert manifest["size_bytes"] == sum(part["size"] for part in parts)
    assert manifest["created_at"] <= manifest["finished_at"]
    assert manifest["duration_seconds"] > 0 and manifest["created_by"] == "the tests"
    about = manifest["database"]
    assert about["schema_version"] == stack.psql("SELECT max(version) FROM schema_migrations")
    assert about["server_version"] == stack.psql("SHOW server_version")
    assert "pg_dump" in about["tool"] and manifest["versions"]["cairn"]
    assert stack.psql(f"SELECT pg_current_wal_lsn() >= '{about['wal_start']}'") == "t"
    tables = manifest["facts"]["tables"]
    assert tables["public.documents"] == int(stack.psql("SELECT count(*) FROM documents")) > 0


def forged(backups, name, change):
    """The manifest with another word in it, marked as one without a key would be."""
    path = backups.dir / name / "manifest.json"
    good = path.read_text()
    manifest = json.loads(good, parse_float=lambda digits: f"<{digits}>")  # as they are
    change(manifest)
    manifest["sha256"] = of_the_whole(manifest)
    del manifest["mark"]
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    text = re.sub('"<([^<>"]+)>"', r"\1", text)
    path.write_text(
        text[:-1] + f',"mark":{{"method":"sha256","value":"{sha256(text.encode())}"}}}}')
    return good


def test_a_drill_finds_what_is_not_as_it_was_saved(backups, name):
    golden = backups.dir / name / "golden.000"
    passages = golden.read_bytes()
    found = json.loads(passages)[0]
    other = passages.replace(found["md5"].encode(), b"0" * 32)

    def change(manifest):
        manifest["facts"]["tables"]["public.chunks"] += 1
        for vectors in manifest["facts"]["vectors"].values():
            vectors["dimensions"] -= 1
        manifest["facts"]["foreign_keys"] += 1
        manifest["streams"]["golden"]["parts"][0]["sha256"] = sha256(other)

    golden.write_bytes(other)
    good = forged(backups, name, change)
    try:
        assert backups.run("verify", name)["ok"] is True  # all is as the manifest says
        drilled = backups.run("drill", name, code=3)
    finally:
        golden.write_bytes(passages)
        (backups.dir / name / "manifest.json").write_text(good)
    said = "\n".join(drilled["problems"])
    for word in ("public.chunks: ", "dimensions", "foreign_keys: ",
                 f"passage {found['id']} is not found"):
        assert word in said
    assert drilled["ok"] is False and backups.manifest(name)["verified"] is False


def test_what_is_used_stays(backups, name):
    """Nothing is removed while a set is being restored."""
    run = backups.start("drill", name)
    children = pathlib.Path(f"/proc/{run.pid}/task/{run.pid}/children")
    try:
        eventually(lambda: run.poll() is None and children.read_text(), seconds=60)
        run.send_signal(signal.SIGSTOP)
        for words in (("prune",), ("delete", name)):
            assert "another run is under way" in backups.run(*words, code=1)
    finally:
        with contextlib.suppress(ProcessLookupError):
            run.send_signal(signal.SIGCONT)
    out, said = run.communicate(timeout=240)
    assert run.returncode == 0 and json.loads(out)["ok"] is True, said


def test_no_more_is_written_than_the_limit_lets(backups, tmp_path):
    large = tmp_path / "large"
    with open(large, "wb") as file:
        file.truncate(3 << 20)
    made = backups.create("--kind", "config", "--verify", "none", BACKUP_CONFIG_PATHS=str(large),
                          BACKUP_RATE_MB="1")
    assert backups.manifest(made["id"])["duration_seconds"] > 2
