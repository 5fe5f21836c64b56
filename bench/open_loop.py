"""Requests at a rate, each answer written down: wrk with bench/open_loop.lua."""

import dataclasses
import json
import pathlib
import subprocess
import tempfile


@dataclasses.dataclass(frozen=True)
class Request:
    """One line of the record."""
    began: float  # as time.monotonic()
    status: int
    seconds: float


def parsed(path):
    """The record, in the order the requests began."""
    found = []
    for line in path.read_text().splitlines():
        began, status, took = line.split("\t")
        found.append(Request(int(began) / 1e6, int(status), int(took) / 1e6))
    return sorted(found, key=lambda one: one.began)


def ask(url, body, seconds, connections, rate=None, before=()):
    """POSTs the body for so long, as fast as answers come, or at about `rate` a second in all.
    A connection waits for its answer before it pauses: the rate holds while waits are short
    beside connections / rate, and what is held back is said by the record's length. `before`:
    words before wrk's own, as those that bind it to a core."""
    with tempfile.TemporaryDirectory() as directory:
        data, log = pathlib.Path(directory, "body"), pathlib.Path(directory, "log")
        data.write_text(json.dumps(body))
        pause = connections / rate * 1e3 if rate else 0
        done = subprocess.run(
            [*before, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s",
             pathlib.Path(__file__).with_name("open_loop.lua"), url, "--", str(pause), log, data],
            check=False, capture_output=True, text=True)
        if done.returncode or not log.exists():
            raise SystemExit(f"wrk: {done.stderr or done.stdout}")
        return parsed(log)


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * percent // 100)] if values else 0.0
