"""How much would be lost: the service stores the write-ahead log while a load writes; at some
moments what is stored is copied as it lies there, and each copy is recovered as far as it
goes. make bench-recovery (LOAD_SECONDS=60, SAMPLES=6)."""

import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))
os.environ.setdefault("CAIRN_BIN", "build/release/bin")

from backups import PROGRAM, Backups  # noqa: E402
from stack import Stack, eventually  # noqa: E402

SECONDS = int(os.environ.get("LOAD_SECONDS", "60"))
SAMPLES = int(os.environ.get("SAMPLES", "6"))
LOAD = """INSERT INTO load_rows (note)
SELECT repeat(md5(random()::text), 30) FROM generate_series(1, 50);
"""


def figure(base, name):
    with urllib.request.urlopen(base + "/metrics", timeout=10) as reply:
        for line in reply.read().decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
    return None


def started(backups, home):
    log = home / "service.log"
    with log.open("wb") as out:
        process = subprocess.Popen([PROGRAM], stdout=out, stderr=out, env={
            **backups.environment, "OPS_PORT": "0", "RPC_BIND": "tcp://127.0.0.1:0",
            "BACKUP_SCHEDULE": ""})
    found = eventually(lambda: re.search(r"ops on 127.0.0.1 port (\d+)", log.read_text()),
                       seconds=60)
    return process, f"http://127.0.0.1:{found[1]}"


def streamer(service):
    """The service's child that stores the log."""
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(path.read_text().rsplit(")", 1)[1].split()[1]) == service.pid and \
                    b"\0stream\0" in (path.parent / "cmdline").read_bytes():
                return int(path.parent.name)
        except (OSError, ValueError):
            continue
    return None


def copied(backups, service, into):
    """What is stored at this moment; nothing is written meanwhile."""
    child = streamer(service)
    os.kill(child, signal.SIGSTOP)
    moment = time.time()
    try:
        shutil.copytree(backups.dir, into, ignore=shutil.ignore_patterns("spool"))
    finally:
        os.kill(child, signal.SIGCONT)
    return moment


def lost(backups, place, moment):
    """Between the last transaction that comes back and the moment."""
    name = backups.sets()[0]["id"]
    result = backups.run("drill", name, "--until", "latest", BACKUP_DIR=str(place),
                         BACKUP_WAL="false")
    assert result["ok"] is True, json.dumps(result["problems"])
    last = result["recovered"]["last_commit"].replace("Z", "+00:00")
    return moment - datetime.datetime.fromisoformat(last).timestamp()


def main():
    stack = Stack().up()
    home = pathlib.Path(tempfile.mkdtemp(prefix="cairn-bench-"))
    home.chmod(0o755)
    backups = Backups(home, stack, BACKUP_WAL="true", BACKUP_VERIFY="none",
                      FILE_STORE=f"dir:{home}/none")
    tools = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"),
                key=lambda path: int(path.parent.name))
    service = None
    try:
        stack.psql("CREATE TABLE load_rows (id bigserial PRIMARY KEY, note text)")
        (home / "load.sql").write_text(LOAD)
        service, base = started(backups, home)
        eventually(lambda: (figure(base, "cairn_backup_rpo_seconds") or 99) < 10, seconds=120)
        load = subprocess.Popen([tools / "pgbench", "-n", "-c", "2", "-R", "40", "-T",
                                 str(SECONDS + 5), "-f", home / "load.sql",
                                 stack.env["DATABASE_URL"]],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        written = stack.psql("SELECT pg_current_wal_lsn()")
        begun, said, moments = time.time(), [], []
        while time.time() - begun < SECONDS:
            said.append(figure(base, "cairn_backup_rpo_seconds"))
            if time.time() - begun > (len(moments) + 1) * SECONDS / (SAMPLES + 1):
                moments.append(copied(backups, service, home / f"copy{len(moments)}"))
            time.sleep(0.1)
        volume = int(stack.psql(f"SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '{written}')"
                                "::bigint")) / SECONDS / 1e6
        load.wait()
        resident = max(figure(base, "process_resident_memory_bytes"), 0) / 1e6
        gone = [lost(backups, home / f"copy{i}", at) for i, at in enumerate(moments)]
        print(f"load                {volume:.1f} MB of log a second for {SECONDS} s, two writers")
        print(f"lost                median {statistics.median(gone):.1f} s, "
              f"at most {max(gone):.1f} s in {len(gone)} copies (bar: 10)")
        print(f"rpo as it says      median {statistics.median(said):.1f} s, "
              f"at most {max(said):.1f} s")
        print(f"resident            {resident:.0f} MB of the service (bar: 50)")
    finally:
        if service:
            service.terminate()
            service.wait(timeout=60)
        shutil.rmtree(home, ignore_errors=True)
        stack.down()


if __name__ == "__main__":
    main()
