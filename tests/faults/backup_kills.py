"""Kills runs of backup at random moments, while the write-ahead log of a server under load is
stored: making sets, copying to S3, pruning, storing the log. After each, what is said to be
good must be good, and the next run must work; at the end nothing of the log is missing.
make test-backup-faults (KILLS=50, SEED=n to repeat one)."""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from backups import Backups  # noqa: E402
from fake_s3 import BUCKET, FakeS3  # noqa: E402
from stack import Stack, eventually  # noqa: E402

KILLS = int(os.environ.get("KILLS", "50"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
RULES = {f"BACKUP_RETENTION_{name}": "0" for name in ("DAYS", "DAILY", "WEEKLY", "MONTHLY")}
FILLER = "INSERT INTO filler (t) SELECT repeat(md5(g::text), 20) FROM generate_series(1, {}) AS g"


class Load(threading.Thread):
    """Writes some hundred kB of log at a time."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.ended = stack, threading.Event()

    def run(self):
        while not self.ended.wait(0.3):
            self.stack.psql(FILLER.format(300))

    def end(self):
        self.ended.set()
        self.join(timeout=120)


class Stream:
    def __init__(self, backups):
        self.backups, self.process, self.killed = backups, None, 0

    def up(self):
        if self.process is None or self.process.poll() is not None:
            self.process = self.backups.start("stream")
        return self

    def kill(self, chance):
        """The process, or the tool that it has started."""
        children = pathlib.Path(
            f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        victim = int(chance.choice([self.process.pid, *children]))
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        self.killed += 1
        if victim == self.process.pid:
            self.process.communicate(timeout=60)

    def down(self):
        self.process.terminate()
        self.process.communicate(timeout=60)


def check(backups, s3):
    """Every set that is listed can be read, and so can every copy that has a manifest."""
    good = [one["id"] for one in backups.sets()]
    for name in good:
        assert backups.run("verify", name)["ok"] is True, name
    objects = s3.objects()
    for key in objects:
        if not key.endswith("manifest.json"):
            continue
        name = key.split("/")[-2]
        if name in good:
            for part in (backups.dir / name).iterdir():
                if part.name != "manifest.json":
                    assert objects[f"copies/{name}/{part.name}"] == part.read_bytes(), key
    return good


def kill_one(backups, stream, chance, good):
    """What was killed."""
    stream.up()
    words = chance.choice([("create", "--verify", "none"), ("prune",), ("stream",),
                           ("create", "--verify", "none", "--kind", "physical"),
                           ("copy", chance.choice(good))])
    if words[0] == "stream":
        moment = chance.uniform(0, 1.0)
        try:
            stream.process.wait(timeout=moment)
        except subprocess.TimeoutExpired:  # it streams at that moment, or it has ended by itself
            stream.kill(chance)
        return words
    process = backups.start(*words)
    with contextlib.suppress(subprocess.TimeoutExpired):  # or it ends before
        process.wait(timeout=chance.uniform(0, 1.5))
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    return words


def all_is_stored(stack, backups, stream):
    """Of the newest physical set, up to now: as many rows as there are."""
    stream.up()
    name = backups.create("--kind", "physical", "--verify", "none")["id"]
    rows = int(stack.psql("SELECT count(*) FROM filler"))
    moment = stack.psql("SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', "
                        "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")

    def reaches():
        log = backups.run("verify", name)["log"]
        return log["missing"] == 0 and log["recovery_point"] > moment
    eventually(reaches, seconds=120)
    result = backups.run("drill", name, "--until", "latest")
    assert result["ok"] is True and result["found"]["tables"]["public.filler"] == rows, result


def main():
    chance = random.Random(SEED)
    print(f"SEED={SEED} KILLS={KILLS}", flush=True)
    stack, s3 = Stack().up(), FakeS3()
    settings = {name: value for name, value in s3.settings().items() if name != "FILE_STORE"}
    counts = {}
    with tempfile.TemporaryDirectory(prefix="cairn-faults-") as home:
        stream = load = None
        try:
            stack.psql("CREATE TABLE filler (id bigserial PRIMARY KEY, t text)")
            stack.psql(FILLER.format(20000))
            backups = Backups(home, stack, **settings, **RULES, BACKUP_RETENTION_COUNT="3",
                              BACKUP_PLACES=f"s3://{BUCKET}/copies", BACKUP_PART_MB="1",
                              BACKUP_WAL="true", BACKUP_WAL_SECONDS="1",
                              BACKUP_WAL_SLOT="faults")
            stream = Stream(backups).up()
            good = [backups.create("--verify", "verify")["id"]]
            load = Load(stack)
            load.start()
            for turn in range(KILLS):
                words = kill_one(backups, stream, chance, good)
                what = " ".join(words[:1] + words[3:])
                counts[what.split(" 2")[0]] = counts.get(what.split(" 2")[0], 0) + 1
                before, good = good, check(backups, s3)
                kept = before[:3] if words[0] == "prune" else before  # RULES keep three
                assert set(kept) <= set(good), (turn, words)
                if len(good) > 8:  # or each look takes ever longer
                    backups.run("prune")
                    good = [one["id"] for one in backups.sets()]
            load.end()
            made = backups.create("--verify", "drill")
            assert made["ok"] is True and backups.hidden() == []
            all_is_stored(stack, backups, stream)
            print(f"{KILLS} kills ({counts}): all that is listed is good, no log is missing, "
                  "the next run works")
        finally:
            if load is not None:
                load.end()
            if stream is not None:
                stream.down()
            stack.down()
            s3.close()


if __name__ == "__main__":
    main()
