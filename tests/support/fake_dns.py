#!/usr/bin/env python3
"""A small name server over real UDP, with faults.

    fake_dns.py --host ADDRESS [--port 53] [--control 8053] NAME=ADDRESS[,ADDRESS]...

prints "ready" and serves until it is killed: A records of the names given, in turns, with
a TTL of a second; NXDOMAIN for any other name, and an empty answer for any other type. On
the control port, over HTTP:
    POST /fault   {"mode": M, "seconds"?: 3}
    GET  /calls   {"queries": n}

Modes: ok; slow (answers after `seconds`); silent (never answers); empty (no error, no
address); nxdomain; servfail.

Left out: TCP and long answers, EDNS, compression of names in questions, any other class or
type, zones, recursion, DNSSEC."""

import argparse
import json
import socketserver
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

A, IN = 1, 1
NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
ANSWER, POINTER_TO_QUESTION = 0x8400, 0xC00C  # a response, authoritative
HEADER = 12


def read_question(packet):
    """(name, type, the question's bytes)."""
    labels, at = [], HEADER
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii").lower())
        at += 1 + packet[at]
    kind, = struct.unpack_from("!H", packet, at + 1)
    return ".".join(labels), kind, packet[HEADER:at + 5]


def write_answer(packet, question, code, addresses):
    head = packet[:2] + struct.pack("!HHHHH", ANSWER | code, 1, len(addresses), 0, 0)
    records = b"".join(
        struct.pack("!HHHIH", POINTER_TO_QUESTION, A, IN, 1, 4) + bytes(map(int, one.split(".")))
        for one in addresses)
    return head + question + records


class Names(socketserver.ThreadingUDPServer):
    daemon_threads = True
    max_packet_size = 512

    def __init__(self, address, names):
        self.names, self.fault, self.queries = names, {"mode": "ok"}, 0
        self.over = threading.Event()
        super().__init__(address, Query)

    def answer(self, name, kind):
        """(code, addresses), as the mode wants it."""
        mode = self.fault["mode"]
        if mode == "servfail":
            return SERVFAIL, []
        if mode == "nxdomain" or name not in self.names:
            return NXDOMAIN, []
        if mode == "empty" or kind != A:
            return NOERROR, []
        known = self.names[name]
        turn = self.queries % len(known)
        return NOERROR, known[turn:] + known[:turn]


class Query(socketserver.BaseRequestHandler):
    def handle(self):
        packet, socket = self.request
        server, fault = self.server, self.server.fault
        server.queries += 1
        try:
            name, kind, question = read_question(packet)
        except (IndexError, struct.error, UnicodeDecodeError):
            return
        if fault["mode"] == "silent" or \
                fault["mode"] == "slow" and server.over.wait(fault.get("seconds", 3)):
            return
        code, addresses = server.answer(name, kind)
        socket.sendto(write_answer(packet, question, code, addresses), self.client_address)


class Control(BaseHTTPRequestHandler):
    def reply(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        self.reply({"queries": self.server.names.queries})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        self.server.names.fault = {"mode": "ok", **json.loads(self.rfile.read(length))}
        self.reply(self.server.names.fault)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, default=53)
    parser.add_argument("--control", type=int, default=8053)
    parser.add_argument("names", nargs="+", metavar="NAME=ADDRESS,…")
    options = parser.parse_args()
    names = {name: known.split(",") for name, known in
             (one.split("=", 1) for one in options.names)}
    with Names((options.host, options.port), names) as server, \
            ThreadingHTTPServer((options.host, options.control), Control) as control:
        control.names = server
        control.daemon_threads = True
        threading.Thread(target=control.serve_forever, daemon=True).start()
        print("ready", flush=True)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
