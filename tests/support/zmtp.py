"""ZMTP 3.0 (rfc.zeromq.org/spec/23) by hand: what a ZeroMQ library would not send."""

import struct

MORE, LONG, COMMAND = 1, 2, 4


def greeting(mechanism=b"NULL", major=3, signature=b"\xff" + b"\0" * 8 + b"\x7f"):
    return signature + bytes([major, 0]) + mechanism.ljust(20, b"\0") + b"\0" * 32


def frame(body, flags=0, size=None):
    """`size`: what the head says, if not the truth."""
    size = len(body) if size is None else size
    if size < 256 and not flags & LONG:
        return bytes([flags, size]) + body
    return bytes([flags | LONG]) + struct.pack(">Q", size) + body


def ready(kind=b"DEALER", identity=b""):
    out = b"\x05READY"
    for name, value in ((b"Socket-Type", kind), (b"Identity", identity)):
        out += bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
    return frame(out, COMMAND)


def header(kind, sequence=1, method=0, payload=0, flags=0, version=1):
    """The envelope of proto/envelope.h."""
    return (struct.pack("<IHBBQQBBHIII", 0x4E524143, version, kind, flags, 1, sequence, 0, 0,
                        0, 60000, method, payload) + b"\0" * 56)


HELLO, REQUEST, PING = 1, 3, 7


def message(*frames):
    """All frames of one."""
    return b"".join(frame(body, MORE if i < len(frames) - 1 else 0)
                    for i, body in enumerate(frames))
