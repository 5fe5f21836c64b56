"""What connections cost that do nothing, or nothing good.

    connections.py [--idle 10000] [--slow 2000] [--tls] [--seconds 10] [--rounds 3]

1. Idle: so many keep-alive connections, each after one request; memory of the gateway.
2. Slowloris: so many connections that send their headers a byte at a time, and come back
   when they are cut off; the p99 of others before and meanwhile, round by round.
With --tls all of it over TLS (others too, with openssl-made certificates), and what a
handshake costs. Needs a hard limit (`ulimit -Hn`) above the number of connections.
"""

import argparse
import contextlib
import os
import pathlib
import resource
import selectors
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from measure import cpu_seconds, resident_mb, wrk  # noqa: E402
from stack import Stack  # noqa: E402

PING = b"GET /health/ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
DRIP = b"GET /health/ping HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


class Gate:
    """Where the gateway is, and how one gets a connection to it."""

    def __init__(self, stack, tls):
        where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
        self.address = (where.hostname, where.port)
        self.url = f"{'https' if tls else 'http'}://{where.hostname}:{where.port}/health/ping"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if tls else None
        if tls:
            self.context.check_hostname = False
            self.context.verify_mode = ssl.CERT_NONE

    def connect(self):
        plain = socket.create_connection(self.address, timeout=60)
        return self.context.wrap_socket(plain) if self.context else plain


def ping(connection):
    connection.sendall(PING)
    answer = b""
    while b"pong" not in answer:
        answer += connection.recv(65536)


def idle(gate, pid, count):
    """Megabytes before and with so many connections; CPU seconds that they took."""
    ping(gate.connect())
    before, cpu = resident_mb(pid), cpu_seconds(pid)
    connections = []
    for _ in range(count):
        connection = gate.connect()
        ping(connection)
        connections.append(connection)
    after, used = resident_mb(pid), cpu_seconds(pid) - cpu
    for connection in connections[:: max(1, count // 100)]:
        ping(connection)  # still there
    for connection in connections:
        connection.close()
    return before, after, used


class Slowloris:
    """Connections whose headers never end, in a thread of their own."""

    def __init__(self, gate, count):
        self.gate, self.count, self.closed, self.stop = gate, count, 0, False
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        self.ready.wait()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.thread.join()

    def open(self):
        connection = self.gate.connect()
        connection.sendall(DRIP)
        connection.setblocking(False)
        self.chosen.register(connection, selectors.EVENT_READ)
        return connection

    def renew(self, connection):
        self.chosen.unregister(connection)
        connection.close()
        self.connections.discard(connection)
        self.closed += 1
        self.connections.add(self.open())

    def run(self):
        self.chosen = selectors.DefaultSelector()
        self.connections = {self.open() for _ in range(self.count)}
        self.ready.set()
        while not self.stop:
            turn = time.monotonic()
            for key, _ in self.chosen.select(timeout=0):
                self.renew(key.fileobj)
            for connection in list(self.connections):
                with contextlib.suppress(OSError):
                    connection.send(b"x")
            time.sleep(max(0, 3 - (time.monotonic() - turn)))
        for connection in self.connections:
            connection.close()


def p99(gate, seconds):
    return wrk(gate.url, seconds, connections=16)[1][99]


def make_certificate(directory):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", f"{directory}/key.pem",
         "-out", f"{directory}/cert.pem"], check=True, capture_output=True)
    os.chmod(f"{directory}/key.pem", 0o600)
    return {"TLS_CERT_FILE": f"{directory}/cert.pem", "TLS_KEY_FILE": f"{directory}/key.pem"}


def measure(options, settings):
    wanted = max(options.idle, options.slow) + 1000
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    stack = Stack(HTTP_MAX_CONNECTIONS=20000, HTTP_MAX_CONNECTIONS_PER_ADDRESS=0,
                  HTTP_IDLE_TIMEOUT_MS=3600000, ACCESS_LOG="false", **settings).up()
    try:
        gate, pid = Gate(stack, options.tls), stack.pid("gateway")
        before, after, used = idle(gate, pid, options.idle)
        print(f"idle: {options.idle} connections, {before:.1f} -> {after:.1f} MB resident, "
              f"{(after - before) * 1024 / options.idle:.2f} KB each; "
              f"{used * 1e6 / options.idle:.0f} us of CPU each, request included")
        pairs = []
        for _ in range(options.rounds):
            quiet = p99(gate, options.seconds)
            with Slowloris(gate, options.slow) as attack:
                pairs.append((quiet, p99(gate, options.seconds)))
        print(f"slowloris: {options.slow} connections ({attack.closed} cut off in the last "
              f"round); p99 of others, ms, without and with: "
              + ", ".join(f"{quiet:.2f}/{under:.2f}" for quiet, under in pairs)
              + f"; medians {statistics.median(q for q, _ in pairs):.2f}/"
              f"{statistics.median(u for _, u in pairs):.2f}")
    finally:
        stack.down()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--idle", type=int, default=10000)
    parser.add_argument("--slow", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        measure(options, make_certificate(directory) if options.tls else {})


if __name__ == "__main__":
    main()
