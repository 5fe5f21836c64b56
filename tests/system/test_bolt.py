"""Bolt on the real stack, by a client of our own: logins, rights, versions, what is wrong."""

import bolt
import pytest
from bolt import Bolt, Failed
from bolt_graph import PEOPLE, fill
from conftest import Stack, eventually
from tokens import JWT, bearer

ADMIN = bearer("root", "admin")
PASSWORD = "Battery-Staple-42"
UNAUTHORIZED = "Neo.ClientError.Security.Unauthorized"


@pytest.fixture(scope="module")
def stack():
    """One that looks who asks, and records it."""
    running = Stack(**JWT, AUDIT_QUERY_TEXT="full",
                    BOLT_RECHECK_SECONDS="1").up()
    fill(running, headers=ADMIN)
    running.psql("UPDATE graph_nodes SET clearance_level = 5, department = 'IT' "
                 "WHERE id = 'bolt-24'")
    for name in ("bolt-anna", "bolt-bert"):
        body = {"username": name, "role": "staff", "password": PASSWORD}
        eventually(lambda body=body: running.post("/api/admin/users", body, headers=ADMIN)
                   .status == 201, seconds=60, what=running.logs)
    yield running
    running.down()


@pytest.fixture
def call(stack):
    """A function that calls the port; what it opened is closed afterwards."""
    opened = []

    def connect(version=(5, 4)):
        host, port = stack.env["BOLT_URL"].removeprefix("bolt://").split(":")
        opened.append(Bolt(host, int(port), version))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def token(role, user="sam"):
    return bearer(user, role)["Authorization"].removeprefix("Bearer ")


def count(connection):
    return connection.run("MATCH (n:BoltPerson) RETURN count(n)")[1][0][0]


@pytest.fixture
def logged_in(stack, call):
    """Whoever of the loops' connections to graph is not there yet is waited for."""
    def connect(version=(5, 4), **auth):
        connection = call(version)
        connection.hello(**(auth or {"scheme": "bearer", "credentials": token("staff")}))

        def answers():
            try:
                return connection.run("RETURN 1")
            except Failed as failed:
                assert failed.code.startswith("Neo.TransientError"), failed
                connection.reset()
                return None

        eventually(answers, seconds=60, what=stack.logs)
        return connection

    return connect


@pytest.mark.parametrize("version", [(4, 4), (5, 0), (5, 1), (5, 2), (5, 3), (5, 4)])
def test_each_version_is_spoken(logged_in, version):
    connection = logged_in(version)
    fields, rows = connection.run(
        "MATCH (n:BoltPerson {number: $n})-[r:BOLT_KNOWS]->(m) RETURN n, r", {"n": 3})
    assert fields == ["n", "r"]
    node, relationship = rows[0]
    labels, properties = ["BoltPerson"], {"number": 3, "name": "Person 3"}
    number = node[1]
    assert isinstance(number, int)
    if version >= (5, 0):
        assert node == (ord("N"), number, labels, properties, "bolt-3")
        assert relationship[5:] == ({"since": 2003}, "bolt-next-3", "bolt-3", "bolt-4")
    else:
        assert node == (ord("N"), number, labels, properties)
        assert len(relationship) == 6
    assert relationship[0] == ord("R") and relationship[2] == number
    assert relationship[4] == "BOLT_KNOWS"


def test_no_version_in_common_ends_the_connection(call):
    connection = call(None)
    assert connection.shake_hands(b"\0\0\0\x06", b"\0\0\1\4") == bytes(4)
    assert connection.stream.read() == b""


def test_a_password_opens_and_a_wrong_one_does_not(stack, call, logged_in):
    connection = logged_in(scheme="basic", principal="bolt-anna", credentials=PASSWORD)
    assert count(connection) == PEOPLE - 1
    for name, password in (("bolt-anna", "wrong"), ("nobody-at-all", PASSWORD)):
        stranger = call()
        with pytest.raises(Failed) as failed:
            stranger.login(name, password)
        assert failed.value.code == UNAUTHORIZED
        assert stranger.receive() is None
    stranger = call((4, 4))
    with pytest.raises(Failed) as failed:
        stranger.login("bolt-anna", "wrong")
    assert failed.value.code == UNAUTHORIZED


def test_without_a_credential_nobody_comes_in(call):
    for auth in ({"scheme": "none"}, {}, {"scheme": "bearer", "credentials": "no.such.token"}):
        with pytest.raises(Failed) as failed:
            call().hello(**auth)
        assert failed.value.code == UNAUTHORIZED


def test_an_api_key_opens_until_it_is_revoked(stack, call, logged_in):
    made = stack.post("/api/admin/keys", {"name": "bolt", "role": "staff",
                                          "scopes": ["read_graph"]}, headers=ADMIN)
    assert made.status == 201, made.body
    key = made.json()
    connection = logged_in(scheme="bearer", credentials=key["key"])
    assert count(connection) == PEOPLE - 1
    assert stack.delete(f"/api/admin/keys/{key['id']}", headers=ADMIN).status in (200, 204)

    def refused():
        try:
            connection.run("RETURN 1")
        except (Failed, AssertionError, OSError):
            return True
        return False

    eventually(refused, seconds=60, what=stack.logs)


def test_what_is_hidden_is_not_even_counted(logged_in):
    assert count(logged_in()) == PEOPLE - 1
    admin = logged_in(scheme="bearer", credentials=token("admin", "root"))
    assert count(admin) == PEOPLE


def test_a_scope_that_is_too_narrow_is_refused(stack, call):
    made = stack.post("/api/admin/keys", {"name": "narrow", "role": "staff",
                                          "scopes": ["search"]}, headers=ADMIN)
    assert made.status == 201, made.body
    connection = call()
    connection.hello(scheme="bearer", credentials=made.json()["key"])
    with pytest.raises(Failed) as failed:
        connection.run("RETURN 1")
    assert failed.value.code == "Neo.ClientError.Security.Forbidden"


def test_a_user_who_is_no_more_is_shown_out(stack, logged_in):
    connection = logged_in(scheme="basic", principal="bolt-bert", credentials=PASSWORD)
    stack.psql("UPDATE users SET active = false, session_epoch = session_epoch + 1 "
               "WHERE username = 'bolt-bert'")

    def shown_out():
        try:
            connection.run("RETURN 1")
        except Failed as failed:
            return failed.code == "Neo.ClientError.Security.AuthorizationExpired"
        except (AssertionError, OSError) as gone:
            raise AssertionError("it was not told why") from gone
        return False

    eventually(shown_out, seconds=60, what=stack.logs)


def test_errors_are_told_and_forgotten(logged_in):
    connection = logged_in()
    for query, code in (
            ("MATCH (n RETURN n", "Neo.ClientError.Statement.SyntaxError"),
            ("CREATE (n:Bad)", "Neo.ClientError.Statement.AccessMode")):
        with pytest.raises(Failed) as failed:
            connection.run(query)
        assert failed.value.code == code
        connection.send(bolt.RUN, "RETURN 1", {}, {})
        assert connection.receive()[0] == bolt.IGNORED
        assert connection.reset() == {}
    assert connection.run("RETURN 1")[1] == [[1]]


def test_a_transaction_reads(logged_in):
    connection = logged_in()
    connection.ask(bolt.BEGIN, {"mode": "r", "tx_timeout": 10000})
    first = connection.ask(bolt.RUN, "UNWIND range(1, 5) AS i RETURN i", {}, {})
    connection.send(bolt.PULL, {"n": 2, "qid": first["qid"]})
    rows, meta = connection.records()
    assert rows == [[1], [2]] and meta == {"has_more": True}
    assert connection.ask(bolt.DISCARD, {"n": -1, "qid": first["qid"]})["type"] == "r"
    assert "bookmark" in connection.ask(bolt.COMMIT)


def test_nonsense_harms_nobody_else(call, logged_in):
    good = logged_in()
    for said in (b"\0\3\xb1\x10\xc4\0\0", b"\0\1\xff\0\0", bolt.message(0x55),
                 bolt.message(bolt.PULL, {"n": 1}), bolt.message(bolt.HELLO, {}, piece=1)):
        connection = logged_in()
        connection.socket.sendall(said)
        tag, meta = connection.receive()
        assert tag == bolt.FAILURE and "Request.Invalid" in meta["code"]
        assert connection.receive() is None
    web = call(None)
    web.socket.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert web.stream.read() == b""
    assert good.run("RETURN 1")[1] == [[1]]


def test_queries_and_logins_are_recorded(stack, logged_in):
    logged_in(scheme="bearer", credentials=token("staff", "bolt-watched")).run(
        "RETURN 'to be recorded'")
    wanted = ("SELECT count(*) FROM audit_log WHERE user_id = 'bolt-watched' AND "
              "user_agent = 'cairn-tests/1' AND ")
    eventually(lambda: stack.psql(
        wanted + "action = 'graph_query' AND query = 'RETURN ''to be recorded'''") == "1",
        seconds=60, what=stack.logs)
    eventually(lambda: stack.psql(wanted + "action = 'login' AND outcome = 'ok'") == "1",
               seconds=60, what=stack.logs)
