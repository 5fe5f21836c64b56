"""The whole of Cairn, each part on a host of its own: two gateways, three replicas of search,
embedder, graph, backup, PostgreSQL, Redis, an endpoint for embeddings. The bus has keys,
callers have tokens, as in production."""

import contextlib
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

from .net import Loopback, Namespaces
from .postgres import PORT, Postgres
from .process import Process, Supervisor
from .until import until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BIN = (ROOT / os.environ.get("CAIRN_BIN", "build/release/bin")).resolve()
sys.path.insert(0, str(ROOT / "tests/support"))

from tokens import SECRET, bearer  # noqa: E402

SERVICES = {"search": 3, "embedder": 1, "graph": 1, "backup": 1, "gateway": 2}
BUS, OPS, HTTP = 5600, 9100, 8080
DOMAIN = "cairn.test"
REPLICAS = ("search-1", "search-2", "search-3")
GATEWAYS = ("gateway-1", "gateway-2")


def names_of(service):
    count = SERVICES[service]
    return [service] if count == 1 else [f"{service}-{n + 1}" for n in range(count)]


class Stack:
    def __init__(self, isolated, disk=256, **settings):
        """PostgreSQL has a disk of so many MB, where that is permitted."""
        self.disk, self.changed = disk, settings
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="cairn-faults-"))
        self.dir.chmod(0o755)
        for name in ("log", "data", "redis"):
            (self.dir / name).mkdir()
        self.net = Namespaces() if isolated else Loopback()
        self.secret = secrets.token_hex(16)
        self.processes = {}
        self.supervisor = Supervisor(self.processes)
        self.admin = bearer("root", role="admin")
        for name in ("postgres", "standby", "redis", "ollama", "dns"):
            self.net.host(name)
        for service in SERVICES:
            for name in names_of(service):
                self.net.host(name)

    # --- how it is put together

    def address(self, name):
        return self.net.hosts[name].address

    def bus(self, service):
        """By one name where there is a network to ask for it, as in containers."""
        if self.net.isolated:
            return f"tcp://{service}.{DOMAIN}:{BUS}"
        return ",".join(f"tcp://{self.address(name)}:{BUS}" for name in names_of(service))

    def database_url(self):
        hosts = f"{self.address('postgres')}:{PORT},{self.address('standby')}:{PORT}"
        return (f"postgresql://cairn:{self.secret}@{hosts}/cairn"
                "?target_session_attrs=read-write")

    def settings(self, service, name):
        data = self.dir / "data" / name
        data.mkdir(exist_ok=True)
        return {
            "PATH": os.environ["PATH"], "HOME": "/", "LANG": "C.UTF-8", "LOG_LEVEL": "info",
            "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
            "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp",
            "DATABASE_URL": self.database_url(),
            "REDIS_URL": f"redis://:{self.secret}@{self.address('redis')}:6379/0",
            "EMBEDDING_PROVIDER": "ollama", "EMBEDDING_MODEL": "nomic-embed-text",
            "EMBEDDING_URL": f"http://{self.address('ollama')}:11434/api/embed",
            "RPC_KEYS_DIR": str(self.dir / "keys/public"),
            "RPC_KEY_FILE": str(self.dir / f"keys/{service}.key"),
            "RPC_BIND": f"tcp://{self.address(name)}:{BUS}",
            "OPS_HOST": self.address(name), "OPS_PORT": str(OPS),
            "API_HOST": self.address(name), "API_PORT": str(HTTP), "BOLT_PORT": "0",
            "AUTH_MODE": "jwt", "JWT_SECRET_KEY": SECRET,
            "RATE_LIMIT_ENABLED": "false", "READ_TIMEOUT_MS": "2000",
            "WRITE_TIMEOUT_MS": "5000", "REFRESH_TIMEOUT_MS": "3000",
            "HEALTH_INTERVAL_MS": "500", "WORKERS": "2", "SEARCH_THREADS": "2",
            "SEARCH_DATA_DIR": str(data), "GRAPH_DATA_DIR": str(data),
            "FITTED_MODEL_DIR": str(data), "AUDIT_DIR": str(data / "audit"),
            "BACKUP_DIR": str(self.dir / "backups"), "BACKUP_SCHEDULE": "",
            "BACKUP_PHYSICAL_SCHEDULE": "", "FILE_STORE": f"dir:{self.dir}/files",
            **{f"{peer.upper()}_ENDPOINTS": self.bus(peer) for peer in SERVICES
               if peer != "gateway"},
            **self.changed,
        }

    def process(self, name, argv, environment):
        self.processes[name] = Process(name, self.net.hosts[name], argv, environment,
                                       self.dir / "log" / f"{name}.log")
        return self.processes[name]

    def start_redis(self):
        config = self.dir / "redis.conf"
        config.write_text(f"bind {self.address('redis')}\nport 6379\nsave \"\"\n"
                          f"requirepass {self.secret}\ndir {self.dir}/redis\n"
                          "maxmemory 64mb\nmaxmemory-policy allkeys-lru\ndaemonize no\n")
        self.process("redis", ["redis-server", config], os.environ).start()

    def start_ollama(self):
        self.process("ollama", [sys.executable, ROOT / "tests/support/fake_ollama.py",
                                "--host", self.address("ollama"), "--port", "11434"],
                     os.environ).start()

    def start_dns(self):
        host = self.net.hosts["dns"]
        names = [f"{service}.{DOMAIN}=" + ",".join(map(self.address, names_of(service)))
                 for service in SERVICES]
        self.process("dns", [sys.executable, ROOT / "tests/support/fake_dns.py", "--host",
                             host.address, *names], os.environ).start()
        self.net.ask_names_of(host, self.dir)

    def start_services(self):
        subprocess.run([BIN / "cairn-keys", self.dir / "keys"], check=True, timeout=30,
                       capture_output=True)
        subprocess.run([BIN / "cairn-migrate", "up"], check=True, timeout=120, cwd=ROOT,
                       capture_output=True, env=self.settings("search", "search-1"))
        for service in ("embedder", "search", "graph", "backup", "gateway"):
            for name in names_of(service):
                self.process(name, [BIN / f"cairn-{service}"],
                             self.settings(service, name)).start()

    def up(self):
        self.primary = Postgres("postgres", self.net.hosts["postgres"], self.dir, self.secret,
                                self.disk)
        self.spare = Postgres("standby", self.net.hosts["standby"], self.dir, self.secret,
                              self.disk)
        self.primary.make()
        self.primary.start()
        self.primary.psql("CREATE DATABASE cairn", database="postgres")
        self.processes["postgres"] = self.primary.process
        self.start_redis()
        self.start_ollama()
        if self.net.isolated:
            self.start_dns()
        self.start_services()
        self.supervisor.start()
        self.await_green(120)
        return self

    def fail_over(self):
        """The spare takes over, with all that was committed; then they change names."""
        self.spare.promote()
        self.primary, self.spare = self.spare, self.primary
        self.processes["postgres"] = self.primary.process

    def down(self):
        self.supervisor.over.set()
        self.supervisor.join(timeout=10)
        order = [*GATEWAYS, *REPLICAS, "graph", "backup", "embedder", "ollama", "redis", "dns"]
        for name in order:
            if name in self.processes:
                self.processes[name].tell(signal.SIGCONT, whole=True)
                self.processes[name].held = True
                self.processes[name].tell(signal.SIGTERM)
        for name in order:
            if name in self.processes:
                self.processes[name].stop(signal.SIGTERM)
        for server in (self.primary, self.spare):
            if server.process.child is not None:
                server.process.stop(signal.SIGQUIT)
            server.remove()
        self.net.close()
        found = self.sanitizer_findings()
        if not os.environ.get("FAULT_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        return found

    # --- how it is spoken to

    def url(self, gateway):
        return f"http://{self.address(gateway)}:{HTTP}"

    def ask(self, method, url, body=None, headers=None, timeout=5):
        """(status, parsed body or text); status 0 when there was no answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, dict(headers or self.admin), method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as reply:
                status, text = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        except (OSError, http.client.HTTPException):
            return 0, None
        with contextlib.suppress(ValueError):
            return status, json.loads(text)
        return status, text.decode(errors="replace")

    def ops(self, name, path="/readyz", timeout=2):
        return self.ask("GET", f"http://{self.address(name)}:{OPS}{path}", timeout=timeout)

    def figure(self, name, series):
        """The sum of a series over its labels; `series` may have some of them."""
        _, text = self.ops(name, "/metrics")
        total, wanted = 0.0, series.split("{")
        for line in (text or "").splitlines():
            if line.startswith(wanted[0]) and line[len(wanted[0])] in "{ " and \
                    (len(wanted) < 2 or wanted[1].rstrip("}") in line):
                total += float(line.split()[-1])
        return total

    def service_names(self):
        return [name for service in SERVICES for name in names_of(service)]

    def not_ready(self):
        return [name for name in self.service_names() if self.ops(name)[0] != 200]

    def works(self, gateway):
        """None when a write and a search go through it whole, else what is wrong."""
        marker = f"probe {secrets.token_hex(8)}"
        url = self.url(gateway)
        status, said = self.ask("POST", f"{url}/api/documents?refresh=true", {
            "id": f"probe-{gateway}", "title": marker, "text": marker})
        if status not in (200, 201) or not said.get("visible") or \
                said["replicas"]["visible"] != len(REPLICAS):
            return f"write: {status} {said}"
        status, said = self.ask("POST", f"{url}/api/search", {"query": marker})
        if status != 200 or said["degraded"]:
            return f"search: {status} {said if status != 200 else said['degraded']}"
        status, said = self.ask("PUT", f"{url}/api/graph/nodes/probe-{gateway}", {
            "labels": ["Probe"], "properties": {"name": marker}})
        return None if status in (200, 201) else f"graph: {status} {said}"

    def await_green(self, seconds=30):
        """All are ready and both gateways write and search whole. Gives what was wrong last."""
        wrong, last = [], []

        def green():
            wrong[:] = self.not_ready() or [fault for gateway in GATEWAYS
                                            if (fault := self.works(gateway))]
            last[:] = wrong or last
            return not wrong

        assert until(green, seconds, 0.02), f"not green after {seconds} s: {wrong}\n{self.logs()}"
        return last

    # --- what it left

    def stored(self):
        """Every marker in the record, as often as it is there."""
        counts = {}
        for sql in ("SELECT title FROM documents", "SELECT term FROM glossary_terms",
                    "SELECT properties->>'name' FROM graph_nodes"):
            for line in self.primary.psql(sql + ";").splitlines():
                counts[line] = counts.get(line, 0) + 1
        return counts

    def logs(self, lines=12):
        out = ""
        for path in sorted((self.dir / "log").glob("*.log")):
            tail = path.read_text(errors="replace").splitlines()[-lines:]
            out += f"\n--- {path.name}\n" + "\n".join(tail)
        return out

    def sanitizer_findings(self):
        marks = ("ERROR: AddressSanitizer", "runtime error:", "ERROR: LeakSanitizer",
                 "Assertion", "SIGSEGV")
        found = []
        for path in (self.dir / "log").glob("*.log"):
            text = path.read_text(errors="replace")
            found += [f"{path.name}: {text[text.index(mark):][:2000]}" for mark in marks
                      if mark in text]
        return found
