#!/usr/bin/env python3
"""An hour of mixed load with a fault every minute: what the services hold must not grow. make soak

    soak.py [--minutes 60] [--share 0.7] [--seed N] [--report FILE.svg]

The load is a share of what these clients reach when they do not pause. Each minute breaks one
thing at random and is judged by the checker; what it stored is then removed, so that what is
stored does not grow. Memory and descriptors of each service, latencies and rates are sampled
all along; what counts is the last third beside the one before it. A process that was killed
begins anew: only processes of ten minutes and more are compared, whose kept answers and lists
are full. What a process has allocated is what grows when it loses something; what it holds of
the machine's memory goes up and down with what was freed between.
Exit status 1: something was violated."""

import argparse
import collections
import pathlib
import random
import statistics
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import chart, checker, faults, net, plan  # noqa: E402
from harness.record import Record, now  # noqa: E402
from harness.stack import Stack  # noqa: E402
from harness.watch import milliseconds  # noqa: E402
from harness.workload import Workload, load_base  # noqa: E402

WRITERS, READERS = 4, 16
EVERY = 5.0  # seconds between samples
PROBE, STEPS = 8.0, 4  # seconds of each rate that is tried, and how often to come nearer
SETTLED = 600.0  # seconds after which a process has what it needs
FRESHNESS = 5.0
DISK = 50  # MB of PostgreSQL for a minute: audit and outbox are kept for longer than this lasts
CACHE = "4"  # MB of kept answers, soon full: what grows afterwards is not the cache
REMOVE = ("DELETE FROM documents WHERE title ~ '^mk'",
          "DELETE FROM glossary_terms WHERE term ~ '^mk'",
          "DELETE FROM graph_nodes WHERE properties->>'name' ~ '^mk'")


class Samples(threading.Thread):
    """Megabytes and descriptors of every service, as long as the block lasts."""

    def __init__(self, stack, began):
        super().__init__(daemon=True)
        self.stack, self.began, self.over = stack, began, threading.Event()
        self.memory = collections.defaultdict(list)  # name: [(second, MB)]
        self.descriptors = collections.defaultdict(list)
        self.allocated = collections.defaultdict(list)  # the same
        self.settled = collections.defaultdict(list)  # samples of processes of some age
        self.since = {}  # pid: when it was first seen

    def sample(self, name):
        pid, at = self.stack.processes[name].pid, now() - self.began
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        held = next((int(line.split()[1]) / 1024 for line in status.splitlines()
                     if line.startswith("VmRSS")), None)
        if held is None:  # it has just ended
            return
        count = len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
        used = self.stack.figure(name, "cairn_heap_used_bytes") / 1e6
        self.memory[name].append((at, held))
        self.descriptors[name].append((at, count))
        if used:
            self.allocated[name].append((at, used))
        if now() - self.since.setdefault(pid, now()) >= SETTLED:
            self.settled[name].append((at, held, used, count))

    def run(self):
        while not self.over.wait(EVERY):
            for name in self.stack.service_names():
                try:
                    self.sample(name)
                except OSError:  # ended meanwhile
                    continue

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


class Soak:
    def __init__(self, stack, options):
        self.stack, self.options = stack, options
        self.began, self.marks, self.violations = now(), [], []
        self.rates, self.waits, self.reads = [], [], 0
        self.pace = 0.0

    def rate_at(self, pace):
        """Requests a second when every client pauses so long after each answer."""
        record = Record()
        with Workload(self.stack, record, "peak", WRITERS, READERS, pace) as work:
            work.over.wait(PROBE)
        return (len(record.reads) + len(record.writes)) / PROBE

    def find_pace(self):
        """Everybody as fast as they can, then pauses until a share of that is left. Answers come
        sooner when fewer are asked for, so that no pause can be told from the peak alone."""
        peak = rate = self.rate_at(0.0)
        wanted, clients = self.options.share * peak, WRITERS + READERS
        for _ in range(STEPS):
            self.pace = max(0.0, self.pace + clients / wanted - clients / rate)
            rate = self.rate_at(self.pace)
        print(f"{peak:.0f} requests a second without pauses, {rate:.0f} with pauses of "
              f"{self.pace * 1000:.0f} ms", flush=True)
        self.remove()

    def remove(self):
        for statement in REMOVE:
            self.stack.primary.psql(statement + ";")
        self.stack.await_green(60)

    def minute(self, number, chance):
        known = faults.catalogue(self.stack.net.isolated)
        fault = chance.choice([one for one in known if "fail over" not in one.name])
        steps = plan.make(chance, known, fault)
        record, began = Record(), now()
        with Workload(self.stack, record, f"s{number}", WRITERS, READERS, self.pace) as work:
            work.over.wait(chance.uniform(5, 25))
            self.marks.append(now() - self.began)
            mended = plan.carry_out(steps, self.stack)
            self.stack.await_green(120)
            recovered = now() - mended
            work.over.wait(max(1.0, 57 - (now() - began)))
        self.note(record, began)
        stored = {marker: count for marker, count in self.stack.stored().items()
                  if marker.startswith("mk")}
        found = checker.check(record, stored, FRESHNESS)
        self.violations += found
        print(f"{number:3} {fault.name}: recovered in {recovered:.2f} s; {self.rates[-1][1]:.0f} "
              f"requests/s, p99 {self.waits[-1][1]:.0f} ms, {len(found)} violations", flush=True)
        for one in found[:5]:
            print(f"    VIOLATED {one}", flush=True)
        self.remove()

    def note(self, record, began):
        """Latency of what was not asked beside a fault, and the rate of all."""
        at, took = began - self.began, now() - began
        calm = [one for one in record.reads if one.ended < self.marks[-1] + self.began]
        self.rates.append((at, (len(record.reads) + len(record.writes)) / took))
        self.waits.append((at, milliseconds(calm)))
        self.reads += len(record.reads)

    def run(self):
        chance = random.Random(self.options.seed)
        self.find_pace()
        self.began = now()
        with Samples(self.stack, self.began) as samples:
            try:
                for number in range(self.options.minutes):
                    self.minute(number, chance)
            finally:
                report(self, samples, self.options.report)


def growth(samples, seconds, column):
    """The median of the last third beside that of the one before it, in percent."""
    last = [one[column] for one in samples if one[0] >= seconds * 2 / 3]
    before = [one[column] for one in samples if seconds / 3 <= one[0] < seconds * 2 / 3]
    if not last or not before or not statistics.median(before):
        return None
    return 100 * (statistics.median(last) / statistics.median(before) - 1)


def report(soak, samples, path):
    seconds = now() - soak.began
    panels = {"memory, MB": samples.memory, "allocated, MB": samples.allocated,
              "descriptors": samples.descriptors,
              "p99 of reads before each fault, ms": {"p99": soak.waits},
              "requests a second": {"all": soak.rates}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(chart.svg(panels, soak.marks, seconds))
    print(f"\n{seconds / 60:.0f} minutes, {soak.reads:,} reads, {len(soak.violations)} "
          f"violations; chart: {path}\n\n| last third beside the second | held | allocated | "
          "descriptors |\n| --- | --- | --- | --- |")
    for name, settled in sorted(samples.settled.items()):
        grown = [growth(settled, seconds, column) for column in (1, 2, 3)]
        print(f"| {name} | " + " | ".join("not known" if one is None else f"{one:+.1f} %"
                                          for one in grown) + " |")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--share", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=pathlib.Path, default=pathlib.Path("build/soak.svg"))
    return parser.parse_args()


def main():
    options = arguments()
    isolated = net.enter()
    stack = Stack(isolated, disk=256 + DISK * options.minutes, CACHE_MEMORY_MB=CACHE)
    try:
        stack.up()
        load_base(stack)
        soak = Soak(stack, options)
        soak.run()
    finally:
        left = stack.down()
    for text in left:
        print(f"VIOLATED sanitizer: {text}")
    return 1 if soak.violations or left else 0


if __name__ == "__main__":
    sys.exit(main())
