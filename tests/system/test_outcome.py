"""A write that was sent and whose answer never came is told as such, and as nothing else:
503 outcome_unknown. The connection to PostgreSQL that has the write is cut while the write
waits for a lock; on a slow machine its time may be over before that (504)."""

import contextlib
import itertools
import subprocess
import threading

import pytest
from conftest import eventually

PASSWORD = "Correct-Horse-7-Battery"
numbers = itertools.count()


@contextlib.contextmanager
def held(stack, table, mode):
    """Nobody else writes to it meanwhile; reading goes on, unless the mode is EXCLUSIVE."""
    command = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", stack.env["DATABASE_URL"]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as holder:
        holder.stdin.write(f"BEGIN;\nLOCK TABLE {table} IN {mode} MODE;\n"
                           "SELECT 'held';\n")
        holder.stdin.flush()
        assert holder.stdout.readline().strip() == "held"
        try:
            yield
        finally:
            holder.stdin.close()


def cut(stack, table, beginning):
    """Ends the connections that wait to do that to the table."""
    stack.psql("SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l "
               f"ON l.pid = a.pid WHERE NOT l.granted AND l.relation = '{table}'::regclass "
               f"AND a.query LIKE '%{beginning}%'")


def lost(stack, table, beginning, send, mode="SHARE ROW EXCLUSIVE"):
    """The answer to what is sent when its connection goes, each time it is tried."""
    answers = []
    sender = threading.Thread(target=lambda: answers.append(send()))

    def answered():
        cut(stack, table, beginning)
        return answers

    with held(stack, table, mode):
        sender.start()
        eventually(answered, seconds=60)
    sender.join()
    return answers[0]


def number():
    return next(numbers)


@pytest.fixture(scope="module")
def user(stack):
    reply = stack.post("/api/admin/users", {"username": "outcome", "password": PASSWORD,
                                            "role": "student"})
    assert reply.status == 201, reply.body
    yield reply.json()["id"]
    stack.delete(f"/api/admin/users/{reply.json()['id']}")


def make_user(stack, _):
    return stack.post("/api/admin/users", {
        "username": f"outcome{number()}", "password": PASSWORD, "role": "student"})


def change_user(stack, user):
    return stack.request("PUT", f"/api/admin/users/{user}",
                         {"department": f"d{number()}"})


def make_key(stack, _):
    return stack.post("/api/admin/keys", {"name": f"outcome{number()}", "role": "student",
                                          "scopes": ["search"]})


def enter_maintenance(stack, _):
    return stack.post("/api/admin/maintenance", {"reason": "outcome", "minutes": 1})


def begin_comparison(stack, _):
    return stack.post("/api/generations/compare", {"from": "a", "to": "b",
                                                   "queries": ["x"]})


def begin_analysis(stack, _):
    return stack.post("/api/graph/analysis", {"kind": "degree"})


def make_term(stack, _):
    return stack.post("/api/glossary", {"term": f"outcome{number()}", "language": "en",
                                        "definition": "what came of it"})


def make_node(stack, _):
    return stack.post("/api/graph/nodes", {"id": f"outcome{number()}", "labels": ["Outcome"]})


@pytest.mark.parametrize("table, beginning, send", [
    ("users", "INSERT INTO users", make_user),
    ("users", "UPDATE users", change_user),
    ("api_keys", "INSERT INTO api_keys", make_key),
    ("maintenance", "INSERT INTO maintenance", enter_maintenance),
    ("jobs", "INSERT INTO jobs", begin_comparison),
    ("jobs", "INSERT INTO jobs", begin_analysis),
    ("glossary_terms", "INSERT INTO glossary_terms", make_term),
    ("graph_nodes", "WITH input AS", make_node),
])
def test_a_write_whose_answer_is_lost_is_told_as_unknown(stack, user, table, beginning, send):
    def is_told():
        reply = lost(stack, table, beginning, lambda: send(stack, user))
        assert reply.status in (503, 504), reply.body
        assert reply.status == 504 or reply.json()["code"] == "outcome_unknown", reply.body
        return reply.status == 503

    eventually(is_told, seconds=60)


def test_a_read_whose_answer_is_lost_is_not(stack, user):
    """There is nothing that it may have done."""
    reply = lost(stack, "users", "WHERE", lambda: stack.get(f"/api/admin/users/{user}"),
                 mode="ACCESS EXCLUSIVE")
    assert reply.status in (503, 504), reply.body
    assert reply.json()["code"] != "outcome_unknown"
