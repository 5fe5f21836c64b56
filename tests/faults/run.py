#!/usr/bin/env python3
"""Breaks a running stack at random and checks what it said meanwhile. make faults

    run.py [--runs 20] [--seed N] [--only RUN] [--fault NAME]... [--list] [--keep DIR]

A run is one fault, or two at a time, under a recorded workload. The seed is printed; with it
and --only the same plan comes again. --fault takes a fault of that name (as often as it is
said) instead of chance. Exit status 1: something was violated."""

import argparse
import collections
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import checker, faults, net, plan  # noqa: E402
from harness.record import Record  # noqa: E402
from harness.stack import Stack  # noqa: E402
from harness.workload import Workload, load_base  # noqa: E402

FRESHNESS = 5.0  # seconds: docs/reliability.md
RECOVERY = 5.0
PATIENT = {"READ_TIMEOUT_MS": "10000", "WRITE_TIMEOUT_MS": "10000"}
CRASHES = {-number for number in (signal.SIGILL, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE,
                                  signal.SIGSEGV, signal.SIGSYS)}
CALM = 0.7  # seconds of workload after everything is green


class Runs:
    def __init__(self, stack, options):
        self.stack, self.seed, self.keep = stack, options.seed, options.keep
        self.freshness = 60.0 if options.patient else FRESHNESS
        self.history, self.violations, self.recoveries = [], [], []
        self.totals, self.known = collections.Counter(), set()
        self.judged = collections.Counter()  # by process: how many of its ends

    def deaths(self, steps):
        """Who ended without being asked to: only what a fault touches may, and of what it lacks."""
        touched = {part for step in steps for part in step.fault.parts}
        starved = {part for step in steps for part in step.fault.parts
                   if step.fault.name.startswith("no ")}
        for name, process in self.stack.processes.items():
            for status in process.ends[self.judged[name]:]:
                if name not in touched or (status in CRASHES and name not in starved):
                    yield checker.Violation("death", f"{name} ended with status {status}")
            self.judged[name] = len(process.ends)

    def check(self, number, steps, record):
        stored = {marker: count for marker, count in self.stack.stored().items()
                  if marker.startswith("mk")}
        found = checker.check(record, stored, self.freshness, self.history)
        if all(step.fault.reads_hold for step in steps):
            found += [checker.Violation("failed read", f"{one.what} of {one.reader} at "
                                        f"{one.where}: {one.status} {one.said}")
                      for one in record.reads if one.status != 200]
        if found and self.keep:
            record.save(pathlib.Path(self.keep) / f"run-{number}.ndjson")
        self.history += record.writes
        new = [one for one in found if str(one) not in self.known]
        self.known.update(map(str, new))  # what is stored twice stays so: told once
        return new

    def run(self, number, single=None):
        chance = random.Random(f"{self.seed}/{number}")
        steps = plan.make(chance, faults.catalogue(self.stack.net.isolated), single)
        record = Record()
        with Workload(self.stack, record, number) as work:
            mended = plan.carry_out(steps, self.stack)
            lasted = self.stack.await_green(120)
            recovery = time.monotonic() - mended
            work.over.wait(CALM)
        found = [*self.check(number, steps, record), *self.deaths(steps)]
        self.report(number, steps, record, recovery, found)
        if recovery > RECOVERY:
            print(f"     the last that was wrong: {lasted}", flush=True)

    def report(self, number, steps, record, recovery, found):
        figures = checker.figures(record)
        self.recoveries.append((recovery, number, steps))
        self.violations += found
        for name in ("acknowledged", "refused", "unknown"):
            self.totals[name] += figures[name]
        self.totals["reads"] += len(record.reads)
        print(f"{number:4} {' '.join(map(str, steps))}\n     recovered in {recovery:.2f} s; "
              f"writes {figures['acknowledged']} + {figures['refused']} refused + "
              f"{figures['unknown']} unknown; reads {figures['reads']}, {figures['degraded']} "
              f"degraded, p50 {figures['p50_ms']:.0f} p99 {figures['p99_ms']:.0f} max "
              f"{figures['max_ms']:.0f} ms", flush=True)
        for one in found[:10]:
            print(f"     VIOLATED {one}", flush=True)

    def summary(self):
        slow = [one for one in self.recoveries if one[0] > RECOVERY]
        singles = [one for one in slow if len(one[2]) == 1]
        print(f"{len(self.recoveries)} runs, seed {self.seed}: {dict(self.totals)}; "
              f"{len(self.violations)} violations; recovery: worst "
              f"{max((one[0] for one in self.recoveries), default=0):.2f} s, over {RECOVERY:.0f} "
              f"s in {len(slow)} runs, {len(singles)} of them of a single fault")
        for recovery, number, steps in sorted(slow, key=lambda one: -one[0]):
            print(f"  {recovery:6.2f} s  {number:4} {' '.join(map(str, steps))}")
        counts = collections.Counter(one.rule for one in self.violations)
        for rule, count in counts.most_common():
            print(f"  {rule}: {count}")


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", default=str(random.randrange(1 << 30)))
    parser.add_argument("--only", type=int)
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--keep", help="directory for the records of runs that failed")
    parser.add_argument("--patient", action="store_true",
                        help="for a machine that is slow: longer deadlines, nothing measured")
    return parser.parse_args(arguments)


def main():
    options = options_of(sys.argv[1:])
    isolated = net.enter()
    known = {fault.name: fault for fault in faults.catalogue(isolated)}
    if options.list:
        print("\n".join(known))
        return 0
    print(f"FAULT_SEED={options.seed}; " + (
        "network namespaces" if isolated else "loopback: no faults of the network"), flush=True)
    # Without namespaces those of the network cannot be had.
    chosen = [known[name] for name in options.fault if isolated or name in known]
    stack = Stack(isolated, **(PATIENT if options.patient else {}))
    runs = Runs(stack, options)
    try:
        stack.up()
        load_base(stack)
        if chosen:
            for number, fault in enumerate(chosen):
                runs.run(number, fault)
        elif options.only is not None:
            runs.run(options.only)
        else:
            for number in range(options.runs):
                runs.run(number)
    finally:
        left = stack.down()
    runs.summary()
    for text in left:
        print(f"VIOLATED sanitizer: {text}")
    return 1 if runs.violations or left else 0


if __name__ == "__main__":
    sys.exit(main())
