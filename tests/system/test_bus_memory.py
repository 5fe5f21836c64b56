"""libzmq bounds a frame, and not how many frames a message has: what a caller that is let in
can do, where the memory of a service has a limit, and what it cannot."""

import contextlib
import pathlib
import resource
import socket

import pytest
import zmtp
from conftest import eventually
from stack import SANITIZED

MB = 1 << 20
OTHERS = ("gateway", "search", "graph", "backup")


def size(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmSize:")[1].split()[0]) * 1024


def send_without_end(where):
    """Until the other side is gone."""
    frame = zmtp.frame(b"x" * MB, zmtp.MORE | zmtp.LONG)
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(where)
        s.sendall(zmtp.greeting() + zmtp.ready())
        for _ in range(4096):
            try:
                s.sendall(frame)
            except (BrokenPipeError, ConnectionResetError):
                return
    raise AssertionError("4 GB went into a message, and nobody minded")


@pytest.mark.skipif(SANITIZED, reason="sanitizers reserve all addresses there are")
def test_frames_without_end_end_where_the_memory_does(stack):
    """libzmq lets go of who asks for what there is not; should something else in the process
    have needed it first, the process ends, alone, and is started again."""
    pids = {service: stack.pid(service) for service in OTHERS}
    pid = stack.pid("embedder")
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    limit = size(pid) + 256 * MB
    resource.prlimit(pid, resource.RLIMIT_AS, (limit, before[1]))
    send_without_end(f"{stack.dir}/run/embedder.sock")
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_AS, before)
    eventually(lambda: stack.ready("embedder"), seconds=60, what=stack.logs)
    stack.settled()
    assert pids == {service: stack.pid(service) for service in OTHERS}
