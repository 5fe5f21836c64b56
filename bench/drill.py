"""A restore drill without a hand: the service finds that a set is due, makes it, restores it
into a PostgreSQL of its own, compares and removes that; nobody asks for anything. Prints how
long it took and how much memory the service and its run needed. make bench-drill
(SIZE_MB=1024)."""

import array
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))
os.environ.setdefault("CAIRN_BIN", "build/release/bin")

from backups import Backups, Service  # noqa: E402
from stack import BIN, ROOT, Stack, eventually  # noqa: E402

SIZE_MB = int(os.environ.get("SIZE_MB", "1024"))
NAME, DIMENSIONS, POOL, BATCH, PASSAGES = "drill_bench", 512, 512, 20000, 4
MASK = int.from_bytes(b"\xff\xff\x0f\x00" * DIMENSIONS, "big")  # of a float's digits


def texts():
    """The sample's passages, some thousand characters each."""
    found = []
    for line in (ROOT / "examples/university.ndjson").read_text().splitlines():
        found += [section["text"] for section in json.loads(line)["sections"]]
    return [" ".join((text + " ") * 4)[:1000] if len(text) < 250 else (text * 4)[:1000]
            for text in found]


def vectors(chance):
    """Numbers as an embedder gives them, no two alike."""
    pool = [int.from_bytes(array.array("f", (chance.gauss(0, 0.04) for _ in range(DIMENSIONS)))
                           .tobytes(), "big") for _ in range(POOL)]
    size = 4 * DIMENSIONS
    while True:
        noise = int.from_bytes(chance.randbytes(size), "big") & MASK
        yield (chance.choice(pool) ^ noise).to_bytes(size, "big").hex()


def copy(url, what, rows):
    process = subprocess.Popen(["psql", "-Xqc", f"COPY {what} FROM STDIN", url],
                               stdin=subprocess.PIPE, text=True)
    for row in rows:
        process.stdin.write("\t".join(row) + "\n")
    process.stdin.close()
    assert process.wait() == 0, what


def fill(stack, url):
    """Documents, passages and vectors until the database is that large."""
    chance = random.Random(1)
    some, vector, first = texts(), vectors(chance), 0
    tables = ("documents", "chunks", "chunk_vectors")
    for table in tables:  # nobody follows this database
        stack.psql(f"ALTER TABLE {table} DISABLE TRIGGER USER", url)
    stack.psql("INSERT INTO models (fingerprint, name, provider, dimension) "
               f"VALUES ('bench', 'bench', 'bench', {DIMENSIONS})", url)
    while int(stack.psql("SELECT pg_database_size(current_database())", url)) < SIZE_MB << 20:
        documents = range(first, first + BATCH // PASSAGES)
        chunks = [(f"d{one}", str(n)) for one in documents for n in range(PASSAGES)]
        copy(url, "documents (id, title, collection, chunk_count)",
             ((f"d{one}", f"Document {one}", f"c{one % 20}", str(PASSAGES))
              for one in documents))
        copy(url, "chunks (id, document_id, ordinal, text)",
             ((f"{one}#{n}", one, n, f"{chance.choice(some)} {one}") for one, n in chunks))
        copy(url, "chunk_vectors (chunk_id, fingerprint, vector)",
             ((f"{one}#{n}", "bench", "\\\\x" + next(vector)) for one, n in chunks))
        first = documents.stop
    for table in tables:
        stack.psql(f"ALTER TABLE {table} ENABLE TRIGGER USER", url)
    stack.psql("CHECKPOINT", url)
    return first * PASSAGES


def peak_mb(pid):
    """The largest resident size so far; 0: it is gone."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines()
                 if line.startswith("VmHWM")), 0)


def watched(service, ended):
    """Until it has ended: the largest sizes of the service and of its runs."""
    own = runs = 0

    def look():
        nonlocal own, runs
        own = max(own, peak_mb(service.process.pid))
        runs = max([runs, *(peak_mb(pid) for pid in service.children())])
        return ended()
    eventually(look, seconds=3600, what=service.log.read_text)
    return own, runs


def drill(stack, url, home):
    backups = Backups(home, stack, DATABASE_URL=url, FILE_STORE=f"dir:{home}/none",
                      BACKUP_SCRATCH_DIR=str(home))
    old = backups.pretend(days_ago=2)
    begun = time.time()
    with Service(backups, home / "service.log", BACKUP_SCHEDULE="0 2 * * *") as service:
        own, runs = watched(service, lambda: (service.figure(
            "cairn_backup_last_verified_restore_timestamp_seconds") or 0) > begun - 60)
        whole = time.time() - begun
    made = next(one["id"] for one in backups.sets() if one["id"] != old)
    kept = ("backups", "service.log", "none")
    left = [path.name for path in home.iterdir() if path.name not in kept]
    assert left == [], left
    return backups.manifest(made), whole, own, runs


def main():
    stack = Stack().up()
    home = pathlib.Path(tempfile.mkdtemp(prefix="cairn-bench-"))
    home.chmod(0o755)
    try:
        url = urllib.parse.urlsplit(stack.env["DATABASE_URL"])._replace(path="/" + NAME).geturl()
        stack.psql(f"CREATE DATABASE {NAME}")
        subprocess.run([BIN / "cairn-migrate", "up"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "DATABASE_URL": url}, cwd=ROOT)
        passages = fill(stack, url)
        size = int(stack.psql("SELECT pg_database_size(current_database())", url)) >> 20
        manifest, whole, own, runs = drill(stack, url, home)
        proof = manifest["drill"]
        assert proof["ok"] is True and manifest["proven"] == "restored", proof
        assert proof["found"]["tables"]["public.chunks"] == passages
        print(f"database            {size} MB, {passages} passages with vectors")
        print(f"set                 {manifest['size_bytes'] >> 20} MB "
              f"in {manifest['duration_seconds']:.0f} s")
        print(f"restored            in {proof['restore_seconds']:.0f} s, then compared")
        print(f"due to proven       {whole:.0f} s, by nobody's hand; nothing is left of it")
        print(f"resident            service {own:.0f} MB, its run {runs:.0f} MB at most (bar: 50)")
        assert max(own, runs) < 50
    finally:
        shutil.rmtree(home, ignore_errors=True)
        stack.down()


if __name__ == "__main__":
    main()
