"""The edge: a cached search with everything that guards it.

    edge.py [--runs N] [--seconds N] [--chunks N] [--only nfr]

n  beside nginx that answers the same bytes: CPU time a request
f  what each guard costs: all of them, each left out, none
r  beside the reference app (bench/reference): requests a second, hit and miss

Everything runs on the same cores, in turn, within one run; figures are medians, ratios are
medians of the pairs' ratios. CPU time is the kernel's accounting of the processes.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
import urllib.parse

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "tests/support"), str(HERE.parent),
                str(HERE.parent / "reference")]

from bench import ingest, row, table  # noqa: E402
from corpus import load, queries  # noqa: E402
from gateways import Canned, Gateway, Users, secured  # noqa: E402
from measure import cpu_seconds, wrk  # noqa: E402
from reference import Reference  # noqa: E402
from stack import Stack  # noqa: E402

IDLE = 0.02  # CPU seconds in half a second, of all that is measured
SERVERS = ("redis", "postgres", "search", "embedder")  # of the stack, for everybody
SCRIPT = """
local bodies, tokens = {}, {}
for line in io.lines(%s) do bodies[#bodies + 1] = line end
for line in io.lines(%s) do tokens[#tokens + 1] = line end
local stop = {"the", "of", "in", "to", "a", "on", "is", "at", "by", "an", "as", "it", "be",
              "for", "and", "or"}
local n = %d
local function words()
  local out, rest = {}, n
  while rest > 0 do
    out[#out + 1] = stop[rest %% 16 + 1]
    rest = math.floor(rest / 16)
  end
  return table.concat(out, " ")
end
request = function()
  n = n + 1
  return wrk.format("POST", nil, {["Content-Type"] = "application/json",
                    ["Authorization"] = "Bearer " .. tokens[n %% #tokens + 1]},
                    (bodies[n %% #bodies + 1]:gsub("@", words)))
end
"""


class Asked:
    """A kind of request: bodies in turn. `@` in them becomes words that no index looks for,
    never the same: a query that finds what it found before and is in no cache."""

    starts = 0

    def __init__(self, directory, name, bodies, users):
        self.data = pathlib.Path(directory, f"{name}.bodies")
        self.data.write_text("\n".join(json.dumps(body) for body in bodies) + "\n")
        self.tokens = pathlib.Path(directory, "tokens")
        self.tokens.write_text("\n".join(users.tokens) + "\n")
        self.path = pathlib.Path(directory, f"{name}.lua")

    def script(self):
        Asked.starts += 1_000_000
        self.path.write_text(SCRIPT % (json.dumps(str(self.data)),
                                       json.dumps(str(self.tokens)), Asked.starts))
        return self.path


class Bench:
    def __init__(self, stack, args, directory):
        self.stack, self.args, self.directory = stack, args, directory
        self.users = Users()
        self.guarded = secured(stack, self.users)
        self.servers = {name: stack.pid(name) for name in SERVERS}

    def gateway(self, name, **changes):
        return Gateway(self.stack, name, **{**self.guarded, **changes})

    def asked(self, name, bodies):
        return Asked(self.directory, name, bodies, self.users)

    def once(self, base, body):
        path = urllib.parse.urlsplit(base).path + "/api/search"
        reply = self.stack.post(path, body, base=base, headers={
            "Authorization": f"Bearer {self.users.tokens[0]}"})
        if reply.status != 200:
            raise SystemExit(f"{base}: {reply.status} {reply.body!r}")
        return reply

    def cached(self, base, body):
        """Ask until the answer comes from the cache."""
        for _ in range(1000):
            reply = self.once(base, body)
            if reply.json()["from_cache"]:
                return reply
        raise SystemExit(f"{base}: nothing comes from the cache")

    def found(self, base, bodies):
        """Results of an answer, on average."""
        asked = [{**body, "query": body["query"].removesuffix(" @")} for body in bodies]
        return statistics.mean(len(self.once(base, body).json()["results"])
                               for body in asked)

    def settle(self, processes):
        """Until what was left for later, such as the audit log's way into PostgreSQL, is
        done."""
        deadline, last = time.monotonic() + 60, None
        while time.monotonic() < deadline:
            now = {name: cpu_seconds(pid) for name, pid in processes.items()}
            if last and sum(now.values()) - sum(last.values()) <= IDLE:
                return now
            last = now
            time.sleep(0.5)
        return last

    def measure(self, base, asked, processes, seconds=None):
        """(requests a second, {process: CPU µs a request, what comes later included})."""
        everybody, seconds = {**processes, **self.servers}, seconds or self.args.seconds
        before = self.settle(everybody)
        requests, _ = wrk(base + "/api/search", seconds, script=asked.script())
        after = self.settle(everybody)
        return requests / seconds, {name: (after[name] - before[name]) * 1e6 / requests
                                    for name in everybody}

    def rounds(self, sides):
        """Everybody's turn, --runs times; a list of results for each side."""
        for base, asked, processes in sides:
            self.measure(base, asked, processes, seconds=1)
        results = [[] for _ in sides]
        for _ in range(self.args.runs):
            for side, kept in zip(sides, results):
                kept.append(self.measure(*side))
        return results


def median(numbers):
    return statistics.median(numbers)


def own(result):
    """CPU µs of the server itself, without the stack's."""
    return sum(us for name, us in result[1].items() if name not in SERVERS)


def whole(result):
    return sum(result[1].values())


def ratio(ours, theirs, figure):
    return median(figure(a) / figure(b) for a, b in zip(ours, theirs))


def beside_nginx(bench, query):
    """Twice: neither side keeps an access log, and both do."""
    body = {"query": query}
    asked = bench.asked("one", [body])
    table("64 connections, one query", "bytes", "Cairn req/s", "nginx req/s",
          "Cairn CPU µs", "nginx CPU µs", "CPU ratio", "Redis CPU µs", "PostgreSQL CPU µs",
          "ratio with these")
    for what, level, log in (("no access log", "WARNING", False),
                             ("access logs", "INFO", True)):
        gateway = bench.gateway("all", LOG_LEVEL=level)
        reply = bench.cached(gateway.url, body)
        nginx = Canned(reply, log)
        if bench.once(nginx.url, body).body != reply.body:
            raise SystemExit("nginx answers something else")
        ours, theirs = bench.rounds([
            (gateway.url, asked, {"gateway": gateway.process.pid}),
            (nginx.url, asked, {"nginx": nginx.process.pid})])
        gateway.stop()
        nginx.stop()
        row(f"(n) cached search : nginx, {what}", len(reply.body),
            *(f"{median(r[0] for r in side):,.0f}" for side in (ours, theirs)),
            *(f"{median(map(own, side)):.1f}" for side in (ours, theirs)),
            f"**{ratio(ours, theirs, own):.2f}**",
            *(f"{median(r[1][name] for r in ours):.1f}" for name in ("redis", "postgres")),
            f"{ratio(ours, theirs, whole):.2f}")


# What is left out, and the settings that do so.
GUARDS = {"all": {},
          "without tokens": {"AUTH_MODE": "trusted"},
          "without limits": {"RATE_LIMIT_ENABLED": "false"},
          "without audit": {"AUDIT_ENABLED": "false"},
          "none": {"AUTH_MODE": "trusted", "RATE_LIMIT_ENABLED": "false",
                   "AUDIT_ENABLED": "false"}}


def guards(bench, query):
    gateways, sides = [], []
    body = {"query": query}  # without a user, who may read everything where all are trusted
    asked = bench.asked("one", [body])
    try:
        for name, changes in GUARDS.items():
            gateway = bench.gateway(name.replace(" ", "-"), LOG_LEVEL="WARNING", **changes)
            gateways.append(gateway)
            bench.cached(gateway.url, body)
            sides.append((gateway.url, asked, {"gateway": gateway.process.pid}))
        results = bench.rounds(sides)
    finally:
        for gateway in gateways:
            gateway.stop()
    table("(f) cached search, one query", "req/s", "gateway CPU µs", "Redis CPU µs",
          "PostgreSQL CPU µs", "share of the gateway's", "share of all three")
    for name, side in zip(GUARDS, results):
        saved = [f"{100 * (1 - ratio(side, results[0], figure)):.1f} %"
                 for figure in (own, whole)]
        row(name, f"{median(r[0] for r in side):,.0f}",
            *(f"{median(r[1][p] for r in side):.1f}"
              for p in ("gateway", "redis", "postgres")),
            *(saved if name != "all" else ("", "")))


def beside_reference(bench, asked_for):
    """Every core is theirs, and everything counts: wrk has its share on both sides."""
    gateway = bench.gateway("cores", WORKERS="auto", LOG_LEVEL="WARNING")
    reference = Reference(bench.stack, bench.users.secret, bench.args.chunks)
    words = [{"query": f"{q} @", "config": {"mode": "text"}} for q in asked_for]
    every = [{"query": " ".join(f"+{w}" for w in q.split()) + " @",
              "config": {"mode": "text"}} for q in asked_for]
    kinds = [("hit", "any", [{"query": q} for q in asked_for[:100]]),
             ("miss, any word", "any", words),
             ("miss, all words", "all", every),
             ("miss, hybrid : any word", "any", [{"query": f"{q} @"} for q in asked_for])]
    try:
        table(f"(r) {reference.rows:,} passages", "Cairn req/s", "reference req/s",
              "**ratio**", "Cairn CPU µs", "reference CPU µs", "CPU ratio",
              "results of each")
        for name, match, bodies in kinds:
            bases = gateway.url, f"{reference.url}/{match}"
            if name == "hit":
                for body in bodies:
                    for base in bases:
                        bench.cached(base, body)
            found = [bench.found(base, bodies[:50]) for base in bases]
            asked = bench.asked("both", bodies)
            ours, theirs = bench.rounds([
                (bases[0], asked, {"gateway": gateway.process.pid}),
                (bases[1], asked, {"reference": reference.process.pid})])
            row(name, *(f"{median(r[0] for r in side):,.0f}" for side in (ours, theirs)),
                f"**{ratio(ours, theirs, lambda r: r[0]):.1f}**",
                *(f"{median(map(whole, side)):.0f}" for side in (ours, theirs)),
                f"{ratio(theirs, ours, whole):.1f}",
                " : ".join(f"{count:.1f}" for count in found))
    finally:
        gateway.stop()
        reference.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--only", default="nfr")
    args = parser.parse_args()
    stack = Stack(WORKERS=1).up().settled()
    try:
        lines = load(args.chunks)
        ingest(stack, lines, args.chunks)
        asked_for = queries(lines)
        with tempfile.TemporaryDirectory() as directory:
            bench = Bench(stack, args, directory)
            if "n" in args.only:
                beside_nginx(bench, asked_for[0])
            if "f" in args.only:
                guards(bench, asked_for[0])
            if "r" in args.only:
                beside_reference(bench, asked_for)
    finally:
        for gateway in Gateway.started:
            gateway.stop()
        stack.down()


if __name__ == "__main__":
    main()
