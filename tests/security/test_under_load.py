"""Attacks on every port while requests run: who asks meanwhile is answered as if nothing
were. (That the same processes go on is conftest's.)"""

import collections
import contextlib
import json
import threading

import pytest
import zmtp
from conftest import SERVICES, by
from one_gateway import CALLEES, Gateway, cairn_keys, keys_of, refused
from stack import eventually
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


def test_wrong_keys_while_requests_run(target, tmp_path):
    """Three more gateways: without keys, with one that nobody knows, and with a wrong idea of
    whom it calls."""
    unknown, wrong = tmp_path / "unknown", tmp_path / "wrong"
    for keys in (unknown, wrong):
        assert cairn_keys(keys).returncode == 0
    for name in CALLEES:
        public = keys_of(target) / "public" / f"{name}.pub"
        (unknown / "public" / public.name).write_bytes(public.read_bytes())
    reasons = ("without_key", "unknown_key", "wrong_server_key")
    before = {why: refused(target, "search", why) for why in reasons}
    with Load(target) as load:
        strangers = [Gateway(target), *(
            Gateway(target, RPC_KEY_FILE=keys / "gateway.key", RPC_KEYS_DIR=keys / "public")
            for keys in (unknown, wrong))]
        for why in reasons:
            eventually(lambda why=why: refused(target, "search", why) > before[why], seconds=60)
        assert not any(one.ready(target) for one in strangers)
        for one in strangers:
            one.stop()
    load.judge()
