"""The text index by itself, and beside PostgreSQL's full-text search.

    text_search.py [--scale PASSAGES]

Real passages: the documentation of Linux (bench/corpus.py), cut as the service cuts it;
queries are section titles of it. PostgreSQL keeps the same passages in a table with a GIN
index over a stored tsvector (title, heading and body weighted) and ranks by ts_rank_cd;
one connection, prepared, ten hits. Both sides are measured in CPU time of the one thread
or backend that answers, the best of three passes. --scale: invented passages instead of
PostgreSQL, to see how the index grows.
"""

import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/support")]

import corpus  # noqa: E402

DIRECTORY = ROOT / "var/bench"
BUILD = ROOT / "build/release"
DRIVER = DIRECTORY / "bench_text"
QUERIES, PASSES = 300, 3
LIBRARIES = ("jansson", "utf8proc", "xxhash", "crypto", "uv", "stemmer", "m", "pthread")
SCALE_QUERIES = ("word200000x", "word0x", "word50x word5000x word500x",
                 "word0x word1x word20000x", "word3x word30x word300x")
SCHEMA = """
CREATE TABLE passages (id serial PRIMARY KEY, title text, heading text, body text);
\\copy passages (title, heading, body) FROM '{passages}'
ALTER TABLE passages ADD words tsvector;
UPDATE passages SET words = setweight(to_tsvector('english', title), 'A')
    || setweight(to_tsvector('english', heading), 'B') || to_tsvector('english', body);
CREATE INDEX ON passages USING gin (words);
VACUUM (FULL, ANALYZE) passages;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET client_min_messages = error;
PREPARE find (text) AS SELECT id, ts_rank_cd(words, query) AS score
    FROM passages, to_tsquery('english', $1) query
    WHERE words @@ query ORDER BY score DESC LIMIT 10;
"""


def compile_driver():
    archives = [BUILD / f"{name}.a" for name in ("search", "libproto", "libshared")]
    subprocess.run(["gcc", "-O2", "-std=c17", "-D_GNU_SOURCE", "-I.", "-Ilibshared/include",
                    "-o", DRIVER, "bench/search/bench_text.c", "-Wl,--start-group",
                    *archives, "-Wl,--end-group", *(f"-l{name}" for name in LIBRARIES)],
                   check=True, cwd=ROOT)


def drive(*args):
    lines = subprocess.run([DRIVER, *map(str, args)], check=True, text=True, cwd=ROOT,
                           stdout=subprocess.PIPE).stdout.splitlines()
    return [json.loads(line) for line in lines]


def make(path, *args):
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("w") as out:
            subprocess.run([DRIVER, *map(str, args)], check=True, cwd=ROOT, stdout=out)
        part.rename(path)
    return path


def titles():
    """Section titles, a sample that is always the same."""
    found = sorted(set(corpus.queries(corpus.load(10**9))))
    random.Random(1).shuffle(found)
    return found[:QUERIES]


class Psql:
    """One connection, driven by psql, whose backend's CPU time can be read."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", os.environ["TEST_DATABASE_URL"]],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.backend = int(self.ask("SELECT pg_backend_pid();")[0])

    def ask(self, sql):
        self.process.stdin.write(sql + "\n\\echo ready\n")
        self.process.stdin.flush()
        rows = []
        for line in self.process.stdout:
            if line == "ready\n":
                return rows
            rows.append(line.rstrip("\n"))
        raise RuntimeError("psql has ended")

    def cpu(self):
        """Seconds."""
        return int(pathlib.Path(f"/proc/{self.backend}/schedstat").read_text().split()[0]) / 1e9


def race_postgres(passages, queries, operator):
    """CPU seconds for all queries."""
    psql = Psql()
    if not psql.ask("SELECT to_regclass('passages');")[0]:
        psql.ask(SCHEMA.format(passages=passages))
    else:
        psql.ask(SCHEMA[SCHEMA.index("SET max"):])
    best = None
    for _ in range(PASSES):
        start = psql.cpu()
        for query in queries:
            words = f" {operator} ".join(re.findall(r"[A-Za-z]+", query))
            psql.ask(f"EXECUTE find ('{words}');")
        used = psql.cpu() - start
        best = used if best is None else min(best, used)
    return best


def compare():
    passages = make(DIRECTORY / "passages.tsv", "cut", corpus.fetch(), 10**9)
    queries = titles()
    listed = DIRECTORY / "queries.txt"
    listed.write_text("\n".join(queries) + "\n")
    built, ours = drive("race", passages, listed)
    print(f"{built['passages']:,} passages, {len(queries)} queries, ten hits of each; "
          f"on average {ours['hits'] / len(queries):,.0f} hold a word of it\n")
    print("| | CPU ms a query | queries a CPU second | |\n| --- | --- | --- | --- |")
    rows = [("Cairn, any word, BM25, exact total", ours["cpu_s"])]
    for name, operator in (("any word", "|"), ("all words", "&")):
        rows.append((f"PostgreSQL, {name}, ts_rank_cd",
                     race_postgres(passages, queries, operator)))
    for name, seconds in rows:
        print(f"| {name} | {1000 * seconds / len(queries):.3f} | "
              f"{len(queries) / seconds:,.0f} | {seconds / rows[0][1]:.1f} × |", flush=True)


def scale(count):
    passages = make(DIRECTORY / f"invented{count}.tsv", "invent", count)
    listed = DIRECTORY / "invented.txt"
    listed.write_text("\n".join(SCALE_QUERIES) + "\n")
    built, *asked, snapshot = drive("run", passages, listed)
    print(f"{count:,} invented passages: {built['bytes'] / count:.0f} bytes each, built in "
          f"{built['build_s']} s\n\n| query | hits | all µs | top 10 µs | top 256 µs |\n"
          "| --- | --- | --- | --- | --- |")
    for row in asked:
        print(f"| {row['query']} | {row['hits']:,} | {row['all_us']:,} | "
              f"{row['top10_us']:,} | {row['top256_us']:,} |")
    print(f"\nSnapshot: {snapshot['snapshot_mb']} MB, written in {snapshot['write_ms']} ms, "
          f"ready in {snapshot['load_ms']} ms with {snapshot['loaded_bytes'] / 1e6:.0f} MB.")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, metavar="PASSAGES")
    args = parser.parse_args()
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    if args.scale is None and "TEST_DATABASE_URL" not in os.environ:
        servers = str(ROOT / "tests/support/with_servers.sh")
        os.execv(servers, [servers, sys.executable, *sys.argv])
    compile_driver()
    if args.scale is None:
        compare()
    else:
        scale(args.scale)


if __name__ == "__main__":
    main()
