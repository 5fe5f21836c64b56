#!/usr/bin/env python3
"""What is acknowledged is stored: a batch is ingested as a job while search, embedder and
PostgreSQL are killed (SIGKILL) at random. Afterwards every document must be there once, whole
and searchable, and the job must have ended by itself.

    bench/ingest_kills.py [--documents 20000] [--kills 10] [--seed N] [--bin build/release/bin]

Without kills it measures the path: documents and passages a second, the memory of the gateway
and of search meanwhile, and the processor seconds of all that they cost, until they are searched
and compared with each other. `--hash` embeds by the hashing model, which costs next to
nothing."""

import argparse
import contextlib
import json
import os
import pathlib
import random
import resource
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

WORDS = ("river granite library lantern orbit meadow signal harbour copper violin archive "
         "winter engine garden bridge market paper castle window forest").split()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=20000)
    parser.add_argument("--passages", type=int, default=1, help="of each document")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--between", type=float, default=3, help="mean seconds between kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hash", action="store_true")
    parser.add_argument("--bin", default="build/release/bin")
    return parser.parse_args()


def text_of(number, passages):
    chosen = random.Random(number)
    sections = [{"title": f"Part {n}", "text": f"Document number {number} part {n}. " +
                 " ".join(chosen.choices(WORDS, k=60))} for n in range(passages)]
    return {"id": f"kill-{number}", "title": f"Document {number}", "collection": "kills",
            "sections": sections}


def body_of(options):
    return b"".join(json.dumps(text_of(n, options.passages)).encode() + b"\n"
                    for n in range(options.documents))


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0


def cpu_seconds(stack):
    """Of each service with its children, those that have ended included."""
    tick = os.sysconf("SC_CLK_TCK")
    used = {}
    for service in ("gateway", "search", "embedder", "postgres"):
        used[service] = 0
        for pid in stack.family(service):
            with contextlib.suppress(OSError):
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                own = sum(map(int, fields[11:13]))
                ended = sum(map(int, fields[13:15])) if service == "postgres" else 0
                used[service] += (own + ended) / tick
    return used


def killer(stack, options, over, killed):
    """One after the other; a service that is down is given time to come back."""
    chosen = random.Random(options.seed)
    while len(killed) < options.kills and not over.wait(
            chosen.expovariate(1 / options.between)):
        service = chosen.choice(["search", "embedder", "postgres"])
        pid = stack.pid_or_none(service)
        if pid is None:
            continue
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            continue
        killed.append(service)
        print(f"  killed {service}", flush=True)


def job_now(stack, job_id):
    try:
        reply = stack.get(f"/api/jobs/{job_id}")
        return reply.json() if reply.status == 200 else None
    except OSError:
        return None


def ended_job(stack, job_id):
    job = job_now(stack, job_id)
    return job if job and job["state"] not in ("queued", "running") else None


def at_rest(stack, chunks):
    """What follows an answer has been done, too."""
    return (stack.figure("search", "cairn_search_chunks") == chunks and
            stack.psql("SELECT count(*) FROM chunk_signatures WHERE state = 'n'") == "0")


def check(stack, options, job):
    """What the record and the view say."""
    faults = []
    wanted = options.documents
    if (job["state"], job["done"], job["failed"]) != ("done", wanted, 0):
        faults.append(f"the job says {job}")
    rows = stack.psql("SELECT count(*), count(DISTINCT id) FROM documents "
                      "WHERE collection = 'kills'")
    if rows != f"{wanted}|{wanted}":
        faults.append(f"documents: {rows}")
    lame = stack.psql("SELECT count(*) FROM documents d WHERE d.collection = 'kills' AND "
                      "(SELECT count(*) FROM chunks c WHERE c.document_id = d.id) < "
                      f"{options.passages}")
    if lame != "0":
        faults.append(f"documents that are not whole: {lame}")
    if stack.psql("SELECT count(*) FROM job_items") != "0":
        faults.append("items are left over")
    for number in random.Random(options.seed).sample(range(wanted), min(50, wanted)):
        answer = stack.search(f"number {number}", config={"mode": "text"},
                              filters={"document_id": f"kill-{number}"})
        if not answer["results"]:
            faults.append(f"kill-{number} is not found")
    return faults


def main():
    options = arguments()
    os.environ["CAIRN_BIN"] = options.bin
    from stack import Stack, eventually  # it reads CAIRN_BIN

    settings = {"JOB_LEASE_SECONDS": 5}
    if options.hash:
        settings["EMBEDDING_MODEL"] = "hashing"
    stack = Stack(**settings).up().settled()
    body = body_of(options)
    killed, over = [], threading.Event()
    try:
        before = cpu_seconds(stack)
        started = time.monotonic()
        thread = threading.Thread(target=killer, args=(stack, options, over, killed))
        if options.kills:
            thread.start()
        reply = stack.post("/api/documents/batch", body, timeout=600,
                           headers={"Content-Type": "application/x-ndjson"})
        assert reply.status == 202, reply.body
        acknowledged = time.monotonic() - started
        job_id = reply.json()["job_id"]
        job = eventually(lambda: ended_job(stack, job_id), seconds=3600, pause=0.25)
        seconds = time.monotonic() - started
        over.set()
        if options.kills:
            thread.join()
        chunks = int(stack.psql("SELECT count(*) FROM chunks"))
        print(f"{options.documents} documents, {chunks} passages, {len(body) / 1e6:.1f} MB: "
              f"acknowledged after {acknowledged:.1f} s, all done after {seconds:.1f} s "
              f"({options.documents / seconds:.0f} documents/s, {chunks / seconds:.0f} "
              f"passages/s); killed: {killed or 'nothing'}")
        if not options.kills:
            eventually(lambda: at_rest(stack, chunks), seconds=600, pause=0.25)
            used = {name: after - before[name] for name, after in cpu_seconds(stack).items()}
            beside = sum(used.values()) - used["embedder"]
            print("processor seconds: " +
                  ", ".join(f"{name} {one:.1f}" for name, one in used.items()) +
                  f"; beside the embedder {beside * 1000 / chunks:.3f} s for 1,000 passages")
        print("most memory: " + ", ".join(
            f"{name} {resident_mb(stack.pid(name)):.0f} MB" for name in ("gateway", "search")))
        eventually(lambda: stack.search("document")["total"] > 0, seconds=120)
        eventually(lambda: not check(stack, options, job), seconds=60,
                   what=lambda: str(check(stack, options, job)))
        print("every acknowledged document is there once, whole, searchable")
    finally:
        over.set()
        stack.down()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
