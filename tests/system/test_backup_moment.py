"""What a running stack works with becomes what it was at a moment: a physical set and the
log, restored in place. The stack's own service keeps the log."""

import json
import os
import pathlib
import signal
import subprocess
import urllib.parse

import pytest
from backups import Backups, empty_server
from cairn import Cairn
from conftest import Stack, eventually


@pytest.fixture(scope="module")
def stack():
    one = Stack(BACKUP_WAL="true", BACKUP_WAL_SECONDS="1", BACKUP_VERIFY="none")
    scratch = pathlib.Path(one.dir, "scratch")
    scratch.mkdir()
    one.environment["BACKUP_SCRATCH_DIR"] = str(scratch)
    one.up().settled()
    one.scratch = scratch
    one.backups = Backups(one.dir, one, BACKUP_WAL="true", BACKUP_VERIFY="none",
                          BACKUP_SCRATCH_DIR=str(scratch))
    one.psql("CREATE TABLE notes (note text)")
    one.psql("CREATE TABLE short_lived (note text)")
    yield one
    one.down()


@pytest.fixture(scope="module")
def made(stack):
    """Made before anything that the tests write: all of that is in the log."""
    return stack.backups.create("--kind", "physical", "--wait")["id"]


def put(stack, name, collection="moments"):
    stack.put(id=name, title=name, text=f"The text of {name}.", collection=collection,
              clearance_level=1)


def found(stack, name):
    return any(hit["document_id"] == name
               for hit in stack.search(f"text of {name}")["results"])


def now(stack):
    return stack.psql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
                      "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")


def note(stack, text):
    stack.psql(f"INSERT INTO notes VALUES ('{text}')")


def notes(stack, url=None):
    return stack.psql("SELECT coalesce(string_agg(note, ',' ORDER BY note), '') FROM notes", url)


def server(stack, name="postgres"):
    url = urllib.parse.urlsplit(stack.env["DATABASE_URL"])
    return url._replace(path="/" + name).geturl()


def beside(stack):
    """Databases that are neither the server's nor the live one."""
    name = urllib.parse.urlsplit(stack.env["DATABASE_URL"]).path[1:]
    return stack.psql("SELECT datname FROM pg_database WHERE NOT datistemplate AND datname "
                      f"NOT IN ('postgres', '{name}') ORDER BY 1", server(stack)).split()


def start(stack, name, until):
    """A live restore by the API: the path of its run."""
    reply = stack.taken(f"/api/backups/{name}/restore?until={until}",
                        {"target": "live", "confirm": name})
    assert reply.status == 202, reply.body
    return reply.headers["Location"]


def ended(stack, place):
    def look():
        run = stack.get(place).json()
        return run if run["state"] not in ("queued", "running") else None
    return eventually(look, seconds=180, what=stack.logs)


def nothing_left(stack, databases):
    """No scratch server, no half database, nothing to be put right."""
    def gone():
        return (list(stack.scratch.iterdir()) == [] and beside(stack) == databases
                and stack.backups.hidden() == [])
    eventually(gone, seconds=120, what=lambda: str((
        list(stack.scratch.iterdir()), beside(stack), stack.backups.hidden())))


def works(stack, name):
    eventually(lambda: stack.post("/api/documents", {
        "id": name, "title": name, "text": f"The text of {name}.", "collection": "moments",
        "clearance_level": 1}).status in (200, 201), seconds=60, what=stack.logs)


def test_a_moment_takes_the_place_of_what_is_there(stack, made, tmp_path):
    """One command; what came later is saved, and comes back by undo."""
    put(stack, "treasure")
    note(stack, "before")
    stack.psql("DROP TABLE short_lived")
    moment = now(stack)
    note(stack, "after")
    put(stack, "later")
    assert stack.delete("/api/documents/treasure").status == 200
    stack.psql("DELETE FROM notes WHERE note = 'before'")
    client = Cairn(tmp_path, stack.env["GATEWAY_URL"])
    run = json.loads(client.run("backup", "restore", made, "--target", "live", "--confirm", made,
                                "--until", moment, "--json").stdout)
    done = run["result"]
    assert run["state"] == "done" and done["recovered"]["last_commit"] <= moment
    assert notes(stack) == "before"
    assert len(done["changed"]) == 1 and "short_lived" in done["changed"][0]  # told, no fault
    eventually(lambda: found(stack, "treasure") and not found(stack, "later"), seconds=120,
               what=stack.logs)
    safety = stack.backups.manifest(done["safety_backup"])
    assert safety["kind"] == "full" and safety["safety"] is True
    nothing_left(stack, [done["previous_database"]])
    works(stack, "newer")
    undone = json.loads(client.run("backup", "undo", "--confirm", "undo", "--json").stdout)
    assert undone["state"] == "done" and notes(stack) == "after"
    eventually(lambda: found(stack, "later") and not found(stack, "treasure"), seconds=120,
               what=stack.logs)
    assert "newer" not in stack.psql("SELECT string_agg(id, ',') FROM documents").split(",")
    works(stack, "newest")
    # the log went on all the time: the same set reaches what came after restore and undo
    note(stack, "afterwards")
    drilled = stack.backups.run("drill", made, "--until", now(stack), "--wait")
    assert drilled["ok"] is True and drilled["found"]["tables"]["public.notes"] == 2


def test_what_cannot_be_reached_changes_nothing(stack, made):
    databases = beside(stack)
    note(stack, "untouched")
    sets = len(stack.backups.sets())
    for until, code, why in (("soon", "bad_request", "until is latest"),
                             ("2020-01-31T12:00:00Z", "bad_request", "an older one"),
                             ("FF/0", "not_found", "the stored log ends"),
                             ("2199-01-01T00:00:00Z", "not_found", "the stored log ends")):
        run = ended(stack, start(stack, made, until))
        assert run["state"] == "failed" and why in run["error"], run
    assert stack.post(f"/api/backups/{made}/restore?until=latest",
                      {"target": "live"}).status == 400  # without its name once more
    said = stack.backups.run("restore", made, "--target", "live", "--confirm", made, "--wait",
                             code=1, BACKUP_MIN_FREE_MB="1000000000")
    assert "BACKUP_SCRATCH_DIR is short" in said
    assert "untouched" in notes(stack) and len(stack.backups.sets()) == sets
    nothing_left(stack, databases)
    works(stack, "after-failures")


def child(stack):
    """The process of the restore that the service runs."""
    for pid in stack.family("backup")[1:]:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"restore" in words:
            return pid
    return None


def servers(stack):
    """PostgreSQL's processes in the scratch directory."""
    return [path for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")
            if os.fsencode(stack.scratch) in read(path)]


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def recovering(stack, _databases):
    return any(stack.scratch.glob("*/data/postmaster.pid"))


def filling(stack, databases):
    return beside(stack) != databases


@pytest.mark.parametrize("middle", [recovering, filling])
def test_cancelled_in_the_middle_nothing_has_changed(stack, made, middle):
    databases = beside(stack)
    note(stack, "kept")
    place = start(stack, made, now(stack))
    eventually(lambda: middle(stack, databases), seconds=120, what=stack.logs)
    assert stack.get(place).json()["stage"] in ("recover", "compare", "restore", "maintenance",
                                                "dump", "files", "config", "write")
    assert stack.delete(place).status == 200
    assert ended(stack, place)["state"] == "cancelled"
    nothing_left(stack, databases)
    assert "kept" in notes(stack) and servers(stack) == []
    works(stack, "after-cancel")


@pytest.mark.parametrize("middle", [recovering, filling])
def test_killed_in_the_middle_nothing_has_changed(stack, made, middle):
    """The service sees to what is left, the scratch server among it."""
    databases = beside(stack)
    note(stack, "alive")
    place = start(stack, made, now(stack))
    eventually(lambda: middle(stack, databases), seconds=120, what=stack.logs)
    os.kill(child(stack), signal.SIGKILL)
    assert ended(stack, place)["state"] == "failed"
    nothing_left(stack, databases)
    assert servers(stack) == [] and "alive" in notes(stack)
    works(stack, "after-kill")


def test_some_of_a_moment(stack, made):
    """Rows of a table, into another database; documents of a collection, among the others."""
    databases = beside(stack)
    put(stack, "sheet", "herbarium")
    put(stack, "stone", "minerals")
    stack.psql("DELETE FROM notes")
    note(stack, "some")
    moment = now(stack)
    note(stack, "more")
    assert stack.delete("/api/documents/sheet").status == 200
    assert stack.delete("/api/documents/stone").status == 200
    words = ("--until", moment, "--wait")
    done = stack.backups.run("restore", made, "--target", "database", "--database", "look",
                             "--table", "notes", *words)
    assert done["tables"] == {"public.notes": 1}
    assert notes(stack, server(stack, "look")) == "some"
    assert stack.psql("SELECT count(*) FROM documents", server(stack, "look")) == "0"
    stack.psql("DROP DATABASE look", server(stack))
    back = stack.backups.run("restore", made, "--target", "live", "--confirm", made,
                             "--collection", "herbarium", *words)
    assert (back["documents"], back["added"]) == (1, 1)
    eventually(lambda: found(stack, "sheet"), seconds=120, what=stack.logs)
    assert not found(stack, "stone") and notes(stack) == "more,some"
    nothing_left(stack, databases)


def test_another_server_gets_the_moment(stack, made, tmp_path):
    """It shares no directory with the one that was saved, and has nothing of its own."""
    note(stack, "elsewhere")
    moment = now(stack)
    note(stack, "too late")
    with empty_server() as url:
        machine = Backups(stack.dir, stack, BACKUP_WAL="true", BACKUP_VERIFY="none",
                          BACKUP_SCRATCH_DIR=str(stack.scratch))
        machine.environment.update(DATABASE_URL=url + "/cairn",
                                   FILE_STORE=f"dir:{tmp_path}/files")
        done = machine.run("restore", made, "--target", "live", "--confirm", made, "--until",
                           moment, "--wait")
        assert done["previous_database"] is None and "safety_backup" not in done
        there = subprocess.run(["psql", "-XAtqc", "SELECT note FROM notes", url + "/cairn"],
                               check=True, capture_output=True, text=True).stdout.split("\n")
        assert "elsewhere" in there and "too late" not in there
    assert list(stack.scratch.iterdir()) == []
