"""Kills runs of backup at random moments: making, copying to S3, pruning. After each, what is
said to be good must be good, and the next run must work. make test-backup-faults
(KILLS=50, SEED=n to repeat one)."""

import contextlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from backups import Backups  # noqa: E402
from fake_s3 import BUCKET, FakeS3  # noqa: E402
from stack import Stack  # noqa: E402

KILLS = int(os.environ.get("KILLS", "50"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))
RULES = {f"BACKUP_RETENTION_{name}": "0" for name in ("DAYS", "DAILY", "WEEKLY", "MONTHLY")}


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


def main():
    chance = random.Random(SEED)
    print(f"SEED={SEED} KILLS={KILLS}", flush=True)
    stack, s3 = Stack().up(), FakeS3()
    settings = {name: value for name, value in s3.settings().items() if name != "FILE_STORE"}
    with tempfile.TemporaryDirectory(prefix="cairn-faults-") as home:
        try:
            subprocess.run(["psql", "-Xqc", "CREATE TABLE filler AS SELECT g, md5(g::text) AS t "
                            "FROM generate_series(1, 200000) AS g", stack.env["DATABASE_URL"]],
                           check=True)
            backups = Backups(home, stack, **settings, **RULES, BACKUP_RETENTION_COUNT="3",
                              BACKUP_PLACES=f"s3://{BUCKET}/copies", BACKUP_PART_MB="1")
            good = [backups.create("--verify", "verify")["id"]]
            for _ in range(KILLS):
                words = chance.choice([("create", "--verify", "none"), ("prune",),
                                       ("copy", chance.choice(good))])
                process = backups.start(*words)
                with contextlib.suppress(subprocess.TimeoutExpired):  # or it ends before
                    process.wait(timeout=chance.uniform(0, 1.0))
                process.send_signal(signal.SIGKILL)
                process.communicate(timeout=60)
                before, good = good, check(backups, s3)
                kept = before[:3] if words[0] == "prune" else before  # RULES keep three
                assert set(kept) <= set(good), words
            made = backups.create("--verify", "drill")
            assert made["ok"] is True and backups.hidden() == []
            print(f"{KILLS} kills: all that is listed is good, the next run works")
        finally:
            stack.down()
            s3.close()


if __name__ == "__main__":
    main()
