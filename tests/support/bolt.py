"""A small Bolt client: enough to say anything to a server, right or wrong, and to read what
it answers. Standard library only."""

import socket
import struct

HELLO, GOODBYE, RESET, RUN, BEGIN, COMMIT, ROLLBACK = 0x01, 0x02, 0x0F, 0x10, 0x11, 0x12, 0x13
DISCARD, PULL, TELEMETRY, ROUTE, LOGON, LOGOFF = 0x2F, 0x3F, 0x54, 0x66, 0x6A, 0x6B
SUCCESS, RECORD, IGNORED, FAILURE = 0x70, 0x71, 0x7E, 0x7F
MAGIC = b"\x60\x60\xb0\x17"


class Struct(tuple):
    """(tag, fields…)"""


def head(tiny, first, size):
    if tiny is not None and size < 16:
        return bytes([tiny | size])
    for marker, form in ((first, ">B"), (first + 1, ">H"), (first + 2, ">I")):
        if size < 1 << 8 * struct.calcsize(form):
            return bytes([marker]) + struct.pack(form, size)
    raise ValueError(size)


def pack_int(value):
    if -16 <= value < 128:
        return struct.pack(">b", value)
    for marker, form, bits in ((0xC8, ">b", 7), (0xC9, ">h", 15), (0xCA, ">i", 31)):
        if -(1 << bits) <= value < 1 << bits:
            return bytes([marker]) + struct.pack(form, value)
    return b"\xcb" + struct.pack(">q", value)


def pack(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return pack_int(value)
    if isinstance(value, float):
        return b"\xc1" + struct.pack(">d", value)
    if isinstance(value, bytes):
        return head(None, 0xCC, len(value)) + value
    if isinstance(value, str):
        return head(0x80, 0xD0, len(value.encode())) + value.encode()
    if isinstance(value, Struct):
        return bytes([0xB0 | len(value) - 1, value[0]]) + b"".join(map(pack, value[1:]))
    if isinstance(value, (list, tuple)):
        return head(0x90, 0xD4, len(value)) + b"".join(map(pack, value))
    return head(0xA0, 0xD8, len(value)) + b"".join(
        pack(key) + pack(item) for key, item in value.items())


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        assert self.at <= len(self.data)
        return self.data[self.at - count:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def size(self, marker, first):
        return self.number((">B", ">H", ">I")[marker - first])

    def items(self, count):
        return [self.value() for _ in range(count)]

    def pairs(self, count):
        return {self.value(): self.value() for _ in range(count)}

    def short(self, marker):
        kind, size = marker & 0xF0, marker & 0x0F
        if kind == 0x80:
            return self.take(size).decode()
        if kind == 0x90:
            return self.items(size)
        if kind == 0xA0:
            return self.pairs(size)
        tag = self.number(">B")
        return Struct((tag, *self.items(size)))

    def value(self):
        marker = self.number(">B")
        if marker < 0x80 or marker >= 0xF0:
            return struct.unpack(">b", bytes([marker]))[0]
        if marker < 0xC0:
            return self.short(marker)
        if marker in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[marker]
        if marker == 0xC1:
            return self.number(">d")
        if 0xC8 <= marker <= 0xCB:
            return self.number((">b", ">h", ">i", ">q")[marker - 0xC8])
        first = marker & 0xFC
        size = self.size(marker, first)
        if first == 0xCC:
            return self.take(size)
        if first == 0xD0:
            return self.take(size).decode()
        return self.items(size) if first == 0xD4 else self.pairs(size)


def unpack(data):
    reader = Reader(data)
    value = reader.value()
    assert reader.at == len(data)
    return value


def message(tag, *fields, piece=65535):
    """As it goes over the wire."""
    body = pack(Struct((tag, *fields)))
    out = b""
    for at in range(0, len(body), piece):
        part = body[at:at + piece]
        out += struct.pack(">H", len(part)) + part
    return out + b"\0\0"


class Failed(Exception):
    def __init__(self, meta):
        super().__init__(meta)
        self.code, self.message = meta["code"], meta["message"]


class Bolt:
    """A connection; `version` is what it asks for, and what it speaks then."""

    def __init__(self, host, port, version=(5, 4), tls=None, timeout=60):
        self.socket = socket.create_connection((host, port), timeout)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.version = version
        self.stream = self.socket.makefile("rb")
        if version:
            major, minor = version
            assert self.shake_hands(bytes([0, 0, minor, major])) == bytes(
                [0, 0, minor, major])

    def shake_hands(self, *proposals):
        wanted = b"".join(proposals).ljust(16, b"\0")
        self.socket.sendall(MAGIC + wanted)
        return self.stream.read(4)

    def close(self):
        self.stream.close()
        self.socket.close()

    def send(self, tag, *fields):
        self.socket.sendall(message(tag, *fields))

    def receive(self):
        """(tag, metadata or record); None at the end."""
        body = b""
        while True:
            length = self.stream.read(2)
            if len(length) < 2:
                return None
            (size,) = struct.unpack(">H", length)
            if size == 0 and body:
                break
            body += self.stream.read(size)
        answer = unpack(body)
        return answer[0], answer[1] if len(answer) > 1 else {}

    def ask(self, tag, *fields):
        """The metadata of a success."""
        self.send(tag, *fields)
        return self.success()

    def success(self):
        tag, meta = self.receive()
        if tag == FAILURE:
            raise Failed(meta)
        assert tag == SUCCESS, (tag, meta)
        return meta

    def hello(self, **auth):
        """Greet and log in, whichever way the version has it."""
        own = {"user_agent": "cairn-tests/1"}
        if self.version >= (5, 1):
            greeting = self.ask(HELLO, own)
            self.ask(LOGON, auth)
            return greeting
        return self.ask(HELLO, {**own, **auth})

    def login(self, name, password):
        return self.hello(scheme="basic", principal=name, credentials=password)

    def records(self):
        """Those of a PULL that was sent, and its summary."""
        found = []
        while True:
            tag, meta = self.receive()
            if tag == RECORD:
                found.append(meta)
            elif tag == FAILURE:
                raise Failed(meta)
            else:
                assert tag == SUCCESS, (tag, meta)
                return found, meta

    def run(self, query, parameters=None, **extra):
        """Fields and records."""
        self.send(RUN, query, parameters or {}, extra)
        self.send(PULL, {"n": -1})
        try:
            fields = self.success()["fields"]
        except Failed:
            after = self.receive()
            assert after is None or after[0] == IGNORED  # it may end the connection
            raise
        return fields, self.records()[0]

    def reset(self):
        return self.ask(RESET)
