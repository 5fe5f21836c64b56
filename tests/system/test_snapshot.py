"""Snapshots of the view: what a search replica starts from, and what it does when it cannot."""

import pathlib
import random
import signal
import threading

import psycopg2
import pytest
from conftest import ADMIN, eventually

ONCE = {"SNAPSHOT_INTERVAL": 86400}  # only after the first load, and at the end
OFTEN = {"SNAPSHOT_INTERVAL": 1}


def metrics(stack):
    found = {}
    for line in stack.get("/metrics", base=stack.ops("search")).body.decode().splitlines():
        if line.startswith("cairn_search_snapshot"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def loads(stack, outcome):
    name = f'cairn_search_snapshot_loads_total{{outcome="{outcome}"}}'
    return metrics(stack).get(name, 0)


def saves(stack, status="ok"):
    name = f'cairn_search_snapshot_saves_total{{status="{status}"}}'
    return metrics(stack).get(name, 0)


def folder(stack, name="search"):
    return pathlib.Path(stack.dir, "data", name)


def snapshots(stack):
    return sorted(path.name for path in folder(stack).glob("snapshot-*"))


def found(stack, text, mode="text"):
    """What a search finds, once the gateway has met the replica."""
    def ask():
        reply = stack.post("/api/search", {
            "query": text, "user": ADMIN, "config": {"mode": mode, "max_results": 50}})
        assert reply.status in (200, 503), reply.body
        return reply if reply.status == 200 else None
    answer = eventually(ask, seconds=60, what=stack.logs).json()
    return sorted(hit["document_id"] for hit in answer["results"])


def put_some(stack, count, prefix="doc", text="heron"):
    lines = "\n".join(
        f'{{"id":"{prefix}-{n}","title":"Number {n}","text":"{text} number{n} in the reeds"}}'
        for n in range(count))
    reply = stack.post("/api/documents/batch?wait=true", lines,
                       headers={"Content-Type": "application/x-ndjson"})
    assert reply.status == 200, reply.body


def sql(stack, *statements):
    """Each in a transaction of its own; the rows of the last one, when it has any."""
    connection = psycopg2.connect(stack.env["DATABASE_URL"])
    connection.autocommit = True
    try:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None
    finally:
        connection.close()


def test_a_restart_uses_the_snapshot(new_stack):
    stack = new_stack(**ONCE).settled()
    put_some(stack, 30)
    hybrid = stack.search("heron reeds number7")
    stack.restart("search")
    found(stack, "heron")
    assert loads(stack, "loaded") == 1
    assert metrics(stack)["cairn_search_snapshot_load_seconds"] > 0
    assert len(snapshots(stack)) == 1
    eventually(lambda: stack.search("heron")["degraded"] == [], seconds=60)
    again = stack.search("heron reeds number7")
    assert [(h["chunk_id"], h["combined_score"]) for h in again["results"]] == \
        [(h["chunk_id"], h["combined_score"]) for h in hybrid["results"]]
    health = stack.get("/health", base=stack.ops("search")).json()
    assert health["checks"]["index"]["snapshot"]["start"] == "loaded"
    # What came after the snapshot comes from the changefeed.
    stack.put(id="later", title="Later", text="heron of the evening")
    eventually(lambda: stack.delete("/api/documents/doc-3").status in (200, 404),
               seconds=60)  # 503 while a loop of the gateway has not met the replica again
    stack.returned("search", stack.kill("search"))
    assert loads(stack, "loaded") == 1
    assert "later" in found(stack, "evening")
    assert "doc-3" not in found(stack, "number3")


def test_kills_during_writes_converge(new_stack):
    stack = new_stack(**OFTEN).settled()
    stop, kept = threading.Event(), {}

    def write():
        dice, n = random.Random(7), 0
        while not stop.is_set():
            n += 1
            name = f"w-{dice.randrange(40)}"
            try:
                if dice.random() < 0.2:
                    reply = stack.delete(f"/api/documents/{name}")
                    state = None
                else:
                    state = f"otter mark{n}"
                    reply = stack.post("/api/documents", {"id": name, "title": name,
                                                          "text": state})
                if reply.status in (200, 201, 204, 404):
                    kept[name] = state
                else:
                    kept[name] = ...  # perhaps stored, perhaps not
            except OSError:
                kept[name] = ...

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(4):
            before = len(kept)
            written = saves(stack)
            eventually(lambda: stack.ready("search") and saves(stack) > written, seconds=60,
                       what=stack.logs)
            old = stack.kill("search")
            stack.returned("search", old)
            assert len(kept) >= before
    finally:
        stop.set()
        writer.join()
    record = dict(sql(stack, "SELECT document_id, text FROM chunks"))
    for name, state in kept.items():
        if state is not ...:
            assert record.get(name) == state, name
    eventually(lambda: found(stack, "otter") == sorted(record), seconds=30,
               what=lambda: (found(stack, "otter"), sorted(record)))
    for name, text in record.items():
        assert name in found(stack, f'"{text}"')
    stack.restart("search")
    assert loads(stack, "loaded") == 1
    assert found(stack, "otter") == sorted(record)


@pytest.mark.parametrize("name", ["view", "text", "graph", "vectors"])
def test_a_corrupt_snapshot_is_set_aside(new_stack, name):
    stack = new_stack(**ONCE).settled()
    put_some(stack, 10)

    def spoil():
        path = folder(stack) / snapshots(stack)[-1] / name
        data = bytearray(path.read_bytes())
        data[len(data) // 2 if name in ("view", "text") else 20] ^= 0xff
        path.write_bytes(data)

    stack.restart("search", between=spoil)
    assert loads(stack, "corrupt") == 1
    assert len(list(folder(stack).glob("corrupt-*"))) == 1
    assert len(found(stack, "heron")) == 10
    eventually(lambda: snapshots(stack), seconds=60)  # after the load another one is kept
    stack.restart("search")
    assert loads(stack, "loaded") == 1
    assert len(found(stack, "heron")) == 10


def test_a_torn_snapshot_is_set_aside(new_stack):
    stack = new_stack(**ONCE).settled()
    put_some(stack, 10)

    def cut():
        (folder(stack) / "next").mkdir()
        (folder(stack) / "next" / "view").write_text("half")
        path = folder(stack) / snapshots(stack)[-1] / "view"
        path.write_bytes(path.read_bytes()[:-100])

    stack.restart("search", between=cut)
    assert loads(stack, "corrupt") == 1
    eventually(lambda: not (folder(stack) / "next").exists(), seconds=60)
    assert len(found(stack, "heron")) == 10


def test_a_trimmed_outbox_means_a_whole_load(new_stack):
    stack = new_stack(**ONCE).settled()
    put_some(stack, 10)

    def trim():
        sql(stack, "INSERT INTO documents (id, title) VALUES ('missed', 'm')",
            "INSERT INTO chunks (id, document_id, ordinal, text) "
            "VALUES ('missed#0', 'missed', 0, 'heron unseen')")
        assert sql(stack, "SELECT outbox_trim('search_outbox', '0 s')")[0][0] > 0

    stack.restart("search", between=trim)
    assert loads(stack, "trimmed") == 1
    assert "missed" in found(stack, "unseen")
    assert len(found(stack, "heron")) == 11


def test_another_database_is_not_followed(new_stack):
    """The same tables in a database of the same cluster, with the same documents but one."""
    stack = new_stack(**ONCE).settled()
    put_some(stack, 10)

    def swap():
        url = stack.env["DATABASE_URL"]
        pid = [stack.signal(s, signal.SIGSTOP) for s in ("embedder", "gateway")]
        admin = psycopg2.connect(url.rpartition("/")[0] + "/postgres")
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           "WHERE datname = 'cairn'")
            cursor.execute("ALTER DATABASE cairn ALLOW_CONNECTIONS false")
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           "WHERE datname = 'cairn'")
            cursor.execute("CREATE DATABASE copied TEMPLATE cairn")
            cursor.execute("ALTER DATABASE cairn RENAME TO before")
            cursor.execute("ALTER DATABASE copied RENAME TO cairn")
        admin.close()
        sql(stack, "DELETE FROM documents WHERE id = 'doc-4'", "TRUNCATE search_outbox")
        for service, _ in zip(("embedder", "gateway"), pid):
            stack.signal(service, signal.SIGCONT)

    stack.restart("search", between=swap)
    assert loads(stack, "database") == 1
    eventually(lambda: found(stack, "heron") ==
               sorted(f"doc-{n}" for n in range(10) if n != 4), seconds=30)


def test_a_directory_that_cannot_be_used_changes_nothing_else(new_stack, tmp_path):
    parent = tmp_path / "data"
    parent.mkdir()
    (parent / "search").write_text("not a directory")
    stack = new_stack(SEARCH_DATA_DIR=parent, **OFTEN).settled()
    put_some(stack, 5)
    assert len(found(stack, "heron")) == 5
    assert "no snapshots" in stack.log("search")
    stack.restart("search")
    assert len(found(stack, "heron")) == 5
    assert metrics(stack).get("cairn_search_snapshot_save_seconds", 0) == 0


def test_without_a_directory_there_are_none(new_stack):
    stack = new_stack(SEARCH_DATA_DIR="", **OFTEN).settled()
    put_some(stack, 5)
    stack.restart("search")
    assert len(found(stack, "heron")) == 5
    assert not folder(stack).exists()


def test_a_failed_write_is_told_and_tried_again(new_stack):
    stack = new_stack(**OFTEN).settled()
    eventually(lambda: saves(stack) >= 1, seconds=60)
    (folder(stack) / "next").write_text("in the way")  # no directory can be made here
    put_some(stack, 5)
    eventually(lambda: saves(stack, "failed") >= 1, seconds=60)
    assert len(found(stack, "heron")) == 5
    assert "cannot be written" in stack.log("search")
    (folder(stack) / "next").unlink()
    before = saves(stack)
    eventually(lambda: saves(stack) > before, seconds=60)
    stack.restart("search", signal.SIGKILL)
    assert loads(stack, "loaded") == 1
    assert len(found(stack, "heron")) == 5


def test_each_replica_keeps_its_own(new_stack):
    stack = new_stack(SEARCH_REPLICAS=2, **ONCE).settled()
    put_some(stack, 5)
    stack.command("down")
    assert folder(stack, "search").is_dir() and folder(stack, "search-2").is_dir()
    stack.up().settled()
    assert loads(stack, "loaded") == 1
    assert "snapshot: loaded" in stack.log("search-2")
    for _ in range(10):
        assert len(found(stack, "heron")) == 5
