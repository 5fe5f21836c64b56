"""What clients notice while the stack changes under them: nothing. ROUNDS says how often every
service is restarted (1)."""

import http.client
import json
import os
import ssl
import threading
import time

import pytest
from conftest import SERVICES, docker
from stack import eventually
from test_stack import queries

CLIENTS = 20
PACE = 0.1  # seconds between two requests of a client: 200 a second in all
TRUSTING = ssl._create_unverified_context()


class Load:
    """Clients that search through the edge until told to stop; what went wrong is kept."""

    def __init__(self, stack):
        self.port = int(stack.port("nginx", 443))
        self.headers = {"Content-Type": "application/json",
                        "Authorization": f"Bearer {stack.token}"}
        self.over = threading.Event()
        self.answered = 0
        self.failed = []
        self.lock = threading.Lock()
        self.clients = [threading.Thread(target=self.work, args=(n,)) for n in range(CLIENTS)]

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=TRUSTING)

    def ask(self, connection, text):
        connection.request("POST", "/api/search", json.dumps({"query": text}), self.headers)
        reply = connection.getresponse()
        body = reply.read()
        return None if reply.status == 200 else f"{reply.status} {body[:200]}"

    def work(self, client):
        connection, count = self.connect(), 0
        while not self.over.is_set():
            count += 1
            try:
                fault = self.ask(connection, f"holidays {client} {count}")
            except (OSError, http.client.HTTPException) as error:
                fault = repr(error)
                connection = self.connect()
            with self.lock:
                self.answered += 1
                if fault:
                    self.failed.append(fault)
            self.over.wait(PACE)

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for client in self.clients:
            client.join()

    def more(self, count=200):
        """Wait until so many more requests were answered."""
        target = self.answered + count
        eventually(lambda: self.answered >= target, 60)


class Newcomers(threading.Thread):
    """Watches containers of search that were not there before: when each was ready, and when it
    was first asked."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.known = stack, set(stack.ids("search"))
        self.ready, self.asked = {}, {}
        self.over = threading.Event()

    def look(self, one):
        if one not in self.ready and docker("exec", one, "cairn-search", "--probe", "ready",
                                            check=False).returncode == 0:
            self.ready[one] = time.monotonic()
        if one in self.ready and queries(self.stack, one) > 0:
            self.asked[one] = time.monotonic()

    def run(self):
        while not self.over.is_set():
            for one in set(self.stack.ids("search")) - self.known - set(self.asked):
                self.look(one)

    def waited(self):
        """Seconds from ready to the first request, of each; those of looking included."""
        eventually(lambda: self.ready and set(self.ready) == set(self.asked), 60)
        self.over.set()
        self.join()
        return [self.asked[one] - self.ready[one] for one in self.ready]


@pytest.fixture
def edged(stack):
    """The stack behind its edge, which here takes all that one address sends."""
    limits = stack.folder / "nginx/limits.conf"
    usual = limits.read_text()
    limits.write_text(usual.replace("rate=10r/s", "rate=2000r/s"))
    with (stack.folder / ".env").open("a") as settings:
        settings.write("DRAIN_DELAY=5\n")  # longer than the edge believes an address
    stack.profiles = ["edge"]
    stack.up("edge, two of each", *(f"{name}=2" for name in SERVICES if name != "backup"))
    stack.run("exec", "-T", "nginx", "nginx", "-s", "reload")
    eventually(stack.login, 60)
    yield stack
    limits.write_text(usual)
    stack.run("exec", "-T", "nginx", "nginx", "-s", "reload")


def healthy(container):
    state = docker("inspect", "--format", "{{.State.Health.Status}}", container).stdout
    return state.strip() == "healthy"


def test_scaling_loses_no_request(edged):
    others = [f"{name}=2" for name in ("gateway", "embedder", "graph")]
    with Load(edged) as load:
        load.more()
        newcomers = Newcomers(edged)
        newcomers.start()
        for count in (3, 1, 2):
            edged.up(f"search={count} under load", *others, f"search={count}")
            load.more()
            if count == 3:
                print(f"\nfirst asked {[f'{s:.1f}' for s in newcomers.waited()]} s after ready",
                      end="")
    assert not load.failed, load.failed[:5]


def test_restarts_lose_no_request(edged):
    with Load(edged) as load:
        load.more()
        for _ in range(int(os.environ.get("ROUNDS", "1"))):
            for name in SERVICES:
                for container in edged.ids(name):
                    docker("restart", "--time", "60", container)
                    eventually(lambda one=container: healthy(one), 120)
        load.more()
    print(f"\n{load.answered} requests during restarts", end="")
    assert not load.failed, (len(load.failed), load.failed[:5])
