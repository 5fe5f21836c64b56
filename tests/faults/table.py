#!/usr/bin/env python3
"""The failure table, measured: each row breaks one thing under 200 requests a second, and its
figures stand beside their bars. make fault-table

    table.py [--runs 3] [--row NAME]... [--list]

The worst of the runs counts; the median stands beside it. Bars are compared here, not in make
test: a machine that others use misses them for reasons of its own. Rows that other suites
measure say where."""

import argparse
import collections
import pathlib
import signal
import sys
from statistics import median

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import checker, faults, net  # noqa: E402
from harness.record import UNKNOWN, now  # noqa: E402
from harness.stack import GATEWAYS, REPLICAS, Stack  # noqa: E402
from harness.until import until  # noqa: E402
from harness.watch import (  # noqa: E402
    LOOPS,
    Load,
    Prober,
    between,
    known,
    milliseconds,
    quantile,
    ready,
)
from harness.workload import load_base  # noqa: E402

ALL = LOOPS * len(GATEWAYS) * len(REPLICAS)
LESS = ALL - LOOPS * len(GATEWAYS)
LONG = 15.0  # seconds, for a p99 of 2,400 reads
DISK = 64  # MB, more than the record grows by in one run of all rows
ELSEWHERE = {
    "overload 5 x": "make overload; docs/benchmarks.md",
    "endless frames, msgpack bombs, garbage": "libshared/test_rpc_hostile, tests/security",
    "wrong or missing CURVE key, ZAP dead": "libshared/test_rpc_curve, tests/system/test_keys.py",
}


class Row:
    """The figures of one row: name, what was measured, the bar, worse is more."""

    def __init__(self):
        self.figures = {}

    def measure(self, name, value, most, unit=""):
        self.figures.setdefault(name, ([], most, unit))[0].append(value)


NEVER = float("inf")


def since(moment, began):
    return NEVER if moment is None else max(0.0, moment - began)


def out_and_back(stack, row, begin, end, seconds, bars):
    """The replica goes and comes back: how fast each is seen. Gives when it began."""
    out_bar, back_bar = bars
    began = now()
    begin(stack)
    row.measure("out of rotation", since(until(lambda: ready(stack) <= LESS, 15), began),
                out_bar, "s")
    left = seconds - (now() - began)
    if left > 0:
        until(lambda: False, left)
    mended = now()
    end(stack)
    row.measure("back in rotation", since(until(lambda: ready(stack) >= ALL, 60), mended),
                back_bar, "s")
    return began


def judge(stack, row, load, history):
    stored = {marker: count for marker, count in stack.stored().items()
              if marker.startswith("mk")}
    found = checker.check(load.record, stored, 5.0, history)
    for one in found[:5]:
        print(f"    VIOLATED {one}", flush=True)
    row.measure("violations", len(found), 0)
    history += load.record.writes


def killed(stack, row, load):
    began = out_and_back(stack, row, faults.kill("search-2"), faults.nothing, 0, (0.1, 5))
    until(lambda: False, 2)
    row.measure("failed reads", len(load.failed_reads(began)), 0)
    row.measure("failed writes with a key", sum(
        1 for one in load.record.writes if one.keyed and one.outcome == UNKNOWN), 0)
    row.measure("p99 after 1 s, of normal", milliseconds(
        between(load.record.reads, began + 1, began + 3)) / max(load.normal(), 1), 2, "x")


def stopped(begin, end):
    def run(stack, row, load):
        began = out_and_back(stack, row, begin, end, 4, (1.0, 10))
        row.measure("failed reads", len(load.failed_reads(began)), 0)
        row.measure("longest wait for a read", milliseconds(load.record.reads, 1) / 1000, 2.2,
                    "s")
    return run


def partitioned(*ways):
    def run(stack, row, load):
        began = out_and_back(stack, row, faults.cut("search-2", *ways), faults.mend("search-2"),
                             4, (1.5, 5))
        row.measure("failed reads", len(load.failed_reads(began)), 0)
    return run


def searches(stack):
    return {name: stack.figure(name, 'cairn_rpc_server_requests_total{method="search.query"}')
            for name in REPLICAS}


def retries(stack):
    return sum(stack.figure(gateway, name) for gateway in GATEWAYS for name in
               ("cairn_rpc_client_retries_total", "cairn_rpc_client_hedges_total"))


def slowed(stack, row, load):
    """Of seconds of reads a p99 is the third worst, by chance: both are of LONG."""
    host = stack.net.hosts["search-2"]
    until(lambda: False, LONG)
    before = milliseconds(between(load.record.reads, now() - LONG, now()))
    stack.net.delay(host, 0.25)
    stack.net.lose(host, 0.05)
    until(lambda: False, 5)
    counts, tries, began = searches(stack), retries(stack), now()
    until(lambda: False, LONG)
    later, again = searches(stack), retries(stack)
    reads = between(load.record.reads, began, began + LONG)
    stack.net.undelay(host)
    stack.net.mend(host)
    done = {name: later[name] - counts[name] for name in REPLICAS}
    row.measure("its share of the load after 5 s", 100 * done["search-2"] /
                max(1, sum(done.values())), 20, "%")
    row.measure("p99, of normal", milliseconds(reads) / max(before, 1), 1.5, "x")
    row.measure("retries and hedges", 100 * (again - tries) / max(1, sum(done.values())), 20, "%")
    row.measure("failed reads", sum(1 for one in reads if one.status != 200), 0)


def all_down(stack, row, load):
    graph = stack.url(GATEWAYS[0]) + "/api/graph/labels"
    with Prober(lambda: stack.ask("GET", graph)) as others:
        until(lambda: len(others.answers) >= 100, 20)
        for name in REPLICAS:
            stack.processes[name].kill(hold=True)
        began = now()
        until(lambda: False, 3)
        ended = now()
        ready_now = [stack.ask("GET", f"{stack.url(gateway)}/livez")[0] for gateway in GATEWAYS]
        probes = list(others.answers)
        for name in REPLICAS:
            stack.processes[name].start()
    reads = between(load.record.reads, began + 0.5, ended)
    statuses = collections.Counter(one.status for one in reads)
    row.measure("median of a refusal", milliseconds(
        [one for one in reads if one.status == 503], 0.5), 50, "ms")
    row.measure("answers but 503", sum(statuses.values()) - statuses[503] - statuses[200], 0)
    normal = quantile([took for at, took, _, _ in probes if at < began], 0.99)
    during = quantile([took for at, took, _, _ in probes if at > began], 0.99)
    row.measure("p99 of another route, of normal", during / max(normal, 0.001), 1.1, "x")
    row.measure("gateways that are not alive", sum(1 for one in ready_now if one != 200), 0)


def gateway_killed(stack, row, load):
    began = now()
    stack.processes["gateway-2"].kill()
    gone = until(lambda: sum(stack.figure(name, "cairn_rpc_server_in_flight")
                             for name in REPLICAS) < 20, 10)
    until(lambda: False, 3)
    row.measure("failed reads of the other's clients", sum(
        1 for one in load.failed_reads(began) if one.where == "gateway-1" and not one.retried), 0)
    row.measure("orphan work gone", since(gone, began), 2, "s")


def record_away(begin, end, seconds, back):
    def run(stack, row, load):
        alive = stack.url(GATEWAYS[0]) + "/livez"
        began = begin(stack) or now()
        until(lambda: False, seconds)
        refused = [one for one in between(load.record.writes, began, now())
                   if one.status in (0, 500, 503, 504)]
        dead = stack.ask("GET", alive)[0] != 200
        mended = now() if seconds else began
        end(stack)
        stack.await_green(60)
        row.measure("failed reads", len(load.failed_reads(began)), 0)
        row.measure("longest wait for a refusal", max(
            (one.longest for one in refused), default=0.0), 1.0, "s")
        row.measure("writes and searches again", now() - mended, back, "s")
        row.measure("liveness failed", int(dead), 0)
    return run


def redis_away(stack, row, load):
    began = now()
    stack.processes["redis"].kill(hold=True)
    until(lambda: False, 3)
    stack.processes["redis"].start()
    row.measure("failed reads", len(load.failed_reads(began)), 0)


def endpoint_away(stack, row, load):
    began = now()
    stack.processes["ollama"].kill(hold=True)
    until(lambda: False, 4)
    reads = between(load.record.reads, began, now())
    stack.processes["ollama"].start()
    row.measure("failed reads", sum(1 for one in reads if one.status != 200), 0)
    row.measure("no answer says it is degraded", int(not any(one.degraded for one in reads)), 0)


def names_wrong(mode):
    def run(stack, row, load):
        began = now()
        faults.dns(mode)(stack)
        until(lambda: False, 5)
        reads, connected = between(load.record.reads, began, now()), known(stack)
        faults.dns("ok")(stack)
        row.measure("failed reads", sum(1 for one in reads if one.status != 200), 0)
        row.measure("connections lost", ALL - connected, 0)
        row.measure("p99, of normal", milliseconds(reads) / max(load.normal(), 1), 1.5, "x")
    return run


def rows(isolated):
    freeze = faults.tell("postgres", signal.SIGSTOP, True)
    thaw = faults.tell("postgres", signal.SIGCONT, True)
    table = {
        "SIGKILL of a replica": killed,
        "SIGSTOP of a replica": stopped(faults.tell("search-2", signal.SIGSTOP),
                                        faults.tell("search-2", signal.SIGCONT)),
        "stuck loop of a replica": stopped(*faults.stuck("search-2")),
        "all replicas of search down": all_down,
        "gateway killed": gateway_killed,
        "PostgreSQL killed": record_away(faults.kill("postgres"), faults.nothing, 0, 5),
        "PostgreSQL frozen for 4 s": record_away(freeze, thaw, 4, 5),
        "PostgreSQL failed over": record_away(faults.fail_over, faults.nothing, 0, 5),
        "Redis down": redis_away,
        "endpoint for embeddings down": endpoint_away,
    }
    if isolated:
        table["partition, both ways"] = partitioned("in", "out")
        table["partition, it hears nothing"] = partitioned("in")
        table["partition, it is not heard"] = partitioned("out")
        table["a slow replica (+500 ms, 10 % loss)"] = slowed
        for mode in ("slow", "silent", "empty", "nxdomain"):
            table[f"DNS {mode}"] = names_wrong(mode)
    return table


def show(name, row):
    print(f"{name}")
    for figure, (values, most, unit) in row.figures.items():
        verdict = "ok" if max(values) <= most else "MISSED"
        print(f"    {figure:34} {max(values):10.3f} {unit:3} (bar {most:g}) {verdict}, "
              f"median {median(values):.3f}", flush=True)


def measure(stack, table, runs):
    history, number = [], 0
    for name, scenario in table.items():
        row = Row()
        for _ in range(runs):
            stack.await_green(120)
            with Load(stack, f"t{number}") as load:
                scenario(stack, row, load)
                stack.await_green(120)
            judge(stack, row, load, history)
            number += 1
        show(name, row)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--row", action="append", default=[])
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    isolated = net.enter()
    table = rows(isolated)
    if options.list:
        print("\n".join(table))
        return 0
    stack = Stack(isolated, disk=256 + DISK * options.runs)
    try:
        stack.up()
        load_base(stack)
        measure(stack, {name: table[name] for name in options.row or table}, options.runs)
    finally:
        left = stack.down()
    for name, where in ELSEWHERE.items():
        print(f"{name}: see {where}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
