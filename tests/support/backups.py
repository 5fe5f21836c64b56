"""`cairn-backup` as a person starts it: its own directory, somebody's database."""

import contextlib
import json
import os
import pathlib
import subprocess

from stack import BIN, ROOT

PROGRAM = BIN / "cairn-backup"


class Backups:
    def __init__(self, home, stack, **settings):
        self.dir = pathlib.Path(home) / "backups"
        self.scratch = pathlib.Path(home)
        self.environment = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
            "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
            "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp",
            "DATABASE_URL": stack.env["DATABASE_URL"],
            "FILE_STORE": f"dir:{stack.dir}/files",
            "BACKUP_DIR": str(self.dir), "BACKUP_MIN_FREE_MB": "1",
            **settings}

    def start(self, *words, **settings):
        return subprocess.Popen([PROGRAM, *words], env={**self.environment, **settings},
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def run(self, *words, code=0, **settings):
        """What it prints as JSON; with another code, what it says."""
        process = self.start(*words, **settings)
        out, said = process.communicate(timeout=240)
        assert "Sanitizer" not in said and "runtime error" not in said, said
        assert process.returncode == code, (process.returncode, out, said)
        return json.loads(out) if code in (0, 3) else said

    def create(self, *words, **settings):
        return self.run("create", *words, **settings)

    def sets(self):
        return self.run("list")

    def manifest(self, name):
        return json.loads((self.dir / name / "manifest.json").read_text())

    def hidden(self):
        """What is there beside sets: nothing but the lock, the logs and the originals."""
        return sorted(path.name for path in self.dir.iterdir() if path.name[0] == "."
                      and path.name not in (".lock", ".log", ".files", ".wal"))

    def log(self):
        return (self.dir / ".log").read_text()


@contextlib.contextmanager
def service(backups, home, **settings):
    """The service, over the same directory; what it says is in home/service.log."""
    with open(home / "service.log", "ab") as out:
        process = subprocess.Popen(
            [PROGRAM], stdout=out, stderr=out, stdin=subprocess.DEVNULL,
            env={**backups.environment, "OPS_PORT": "0", "RPC_BIND": "tcp://127.0.0.1:0",
                 "BACKUP_SCHEDULE": "", **settings})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)
