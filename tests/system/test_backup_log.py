"""The write-ahead log of a real PostgreSQL stored as it comes, and recovered to a moment."""

import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import urllib.parse

import pytest
from backups import Backups
from conftest import eventually
from fake_s3 import BUCKET, FakeS3


class Stream:
    """`cairn-backup stream`, and what is stored of it."""

    def __init__(self, backups):
        self.backups = backups
        self.process = None

    def up(self):
        self.process = self.backups.start("stream")
        return self

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=60)

    def down(self):
        self.process.terminate()
        said = self.process.communicate(timeout=60)[1]
        assert "Sanitizer" not in said and "runtime error" not in said, said

    def receiver(self):
        """pg_receivewal's number; None while it is not there."""
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = path.read_bytes()
                if b"/pg_receivewal\0" in words and os.fsencode(self.backups.dir) in words:
                    return int(path.parent.name)
        return None


def records(backups):
    return sorted(path for path in (backups.dir / ".wal").glob("*/*.json")
                  if path.name[0] == "0")


def now(stack):
    return stack.psql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
                      "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")


def stored(backups, name, moment):
    """All that was committed before the moment is stored."""
    def reaches():
        log = backups.run("verify", name)["log"]
        return log["missing"] == 0 and log["recovery_point"] > moment
    eventually(reaches, seconds=90, what=lambda: str(backups.run("verify", name)["log"]))


def notes(stack):
    return int(stack.psql("SELECT count(*) FROM wal_notes"))


def load(stack, rows):
    stack.psql("INSERT INTO wal_notes (note) "
               f"SELECT repeat(md5(g::text), 20) FROM generate_series(1, {rows}) g")


def drilled(backups, name, *words, **settings):
    """Rows that came back."""
    result = backups.run("drill", name, *words, **settings)
    assert result["ok"] is True, result
    return result["found"]["tables"]["public.wal_notes"]


@pytest.fixture(scope="module")
def log(stack, tmp_path_factory):
    """The log of the server is stored from here on, with a physical set to begin with."""
    stack.psql("CREATE TABLE IF NOT EXISTS wal_notes (id serial PRIMARY KEY, note text)")
    home = tmp_path_factory.mktemp("log")
    s3 = FakeS3()
    settings = {**s3.settings(), "FILE_STORE": f"dir:{home}/none"}
    one = Backups(home, stack, BACKUP_WAL="true", BACKUP_WAL_SECONDS="1",
                  BACKUP_WAL_SLOT="wal_tests", **settings,
                  BACKUP_PLACES=f"{home}/elsewhere,s3://{BUCKET}/log")
    one.s3 = s3
    stream = Stream(one).up()
    eventually(stream.receiver, seconds=60)
    one.made = one.create("--kind", "physical")
    one.stream = stream
    yield one
    stream.down()
    eventually(lambda: stack.psql("SELECT count(*) FROM pg_replication_slots "
                                  "WHERE slot_name = 'wal_tests' AND NOT active") == "1",
               seconds=60)
    stack.psql("SELECT pg_drop_replication_slot('wal_tests')")
    s3.close()


def test_a_set_with_its_log_has_the_same_numbers(log):
    assert log.made["ok"] is True and log.made["proof"]["counts"] == "equal"


@contextlib.contextmanager
def started(directory):
    """A PostgreSQL on a restored directory, as its operator would start it."""
    tools = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"),
                key=lambda path: int(path.parent.name))
    user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="cairn-") as home:
        os.chmod(home, 0o777)
        process = subprocess.Popen(
            [tools / "postgres", "-D", directory, "-c", "listen_addresses=", "-c",
             f"unix_socket_directories={home}"], cwd="/", **user,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: subprocess.run(["pg_isready", "-qh", home],
                                              check=False).returncode == 0, seconds=60)
            yield home
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def test_a_moment_comes_back(stack, log):
    name = log.made["id"]
    stack.psql("INSERT INTO wal_notes (note) VALUES ('before the moment')")
    moment = now(stack)
    stack.psql("INSERT INTO wal_notes (note) VALUES ('after the moment')")
    rows = notes(stack)
    stored(log, name, now(stack))
    assert drilled(log, name, "--until", moment) == rows - 1
    assert drilled(log, name, "--until", "latest") == rows
    with tempfile.TemporaryDirectory(prefix="cairn-") as home:
        os.chmod(home, 0o755)
        done = log.run("restore", name, "--target", "directory", "--directory",
                       f"{home}/data", "--until", moment)
        assert done["directory"] == f"{home}/data" and done["recovered"]["last_commit"] <= moment
        url = urllib.parse.urlsplit(stack.env["DATABASE_URL"])
        with started(done["directory"]) as sockets:
            assert stack.psql(
                "SELECT string_agg(note, ',') FROM wal_notes WHERE note LIKE '%moment'",
                f"postgresql://{url.username}:{url.password}@/{url.path[1:]}?host={sockets}"
            ) == "before the moment"
        assert "not an empty directory" in log.run(
            "restore", name, "--target", "directory", "--directory", done["directory"], code=1)


def test_a_time_that_is_not_stored_yet_is_told(log):
    said = log.run("drill", log.made["id"], "--until", "2199-01-01T00:00:00Z", code=1)
    assert "the stored log ends at" in said


def test_killed_at_any_moment_no_gap_is_left(stack, log):
    """Now the one, now the other; the load goes on."""
    chance = random.Random()
    for turn in range(4):
        for _ in range(chance.randrange(1, 4)):
            load(stack, 3000)  # some 2 MB of log
        if turn % 2:
            receiver = log.stream.receiver()
            if receiver:
                os.kill(receiver, signal.SIGKILL)
        else:
            log.stream.kill()
            log.stream.up()
        load(stack, 3000)
    for _ in range(3):  # whole segments, whatever was written
        stack.psql("SELECT pg_switch_wal()")
        load(stack, 10)
    rows = notes(stack)
    stored(log, log.made["id"], now(stack))
    assert len(records(log)) >= 3
    assert drilled(log, log.made["id"], "--until", "latest") == rows


def test_an_empty_machine_gets_the_log_too(stack, log, tmp_path):
    """The set was copied when it was made, the log as it came."""
    name = log.made["id"]
    rows = notes(stack)
    stored(log, name, now(stack))

    def kept(folder):
        return {path.name: path.read_bytes() for path in folder.glob("*/*.json")}
    eventually(lambda: kept(log.dir / ".wal") == kept(log.scratch / "elsewhere/.wal"),
               seconds=60)
    fresh = Backups(tmp_path, stack, FILE_STORE=f"dir:{tmp_path}/none")
    done = fresh.run("fetch", name, "--from", f"{log.scratch}/elsewhere")
    assert done["log_files"] >= 2 * len(records(fresh)) > 0
    assert drilled(fresh, name, "--until", "latest") == rows


def test_a_moment_comes_back_from_s3_alone(stack, log, tmp_path):
    """Set and log went to the bucket; the machine has nothing else."""
    name = log.made["id"]
    rows = notes(stack)
    moment = now(stack)
    load(stack, 10)
    later = now(stack)

    def kept():
        """The records of the log, whose files went first."""
        return {key.split("/.wal/")[1] for key in log.s3.objects()
                if "/.wal/" in key and key.endswith(".json")}

    stored(log, name, later)
    assert {f"{path.parent.name}/{path.name}" for path in records(log)} <= kept()
    fresh = Backups(tmp_path, stack, **log.s3.settings(), BACKUP_WAL_SLOT="none")
    fresh.environment["FILE_STORE"] = f"dir:{tmp_path}/none"
    fresh.run("fetch", name, "--from", f"s3://{BUCKET}/log")
    assert fresh.run("verify", name)["log"]["missing"] == 0
    assert drilled(fresh, name, "--until", moment) == rows
    assert drilled(fresh, name, "--until", later) == rows + 10


def test_a_missing_segment_is_told(stack, log):
    name = log.made["id"]
    segment = records(log)[-2]
    aside = segment.with_suffix(".aside")
    segment.rename(aside)
    try:
        result = log.run("verify", name, code=3)
        assert result["log"]["missing"] == 1
        assert result["log"]["first_missing"] == segment.stem
        assert segment.stem in result["problems"][0]
        assert segment.stem in log.run("drill", name, "--until", "latest", code=1)
    finally:
        aside.rename(segment)
    part = segment.with_suffix(".000")
    good = part.read_bytes()
    part.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    try:
        assert part.name in log.run("verify", name, code=3)["problems"][0]
    finally:
        part.write_bytes(good)
    assert log.run("verify", name)["ok"] is True


def test_retention_keeps_the_log_that_sets_need(stack, log):
    rules = {f"BACKUP_RETENTION_{rule}": "0" for rule in ("DAYS", "DAILY", "WEEKLY", "MONTHLY")}
    log.run("prune")  # what was stored before the first set
    assert log.run("prune")["segments_removed"] == 0
    second = log.create("--kind", "physical")
    assert second["ok"] is True
    load(stack, 100)
    before = len(records(log))
    dry = log.run("prune", "--dry-run", **rules, BACKUP_RETENTION_COUNT="1")
    assert dry["removed"] == [log.made["id"]]
    assert dry["segments_removed"] > 0 and len(records(log)) >= before
    done = log.run("prune", **rules, BACKUP_RETENTION_COUNT="1")
    assert done["segments_removed"] == dry["segments_removed"]
    stored(log, second["id"], now(stack))
    assert drilled(log, second["id"], "--until", "latest") == notes(stack)


def test_a_slot_that_was_given_up_leaves_a_gap_that_is_told(stack, log):
    name = log.sets()[0]["id"]
    log.stream.down()
    eventually(lambda: stack.psql("SELECT active FROM pg_replication_slots "
                                  "WHERE slot_name = 'wal_tests'") == "f", seconds=60)
    stack.psql("SELECT pg_drop_replication_slot('wal_tests')")
    for _ in range(2):
        load(stack, 10)
        stack.psql("SELECT pg_switch_wal()")
    stack.psql("CHECKPOINT")  # where a new slot begins
    log.stream.up()

    def missing():
        load(stack, 10)
        return json.loads(log.start("verify", name).communicate(timeout=120)[0])["log"]["missing"]
    eventually(missing, seconds=90)
    assert "are missing" in log.run("verify", name, code=3)["problems"][0]
    newer = log.create("--kind", "physical", "--verify", "none")["id"]
    stored(log, newer, now(stack))
    older = log.run("verify", name)  # recovery ends there, and goes on from the newer one
    assert older["ok"] is True and older["log"]["missing"] > 0


def test_one_replica_at_a_time(stack, log, tmp_path):
    other = Backups(tmp_path, stack, BACKUP_WAL_SLOT="wal_tests")
    assert "another replica" in other.run("stream", code=1)
    assert "received already" in log.run("stream", code=1)
