"""A file per attack, sent as it is to the real gateway: the right status, nothing smuggled
behind it, and an unharmed process. Each goes out whole, and cut at places of its own."""

import contextlib
import random
import socket
import urllib.parse

import pytest
from attacks import attacks

CORPUS = list(attacks())


@pytest.fixture(scope="module")
def target():
    """A stack that is patient with a slow machine: no attack of these waits for it."""
    from conftest import Stack
    running = Stack(HTTP_HEAD_TIMEOUT_MS=50000, HTTP_BODY_TIMEOUT_MS=50000).up().settled()
    yield running
    running.down()


def send(stack, data, cuts, ends):
    """All that comes back until the server closes. It may close before all was sent. `ends`:
    say that no more comes, or the server would wait for it."""
    where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
    out = b""
    with socket.create_connection((where.hostname, where.port), timeout=60) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for start, end in zip([0, *cuts], [*cuts, len(data)]):
                s.sendall(data[start:end])
            if ends:
                s.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while piece := s.recv(65536):
                out += piece
    return out


def statuses_of(answer):
    """Of each answer on the connection: no body of ours holds such a line."""
    return [int(line[9:12]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]


@pytest.mark.parametrize("name,wanted,data", CORPUS, ids=[name for name, _, _ in CORPUS])
def test_attack(target, name, wanted, data):
    pid = target.pid("gateway")
    places = random.Random(name)
    for count in (0, 3):
        cuts = sorted(places.randrange(1, len(data)) for _ in range(count))
        answer = send(target, data, cuts, 408 in wanted)
        statuses = statuses_of(answer)
        assert len(statuses) == 1 and statuses[0] in wanted, answer[:2000]
        head = answer.split(b"\r\n\r\n")[0].lower()
        assert b"\r\nx-evil" not in head and b"\r\nserver:" not in head
        assert b"x-content-type-options: nosniff" in head
    assert target.pid("gateway") == pid
