"""Nonsense on every port of every service: the public one, the probes', the bus, Bolt. The
same processes go on (conftest), take no memory for it, and answer others meanwhile."""

import contextlib
import os
import pathlib
import random
import re
import socket
import subprocess
import tempfile

import pytest
import zmtp
from bolt import MAGIC
from conftest import SERVICES
from stack import BIN, ROOT, SANITIZED, eventually
from wire import connect, exchange, receive, send_all

MB = 1 << 20
# A sanitizer keeps what was freed for a while.
GROWTH = (400 if SANITIZED else 64) * MB
PORTS = ["public", "bolt", *(f"{service}.ops" for service in SERVICES),
         *(f"{service}.bus" for service in SERVICES if service != "gateway")]
NOISE = random.Random(9).randbytes(1 << 16)
GARBAGE = {
    "noise": NOISE,
    "zeros": b"\0" * 70000,
    "ones": b"\xff" * 70000,
    "one byte": b"\x16",
    "a TLS hello": bytes.fromhex("1603010200010001fc0303") + NOISE[:400],
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\x12\x04\0\0\0\0\0" + NOISE[:18],
    "an endless line": b"GET /" + b"a" * MB,
    "a ZMTP greeting of a version to come": zmtp.greeting(major=255) + NOISE[:256],
    "a ZMTP greeting without a mechanism": zmtp.greeting(b"") + NOISE[:256],
    "a ZMTP greeting of half a mechanism": zmtp.greeting(b"CUR") + NOISE[:256],
    "a ZMTP greeting and noise": zmtp.greeting() + NOISE[:4096],
    "a CURVE greeting and noise": zmtp.greeting(b"CURVE") + zmtp.frame(
        b"\x05HELLO" + NOISE[:194], zmtp.COMMAND),
    "a PLAIN greeting and a password": zmtp.greeting(b"PLAIN") + zmtp.frame(
        b"\x05HELLO\x04root\x04root", zmtp.COMMAND),
    "ZMTP 1.0": b"\x01\0" + b"\x05\0abcd" * 1000,
    "a Bolt greeting and noise": MAGIC + bytes.fromhex("00000405") * 4 + NOISE[:4096],
    "a Bolt chunk that never ends": MAGIC + bytes.fromhex("00000405") * 4 + b"\xff\xff" + NOISE,
    "PostgreSQL": bytes.fromhex("0000000804d2162f") + NOISE[:64],
    "Redis": b"*1000000000\r\n$1000000000\r\n",
}


def memory(pid, what="VmRSS"):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split(f"{what}:")[1].split()[0]) * 1024


def most_memory(pid):
    """That it ever held."""
    return memory(pid, "VmHWM")


def address(target, port):
    service, _, kind = port.partition(".")
    if kind == "bus":
        return f"ipc://{target.dir}/run/{service}.sock"
    if kind == "ops":
        return target.ops(service)
    return target.env["BOLT_URL" if port == "bolt" else "GATEWAY_URL"]


def owner(port):
    return port.split(".")[0] if "." in port else "gateway"


@pytest.mark.parametrize("port", PORTS)
def test_garbage(target, port):
    pid = target.pid(owner(port))
    before = memory(pid)
    where = address(target, port)
    for data in GARBAGE.values():
        answer = exchange(where, data, ends=True)
        assert len(answer) < 100000
    assert memory(pid) - before < GROWTH


@pytest.mark.parametrize("port", PORTS)
def test_many_that_say_nothing(target, port):
    """Or half of something; others come in beside them."""
    where = address(target, port)
    with contextlib.ExitStack() as held:
        for i in range(60):
            s = held.enter_context(connect(where))
            assert send_all(s, (b"", b"GET", zmtp.greeting()[:11], MAGIC)[i % 4])
        service = owner(port)
        assert target.get("/livez", base=target.ops(service)).status == 200
        assert target.get("/health/ping").status == 200


# --- the bus without keys: an embedder of its own, that whoever reaches it may call

@contextlib.contextmanager
def embedder(bind):
    """Its process, and where it listens."""
    with tempfile.TemporaryDirectory(prefix="cairn-") as folder:
        log = pathlib.Path(folder, "log")
        with log.open("w") as out:
            process = subprocess.Popen(
                [BIN / "cairn-embedder"], stdout=out, stderr=out, cwd=folder,
                env={**os.environ, "OPS_PORT": "0", "RPC_BIND": bind.format(folder=folder),
                     "MODEL_DIR": f"{folder}/none",
                     "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp"})
        try:
            said = eventually(lambda: re.search(r"started; .*((?:ipc|tcp)://[^\s\"]+)",
                                                log.read_text()), seconds=60, what=log.read_text)
            yield process.pid, said[1]
        finally:
            process.terminate()
            assert process.wait(timeout=60) == 0, log.read_text()
        assert "Sanitizer" not in log.read_text(), log.read_text()


@pytest.fixture(scope="module")
def plain():
    with embedder("ipc://{folder}/bus.sock") as running:
        yield running


def hear(s, what):
    """Until that comes."""
    out = b""
    while what not in out:
        piece = s.recv(65536)
        assert piece, out
        out += piece


def greet(s):
    """A greeting that is right is answered."""
    send_all(s, zmtp.message(zmtp.header(zmtp.HELLO), b""))
    hear(s, b"CARN")


@contextlib.contextmanager
def peer(where):
    """A caller that is let in."""
    with connect(where) as s:
        send_all(s, zmtp.greeting() + zmtp.ready())
        hear(s, b"READY")  # frames that come before it are refused
        yield s


BOMB = b"\xdd\xff\xff\xff\xff" * 16  # arrays of 4 billion elements each, one in the other
WRONG = {
    "a frame of 2 GiB": zmtp.frame(b"x" * MB, zmtp.LONG, size=2 << 30),
    "a frame of 2^63 bytes": zmtp.frame(b"x", zmtp.LONG, size=1 << 63),
    "a frame over the limit": zmtp.frame(b"x" * 100, zmtp.LONG, size=(8 << 20) + 1),
    "flags that there are not": b"\xf8\x01x",
    "a command of no name": zmtp.frame(b"\xff" * 300, zmtp.COMMAND),
    "frames without end": zmtp.frame(b"x" * 200, zmtp.MORE) * 5000 + zmtp.frame(b""),
    "one frame": zmtp.message(zmtp.header(zmtp.REQUEST)),
    "a header that is short": zmtp.message(b"CARN", b"", b""),
    "another magic": zmtp.message(b"x" * 96, b""),
    "types that there are not": b"".join(
        zmtp.message(zmtp.header(kind), b"") for kind in range(256)),
    "a version to come": zmtp.message(zmtp.header(zmtp.REQUEST, version=999), b""),
    "a bomb as the caller": zmtp.message(zmtp.header(zmtp.REQUEST, method=1), BOMB),
    "a bomb as the request": zmtp.message(zmtp.header(zmtp.HELLO), b"") + b"".join(
        zmtp.message(zmtp.header(zmtp.REQUEST, n, method, len(BOMB)), b"", BOMB)
        for n, method in enumerate(range(256))),
    "a payload of another length": zmtp.message(
        zmtp.header(zmtp.REQUEST, method=1, payload=5), b"", b"x"),
    "pieces of 4 GiB": zmtp.message(zmtp.header(zmtp.HELLO), b"") + b"".join(
        zmtp.message(zmtp.header(zmtp.REQUEST, n, 1, 0xFFFFFFFF, 2), b"", b"x" * 1000)
        for n in range(100)),
    "pings": zmtp.message(zmtp.header(zmtp.PING), b"") * 2000,
}


@pytest.mark.parametrize("what", WRONG)
def test_what_a_caller_must_not_say(plain, what):
    pid, where = plain
    before = memory(pid)
    with peer(where) as other:
        with peer(where) as s:
            send_all(s, WRONG[what])
            greet(other)
            s.shutdown(socket.SHUT_WR)
            receive(s)
        greet(other)
    assert memory(pid) - before < GROWTH


def test_frames_without_end_from_a_stranger(target):
    """With keys nobody gets as far as sending a frame: libzmq itself bounds no message's
    frames."""
    for service in SERVICES[1:]:
        pid = target.pid(service)
        before = memory(pid)
        with connect(f"ipc://{target.dir}/run/{service}.sock") as s:
            send_all(s, zmtp.greeting() + zmtp.ready())
            endless = zmtp.frame(b"x" * 200, zmtp.MORE) * 5000
            sent = 0
            while sent < 100 and send_all(s, endless):
                sent += 1
            assert sent < 100
        assert memory(pid) - before < GROWTH


@pytest.mark.parametrize("known", [False, True])
def test_frames_without_end_over_tcp(known):
    """Who is let in, and says HELLO or does not, is cut off while another one is served."""
    with embedder("tcp://127.0.0.1:0") as (pid, where), peer(where) as other:
        before = memory(pid)
        with peer(where) as s:
            if known:
                greet(s)
            part, sent = zmtp.frame(b"x" * MB, zmtp.MORE | zmtp.LONG), 0
            while send_all(s, part):
                sent += 1
                assert sent < 4096
            greet(other)
        assert most_memory(pid) - before < 512 * MB
