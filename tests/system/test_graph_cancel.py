"""Queries that nobody waits for any more."""

import json
import socket
import struct
import urllib.parse

import bolt
import pytest
from bolt import Bolt
from conftest import Stack, eventually
from tokens import JWT, bearer

STUDENT = bearer("sam", "student")
ENDLESS = "MATCH (a), (b), (c), (d), (e), (f), (g) RETURN count(*)"


@pytest.fixture(scope="module")
def stack():
    """One whose budgets end nothing: a query would go on for ten minutes."""
    running = Stack(**JWT, RATE_LIMIT_ENABLED="false", CYPHER_TIMEOUT_MS="600000",
                    CYPHER_MAX_TOUCHED="4000000000").up()
    running.psql("INSERT INTO graph_nodes (id, labels, properties) "
                 "SELECT 'node' || n, '{Node}', '{}' FROM generate_series(1, 500) n")
    eventually(lambda: count(running) == 500, seconds=60, what=running.logs)
    yield running
    running.down()


def count(stack):
    reply = stack.request("POST", "/api/graph/query", {"query": "MATCH (n) RETURN count(n)"},
                          headers=STUDENT)
    return reply.json()["rows"][0][0] if reply.status == 200 else None


def by_http(stack):
    """The connection is reset: one that only ends might still want its answer."""
    where = urllib.parse.urlsplit(stack.env["GATEWAY_URL"])
    body = json.dumps({"query": ENDLESS, "timeout_ms": 600000}).encode()
    head = (f"POST /api/graph/query HTTP/1.1\r\nHost: cairn\r\n"
            f"Authorization: {STUDENT['Authorization']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
    connection = socket.create_connection((where.hostname, where.port), timeout=60)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sendall(head.encode() + body)
    return connection.close


def by_bolt(stack):
    host, port = stack.env["BOLT_URL"].removeprefix("bolt://").split(":")
    connection = Bolt(host, int(port), (5, 4))
    connection.hello(scheme="bearer",
                     credentials=STUDENT["Authorization"].removeprefix("Bearer "))
    connection.send(bolt.RUN, ENDLESS, {}, {"tx_timeout": 600000})
    return connection


def by_bolt_closed(stack):
    return by_bolt(stack).close


def by_bolt_reset(stack):
    connection = by_bolt(stack)

    def reset():
        connection.send(bolt.RESET)
        assert connection.receive()[0] in (bolt.IGNORED, bolt.FAILURE)
        assert connection.receive()[0] == bolt.SUCCESS
        assert connection.run("RETURN 1")[1] == [[1]]  # it goes on
        connection.close()

    return reset


@pytest.mark.parametrize("begin", [by_http, by_bolt_closed, by_bolt_reset])
def test_who_leaves_ends_their_query(stack, begin):
    def figure(name):
        return stack.figure("graph", "cairn_rpc_server_" + name) or 0

    canceled = 'requests_total{method="graph.query",status="INTERNAL"}'  # as which it counts
    eventually(lambda: count(stack) == 500 and figure("in_flight") == 0, seconds=60,
               what=stack.logs)
    before = figure(canceled)
    leave = begin(stack)
    eventually(lambda: figure("in_flight") > 0, seconds=60, what=stack.logs)
    assert figure(canceled) == before
    leave()
    eventually(lambda: figure(canceled) > before, seconds=60, what=stack.logs)
