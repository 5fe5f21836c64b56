"""`cairn mcp` over its standard input and output, against the real stack; what the public
client of the protocol makes of it is in test_clients.py."""

import json
import signal
import subprocess
import threading

import pytest
from cairn import PROGRAM, Cairn
from fake_cairn import FakeCairn, problem

VERSION = "2025-06-18"
SCOPES = ["search", "read_documents", "read_glossary", "read_graph"]


def request(number, method, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def call(number, tool, **arguments):
    return request(number, "tools/call", name=tool, arguments=arguments)


def initialize(version=VERSION):
    return request("hello", "initialize", protocolVersion=version, capabilities={},
                   clientInfo={"name": "test", "version": "1"})


def talk(cairn, *messages):
    """The answers; the server ends where its input does."""
    lines = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n"
                    for one in messages)
    done = cairn.run("mcp", stdin=lines)
    return [json.loads(line) for line in done.stdout.splitlines()]


def results(answers):
    return {answer["id"]: answer["result"] for answer in answers if "result" in answer}


@pytest.fixture(scope="module")
def keys(stack):
    """API keys by role."""
    made = {}
    for role in ("staff", "student"):
        reply = stack.post("/api/admin/keys", {"name": f"mcp-{role}", "role": role,
                                               "department": "IT Services", "scopes": SCOPES})
        assert reply.status == 201, reply.body
        made[role] = reply.json()
    yield {role: key["key"] for role, key in made.items()}
    for key in made.values():
        stack.delete(f"/api/admin/keys/{key['id']}")


@pytest.fixture
def cairn(stack, tmp_path, keys):
    return Cairn(tmp_path, stack.env["GATEWAY_URL"], CAIRN_API_KEY=keys["staff"])


def test_tools_are_called(cairn):
    given = results(talk(cairn, initialize(), call(1, "search", query="reset the password"),
                         call(2, "get_document", id="university-password-guide"),
                         call(3, "define_term", term="zyx no term at all"),
                         call(4, "graph_neighbors", name="zyx no node at all"),
                         request(5, "resources/templates/list")))
    assert given["hello"]["protocolVersion"] == VERSION
    found = given[1]["structuredContent"]["results"]
    assert "university-password-guide" in [hit["document_id"] for hit in found]
    document = given[2]["structuredContent"]
    assert document["text"].startswith("IT Staff Guide") and document["next_offset"] is None
    assert given[3]["structuredContent"] == {"entries": []}
    assert given[4]["isError"] and given[4]["content"][0]["text"] == "no node has such a name"


def test_a_filter_and_a_collection_hold_both(cairn):
    given = results(talk(
        cairn, initialize(),
        call(1, "search", query="staff", collection="university", filters={"min_priority": 4}),
        call(2, "search", query="staff", collection="no-such", filters={"min_priority": 4}),
        call(3, "search", query="staff", filters={"no_such_filter": [1]})))
    assert given[1]["structuredContent"]["total"] > 0
    assert given[2]["structuredContent"]["total"] == 0
    assert given[3]["isError"]


def test_it_has_the_rights_of_its_caller(cairn, keys):
    """A student's key does not show what staff may read."""
    student = Cairn(cairn.home, cairn.url, CAIRN_API_KEY=keys["student"])
    for one, shown in (cairn, True), (student, False):
        given = results(talk(one, initialize(),
                             call(1, "get_document", id="university-password-guide"),
                             call(2, "search", query="reset the password of staff")))
        found = [hit["document_id"] for hit in given[2]["structuredContent"]["results"]]
        assert "university-student-wifi" in found
        assert ("university-password-guide" in found) == shown
        assert given[1]["isError"] != shown
    wrong = Cairn(cairn.home, cairn.url, CAIRN_API_KEY="cairn_000000000000_wrong")
    said = results(talk(wrong, initialize(), call(1, "search", query="password")))[1]
    assert said["isError"] and "cairn login" in said["content"][0]["text"]


def test_what_a_server_refuses_is_told(tmp_path):
    fake = FakeCairn()
    fake.answer = lambda asked: problem(403, "forbidden", "not for you")
    try:
        said = results(talk(Cairn(tmp_path, fake.url), initialize(),
                            call(1, "define_term", term="x")))[1]
    finally:
        fake.close()
    assert said == {"content": [{"type": "text", "text": "not for you"}], "isError": True}
    said = results(talk(Cairn(tmp_path, fake.url), initialize(),
                        call(1, "define_term", term="x")))[1]
    assert said["isError"] and said["content"][0]["text"]


def test_hostile_lines_are_answered_and_survived(cairn):
    answers = talk(cairn, "x" * (3 << 20), "[" * 1000, "\x00", "{}", "[]", "nonsense",
                   request(1, "tools/list"), initialize(), initialize(),
                   request(2, "rob/bank"), call(3, "search", query="x" * 2001),
                   call(4, "search"), call(4, "search", query="x", limit=3),
                   request(None, "ping"), "", request(9, "ping"), request(9, "ping"))
    codes = [answer["error"]["code"] for answer in answers if "error" in answer]
    assert sorted(codes) == [-32700] * 4 + [-32602] * 3 + [-32601] + [-32600] * 5
    assert [answer["id"] for answer in answers if "result" in answer] == ["hello", 9, 9]


def test_invalid_utf8_is_refused(cairn):
    done = subprocess.run([PROGRAM, "mcp"], env=cairn.environment, timeout=120, check=True,
                          input=b'{"jsonrpc":"2.0","id":1,"method":"\xff"}\n',
                          stdout=subprocess.PIPE)
    assert json.loads(done.stdout)["error"]["code"] == -32700


@pytest.mark.parametrize("version, agreed, batches", [
    ("2024-11-05", "2024-11-05", False), ("2025-03-26", "2025-03-26", True),
    ("2031-01-01", VERSION, False)])
def test_versions_differ_in_batches(cairn, version, agreed, batches):
    first, second = talk(cairn, initialize(version),
                         json.dumps([request(1, "ping"), request(2, "ping")]))
    assert first["result"]["protocolVersion"] == agreed
    assert isinstance(second, list) == batches


def test_what_is_cancelled_while_it_waits_is_not_answered(cairn):
    """All lines are there at once: those after the first wait."""
    answers = talk(cairn, initialize(), request(1, "ping"), request(2, "ping"),
                   {"jsonrpc": "2.0", "method": "notifications/cancelled",
                    "params": {"requestId": 2}},
                   {"jsonrpc": "2.0", "method": "notifications/cancelled",
                    "params": {"requestId": [7]}}, request(3, "ping"))
    assert [answer["id"] for answer in answers] == ["hello", 1, 3]


def test_what_is_being_asked_can_be_cancelled(tmp_path):
    """The API never answers: what comes after the cancelled call is answered all the same."""
    asked, over = threading.Event(), threading.Event()

    def answer(_):
        asked.set()
        over.wait(120)
        return problem(404, "not_found", "too late")

    fake = FakeCairn()
    fake.answer = answer
    with subprocess.Popen([PROGRAM, "mcp"], env=Cairn(tmp_path, fake.url).environment,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            for line in (initialize(), call(1, "define_term", term="x")):
                process.stdin.write(json.dumps(line) + "\n")
            process.stdin.flush()
            assert asked.wait(60)
            for line in ({"jsonrpc": "2.0", "method": "notifications/cancelled",
                          "params": {"requestId": 1}}, request(2, "ping")):
                process.stdin.write(json.dumps(line) + "\n")
            process.stdin.flush()
            answered = [json.loads(process.stdout.readline())["id"] for _ in range(2)]
            assert answered == ["hello", 2]
        finally:
            over.set()
            process.stdin.close()
            process.wait(timeout=60)
            fake.close()


def test_a_signal_ends_it(cairn):
    with subprocess.Popen([PROGRAM, "mcp"], env=cairn.environment, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write(json.dumps(initialize()) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == "hello"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 130
