"""`cairn backup` against the real stack, and without one."""

import json
import pathlib
import shutil

import pytest
from cairn import Cairn
from conftest import eventually


@pytest.fixture
def cairn(stack, tmp_path):
    return Cairn(tmp_path, stack.env["GATEWAY_URL"])


@pytest.fixture(scope="module")
def made(stack, tmp_path_factory):
    """A small set, made by the command."""
    client = Cairn(tmp_path_factory.mktemp("cairn"), stack.env["GATEWAY_URL"])
    done = client.run("backup", "create", "--kind", "config", "--label", "by hand", "--verify",
                      "verify", "--json")
    run = json.loads(done.stdout)
    yield run
    shutil.rmtree(pathlib.Path(stack.dir, "backups", run["result"]["id"]))


def told(done):
    """`label: value` as a dict."""
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


def test_a_set_is_made_and_listed(cairn, made):
    assert made["state"] == "done" and made["result"]["ok"] is True
    name = made["result"]["id"]
    rows = [line.split("\t") for line in cairn.run("backup", "list").stdout.splitlines()]
    row = next(row for row in rows if row[0] == name)
    assert row[1] == "config" and row[4:] == ["true", "checksums", "by hand"]
    listed = [json.loads(line) for line in cairn.run("backup", "list", "--json")
              .stdout.splitlines()]
    assert name in [one["id"] for one in listed]
    shown = told(cairn.run("backup", "show", name))
    assert shown["set"] == name and shown["label"] == "by hand" and shown["verified"] == "true"
    assert json.loads(cairn.run("backup", "show", name, "--json").stdout)["mark"]


def test_it_is_proven_again_and_thinned_out(cairn, made):
    name = made["result"]["id"]
    seen = told(cairn.run("backup", "verify", name))
    assert seen["state"] == "done" and seen["good"] == "true" and seen["set"] == name
    pruned = json.loads(cairn.run("backup", "prune", "--dry-run", "--json").stdout)
    assert pruned["result"]["dry_run"] is True and pruned["result"]["removed"] == []
    kinds = {line.split("\t")[1] for line in cairn.run("backup", "runs").stdout.splitlines()}
    assert {"create", "verify", "prune"} <= kinds
    assert told(cairn.run("backup", "schedule"))["retention"]


def test_failures_have_exit_codes(cairn, made, tmp_path):
    assert "no backup set none" in cairn.run("backup", "show", "none", code=1).stderr
    for verb in ("verify", "drill", "copy", "delete", "restore"):
        none = "20000101T000000Z-full"
        assert "no such backup set" in cairn.run("backup", verb, none, code=1).stderr
    assert "confirm" in cairn.run("backup", "restore", made["result"]["id"], "--target", "live",
                                  code=1).stderr
    cairn.run("backup", "restore", "--target", "moon", made["result"]["id"], code=2)
    cairn.run("backup", "cancel", "0" * 32, code=1)
    assert "lists them" in cairn.run("backup", "mend", code=2).stderr
    assert Cairn(tmp_path, "http://127.0.0.1:1").run("backup", "list", code=3).stderr


def test_a_run_is_started_and_cancelled(cairn, stack):
    run = json.loads(cairn.run("backup", "create", "--verify", "none", "--no-wait", "--json")
                     .stdout)
    cancelling = cairn.start("backup", "cancel", run["run_id"])
    said = cancelling.communicate(timeout=60)[1]
    assert cancelling.returncode == 0 or "ended" in said  # it may have been faster
    ended = eventually(
        lambda: next((line.split("\t")[2] for line in cairn.run("backup", "runs").stdout
                      .splitlines() if line.startswith(run["run_id"])
                      and line.split("\t")[2] not in ("queued", "running")), None), seconds=60)
    assert ended == ("cancelled" if cancelling.returncode == 0 else "done")
    for path in pathlib.Path(stack.dir, "backups").glob("*-full"):
        shutil.rmtree(path)


def test_the_kinds_are_those_of_the_server(cairn, stack):
    described = stack.get("/openapi.json").json()
    body = described["paths"]["/api/backups"]["post"]["requestBody"]["content"][
        "application/json"]["schema"]
    name = body["$ref"].split("/")[-1]
    kinds = described["components"]["schemas"][name]["properties"]["kind"]["enum"]
    assert len(kinds) >= 4
    said = cairn.run("backup", "create", "--kind", "moon", code=2).stderr
    assert all(kind in said for kind in kinds), (kinds, said)


def test_a_physical_set_is_made_and_taken_to_a_moment(cairn, stack):
    made = json.loads(cairn.run("backup", "create", "--kind", "physical", "--verify", "none",
                                "--json").stdout)["result"]
    name, directory = made["id"], pathlib.Path(stack.dir, "backups")
    data = pathlib.Path(stack.dir, "restored-by-hand")  # where PostgreSQL may go, too
    try:
        assert made["kind"] == "physical"
        drilled = told(cairn.run("backup", "drill", name, "--until", "set"))
        assert drilled["good"] == "true" and drilled["set"] == name
        early = cairn.run("backup", "restore", name, "--until", "2020-01-31T12:00:00+01:00",
                          code=1)
        assert "older one" in told(early)["error"]  # the plus has arrived as one
        assert "until is latest" in told(cairn.run(
            "backup", "restore", name, "-t", "scratch", "--until", "soon", code=1))["error"]
        assert "--directory" in cairn.run("backup", "restore", name, "--target", "directory",
                                          "--into", data, code=2).stderr
        done = json.loads(cairn.run(
            "backup", "restore", name, "--target", "directory", "--into", data,
            "--until", "set", "--directory", directory).stdout)
        assert done and (data / "PG_VERSION").exists()
    finally:
        shutil.rmtree(directory / name)
        shutil.rmtree(data, ignore_errors=True)


def test_progress_is_for_people(cairn, made):
    seen = cairn.terminal("backup", "verify", made["result"]["id"])
    assert "state" in seen and "done" in seen


def test_a_directory_is_enough(cairn, stack, made, tmp_path):
    """No service is asked: there is none at that address."""
    directory = pathlib.Path(stack.dir, "backups")
    alone = Cairn(tmp_path, "http://127.0.0.1:1", DATABASE_URL=stack.env["DATABASE_URL"])
    name = made["result"]["id"]
    listed = json.loads(alone.run("backup", "list", "--directory", directory).stdout)
    assert name in [one["id"] for one in listed]
    proof = alone.run("backup", "verify", name, "--directory", directory).stdout
    assert json.loads(proof)["ok"] is True
    seen = alone.run("backup", "show", "none", "--directory", directory, code=1).stderr
    assert "no backup set none" in seen
    made_here = json.loads(alone.run(
        "backup", "create", "--kind", "config", "--verify", "none", "--directory",
        tmp_path / "here").stdout)
    assert (tmp_path / "here" / made_here["id"] / "manifest.json").exists()
