"""The graph service with the whole of WordNet: what loading it costs, what memory it
takes, how soon it is ready, how long questions take inside the service, beside recursive
queries on the same PostgreSQL; and a hub with 100,000 relationships.

Needs Debian's wordnet-base, and a release build. Everything runs in a private stack.
Options: --json FILE.
"""

import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("CAIRN_BIN", "build/release/bin")

import wordnet  # noqa: E402
from support.stack import Stack, eventually  # noqa: E402

BUILD = ROOT / "build/release"
DIRECTORY = ROOT / "var/bench"
TICK = os.sysconf("SC_CLK_TCK")
HUB = 100_000


def compile_driver():
    archives = [BUILD / f"{name}.a" for name in ("graph", "libproto", "libshared")]
    libraries = subprocess.run(
        ["pkg-config", "--libs", "--cflags", "libuv", "libzmq", "libczmq", "libpq", "hiredis",
         "libcurl", "jansson", "zlib", "libutf8proc", "openssl", "libxxhash", "libsodium"],
        check=True, text=True, stdout=subprocess.PIPE).stdout.split()
    subprocess.run(
        ["gcc", "-O2", "-std=c17", "-D_GNU_SOURCE", "-I.", "-Ilibshared/include", "-o",
         DIRECTORY / "bench_graph", "bench/graph/bench_graph.c", "-Wl,--start-group",
         *archives, "-Wl,--end-group", *libraries, "-lroaring", "-lcsv", "-lm",
         "-lpthread"], check=True, cwd=ROOT)


def processor_time(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_mb(pid, name="VmRSS"):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0


def copy(stack, table, columns, path):
    subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", stack.env["DATABASE_URL"], "-c",
                    f"\\copy {table} ({columns}) FROM '{path}'"], check=True)


def gone(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] \
            in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def restart(stack, between=lambda: None):
    """The new process: seconds from its start until it is ready, its processor time."""
    supervisor = int(pathlib.Path(stack.dir, "stack.lock").read_text())
    os.kill(supervisor, signal.SIGSTOP)
    try:
        old = stack.signal("graph", signal.SIGTERM)
        eventually(lambda: gone(old), seconds=120, what=stack.logs)
        between()
    finally:
        os.kill(supervisor, signal.SIGCONT)
    while stack.pid_or_none("graph") in (None, old):
        time.sleep(0.002)
    pid = stack.pid("graph")
    deadline = time.monotonic() + 300
    while not stack.ready("graph") and time.monotonic() < deadline:
        time.sleep(0.005)
    boot = float(pathlib.Path("/proc/uptime").read_text().split()[0])
    started = int(pathlib.Path(f"/proc/{pid}/stat").read_text()
                  .rpartition(")")[2].split()[19]) / TICK
    return boot - started, processor_time(pid)


def remove_snapshots(stack):
    for path in pathlib.Path(stack.dir, "data", "graph").glob("snapshot-*/graph"):
        path.unlink()


def load(stack, figures):
    nodes, edges = DIRECTORY / "wordnet_nodes.tsv", DIRECTORY / "wordnet_edges.tsv"
    figures["nodes"], figures["edges"] = wordnet.write(nodes, edges)
    began = time.monotonic()
    copy(stack, "graph_nodes", "id, labels, properties", nodes)
    copy(stack, "graph_edges", "id, type, from_id, to_id", edges)
    figures["copy_s"] = time.monotonic() - began
    eventually(lambda: stack.get("/api/graph/schema").json()["edges"] == figures["edges"],
               seconds=300, what=stack.logs)
    figures["follow_cpu_s"] = processor_time(stack.pid("graph"))
    stack.psql("ANALYZE")


def starts(stack, figures):
    figures["load_s"], figures["load_cpu_s"] = restart(stack,
                                                       lambda: remove_snapshots(stack))
    ready = [restart(stack) for _ in range(5)]
    figures["snapshot_ready_s"] = statistics.median(wall for wall, _ in ready)
    figures["snapshot_ready_cpu_s"] = statistics.median(spent for _, spent in ready)
    eventually(lambda: stack.get("/api/graph/search?q=dog").status == 200, seconds=60,
               what=stack.logs)
    figures["rss_mb"] = memory_mb(stack.pid("graph"))
    figures["rss_peak_mb"] = memory_mb(stack.pid("graph"), "VmHWM")


def inside(stack, figures):
    """On a copy of the snapshot's directory entry: the service goes on with its own."""
    newest = max(pathlib.Path(stack.dir, "data", "graph").glob("snapshot-*"))
    done = subprocess.run([DIRECTORY / "bench_graph", newest, stack.env["DATABASE_URL"]],
                          check=True, text=True, stdout=subprocess.PIPE)
    figures["inside"] = json.loads(done.stdout)


def hub(stack, figures):
    stack.psql(f"""INSERT INTO graph_nodes (id, labels) SELECT 'leaf' || n, '{{Leaf}}'
                       FROM generate_series(1, {HUB}) n;
                   INSERT INTO graph_nodes (id, labels) VALUES ('hub', '{{Hub}}');
                   INSERT INTO graph_edges (id, type, from_id, to_id) SELECT 'spoke' || n,
                       'HAS', 'hub', 'leaf' || n FROM generate_series(1, {HUB}) n;""")
    eventually(lambda: stack.get("/api/graph/nodes/hub").json().get("degree") == HUB,
               seconds=300, what=stack.logs)

    def timed(path):
        began = time.perf_counter()
        assert stack.get(path).status == 200
        return (time.perf_counter() - began) * 1000

    opened = [timed("/api/graph/nodes/hub") for _ in range(100)]
    first = [timed("/api/graph/nodes/hub/neighbors?limit=20") for _ in range(100)]
    figures["hub_opens_ms"] = statistics.median(opened)
    figures["hub_neighbours_ms"] = statistics.median(first)
    quiet = [timed("/api/graph/nodes/leaf1") for _ in range(200)]
    stop = threading.Event()

    def open_again_and_again():
        while not stop.is_set():
            timed("/api/graph/nodes/hub/neighbors?limit=1000")

    opener = threading.Thread(target=open_again_and_again)
    opener.start()
    busy = [timed("/api/graph/nodes/leaf1") for _ in range(200)]
    stop.set()
    opener.join()
    figures["other_ms"] = statistics.median(quiet)
    figures["other_while_hub_opens_ms"] = statistics.median(busy)
    figures["other_while_hub_opens_p99_ms"] = sorted(busy)[len(busy) * 99 // 100]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", help="write the figures there, too")
    args = parser.parse_args()
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    compile_driver()
    figures = {"load_average": os.getloadavg()[0]}
    stack = Stack(SNAPSHOT_INTERVAL=86400).up()
    try:
        load(stack, figures)
        starts(stack, figures)
        inside(stack, figures)
        hub(stack, figures)
    finally:
        stack.down()
    text = json.dumps(figures, indent=2)
    print(text)
    if args.json:
        pathlib.Path(args.json).write_text(text + "\n")


if __name__ == "__main__":
    main()
