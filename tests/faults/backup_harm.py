"""Harm that is done to sets: bits flipped, files cut short, made longer and taken away, in
every kind of file that a set has, its log and originals included, plain and encrypted: each
must be reported. And disks that are full: whatever a run meets, no half set is left, and
with room the next run works. make test-backup-faults (FLIPS=20 of each file, SEED=n)."""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from backups import PROGRAM, Backups  # noqa: E402
from stack import Stack, eventually  # noqa: E402

FLIPS = int(os.environ.get("FLIPS", "20"))
DISKS = int(os.environ.get("DISKS", "12"))
SEED = int(os.environ.get("SEED", str(random.randrange(1 << 30))))


# --- harm to what is there


def flip(chance, data):
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1:]


def cut(chance, data):
    return data[:chance.randrange(len(data))]


def lengthen(chance, data):
    return data + chance.randbytes(chance.randrange(1, 9))


def take_away(_chance, _data):
    return None


def says_the_same(path, good, bad):
    """A bit of white space in JSON."""
    if bad is None or path.suffix != ".json":
        return False
    try:
        return json.loads(good) == json.loads(bad)
    except ValueError:
        return False


def reported(backups, name):
    """verify does not say that it is good, and no list does afterwards."""
    process = backups.start("verify", name)
    out, said = process.communicate(timeout=240)
    if process.returncode == 0:
        return False
    assert process.returncode in (1, 3), (process.returncode, said)
    if process.returncode == 3:
        result = json.loads(out)
        assert result["ok"] is False and result["problems"], result
    return name not in [one["id"] for one in backups.sets() if one["verified"]]


def files_of(backups, name):
    """What the set rests on, a path and how to call it."""
    manifest = backups.manifest(name)
    for path in sorted((backups.dir / name).iterdir()):
        yield path, path.name
    if manifest["streams"].get("files"):
        for path in sorted((backups.dir / ".files").rglob("*")):
            if path.is_file():
                yield path, "original"
    if name.endswith("physical"):
        records = sorted(path for path in (backups.dir / ".wal").glob("*/0*.json"))
        # the first may be of before the set, the last of after what was stored whole
        for record in records[1:-1][:2]:
            yield record, "log record"
            yield record.with_suffix(".000"), "log"


def harm(backups, name, chance, tally):
    for path, kind in files_of(backups, name):
        good = path.read_bytes()
        for how, times in ((flip, FLIPS), (cut, 2), (lengthen, 1), (take_away, 1)):
            for _ in range(times):
                bad = how(chance, good)
                if bad == good or says_the_same(path, good, bad):
                    continue
                path.unlink()
                if bad is not None:
                    path.write_bytes(bad)
                assert reported(backups, name), (name, path, how.__name__, SEED)
                tally[kind] = tally.get(kind, 0) + 1
                path.write_bytes(good)
    assert backups.run("verify", name)["ok"] is True  # as it was


# --- disks that are full


def on_a_disk(backups, kilobytes, words):
    """The run on a file system of that size, with what was there on it; what is there then
    comes back. By RLIMIT_FSIZE where nothing may be mounted."""
    inner = pathlib.Path(backups.scratch, "disk")
    inner.mkdir(exist_ok=True)
    script = ('mount -t tmpfs -o size="$1"k none "$2" && cp -a "$3/." "$2/" || exit 99; '
              'disk=$2 out=$3; shift 3; BACKUP_DIR=$disk "$@"; status=$?; '
              'rm -rf "$out" && cp -a "$disk" "$out" && exit $status')
    pages = sum(-(-path.stat().st_size // 4096) for path in backups.dir.rglob("*")
                if path.is_file())
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(pages * 4 + kilobytes), inner,
               backups.dir, PROGRAM, *words]
    if not may_mount():
        command = ["prlimit", f"--fsize={kilobytes * 1024}", PROGRAM, *words]
    done = subprocess.run(command, env={**backups.environment, "BACKUP_MIN_FREE_MB": "0"},
                          capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode != 99, done.stderr
    assert "Sanitizer" not in done.stderr, done.stderr
    return done


def may_mount():
    return subprocess.run(["unshare", "-m", "sh", "-c", "mount -t tmpfs none /mnt"],
                          capture_output=True, check=False).returncode == 0


def full_disks(backups, chance, tally):
    whole = backups.create("--verify", "none")
    size = sum(path.stat().st_size for path in (backups.dir / whole["id"]).iterdir()) // 1024
    for turn in range(DISKS):
        kind = ("full", "files", "config", "physical")[turn % 4]
        room = chance.randrange(0, {"full": size, "physical": 4 * size}.get(kind, 16) + 16)
        words = ("create", "--kind", kind, "--verify", "none")
        if turn % 5 == 4:
            words = ("verify", whole["id"])  # which writes the manifest anew
        before = {one["id"] for one in backups.sets()}
        done = on_a_disk(backups, room, words)
        after = {one["id"] for one in backups.sets()}
        assert before <= after, (words, room, SEED)
        if done.returncode != 0:
            assert after == before, (words, room, SEED, done.stderr)
        what = "enough" if done.returncode == 0 else "full"
        tally[what] = tally.get(what, 0) + 1
        for name in after:
            assert backups.run("verify", name)["ok"] is True, (name, words, room, SEED)
        for name in after - {whole["id"]}:
            backups.run("delete", name, "--force")
        assert backups.create("--kind", "config", "--verify", "verify")["ok"] is True
        assert backups.hidden() == []


# --- what is harmed


def with_an_original(stack):
    text = b"# Harm\n\nWhat the keeper wrote is in the set, too.\n"
    body = (b"--x1\r\nContent-Disposition: form-data; name=\"file\"; filename=\"k.md\"\r\n"
            b"Content-Type: text/markdown\r\n\r\n" + text + b"\r\n--x1--\r\n")
    reply = stack.post("/api/documents", body,
                       headers={"Content-Type": "multipart/form-data; boundary=x1"})
    assert reply.status in (200, 201, 202), reply.body
    eventually(lambda: stack.psql("SELECT count(*) FROM documents WHERE file_hash IS NOT NULL")
               != "0", seconds=60)


def with_log(backups, stack, name):
    """Some whole segments of the log behind it."""
    stream = backups.start("stream", BACKUP_WAL="true", BACKUP_WAL_SECONDS="1",
                           BACKUP_WAL_SLOT="harm")
    try:
        def enough():
            stack.psql("CREATE TABLE IF NOT EXISTS harm_notes (t text); "
                       "INSERT INTO harm_notes VALUES ('x'); SELECT pg_switch_wal()")
            return len(list((backups.dir / ".wal").glob("*/0*.json"))) >= 4
        eventually(enough, seconds=120)
        eventually(lambda: backups.start("verify", name).wait(timeout=120) == 0, seconds=120)
    finally:
        stream.terminate()
        stream.communicate(timeout=60)
        eventually(lambda: stack.psql("SELECT count(*) FROM pg_replication_slots WHERE active "
                                      "AND slot_name = 'harm'") == "0", seconds=60)
        stack.psql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
                   "WHERE slot_name = 'harm'")


def main():
    chance = random.Random(SEED)
    print(f"SEED={SEED} FLIPS={FLIPS} DISKS={DISKS}", flush=True)
    stack = Stack().up()
    tally, disks = {}, {}
    with tempfile.TemporaryDirectory(prefix="cairn-faults-") as home:
        os.chmod(home, 0o755)
        try:
            with_an_original(stack)
            plain = Backups(home + "/plain", stack, BACKUP_CONFIG_PATHS=str(
                pathlib.Path(__file__)))
            keys = plain.run("keys")
            sealed = Backups(home + "/sealed", stack, **{
                name: keys[name] for name in keys if name != "BACKUP_PRIVATE_KEY"})
            harm(plain, plain.create("--verify", "none")["id"], chance, tally)
            harm(sealed, sealed.create("--verify", "none")["id"], chance, tally)
            physical = Backups(home + "/physical", stack, FILE_STORE=f"dir:{home}/none",
                               BACKUP_FILES="false")
            name = physical.create("--kind", "physical", "--verify", "none")["id"]
            with_log(physical, stack, name)
            harm(physical, name, chance, tally)
            print("harmed, and all of it reported:", tally, flush=True)
            for one in plain.sets():
                shutil.rmtree(plain.dir / one["id"])
            full_disks(plain, chance, disks)
            print(f"{DISKS} disks ({'tmpfs' if may_mount() else 'RLIMIT_FSIZE'}): {disks}, "
                  "no half set, each next run works")
        finally:
            stack.down()


if __name__ == "__main__":
    main()
