"""Many users at once, each with a few searches: what they wait for and what it costs.

    load.py [--users 50] [--requests 10] [--url URL] [--max-avg S] [--max-p95 S]

Without --url a stack with the sample documents is started. Ends with status 1 when a request
fails (429 counts as limited, not as failed) or a bound is passed.
"""

import argparse
import http.client
import itertools
import json
import os
import pathlib
import statistics
import sys
import threading
import time
import urllib.parse

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from measure import cpu_seconds, resident_mb  # noqa: E402
from stack import ROOT, Stack  # noqa: E402

QUERIES = ["how do I reset my password", "vpn from home", "laboratory access at night",
           "thesis submission deadline", "printing on campus", "email quota", "book a room",
           "research data storage", "library opening hours", "software licences for staff"]
SERVICES = ("gateway", "search", "embedder")


def user(number, url, requests, start, outcomes):
    """One user's connection; (status, seconds) of each request."""
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    person = {"user_id": f"user{number}", "role": "staff", "department": "IT Services"}
    questions = itertools.islice(itertools.cycle(QUERIES), number, number + requests)
    start.wait()
    for question in questions:
        before = time.monotonic()
        connection.request("POST", "/api/search",
                           json.dumps({"query": question, "user": person}),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
        outcomes.append((response.status, time.monotonic() - before))
    connection.close()


def run(url, users, requests):
    """All outcomes, and the wall time of the whole."""
    outcomes, start = [], threading.Event()
    threads = [threading.Thread(target=user, args=(i, url, requests, start, outcomes))
               for i in range(users)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    start.set()
    for thread in threads:
        thread.join()
    return outcomes, time.monotonic() - began


def report(outcomes, elapsed):
    """Prints the table; mean and 95th percentile in seconds, and how many failed."""
    times = sorted(seconds for _, seconds in outcomes)
    limited = sum(status == 429 for status, _ in outcomes)
    failed = sum(status not in (200, 429) for status, _ in outcomes)
    mean, p95 = statistics.mean(times), times[int(len(times) * 0.95)]
    print("| requests | answered or limited | limited | mean s | p95 s | worst s | req/s |")
    print("| --- " * 7 + "|")
    print(f"| {len(outcomes)} | {1 - failed / len(outcomes):.1%} | {limited} | {mean:.4f} | "
          f"{p95:.4f} | {times[-1]:.4f} | {len(outcomes) / elapsed:,.0f} |")
    return mean, p95, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--requests", type=int, default=10)
    parser.add_argument("--url")
    parser.add_argument("--max-avg", type=float, default=float("inf"))
    parser.add_argument("--max-p95", type=float, default=float("inf"))
    args = parser.parse_args()
    stack = None if args.url else Stack(CACHE_TTL_SEARCH=0).up().settled()
    try:
        if stack:
            stack.post("/api/documents/batch?wait=true",
                       (ROOT / "examples/university.ndjson").read_bytes(),
                       headers={"Content-Type": "application/x-ndjson"})
        url = urllib.parse.urlsplit(args.url or stack.env["GATEWAY_URL"])
        before = [cpu_seconds(stack.pid(name)) for name in SERVICES] if stack else []
        outcomes, elapsed = run(url, args.users, args.requests)
        mean, p95, failed = report(outcomes, elapsed)
        for name, used in zip(SERVICES, before):
            pid = stack.pid(name)
            print(f"{name}: {cpu_seconds(pid) - used:.2f} s CPU, {resident_mb(pid):.0f} MB")
    finally:
        if stack:
            stack.down()
    if len(outcomes) < args.users * args.requests:
        raise SystemExit("connections were lost")
    if failed or mean > args.max_avg or p95 > args.max_p95:
        raise SystemExit(f"{failed} failed, mean {mean:.3f} s, p95 {p95:.3f} s")


if __name__ == "__main__":
    main()
