"""`cairn-backup` as a person starts it: its own directory, somebody's database."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

from stack import BIN, ROOT, eventually

PROGRAM = BIN / "cairn-backup"


class Backups:
    def __init__(self, home, stack, **settings):
        self.dir = pathlib.Path(home) / "backups"
        self.scratch = pathlib.Path(home)
        self.within = []  # how it is started where it is to live
        self.environment = {
            "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
            "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
            "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp",
            "DATABASE_URL": stack.env["DATABASE_URL"],
            "FILE_STORE": f"dir:{stack.dir}/files",
            "BACKUP_DIR": str(self.dir), "BACKUP_MIN_FREE_MB": "1",
            **settings}

    def start(self, *words, **settings):
        return subprocess.Popen([*self.within, PROGRAM, *words],
                                env={**self.environment, **settings}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

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
        """What is there beside sets: nothing but the lock, logs, runs and originals."""
        return sorted(path.name for path in self.dir.iterdir() if path.name[0] == "."
                      and path.name not in (".lock", ".log", ".files", ".runs", ".wal"))

    def log(self):
        return (self.dir / ".log").read_text()

    def pretend(self, kind="full", days_ago=0.0, **members):
        """A set of somebody else's, as far as its manifest can tell."""
        at = time.time() - days_ago * 86400
        name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at)) + "-" + kind
        (self.dir / name).mkdir(parents=True)
        (self.dir / name / "manifest.json").write_text(json.dumps(
            {"id": name, "kind": kind, "created_at": at, "size_bytes": 1, "verified": True,
             "proven": "restored", **members}))
        return name


@contextlib.contextmanager
def empty_server(address="127.0.0.1", within=()):
    """A PostgreSQL that has nothing, with rights of its own; `within`: how to start it there."""
    tools = max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"),
                key=lambda path: int(path.parent.name))
    data = pathlib.Path(tempfile.mkdtemp(prefix="cairn-"))
    as_user = []
    if os.geteuid() == 0:  # whom PostgreSQL refuses
        shutil.chown(data, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    subprocess.run([*as_user, tools / "initdb", "-D", data, "-U", "cairn", "-A", "trust",
                    "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd="/")
    with open(data / "pg_hba.conf", "a", encoding="ascii") as rules:
        rules.write("host all all samenet trust\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [*within, *as_user, tools / "postgres", "-D", data, "-p", str(port), "-c",
         "unix_socket_directories=", "-c", f"listen_addresses={address}", "-c", "fsync=off"],
        cwd="/", stderr=subprocess.DEVNULL)
    url = f"postgresql://cairn@{address}:{port}"
    try:
        eventually(lambda: subprocess.run([*within, "psql", "-qc", "", url + "/postgres"],
                                          check=False, stderr=subprocess.DEVNULL).returncode == 0,
                   seconds=60)
        yield url
    finally:
        server.send_signal(2)
        server.wait(timeout=60)
        shutil.rmtree(data)


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


class Service:
    """`cairn-backup` as a service, without gateway and bus."""

    def __init__(self, backups, log, **settings):
        self.log = pathlib.Path(log)
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                [PROGRAM], stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                env={**backups.environment, "OPS_PORT": "0", "RPC_BIND": "tcp://127.0.0.1:0",
                     "BACKUP_SCHEDULE": "", **settings})

    def __enter__(self):
        def port():
            assert self.process.poll() is None, self.log.read_text()
            return re.search(r"ops on 127.0.0.1 port (\d+)", self.log.read_text())
        self.base = f"http://127.0.0.1:{eventually(port, seconds=60)[1]}"
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=60)
        said = self.log.read_text()
        assert "Sanitizer" not in said and "runtime error" not in said, said

    def kill(self):
        """And what it has started."""
        for pid in [self.process.pid, *self.children()]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        self.process.wait(timeout=60)

    def children(self):
        pid = self.process.pid
        return [int(one) for one in
                pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def get(self, path):
        with urllib.request.urlopen(self.base + path, timeout=30) as reply:
            return reply.read().decode()

    def figure(self, name):
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return None

    def until(self, condition, seconds=90):
        return eventually(condition, seconds=seconds, what=self.log.read_text)

    def says(self, message):
        """The check of the backups has this to say."""
        def told():
            check = json.loads(self.get("/health"))["checks"]["backups"]
            return check["message"] == message and check["status"] == (
                "degraded" if message else "healthy")
        return self.until(told)
