"""Attacks on every port while requests run: who asks meanwhile is answered as if nothing
were. (That the same processes go on is conftest's.)"""

import collections
import contextlib
import json
import threading

import pytest
import zmtp
from conftest import SERVICES, by
from test_ports import GARBAGE, GROWTH, MB, PORTS, WRONG, address, memory, owner
from wire import connect, exchange, send_all

ASKERS = 3


class Load:
    """Searches and probes, by a user of its own each, until the block ends."""

    def __init__(self, target):
        self.target = target
        self.over = threading.Event()
        self.statuses = collections.Counter()
        self.faults = []
        self.threads = [threading.Thread(target=self.ask, args=[n]) for n in range(ASKERS)]

    def ask(self, asker):
        number = 0
        while not self.over.is_set():
            number += 1
            try:
                reply = self.target.request(
                    "POST", "/api/search", json.dumps({"query": "tides"}),
                    {"Content-Type": "application/json",
                     **by("user", f"asker-{asker}-{number}")}, timeout=60)
                self.statuses[reply.status] += 1
            except OSError as fault:
                self.faults.append(fault)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def judge(self):
        """A machine that is short of time may refuse some (503); nothing else may happen."""
        assert not self.faults
        assert set(self.statuses) <= {200, 503}, self.statuses
        assert self.statuses[200] >= 9 * self.statuses[503], self.statuses
        assert self.statuses[200] >= ASKERS


def attack(target, port, held):
    """All of the garbage, and frames before any handshake; some of it stays connected."""
    where = address(target, port)
    for data in (*GARBAGE.values(), *WRONG.values()):
        exchange(where, data, ends=True)
    for data in (b"", b"GET", zmtp.greeting()[:11], zmtp.greeting() + zmtp.ready()):
        assert send_all(held.enter_context(connect(where)), data)


@pytest.mark.parametrize("port", PORTS)
def test_nobody_else_suffers(target, port):
    before = {service: memory(target.pid(service)) for service in SERVICES}
    with contextlib.ExitStack() as held, Load(target) as load:
        attack(target, port, held)
    load.judge()
    after = {service: memory(target.pid(service)) for service in SERVICES}
    assert after[owner(port)] - before[owner(port)] < GROWTH


def test_bombs_on_all_ports_at_once(target):
    """Frames of 2 GiB, messages without end and arrays of 4 billion elements, by strangers."""
    before = {service: memory(target.pid(service)) for service in SERVICES}
    endless = zmtp.greeting() + zmtp.ready() + zmtp.frame(b"x" * MB, zmtp.MORE | zmtp.LONG) * 4
    with Load(target) as load:
        for what in (endless, *WRONG.values()):
            attackers = [threading.Thread(target=exchange, args=[address(target, port), what],
                                          kwargs={"ends": True}) for port in PORTS]
            for one in attackers:
                one.start()
            for one in attackers:
                one.join()
    load.judge()
    for service in SERVICES:
        assert memory(target.pid(service)) - before[service] < GROWTH
