"""Every service ends in the middle of its work: with status 0, which under a sanitizer means
that nothing was leaked, and without taking others along."""

import contextlib
import http.client
import itertools
import signal
import threading
import urllib.parse

import pytest
from conftest import SERVICES, by
from stack import eventually

# What keeps each service busy; the gateway is by all of them.
WORK = [
    ("POST", "/api/search", '{"query": "mills and tides %d"}'),
    ("POST", "/api/documents", '{"id": "work-%d", "title": "Mill", "text": "Text of a mill."}'),
    ("POST", "/api/embed", '{"input": ["a text of its own %d"]}'),
    ("POST", "/api/graph/query", '{"query": "UNWIND range(1, 2000) AS n RETURN n + %d"}'),
    ("POST", "/api/graph/nodes", '{"labels": ["Work"], "properties": {"n": %d}}'),
    ("GET", "/api/glossary?q=mill%d", None),
    ("GET", "/api/backups?limit=%d", None),
]


@pytest.fixture(autouse=True)
def unharmed():
    """Instead of conftest's: other processes are what is wanted here."""


class Workers:
    """One for each kind of work, until told to stop."""

    def __init__(self, stack):
        self.where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
        self.stop, self.answers = threading.Event(), itertools.count()
        self.seen = 0
        self.threads = [threading.Thread(target=self.run, args=kind) for kind in WORK]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def run(self, method, path, body):
        number = itertools.count(1)
        connection = http.client.HTTPConnection(self.where.netloc, timeout=60)
        headers = {"Content-Type": "application/json", **by("admin")}
        while not self.stop.is_set():
            n = next(number)
            try:
                connection.request(method, path % n if body is None else path,
                                   body % n if body else None, headers)
                connection.getresponse().read()
                self.seen = next(self.answers)
            except (OSError, http.client.HTTPException):
                connection.close()
        connection.close()

    def go_on(self, count=50):
        target = self.seen + count
        eventually(lambda: self.seen >= target, seconds=60, what="nobody is answered")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_ends_in_the_middle_of_its_work(target, service):
    log = target.log("stack")
    ended = log.count(f"{service} ended (")
    well = log.count(f"{service} ended (status 0)")
    with Workers(target) as workers:
        workers.go_on()
        old = target.signal(service, signal.SIGTERM)
        eventually(lambda: target.log("stack").count(f"{service} ended (") > ended, seconds=90,
                   what=target.logs)
        eventually(lambda: target.pid_or_none(service) not in (None, old)
                   and target.ready(service), seconds=90, what=target.logs)
        workers.go_on()
    assert target.log("stack").count(f"{service} ended (status 0)") == well + 1, target.logs()
    with contextlib.suppress(OSError):
        assert not target.sanitizer_findings()
