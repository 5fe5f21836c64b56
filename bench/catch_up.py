"""How long a search replica that missed changes needs until it is current.

Documents of one passage with random words and vectors are put into the record of a private
stack. The replica is stopped cleanly, so that it leaves a snapshot; all documents get another
text and another vector; it is started again. Printed: the seconds that it told in its log, and
the processor time of its process from its start until then (the snapshot's load included).
Options: --documents N, --words N, --runs N. CAIRN_BIN names the programs, build/debug/bin
unless given: measure with build/release/bin.
"""

import argparse
import array
import os
import pathlib
import random
import re
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

from support.stack import Stack, eventually  # noqa: E402

CURRENT = re.compile(r"view current after ([0-9.]+) s: (\d+) documents")
TICK = os.sysconf("SC_CLK_TCK")
TOPICS = 50
LOAD = """
INSERT INTO documents (id, title, chunk_count) SELECT id, 'About ' || id, 1 FROM given
    ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title || ' again';
DELETE FROM chunks WHERE document_id IN (SELECT id FROM given);
INSERT INTO chunks (id, document_id, ordinal, text) SELECT id || '#0', id, 0, text FROM given;
INSERT INTO chunk_vectors SELECT id || '#0', (SELECT fingerprint FROM models), vector
    FROM given;
COMMIT;
"""


class Corpus:
    def __init__(self, dimension):
        self.dice = random.Random(1)
        self.words = ["".join(self.dice.choices("abcdefghijklmnopqrstuvwxyz", k=7))
                      for _ in range(20_000)]
        self.weights = [1 / (rank + 10) for rank in range(len(self.words))]
        self.topics = [self.noise(dimension) for _ in range(TOPICS)]

    def noise(self, dimension):
        return [self.dice.gauss(0, 1) for _ in range(dimension)]

    def vector(self):
        topic = self.dice.choice(self.topics)
        return array.array("f", map(float.__add__, topic, self.noise(len(topic)))).tobytes()

    def text(self, words):
        return " ".join(self.dice.choices(self.words, self.weights, k=words))

    def script(self, documents, words):
        yield "BEGIN;\nCREATE TEMP TABLE given (id text, text text, vector bytea) "
        yield "ON COMMIT DROP;\nCOPY given FROM STDIN;\n"
        for n in range(documents):
            yield f"doc-{n:06}\t{self.text(words)}\t\\\\x{self.vector().hex()}\n"
        yield "\\.\n" + LOAD


def put_all(stack, corpus, args):
    script = "".join(corpus.script(args.documents, args.words))
    subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", stack.env["DATABASE_URL"]],
                   input=script, text=True, check=True)


def gone(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def processor_time(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def told_since(stack, before):
    """Looks seldom: the cores are the replica's and the database's."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        told = CURRENT.findall(stack.log("search"))[before:]
        if told:
            return told[0]
        time.sleep(0.02)
    raise AssertionError(stack.logs())


def catch_up(stack, corpus, args):
    """Held, the supervisor does not start it again yet."""
    supervisor = int(pathlib.Path(stack.dir, "stack.lock").read_text())
    os.kill(supervisor, signal.SIGSTOP)
    try:
        old = stack.signal("search", signal.SIGTERM)
        eventually(lambda: gone(old), seconds=120, what=stack.logs)
        put_all(stack, corpus, args)
        stack.psql("ANALYZE")
        before = len(CURRENT.findall(stack.log("search")))
    finally:
        os.kill(supervisor, signal.SIGCONT)
    told = told_since(stack, before)
    spent = processor_time(stack.pid("search"))
    assert int(told[1]) == args.documents, told
    return float(told[0]), spent


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--words", type=int, default=120, help="of a passage")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    stack = Stack(SNAPSHOT_INTERVAL=86400).up()
    try:
        stack.settled()
        corpus = Corpus(int(stack.psql("SELECT dimension FROM models")))
        put_all(stack, corpus, args)
        eventually(lambda: stack.figure("search", "cairn_search_vectors") ==
                   args.documents, seconds=300, what=stack.logs)
        runs = []
        for _ in range(args.runs):
            runs.append(catch_up(stack, corpus, args))
            print(f"current after {runs[-1][0]:.2f} s, {runs[-1][1]:.2f} s of processor "
                  f"time, load {os.getloadavg()[0]:.1f}", flush=True)
        wall, spent = map(statistics.median, zip(*runs))
        print(f"median: {wall:.2f} s, {spent:.2f} s of processor time")
    finally:
        stack.down()


if __name__ == "__main__":
    main()
