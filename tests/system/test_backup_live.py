"""A restore in place of what a running stack works with, and maintenance."""

import contextlib
import re
import signal
import subprocess
import threading
import urllib.parse

import pytest
from backups import Backups, service
from conftest import eventually
from one_gateway import Gateway


@pytest.fixture(scope="module")
def backups(stack, tmp_path_factory):
    return Backups(tmp_path_factory.mktemp("live"), stack, BACKUP_VERIFY="none")


def over(stack, kind=""):
    """Every gateway lets changes in again; what they refuse for is seen in the metric."""
    name = f'cairn_gateway_maintenance{{reason="{kind or "restore"}"}}'
    return eventually(lambda: stack.figure("gateway", name) == 0.0, seconds=60, what=stack.logs)


def refused(reply):
    return reply.status == 503 and reply.json()["code"] == "maintenance"


def put(stack, name, **more):
    return stack.post("/api/documents", {"id": name, "title": name, "text": f"The text of {name}.",
                                         "collection": "live", "clearance_level": 1}, **more)


def stored(reply):
    return reply.status in (200, 201)


def there(stack, name):
    return stack.get(f"/api/documents/{name}").status == 200


def server(stack):
    url = urllib.parse.urlsplit(stack.env["DATABASE_URL"])
    return url._replace(path="/postgres").geturl(), url.path[1:]


def test_maintenance_by_hand_ends_by_itself_or_by_hand(stack):
    answer = stack.post("/api/admin/maintenance", {"reason": "a new disk", "minutes": 30})
    assert answer.status == 200 and answer.json()["by_hand"]["reason"] == "a new disk"
    reply = eventually(lambda: (lambda r: r if refused(r) else None)(put(stack, "early")),
                       seconds=60, what=stack.logs)
    assert 1 <= int(reply.headers["Retry-After"]) <= 60
    assert refused(put(stack, "kept-out")) and not there(stack, "kept-out")
    assert refused(stack.delete("/api/documents/university-001"))
    assert stack.search("library")["results"]  # reads go on
    assert stack.post("/api/backups/prune", {"dry_run": True}).status == 202
    shown = stack.get("/api/admin/maintenance").json()
    assert shown["restoring"] is False and shown["by_hand"]["active"] is True
    assert stack.figure("gateway", 'cairn_gateway_maintenance{reason="by_hand"}') == 1.0
    eventually(lambda: stack.get("/health").json()["maintenance"] == "by_hand", seconds=60,
               what=stack.logs)
    assert stack.delete("/api/admin/maintenance").json()["by_hand"]["active"] is False
    eventually(lambda: put(stack, "let-in").status in (200, 201), seconds=60, what=stack.logs)
    # and one that nobody ends: its time comes
    stack.post("/api/admin/maintenance", {"minutes": 1})
    stack.psql("UPDATE maintenance SET until = now()")
    over(stack, "by_hand")
    assert put(stack, "let-in-again").status in (200, 201)
    assert stack.post("/api/admin/maintenance", {"minutes": 0}).status == 400


RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def test_the_gateway_that_answers_goes_by_it_at_once(stack):
    """Each connection meets one of its loops, and each round another moment between looks."""
    for _ in range(15):
        hand = stack.post("/api/admin/maintenance", {"minutes": 30}).json()["by_hand"]
        assert RFC_3339.fullmatch(hand["until"]) and RFC_3339.fullmatch(hand["entered_at"])
        assert all(refused(put(stack, "at-once")) for _ in range(8))
        left = stack.delete("/api/admin/maintenance").json()["by_hand"]
        assert (left["active"], left["until"], left["entered_at"]) == (False, None, None)
        assert all(stored(put(stack, "at-once")) for _ in range(8))
    eventually(lambda: stack.get("/health").json()["maintenance"] is None, seconds=60,
               what=stack.logs)


def test_other_gateways_go_by_it_when_they_look(stack):
    other = Gateway(stack)
    try:
        eventually(lambda: other.ready(stack), seconds=60, what=other.log.read_text)
        base = other.address()
        eventually(lambda: stored(put(stack, "other", base=base)), seconds=60,
                   what=other.log.read_text)
        stack.post("/api/admin/maintenance", {"minutes": 30})
        eventually(lambda: refused(put(stack, "other", base=base)), seconds=60,
                   what=other.log.read_text)
        stack.delete("/api/admin/maintenance", base=base)
        assert stored(put(stack, "other", base=base))  # which it was that answered
        eventually(lambda: stored(put(stack, "other")), seconds=60, what=stack.logs)
    finally:
        other.stop()


def undoable(stack):
    return stack.get("/api/backups/schedule").json()["undo"]


class Writer(threading.Thread):
    """Writes as fast as it can; keeps what was answered as stored, and when."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.stored, self.refused, self.stop = stack, [], 0, False

    def run(self):
        number = 0
        while not self.stop:
            number += 1
            name = f"writer-{number}"
            try:
                reply = put(self.stack, name)
            except OSError:
                continue
            if reply.status in (200, 201):
                self.stored.append(name)
            elif refused(reply):
                self.refused += 1


def test_nothing_that_was_stored_is_lost_by_a_live_restore(stack, backups):
    """What was answered as stored is in the safety backup, or in what runs now."""
    assert undoable(stack) == {"what": "nothing", "set": ""}
    asked = stack.post("/api/backups/undo", {"confirm": "undo"}).json()["run_id"]
    run = eventually(lambda: (one := stack.get(f"/api/backups/runs/{asked}").json())["state"]
                     == "failed" and one)
    assert run["code"] == "not_found" and run["result"] is None
    assert put(stack, "before").status in (200, 201)
    made = backups.create()["id"]
    assert put(stack, "after").status in (200, 201)
    writer = Writer(stack)
    writer.start()
    eventually(lambda: len(writer.stored) > 3, seconds=60, what=stack.logs)
    done = backups.run("restore", made, "--target", "live", "--confirm", made)
    over(stack)
    eventually(lambda: put(stack, "new").status in (200, 201), seconds=60, what=stack.logs)
    writer.stop = True
    writer.join(timeout=120)
    assert writer.refused > 0
    name = "cairn_live_check"
    safety = done["safety_backup"]
    backups.run("restore", safety, "--target", "database", "--database", name)
    admin, _ = server(stack)
    saved = set(stack.psql("SELECT id FROM documents",
                           url=admin.replace("/postgres", "/" + name)).split())
    now = set(stack.psql("SELECT id FROM documents").split())
    assert "after" in saved and "after" not in now and "before" in now
    lost = [one for one in writer.stored if one not in saved and one not in now]
    assert lost == []
    stack.psql(f"DROP DATABASE {name}", url=admin)
    # views are brought back
    eventually(lambda: there(stack, "before") and not there(stack, "after"), seconds=60,
               what=stack.logs)

    def found(name):
        return any(hit["document_id"] == name
                   for hit in stack.search(f"text of {name}")["results"])
    eventually(lambda: found("before") and not found("after"), seconds=120, what=stack.logs)
    assert undoable(stack) == {"what": "undo", "set": made}
    backups.run("undo", "--confirm", "undo")
    assert undoable(stack) == {"what": "redo", "set": made}
    assert stack.post("/api/backups/undo", {"confirm": "again"}).status == 400
    eventually(lambda: found("after"), seconds=120, what=stack.logs)
    over(stack)


def test_a_restore_that_dies_leaves_nobody_locked_out(stack, backups):
    """While it waits for somebody who does not stop writing."""
    made = backups.create()["id"]
    holder = subprocess.Popen(["psql", "-Xq", stack.env["DATABASE_URL"]],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    holder.stdin.write("BEGIN; LOCK TABLE documents IN ROW EXCLUSIVE MODE; SELECT 'held';\n")
    holder.stdin.flush()
    assert "held" in "".join(holder.stdout.readline() for _ in range(3))
    process = backups.start("restore", made, "--target", "live", "--confirm", made)
    eventually(lambda: refused(put(stack, "dies")), seconds=120, what=stack.logs)
    assert stack.get("/api/admin/maintenance").json()["restoring"] is True
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    holder.stdin.close()
    holder.wait(timeout=60)
    over(stack)
    eventually(lambda: put(stack, "lives").status in (200, 201), seconds=60, what=stack.logs)
    admin, name = server(stack)
    # as if it had died in the middle of the swap
    stack.psql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false', url=admin)
    assert backups.run("repair")["database"] == name
    assert stack.psql("SELECT count(*) > 0 FROM documents") == "t"
    assert halves(stack) == ""
    assert backups.hidden() == []
    over(stack)


def halves(stack):
    """Databases that a restore has made beside the live one."""
    admin, name = server(stack)
    return stack.psql("SELECT datname FROM pg_database "
                      f"WHERE datname LIKE '{name[:30]}\\_new\\_%'", url=admin)


@contextlib.contextmanager
def session(url):
    """psql that stays."""
    one = subprocess.Popen(["psql", "-XAtq", url], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)

    def say(sql):
        one.stdin.write(sql + " SELECT 'said';\n")
        one.stdin.flush()
        while one.stdout.readline() != "said\n":
            assert one.poll() is None
    try:
        yield say
    finally:
        one.stdin.close()
        one.wait(timeout=60)


def killed_between_two_renames(stack, backups, made):
    """The second one waits for us; then there is nobody to go on."""
    admin, name = server(stack)
    process = backups.start("restore", made, "--target", "live", "--confirm", made)
    beside = eventually(lambda: halves(stack), seconds=120)
    with session(admin) as say:
        say(f'BEGIN; COMMENT ON DATABASE "{beside}" IS NULL;')
        eventually(lambda: stack.psql(
            "SELECT count(*) FROM pg_locks WHERE NOT granted "
            "AND classid = 'pg_database'::regclass AND objid = "
            f"(SELECT oid FROM pg_database WHERE datname = '{beside}')", url=admin) == "1",
            seconds=120)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert stack.psql(f"SELECT datallowconn FROM pg_database WHERE datname = '{name}'",
                          url=admin) == "f"  # nobody can work
    eventually(lambda: stack.psql(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = "
        "hashtext('cairn-maintenance')::oid", url=admin) == "0", seconds=60)
    assert halves(stack) == beside and backups.hidden() == [".restoring"]


def test_whoever_comes_next_repairs_what_a_killed_restore_left(stack, backups, tmp_path):
    """Another run, or the service when it starts."""
    assert put(stack, "survives").status in (200, 201)
    made = backups.create()["id"]
    name = server(stack)[1]
    killed_between_two_renames(stack, backups, made)
    note = (backups.dir / ".restoring").read_bytes()
    assert backups.run("verify", made)["ok"] is True
    assert stack.psql("SELECT id FROM documents WHERE id = 'survives'") == "survives"
    assert halves(stack) == "" and backups.hidden() == []
    over(stack)
    eventually(lambda: put(stack, "works").status in (200, 201), seconds=60, what=stack.logs)
    # and the same with nobody but the service to see it
    (backups.dir / ".restoring").write_bytes(note)
    stack.psql(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false', url=server(stack)[0])
    with service(backups, tmp_path):
        eventually(lambda: backups.hidden() == [], seconds=60,
                   what=(tmp_path / "service.log").read_text)
    assert stack.psql("SELECT id FROM documents WHERE id = 'survives'") == "survives"


def test_half_a_database_that_is_still_filled_is_not_forgotten(stack, backups):
    """The pg_restore of a run that was killed comes to its end a moment later."""
    admin, name = server(stack)
    half = f"{name[:30]}_new_20260101000000"
    stack.psql(f'CREATE DATABASE "{half}"', url=admin)
    (backups.dir / ".restoring").write_text("killed\n")
    with session(admin.replace("/postgres", "/" + half)) as say:
        say("BEGIN;")
        assert "is being filled" in backups.run("repair", code=1)
        assert halves(stack) == half and backups.hidden() == [".restoring"]
    assert backups.run("repair")["database"] == name
    assert halves(stack) == "" and backups.hidden() == []
    over(stack)


def test_only_one_restore_at_a_time(stack, backups):
    admin, name = server(stack)
    other = subprocess.Popen(["psql", "-XAtq", admin], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    other.stdin.write("SELECT pg_try_advisory_lock(hashtext('cairn-maintenance'), "
                      f"hashtext('{name}'));\n")
    other.stdin.flush()
    assert other.stdout.readline().strip() == "t"
    made = backups.sets()[0]["id"]
    assert "another restore" in backups.run("restore", made, "--target", "live", "--confirm", made,
                                            code=1)
    other.stdin.close()
    other.wait(timeout=60)


def test_single_tables_come_into_another_database(stack, backups):
    made = backups.create()["id"]
    name = "cairn_some_tables"
    done = backups.run("restore", made, "--target", "database", "--database", name,
                       "--table", "chunks", "--table", "public.models")
    saved = backups.manifest(made)["facts"]["tables"]
    assert done["tables"] == {table: saved[table] for table in ("public.chunks", "public.models")}
    assert "chunks_document_id_fkey" in done["foreign_keys_left_out"]
    admin, _ = server(stack)
    there_url = admin.replace("/postgres", "/" + name)
    chunks = int(stack.psql("SELECT count(*) FROM chunks", url=there_url))
    assert chunks == saved["public.chunks"] > 0
    assert stack.psql("SELECT count(*) FROM documents", url=there_url) == "0"
    assert stack.psql("SELECT count(*) FROM pg_indexes WHERE tablename = 'chunks'",
                      url=there_url) != "0"
    stack.psql(f"DROP DATABASE {name}", url=admin)
    assert "no table" in backups.run("restore", made, "--target", "database", "--database", name,
                                     "--table", "nonsense", code=1)
    backups.run("restore", made, "--target", "live", "--confirm", made, "--table", "chunks", code=2)
    assert name not in stack.psql("SELECT datname FROM pg_database", url=admin)


def test_a_collection_comes_back_among_the_others(stack):
    """By the API; what changed meanwhile elsewhere stays."""
    def put_in(collection, name, text):
        reply = stack.post("/api/documents", {"id": name, "title": name, "text": text,
                                              "collection": collection, "clearance_level": 1})
        assert reply.status in (200, 201), reply.body

    def ended(place):
        run = stack.get(place).json()
        return None if run["state"] in ("queued", "running") else run

    def run(path, body):
        place = stack.post(path, body).headers["Location"]
        return eventually(lambda: ended(place), seconds=120, what=stack.logs)

    for name in ("lost", "spoilt"):
        put_in("herbarium", name, f"Saxifraga oppositifolia, sheet {name}.")
    put_in("minerals", "elsewhere", "Olivine, first state.")
    stack.embedded()
    made = run("/api/backups", {"verify": False})["result"]["id"]
    assert stack.delete("/api/documents/lost").status == 200
    put_in("herbarium", "spoilt", "Something else entirely.")
    put_in("herbarium", "younger", "Saxifraga cernua, a sheet that the set does not have.")
    put_in("minerals", "elsewhere", "Olivine, second state.")
    body = {"target": "live", "confirm": made, "collections": ["herbarium"]}
    assert stack.post(f"/api/backups/{made}/restore", {**body, "target": "scratch"}).status == 400
    done = run(f"/api/backups/{made}/restore", body)
    assert done["state"] == "done", done
    report = done["result"]
    assert (report["documents"], report["added"], report["replaced"]) == (2, 1, 1)
    assert report["passages"] == report["vectors"] == 2 and report["to_be_embedded"] == 0

    def hits(query):
        found = stack.search(query)["results"]
        return {hit["document_id"]: hit["text"] for hit in found}
    eventually(lambda: {"lost", "spoilt", "younger"} <= set(hits("Saxifraga sheet")), seconds=60,
               what=stack.logs)
    assert "oppositifolia" in hits("Saxifraga sheet")["spoilt"]
    assert stack.psql("SELECT text FROM chunks WHERE document_id = 'elsewhere'") == \
        "Olivine, second state."
    nothing = run(f"/api/backups/{made}/restore", {**body, "collections": ["no such"]})
    assert nothing["state"] == "failed" and nothing["code"] == "not_found"
    assert halves(stack) == ""
