"""Latency of a search at half of what the stack can do.

    latency.py [--chunks N] [--seconds N] [--runs N]

Loads the kernel's documentation, cut into short passages, and as much of WordNet as makes
up the number; finds the saturation
with 64 connections that ask as fast as they can, then asks at half that rate with pauses of
random length and reports the percentiles. The vectors of the queries are in the embedder's
cache, answers are not cached anywhere. At the same rate the gateway is asked for nothing
(/health/ping) in turn: what that takes at the 99th percentile is the machine's, of which a
hypervisor may stop every core for milliseconds without saying so.
"""

import argparse
import os
import pathlib
import statistics
import sys
import tempfile

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from bench import ingest, row, script, table  # noqa: E402
from corpus import glossary, load, queries  # noqa: E402
from measure import measure, resident_mb, rest  # noqa: E402
from stack import Stack  # noqa: E402

CONNECTIONS = 64
QUERIES = 1000
SERVICES = ("gateway", "search", "embedder")
# wrk waits so many milliseconds before a connection's next request
PAUSE = """
math.randomseed(7)
delay = function() return math.floor(-math.log(1 - math.random()) * %f + 0.5) end
"""


def ask(stack, args, path, route="/api/search"):
    pids = {name: stack.pid(name) for name in SERVICES}
    return measure(stack.env["GATEWAY_URL"] + route, pids, args.seconds,
                   connections=CONNECTIONS, script=path, ahead=True)


def half_of_saturation(stack, args, bodies):
    with tempfile.TemporaryDirectory() as directory:
        path = script(directory, bodies, 0)
        full = [ask(stack, args, path) for _ in range(args.runs)]
        rate = statistics.median(run[0] for run in full)
        pause = PAUSE % (CONNECTIONS / (rate / 2) * 1000)
        path.write_text(path.read_text() + pause)
        nothing = pathlib.Path(directory, "nothing.lua")
        nothing.write_text(pause)
        half, pings = zip(*((ask(stack, args, path), ask(stack, args, nothing, "/health/ping"))
                            for _ in range(args.runs)))
    for what, runs in (("saturated", full), ("at half of it", half),
                       ("/health/ping as often", pings)):
        row(what, f"{statistics.median(r[0] for r in runs):,.0f}",
            *(f"{statistics.median(r[1][name] for r in runs):.0f}" for name in SERVICES),
            *(f"{statistics.median(r[2][p] for r in runs):.2f}" for p in (50, 99)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--tokens", type=int, default=100, help="size of a passage")
    args = parser.parse_args()
    lines = load(args.chunks)
    asked = queries(lines)[:QUERIES]
    lines += glossary()
    stack = Stack(CHUNK_TOKENS=args.tokens, CHUNK_OVERLAP_PERCENT=0, CACHE_TTL_SEARCH=0).up()
    try:
        stored, used = ingest(stack, lines, args.chunks)
        print(f"{stored:,} passages, ingest {sum(used.values()):.0f} s CPU, search holds "
              f"{resident_mb(stack.pid('search')):.0f} MB")
        for query in asked:  # their vectors into the cache
            stack.search(query)
        rest()
        for what, more in (("hybrid", {}), ("text", {"mode": "text"}),
                           ("vector", {"mode": "vector"})):
            table(what, "req/s", *(f"{name} CPU µs" for name in SERVICES), "p50 ms", "p99 ms")
            half_of_saturation(stack, args,
                               [{"query": query, "config": more} for query in asked])
    finally:
        stack.down()


if __name__ == "__main__":
    main()
