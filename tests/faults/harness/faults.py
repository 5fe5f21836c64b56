"""What can go wrong, as pairs of how to break and how to mend. A fault that is over at once
(a kill) has no duration; recovery is counted from when it was mended."""

import contextlib
import dataclasses
import glob
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from .stack import GATEWAYS, REPLICAS, Stack

SERVICES = (*REPLICAS, "embedder", "graph", "backup", *GATEWAYS)
MARGIN = 8 << 20  # bytes that others may write meanwhile
FILLER = "filler"
STANDSTILL = str(pathlib.Path(__file__).with_name("standstill.py"))
NETWORKED = (*REPLICAS, "embedder", "graph", "gateway-2", "redis", "postgres")


def nothing(_stack):
    pass


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    begin: Callable[[Stack], object]  # may say when it really began (monotonic)
    end: Callable[[Stack], object] = nothing
    isolated: bool = False  # needs namespaces, of the network or of mounts
    lasts: bool = True
    # No read may fail by it: there is another replica, or nothing of a read needs it.
    reads_hold: bool = False
    most: float = 3.0  # seconds that chance lets it last
    parts: tuple = ()  # what it touches: two faults at a time touch different things


def tell(name, number, whole=False):
    def run(stack):
        stack.processes[name].tell(number, whole=whole)
    return run


def kill(name):
    def run(stack):
        stack.processes[name].kill()
    return run


def restart(name):
    def run(stack):
        stack.processes[name].stop(signal.SIGTERM)
        stack.processes[name].start()
    return run


def begin_stop(name):
    """SIGTERM, and nobody waits for it: the supervisor starts it again."""
    def run(stack):
        stack.processes[name].tell(signal.SIGTERM)
    return run


def deaths():
    for name in SERVICES:
        holds = name in REPLICAS or name == "backup"
        yield Fault(f"kill {name}", kill(name), lasts=False, reads_hold=holds, parts=(name,))
        yield Fault(f"restart {name}", begin_stop(name), lasts=False, reads_hold=holds,
                    parts=(name,))
        yield Fault(f"stop {name}", tell(name, signal.SIGSTOP), tell(name, signal.SIGCONT),
                    parts=(name,))


def stuck(name):
    """Its loop stands still and nothing else does: connections are kept, heartbeats of the
    bus answered."""
    held = []

    def begin(stack):
        holder = subprocess.Popen([sys.executable, STANDSTILL, str(stack.processes[name].pid)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        held.append(holder)
        if holder.stdout.readline() != b"held\n":
            raise RuntimeError(f"{name} does not stand still")

    def end(_stack):
        for holder in held:
            holder.communicate()
        held.clear()
    return begin, end


def standstills():
    for name in (*REPLICAS, "graph", "embedder"):
        yield Fault(f"stuck loop of {name}", *stuck(name), parts=(name,))


# --- the record and the cache ---------------------------------------------------------------

def restart_postgres(stack):
    stack.primary.process.stop(signal.SIGINT)
    stack.primary.process.start()


def fail_over(stack):
    """A synchronous standby is made, the primary dies, the standby takes its place. It begins
    with the death."""
    stack.spare.follow(stack.primary)
    died = time.monotonic()
    stack.primary.process.kill(hold=True)
    stack.fail_over()
    return died


def fill_record(stack):
    """The disk of PostgreSQL is full, its log of writes included."""
    with contextlib.suppress(OSError), open(stack.primary.data / FILLER, "wb") as file:
        most = shutil.disk_usage(stack.primary.data).free - MARGIN
        os.posix_fallocate(file.fileno(), 0, max(1, most))  # at once; byte by byte the rest
        file.seek(0, os.SEEK_END)
        while True:
            file.write(b"x" * (1 << 16))
            file.flush()


def empty_record(stack):
    (stack.primary.data / FILLER).unlink()


class Storm:
    """Connections until PostgreSQL takes no more."""

    def __init__(self):
        self.open = []

    def begin(self, stack):
        server = stack.primary
        command = server.host.command(
            ["psql", "-Xq", "-h", server.host.address, "-U", "cairn", "-d", "cairn"])
        for _ in range(120):
            self.open.append(subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env={**os.environ, "PGPASSWORD": server.secret}))

    def end(self, _stack):
        for process in self.open:
            process.stdin.close()
            process.kill()
        for process in self.open:
            process.wait()
        self.open = []


def redis_says(stack, *words):
    host = stack.net.hosts["redis"]
    subprocess.run(host.command(["redis-cli", "-h", host.address, "--no-auth-warning", "-a",
                                 stack.secret, *words]), check=False, timeout=30,
                   capture_output=True)


def stores():
    storm = Storm()
    yield Fault("kill postgres", kill("postgres"), lasts=False, parts=("postgres",))
    yield Fault("restart postgres", restart_postgres, lasts=False, parts=("postgres",))
    yield Fault("freeze postgres", tell("postgres", signal.SIGSTOP, True),
                tell("postgres", signal.SIGCONT, True), parts=("postgres",))
    yield Fault("fail over postgres", fail_over, lasts=False, parts=("postgres",))
    yield Fault("full disk of postgres", fill_record, empty_record, True,
                parts=("postgres",))
    yield Fault("connection storm", storm.begin, storm.end, parts=("postgres",),
                reads_hold=True)
    yield Fault("kill redis", kill("redis"), lasts=False, parts=("redis",), reads_hold=True)
    yield Fault("freeze redis", tell("redis", signal.SIGSTOP), tell("redis", signal.SIGCONT),
                parts=("redis",))
    yield Fault("flush redis", lambda stack: redis_says(stack, "FLUSHALL"), lasts=False,
                parts=("redis",), reads_hold=True)


# --- the endpoint for embeddings --------------------------------------------------------------

def ollama(path, **body):
    def run(stack):
        stack.ask("POST", f"http://{stack.address('ollama')}:11434{path}", body)
    return run


def endpoints():
    for mode in ("slow", "500", "hang", "garbage", "wrong_dimension", "half_body", "nan"):
        yield Fault(f"endpoint {mode}", ollama("/fault", mode=mode, seconds=1.5),
                    ollama("/fault", mode="ok"), parts=("ollama",), reads_hold=True)
    yield Fault("kill endpoint", kill("ollama"), lasts=False, parts=("ollama",),
                reads_hold=True)


# --- the name server --------------------------------------------------------------------------

def dns(mode):
    def run(stack):
        stack.ask("POST", f"http://{stack.address('dns')}:8053/fault", {"mode": mode})
    return run


def names():
    for mode in ("slow", "silent", "empty", "nxdomain", "servfail"):
        yield Fault(f"names {mode}", dns(mode), dns("ok"), True, parts=("dns",), reads_hold=True,
                    most=8)
    yield Fault("kill name server", kill("dns"), lasts=False, isolated=True, parts=("dns",),
                reads_hold=True)


# --- the network ------------------------------------------------------------------------------

def cut(name, *ways):
    def run(stack):
        stack.net.cut(stack.net.hosts[name], ways=ways)
    return run


def mend(name):
    def run(stack):
        stack.net.mend(stack.net.hosts[name])
    return run


def cut_from_record(name):
    def run(stack):
        stack.net.cut(stack.net.hosts[name], [stack.primary.host])
    return run


def half_open(name):
    """It dies without a word: its peers still think that they are connected."""
    def run(stack):
        stack.net.cut(stack.net.hosts[name])
        stack.processes[name].kill()
    return run


def networks():
    for name in NETWORKED:
        parts = (name,)
        yield Fault(f"partition {name}", cut(name, "in", "out"), mend(name), True, parts=parts)
        yield Fault(f"deafen {name}", cut(name, "in"), mend(name), True, parts=parts)
        yield Fault(f"mute {name}", cut(name, "out"), mend(name), True, parts=parts)
        yield Fault(f"delay {name} 200 ms",
                    lambda stack, at=name: stack.net.delay(stack.net.hosts[at], 0.1),
                    lambda stack, at=name: stack.net.undelay(stack.net.hosts[at]), True,
                    parts=parts)
        yield Fault(f"lose 1 % at {name}",
                    lambda stack, at=name: stack.net.lose(stack.net.hosts[at], 0.01),
                    mend(name), True, parts=parts)
    for name in (*REPLICAS, "graph"):
        yield Fault(f"half-open {name}", half_open(name), mend(name), True, parts=(name,))
        yield Fault(f"cut {name} off the record", cut_from_record(name), mend(name), True,
                    most=12, parts=(name, "postgres"))


# --- what a machine runs out of ---------------------------------------------------------------

def limit(name, what, value):
    """The limit of the process as it runs; what it was comes back in the end."""
    before = {}

    def begin(stack):
        pid = stack.processes[name].pid
        before[pid] = resource.prlimit(pid, what)
        wanted = value(pid) if callable(value) else value
        resource.prlimit(pid, what, (wanted, before[pid][1]))

    def end(stack):
        pid = stack.processes[name].pid
        if pid in before:
            with contextlib.suppress(ProcessLookupError):  # it may just have died of it
                resource.prlimit(pid, what, before[pid])
        before.clear()
    return begin, end


def open_files(pid):
    """No further descriptor."""
    return len(os.listdir(f"/proc/{pid}/fd")) + 1


def address_space(pid):
    """Hardly any further memory: 2 MiB beyond what it has."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize() + (2 << 20)


def fill_disk(name):
    """The replica's own directory becomes a small disk that is full."""
    def begin(stack):
        at = stack.dir / "data" / name
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", at], check=True,
                       timeout=30)
        with contextlib.suppress(OSError):
            pathlib.Path(at, FILLER).write_bytes(b"x" * (1 << 20))

    def end(stack):
        subprocess.run(["umount", "-l", stack.dir / "data" / name], check=True, timeout=30)
    return begin, end


def wrong_clock(name, shift):
    """Restarted with a clock that is wrong, and once more with a right one. `faketime` itself
    would stay before the process, and be ended in its place."""
    def begin(stack):
        process = stack.processes[name]
        process.prefix = ["env", f"LD_PRELOAD={libfaketime()}", f"FAKETIME={shift}"]
        restart(name)(stack)

    def end(stack):
        stack.processes[name].prefix = []
        restart(name)(stack)
    return begin, end


def libfaketime():
    """The library for programs with threads; None where it is not installed."""
    return next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)


def scarcities():
    for name in ("search-1", "graph", "embedder", "gateway-2"):
        yield Fault(f"no descriptors for {name}", *limit(name, resource.RLIMIT_NOFILE,
                                                         open_files), parts=(name,))
        yield Fault(f"no memory for {name}", *limit(name, resource.RLIMIT_AS, address_space),
                    parts=(name,))
    for name in ("search-2", "graph"):
        yield Fault(f"full disk of {name}", *fill_disk(name), True, parts=(name,),
                    reads_hold=True)
    if libfaketime():
        for name, shift in (("search-3", "+1h"), ("search-3", "-1h"), ("graph", "+1h")):
            yield Fault(f"clock of {name} {shift}", *wrong_clock(name, shift), parts=(name,))


def catalogue(isolated):
    """All faults that this machine can do, in a fixed order."""
    found = [*deaths(), *standstills(), *stores(), *endpoints(), *names(), *networks(),
             *scarcities()]
    return [fault for fault in found if isolated or not fault.isolated]
