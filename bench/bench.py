"""Cairn beside nginx, and search and embedding through the whole stack.

Each figure is the median of interleaved runs on this machine; CPU time comes from the
kernel's accounting of the processes, so that a busy machine changes it little. Needs nginx
and wrk (scripts/deps.sh bench). Options: --runs N, --seconds N, --chunks N, --only abscdk.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from corpus import load, queries  # noqa: E402
from measure import cpu_seconds, measure, resident_mb  # noqa: E402
from nginx import Nginx  # noqa: E402
from stack import Stack, eventually  # noqa: E402

SERVICES = ("gateway", "search", "embedder", "graph", "backup")


def row(*cells):
    print("| " + " | ".join(str(c) for c in cells) + " |", flush=True)


def table(*titles):
    print()
    row(*titles)
    row(*("---" for _ in titles))


def compare(name, runs, seconds, ours, theirs):
    """Interleaved; prints medians and the median of the pairs' ratios."""
    for url, pids in (ours, theirs):
        measure(url, pids, 1)  # connections, caches, branch predictors
    pairs = [(measure(*ours, seconds), measure(*theirs, seconds)) for _ in range(runs)]
    mine, peer = ([sum(pair[side][1].values()) for pair in pairs] for side in (0, 1))
    row(name, *(f"{statistics.median(pair[side][0] for pair in pairs):,.0f}"
                for side in (0, 1)),
        f"{statistics.median(mine):.1f}", f"{statistics.median(peer):.1f}",
        f"**{statistics.median(a / b for a, b in zip(mine, peer)):.2f}**")


def bench_http(stack, nginx, args):
    base = stack.env["GATEWAY_URL"]
    gateway = {"gateway": stack.pid("gateway")}
    table("64 connections", "Cairn req/s", "nginx req/s", "Cairn CPU µs", "nginx CPU µs",
          "CPU ratio")
    if "a" in args.only:
        compare("(a) /health/ping : return 200", args.runs, args.seconds,
                (f"{base}/health/ping", gateway),
                (f"http://127.0.0.1:{nginx.direct}/", {"back": nginx.back.pid}))
    if "b" in args.only:
        compare("(b) through ZeroMQ : proxy_pass", args.runs, args.seconds,
                (f"{base}/health/ping/search", {**gateway, "search": stack.pid("search")}),
                (f"http://127.0.0.1:{nginx.proxy}/",
                 {"front": nginx.front.pid, "back": nginx.back.pid}))


def bench_keys(plain, args):
    """What encrypting the bus costs the gateway and search together."""
    keyed = Stack(WORKERS=1, STACK_KEYS=1).up()
    try:
        ours, theirs = ((f"{s.env['GATEWAY_URL']}/health/ping/search",
                         {name: s.pid(name) for name in ("gateway", "search")})
                        for s in (keyed, plain))
        table("64 connections", "with keys req/s", "without req/s", "with keys CPU µs",
              "without CPU µs", "CPU ratio")
        compare("(s) through ZeroMQ", args.runs, args.seconds, ours, theirs)
    finally:
        keyed.down()


def ingest(stack, lines, chunks):
    """Post until the store holds so many chunks; CPU seconds by process."""
    pids = {name: stack.pid(name) for name in (*SERVICES, "postgres", "redis")}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    stored, at = 0, 0
    while stored < chunks and at < len(lines):
        part = lines[at:at + 50]
        at += len(part)
        reply = stack.post("/api/documents/batch?wait=true", b"".join(part), timeout=600,
                           headers={"Content-Type": "application/x-ndjson"})
        results = [json.loads(line) for line in reply.body.splitlines()]
        bad = [r for r in results if r["status"] == "error"]
        if bad:
            raise SystemExit(f"ingest failed: {bad[:3]}")
        stored += sum(r["chunks"] for r in results)
    return stored, {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}


SCRIPT = """
local bodies = {}
for line in io.lines(%s) do bodies[#bodies + 1] = line end
local n = %d
request = function()
  n = n + 1
  return wrk.format("POST", nil, {["Content-Type"] = "application/json"},
                    (bodies[n %% #bodies + 1]:gsub("@", tostring(n))))
end
"""


def script(directory, bodies, start):
    """A wrk script that sends the bodies in turn, `@` replaced by a number never seen."""
    data = pathlib.Path(directory, "bodies")
    data.write_text("\n".join(json.dumps(body) for body in bodies) + "\n")
    path = pathlib.Path(directory, f"script{start}.lua")
    path.write_text(SCRIPT % (json.dumps(str(data)), start))
    return path


def bench_load(stack, args, what, path, bodies, connections):
    pids = {name: stack.pid(name) for name in ("gateway", "search", "embedder")}
    runs = []
    with tempfile.TemporaryDirectory() as directory:
        for run in range(args.runs):
            runs.append(measure(stack.env["GATEWAY_URL"] + path, pids, args.seconds,
                                connections=connections,
                                script=script(directory, bodies, run * 10_000_000)))
    row(what, connections, f"{statistics.median(r[0] for r in runs):,.0f}",
        *(f"{statistics.median(r[1][name] for r in runs):.0f}" for name in pids),
        *(f"{statistics.median(r[2][p] for r in runs):.2f}" for p in (50, 99)))


def bench_search(stack, args):
    lines = load(args.chunks)
    start = time.monotonic()
    stored, used = ingest(stack, lines, args.chunks)
    elapsed = time.monotonic() - start
    table("ingest of chunks", *used, "CPU s in all", "wall s")
    row(f"{stored:,}", *(f"{seconds:.1f}" for seconds in used.values()),
        f"**{sum(used.values()):.1f}**", f"{elapsed:.0f}")
    asked = queries(lines)
    table("", "connections", "req/s", "gateway CPU µs", "search CPU µs", "embedder CPU µs",
          "p50 ms", "p99 ms")
    fresh = [{"query": f"{q} @"} for q in asked]
    for connections in (1, 8):
        bench_load(stack, args, f"(c) search, {stored:,} chunks, new query", "/api/search",
                   fresh, connections)
    bench_load(stack, args, "(c) the same, vectors of queries cached", "/api/search",
               [{"query": q} for q in asked[:500]], 8)
    bench_load(stack, args, "(c) text only", "/api/search",
               [{"query": q, "config": {"mode": "text"}} for q in asked], 8)
    bench_load(stack, args, "(d) embed, new text", "/api/embed",
               [{"input": f"{q} @"} for q in asked], 8)


def memory(stack, when):
    table(f"RSS MB {when}", *SERVICES)
    row("", *(f"{resident_mb(stack.pid(name)):.1f}" for name in SERVICES))


def bench_recovery(stack):
    table("after SIGKILL", "ready again after s")
    for service in SERVICES:
        old = stack.kill(service)
        start = time.monotonic()
        eventually(lambda: stack.pid_or_none(service) not in (None, old)
                   and stack.ready(service), seconds=60)
        row(service, f"{time.monotonic() - start:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--only", default="abscdk")
    args = parser.parse_args()
    nginx = Nginx()
    stack = Stack(WORKERS=1, CACHE_TTL_SEARCH=0).up()
    try:
        memory(stack, "idle")
        if "a" in args.only or "b" in args.only:
            bench_http(stack, nginx, args)
        if "s" in args.only:
            bench_keys(stack, args)
        if "c" in args.only or "d" in args.only:
            bench_search(stack, args)
        memory(stack, "after the load")
        if "k" in args.only:
            bench_recovery(stack)
    finally:
        stack.down()
        nginx.stop()


if __name__ == "__main__":
    main()
