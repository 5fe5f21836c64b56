"""Bytes as they are, to any port: TCP or a socket in the file system."""

import contextlib
import socket
import urllib.parse


def connect(address, timeout=60):
    """`address`: http://host:port, bolt://host:port, or ipc://path."""
    where = urllib.parse.urlsplit(address)
    if where.scheme == "ipc":
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(timeout)
        s.connect(address.removeprefix("ipc://"))
        return s
    s = socket.create_connection((where.hostname, where.port), timeout=timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def send_all(s, data):
    """Whether it took all of it; it may close before."""
    try:
        s.sendall(data)
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False


def receive(s):
    """All that comes until the other side closes."""
    out = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := s.recv(65536):
            out += piece
    return out


def exchange(address, data, cuts=(), ends=False):
    """What comes back on these bytes, sent in pieces cut at those places. `ends`: say that
    no more comes, or the server would wait for it."""
    with connect(address) as s:
        for start, end in zip([0, *cuts], [*cuts, len(data)]):
            if not send_all(s, data[start:end]):
                break
        if ends:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_WR)
        return receive(s)


def statuses_of(answer):
    """Of each answer on the connection: no body of ours holds such a line."""
    return [int(line[9:12]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
