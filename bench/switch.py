"""A switch of the live generation under searches: does any fail, does any mix, what do they
wait.

    switch.py [--documents 100000] [--users 4] [--pause 0.05] [--seconds 20]

A private stack is filled with documents of one passage by the hashing model. A generation of
use-lite is begun while there is nothing to embed, and gets random unit vectors straight into the
record: what is measured is the switch, not the embedding; questions are embedded by the real
models. Then users ask without end, each a new question, with a pause between, in mode hybrid;
after --seconds the other generation is activated, after its first answer they go on for as
long; then it is rolled back in the same way. Printed for each phase: answers, what failed or was
degraded, the generations that answered, median and p99 in ms; the processor time and the peak
memory of search. Ends with status 1 when a search failed or was degraded, or when a phase of
switching has a p99 of twice that of the phase before it, by the same generation, or more.
"""

import argparse
import http.client
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
import urllib.parse

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))

from stack import Stack, eventually  # noqa: E402

# Twelve random numbers a row and a shift of them for each further twelve: fast to make, and
# no two vectors are alike.
VECTORS = """
CREATE FUNCTION bench_vector(dimension integer) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    sum double precision := 0;
    at  double precision[];
    out bytea := '';
BEGIN
    FOR i IN 1..dimension LOOP
        at[i] := random() - 0.5;
        sum := sum + at[i] * at[i];
    END LOOP;
    SELECT string_agg(decode(
        substr(h, 7, 2) || substr(h, 5, 2) || substr(h, 3, 2) || substr(h, 1, 2), 'hex'), '')
        INTO out
        FROM (SELECT encode(float4send((x / sqrt(sum))::real), 'hex') AS h
              FROM unnest(at) AS x) AS numbers;
    RETURN out;
END $$;
"""


class Words:
    def __init__(self):
        self.dice = random.Random(1)
        self.words = ["".join(self.dice.choices("abcdefghijklmnopqrstuvwxyz", k=7))
                      for _ in range(5000)]

    def text(self, count):
        return " ".join(self.dice.choices(self.words, k=count))


def fill(stack, words, count):
    for begin in range(0, count, 5000):
        lines = "\n".join(json.dumps({"id": f"d{i}", "title": words.text(3),
                                      "text": words.text(40)})
                          for i in range(begin, min(count, begin + 5000)))
        reply = stack.post("/api/documents/batch", lines, timeout=600,
                           headers={"Content-Type": "application/x-ndjson"})
        assert reply.status == 202, reply.body
        job = f"/api/jobs/{reply.json()['job_id']}"
        eventually(lambda: stack.get(job).json()["state"] == "done", seconds=600)
        print(f"{begin + 5000} documents", file=sys.stderr)


def by_psql(stack, sql):
    subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql,
                    stack.env["DATABASE_URL"]], check=True, stdout=subprocess.DEVNULL)


class Users:
    def __init__(self, stack, count, pause):
        self.url = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
        self.pause, self.over, self.outcomes = pause, False, []
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        words = Words()
        words.dice.seed(number)
        connection = http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=60)
        while not self.over:
            before = time.monotonic()
            connection.request("POST", "/api/search", json.dumps({"query": words.text(4)}),
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            body = response.read()
            answer = json.loads(body) if response.status == 200 else {}
            self.outcomes.append((time.monotonic() - before,
                                  response.status != 200 or bool(answer["degraded"]),
                                  answer.get("generation", "none")))
            time.sleep(self.pause)
        connection.close()

    def end(self):
        self.over = True
        for thread in self.threads:
            thread.join()


def tell(name, outcomes):
    """The p99 in ms."""
    times = sorted(seconds * 1000 for seconds, _, _ in outcomes)
    bad = sum(fault for _, fault, _ in outcomes)
    p99 = times[min(len(times) - 1, len(times) * 99 // 100)]
    seen = sorted({generation[:8] for _, _, generation in outcomes})
    print(f"{name}: {len(times)} answers, {bad} failed or degraded, by {', '.join(seen)}; "
          f"median {times[len(times) // 2]:.1f} ms, p99 {p99:.1f} ms")
    return p99, bad


def switch(stack, users, path, seconds):
    """Outcomes from the order to the first answer by the other generation, and after."""
    begin, began = len(users.outcomes), time.monotonic()
    reply = stack.post(path, b"")
    assert reply.status == 200, reply.body
    told = time.monotonic() - began
    wanted = reply.json()["fingerprint"]
    eventually(lambda: users.outcomes[-1][2] == wanted, seconds=1800)
    middle, took = len(users.outcomes), time.monotonic() - began
    print(f"{path.rsplit('/')[-1]}: the record after {told:.2f} s, answers after {took:.1f} s")
    time.sleep(seconds)
    return users.outcomes[begin:middle], users.outcomes[middle:]


def memory(stack, name):
    for line in pathlib.Path(f"/proc/{stack.pid('search')}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) // 1024
    return 0


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--documents", type=int, default=100_000)
    options.add_argument("--users", type=int, default=4)
    options.add_argument("--pause", type=float, default=0.05)
    options.add_argument("--seconds", type=float, default=20)
    options = options.parse_args()
    stack = Stack(EMBEDDING_MODEL="hashing", REINDEX_RATE="1").up().settled()
    try:
        return measure(stack, options)
    finally:
        stack.down()


def measure(stack, options):
    assert stack.post("/api/reindex", {"model": "use-lite"}).status == 202
    ready = "SELECT fingerprint FROM models WHERE state = 'ready'"
    other = eventually(lambda: stack.psql(ready), seconds=60)
    fill(stack, Words(), options.documents)
    eventually(lambda: stack.figure("search", "cairn_search_vectors") ==
               stack.figure("search", "cairn_search_chunks"), seconds=600)
    by_psql(stack, VECTORS + "INSERT INTO chunk_vectors SELECT c.id, m.fingerprint, "
            "bench_vector(m.dimension) FROM chunks c, models m WHERE m.state = 'ready' "
            "ON CONFLICT DO NOTHING; DELETE FROM generation_pending; ANALYZE;")
    print(f"{stack.psql('SELECT count(*) FROM chunks')} passages; search holds "
          f"{memory(stack, 'VmRSS')} MB")
    users = Users(stack, options.users, options.pause)
    try:
        time.sleep(3)
        users.outcomes.clear()
        time.sleep(options.seconds)
        phases = [("before", list(users.outcomes))]
        for name, path in (("activation", f"/api/generations/{other}/activate"),
                           ("rollback", "/api/generations/rollback")):
            during, after = switch(stack, users, path, options.seconds)
            phases += [(f"during {name}", during), (f"after {name}", after)]
    finally:
        users.end()
    results = {name: tell(name, outcomes) for name, outcomes in phases}
    print(f"search held {memory(stack, 'VmHWM')} MB at most")
    usual = {"during activation": "before", "during rollback": "after activation"}
    times = {name: results[name][0] / results[normal][0] for name, normal in usual.items()}
    print(", ".join(f"{name} {ratio:.2f} times" for name, ratio in times.items()))
    late = any(ratio >= 2 for ratio in times.values())
    return 1 if late or any(bad for _, bad in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
