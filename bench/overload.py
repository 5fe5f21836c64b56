"""Ten times what the stack can do, for a minute: how much is still answered, how soon the rest
is refused, and when all is as before.

    overload.py [--times 10] [--seconds 60] [--chunks 10000] [--mode text|hybrid]

The requests are the same search, whose answers are cached nowhere. The stack has all cores but
the last and wrk has that one: what it costs to ask ten times as often is not taken from those who
answer.
"""

import argparse
import collections
import os
import pathlib
import resource
import sys
import threading

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from bench import ingest, row, table  # noqa: E402
from corpus import load  # noqa: E402
from open_loop import ask, percentile  # noqa: E402
from measure import cpu_seconds, resident_mb  # noqa: E402
from stack import Stack  # noqa: E402

SERVICES = ("gateway", "search", "embedder")
CONSUMERS = (*SERVICES, "postgres", "redis")
CONNECTIONS = 64
*FIRST, LAST = sorted(os.sched_getaffinity(0))
REFUSED = (429, 503)
STEP, WINDOW = 0.1, 10  # seconds, and steps: what counts as "as before" is judged by seconds, each
# a step after the one before. In a step alone the p99 is its slowest request, whatever the load.
MEMORY_BAR = 1.5  # times what a service held before, at five times the peak


class Memory:
    """The most that each service held while the block ran."""

    def __init__(self, stack):
        self.pids = {name: stack.pid(name) for name in SERVICES}
        self.most = {name: resident_mb(pid) for name, pid in self.pids.items()}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.over.wait(0.5):
            for name, pid in self.pids.items():
                self.most[name] = max(self.most[name], resident_mb(pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def own_children():
    """CPU seconds of what this program ran to its end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def goodput(record, seconds):
    return sum(one.status == 200 for one in record) / seconds


def waits(record, *statuses):
    return [one.seconds for one in record if one.status in statuses]


def recovered_after(record, ended, normal_p99):
    """Seconds from the end of the overload from which on no second has a refusal or a p99 of more
    than twice the normal one."""
    steps = collections.defaultdict(list)
    for one in record:
        steps[int((one.began - ended) / STEP)].append(one)
    bad = [first for first in range(max(steps, default=0) - WINDOW + 2) if is_bad(
        [one for step in range(first, first + WINDOW) for one in steps[step]], normal_p99)]
    return (max(bad) + 1) * STEP if bad else 0.0


def is_bad(ones, normal_p99):
    return any(one.status != 200 for one in ones) or \
        percentile([one.seconds for one in ones], 99) > 2 * normal_p99


def phase(stack, args, name, seconds, **more):
    """Its record; a row of the table says the rest."""
    before = {one: cpu_seconds(stack.pid(one)) for one in CONSUMERS}
    asking = own_children()
    record = ask(stack.env["GATEWAY_URL"] + "/api/search",
                 {"query": args.query, "config": {"mode": args.mode}}, seconds,
                 before=("taskset", "-c", str(LAST)), **more)
    used = {one: cpu_seconds(stack.pid(one)) - before[one] for one in CONSUMERS}
    refused, answered = waits(record, *REFUSED), waits(record, 200)
    other = len(record) - len(refused) - len(answered)
    row(name, f"{len(record) / seconds:,.0f}", f"{goodput(record, seconds):,.0f}",
        *(f"{percentile(answered, p) * 1e3:.1f}" for p in (50, 99)),
        *(f"{percentile(refused, p) * 1e3:.2f}" for p in (50, 95, 99)), other,
        *(f"{used[one] / seconds:.2f}" for one in CONSUMERS),
        f"{(own_children() - asking) / seconds:.2f}")
    return record


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=float, default=10)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--mode", choices=("text", "vector", "hybrid"), default="hybrid")
    parser.add_argument("--query", default="how are pages of memory reclaimed")
    return parser.parse_args()


def measure(stack, args):
    table("phase", "asked/s", "200/s", "p50 ms", "p99 ms", "refused p50 ms", "p95", "p99",
          "other", *(f"{one} cores" for one in CONSUMERS), "wrk")
    peak = goodput(phase(stack, args, "peak", 15, connections=CONNECTIONS), 15)
    half = phase(stack, args, "half of it", 10, connections=CONNECTIONS, rate=peak / 2)
    rate = peak * args.times
    with Memory(stack) as memory:
        at_rest = dict(memory.most)
        over = phase(stack, args, f"{args.times:g} times", args.seconds, rate=rate,
                     connections=min(4000, max(CONNECTIONS, int(rate / 5))))
        ended = max(one.began for one in over)
        after = phase(stack, args, "half again", 10, connections=CONNECTIONS, rate=peak / 2)
    print()
    print(f"goodput {goodput(over, args.seconds) / peak:.0%} of the peak; recovered after "
          f"{recovered_after(after, ended, percentile(waits(half, 200), 99)):.1f} s")
    print(f"memory, MB (bar at 5 times: {MEMORY_BAR} x): " +
          ", ".join(f"{name} {at_rest[name]:.1f} to {most:.1f} ({most / at_rest[name]:.2f} x)"
                    for name, most in memory.most.items()))
    print("answers under overload:", dict(collections.Counter(one.status for one in over)))


def main():
    args = arguments()
    os.sched_setaffinity(0, FIRST)  # what is started inherits it
    stack = Stack(CACHE_TTL_SEARCH=0).up().settled()
    try:
        ingest(stack, load(args.chunks), args.chunks)
        measure(stack, args)
    finally:
        stack.down()


if __name__ == "__main__":
    main()
