"""CPU time, memory and load of running processes."""

import os
import pathlib
import re
import subprocess

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


def wrk(url, seconds, connections=64, script=None):
    """Requests answered, latency percentiles in ms. A failed request ends the benchmark."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency",
               "--timeout", "30s"]
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
