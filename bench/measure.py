"""CPU time, memory and load of running processes."""

import os
import pathlib
import re
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


def stat(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def family(pid):
    """A process and all below it."""
    parents = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parents.setdefault(int(stat(entry.name)[1]), []).append(int(entry.name))
        except OSError:
            continue
    out = [pid]
    for one in out:
        out += parents.get(one, [])
    return out


def cpu_seconds(pid):
    """User and system time of a process and its children, ended ones included."""
    total = 0
    for one in family(pid):
        try:
            total += sum(int(field) for field in stat(one)[11:15])
        except OSError:
            continue
    return total / TICKS


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def rest(seconds=120):
    """Waits until the processors have rested for three seconds, so that nothing is measured
    beside what a load leaves to be done (rows to vacuum, a snapshot to write), or so long."""
    calm, end = 0, time.monotonic() + seconds
    while calm < 3 and time.monotonic() < end:
        before = idle_seconds()
        time.sleep(1)
        calm = calm + 1 if idle_seconds() - before > 0.95 * os.cpu_count() else 0


def idle_seconds():
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return (int(fields[4]) + int(fields[5])) / TICKS


def wrk(url, seconds, connections=64, script=None, ahead=False):
    """Requests answered, latency percentiles in ms. A failed request ends the benchmark.
    ahead (for root): wrk gets a core before what it asks does, as on a machine of its own;
    else an answer's time is also that which wrk waits to read it."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
               "--timeout", "30s"]
    if ahead and os.geteuid() == 0:
        command = ["nice", "-n", "-20", *command]
    if script:
        command += ["-s", str(script)]
    out = subprocess.run(command + [url], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"{url}: requests failed\n{out}")
    latency = {}
    for percent in (50, 99):
        number, unit = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)\b", out).groups()
        latency[percent] = float(number) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]
    return requests, latency


def measure(url, pids, seconds, **more):
    """Requests a second, CPU µs a request by process, latency in ms."""
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    requests, latency = wrk(url, seconds, **more)
    used = {name: (cpu_seconds(pid) - before[name]) * 1e6 / requests
            for name, pid in pids.items()}
    return requests / seconds, used, latency
