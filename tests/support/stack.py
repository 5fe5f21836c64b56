"""A stack of one's own: started in a temporary directory on free ports, spoken to over HTTP.
Used by the system tests and the benchmarks. Standard library only."""

import contextlib
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.parse
from signal import SIGTERM

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / os.environ.get("CAIRN_BIN", "build/debug/bin")
SANITIZED = "asan" in str(BIN)


# Where databases for SEARCH_BACKEND=pgvector can be made: a PostgreSQL with pgvector >= 0.8.
PGVECTOR_URL = os.environ.get("PGVECTOR_DATABASE_URL")


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Stack:
    def __init__(self, **settings):
        self.dir = tempfile.mkdtemp(prefix="cairn-")
        os.chmod(self.dir, 0o755)
        self.environment = {
            **os.environ,
            "API_PORT": "0",
            "BACKUP_SCHEDULE": "",  # no set is made that a test did not ask for
            "RATE_LIMIT_ENABLED": "false",  # tests are in a hurry, whoever they log in as
            "MODEL_DIR": str(ROOT / "var/models/use-lite"),
            "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
            "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp",
            **{name: str(value) for name, value in settings.items()},
        }
        self.environment.pop("OLLAMA", None)
        if "OLLAMA" in settings:
            self.environment["OLLAMA"] = settings["OLLAMA"]
        self.env = {}
        self.answered = set()  # (method, path, status) of what the gateway was asked
        self.database = None  # of our own, on somebody else's server

    def make_database(self):
        """With pgvector the private PostgreSQL will not do: it lacks the extension."""
        assert PGVECTOR_URL, "SEARCH_BACKEND=pgvector needs PGVECTOR_DATABASE_URL"
        self.database = f"cairn_{secrets.token_hex(6)}"
        self.psql(f'CREATE DATABASE "{self.database}"', url=PGVECTOR_URL)
        parts = urllib.parse.urlsplit(PGVECTOR_URL)
        self.environment["STACK_DATABASE_URL"] = parts._replace(
            path="/" + self.database).geturl()

    def psql(self, sql, url=None):
        """What the statement gives, without decoration."""
        done = subprocess.run(
            ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql,
             url or self.env["DATABASE_URL"]],
            check=False, timeout=60, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def command(self, *words, check=True):
        return subprocess.run(
            [BIN / "cairn-stack", "--dir", self.dir, "--bin", BIN, *words],
            cwd=ROOT, env=self.environment, check=check, timeout=180,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def up(self):
        if self.environment.get("SEARCH_BACKEND") == "pgvector" and not self.database:
            self.make_database()
        try:
            self.command("up")
        except subprocess.CalledProcessError as error:
            raise AssertionError(error.stdout + self.logs()) from None
        for line in pathlib.Path(self.dir, "stack.env").read_text().splitlines():
            name, _, value = line.partition("=")
            self.env[name] = value
        return self

    def settled(self):
        """Wait until search has met the embedder: ready is also who can do without."""
        eventually(lambda: self.search("anything")["degraded"] == [], seconds=60,
                   what=self.logs)
        return self

    def figure(self, service, name):
        """The value of a series: its name, with labels where it has any."""
        for line in self.get("/metrics", base=self.ops(service)).body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return None

    def embedded(self):
        """Wait until every passage that the view shows has its vector."""
        eventually(lambda: self.figure("search", "cairn_search_vectors") ==
                   self.figure("search", "cairn_search_chunks"), seconds=60,
                   what=self.logs)
        return self

    def down(self):
        self.command("down", check=False)
        faults = self.sanitizer_findings()
        if self.database:
            self.psql(f'DROP DATABASE "{self.database}" WITH (FORCE)', url=PGVECTOR_URL)
        shutil.rmtree(self.dir, ignore_errors=True)
        assert not faults, faults

    def logs(self, lines=30):
        out = ""
        for path in sorted(pathlib.Path(self.dir, "log").glob("*.log")):
            out += f"\n--- {path.name}\n" + "\n".join(
                path.read_text(errors="replace").splitlines()[-lines:])
        return out

    def log(self, service):
        return pathlib.Path(self.dir, "log", f"{service}.log").read_text(errors="replace")

    def sanitizer_findings(self):
        marks = ("ERROR: AddressSanitizer", "runtime error:", "ERROR: LeakSanitizer",
                 "WARNING: ThreadSanitizer")
        found = ""
        for path in pathlib.Path(self.dir, "log").glob("*.log"):
            text = path.read_text(errors="replace")
            for mark in marks:
                if mark in text:
                    at = text.index(mark)
                    found += f"{path.name}: {text[at:at + 3000]}\n"
        return found

    # --- processes

    def pid(self, service):
        return int(pathlib.Path(self.dir, "run", f"{service}.pid").read_text())

    def pid_or_none(self, service):
        try:
            return self.pid(service)
        except (OSError, ValueError):
            return None

    def signal(self, service, number):
        pid = self.pid(service)
        os.kill(pid, number)
        return pid

    def family(self, service):
        """A process and its children, as PostgreSQL has them."""
        pid = self.pid(service)
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    @contextlib.contextmanager
    def stopped(self, service):
        """All of them stand still meanwhile; some live for moments only."""
        def tell(family, number):
            for pid in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

        tell([self.pid(service)], signal.SIGSTOP)  # it makes no further ones now
        family = self.family(service)
        tell(family, signal.SIGSTOP)
        try:
            yield
        finally:
            tell(family, signal.SIGCONT)

    def kill(self, service):
        return self.signal(service, signal.SIGKILL)

    def ops(self, service):
        return self.env[f"{service.upper()}_OPS_URL"]

    def ready(self, service):
        try:
            return self.get("/readyz", base=self.ops(service)).status == 200
        except OSError:
            return False

    def reached(self, service):
        """Every loop of the gateway has met it: each finds it by itself, one after the other."""
        name, states = f'cairn_rpc_client_replicas{{service="{service}",state="', {}
        for line in self.get("/metrics", base=self.ops("gateway")).body.decode().splitlines():
            if line.startswith(name):
                state, _, count = line.removeprefix(name).partition('"} ')
                states[state] = float(count)
        return states.pop("ready", 0) > 0 and not any(states.values())

    def returned(self, service, old):
        """Wait until another process than `old` does its work, for whoever asks."""
        eventually(lambda: self.pid_or_none(service) not in (None, old)
                   and self.ready(service), seconds=120, what=self.logs)
        if service != "gateway":
            eventually(lambda: self.reached(service), seconds=60, what=self.logs)

    def restart(self, service, number=SIGTERM, between=lambda: None):
        """End it, and wait until the next one does its work. The supervisor starts it again
        by itself, and is held while `between` runs."""
        supervisor = int(pathlib.Path(self.dir, "stack.lock").read_text())
        os.kill(supervisor, signal.SIGSTOP)
        try:
            old = self.signal(service, number)
            eventually(lambda: ended(old), seconds=60, what=self.logs)
            between()
        finally:
            os.kill(supervisor, signal.SIGCONT)
        self.returned(service, old)

    # --- HTTP

    def request(self, method, path, body=None, headers=None, base=None, timeout=60):
        where = urllib.parse.urlsplit(base or self.env["GATEWAY_URL"])
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=timeout)
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            if base is None:
                self.answered.add((method, path.split("?")[0], response.status))
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, body, **kwargs):
        return self.request("POST", path, body, **kwargs)

    def delete(self, path, **kwargs):
        return self.request("DELETE", path, **kwargs)

    def taken(self, path, body, seconds=20):
        """Post until it is not refused for the moment. Each loop of the gateway has its own
        connections, so one may still be without a replica that another one has met."""
        deadline = time.monotonic() + seconds
        reply = self.post(path, body)
        while reply.status == 503 and time.monotonic() < deadline:
            os.sched_yield()
            reply = self.post(path, body)
        return reply

    def search(self, query, **members):
        reply = self.taken("/api/search", {"query": query, **members})
        assert reply.status == 200, reply.body
        return reply.json()

    def put(self, **document):
        reply = self.taken("/api/documents", document)
        assert reply.status in (200, 201), reply.body
        return reply.json()


def ended(pid):
    """A zombie has ended, too."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def eventually(condition, seconds=20, what="it did not happen", pause=0.005):
    """Wait for a condition in another process, for which no event reaches us. Between two
    looks the processor is left to what is waited for."""
    deadline, never = time.monotonic() + seconds, threading.Event()
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        never.wait(pause)
    raise AssertionError(what() if callable(what) else what)
