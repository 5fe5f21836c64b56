"""The bus with keys (CURVE): the whole stack, callers that are refused, keys that change."""

import json
import os
import pathlib
import secrets
import signal
import subprocess

import pytest
from conftest import BIN, Stack, eventually
from one_gateway import CALLEES, Gateway, cairn_keys, keys_of, refused


@pytest.fixture(scope="module")
def keyed():
    """A stack with keys, for the tests that leave them as they are."""
    running = Stack(STACK_KEYS=1).up().settled()
    yield running
    running.down()


@pytest.fixture
def gateway():
    """A function that starts such a gateway; all are stopped afterwards."""
    started = []

    def start(stack, **settings):
        started.append(Gateway(stack, **settings))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def test_the_whole_stack_works_with_keys(keyed):
    keyed.put(id="curve", title="Curves", text="A curve of the river.")
    keyed.embedded()

    def found_by_both_legs():
        answer = keyed.search("river bend")
        assert answer["results"][0]["document_id"] == "curve"
        return answer["degraded"] == []

    eventually(found_by_both_legs, seconds=60, what=keyed.logs)
    eventually(lambda: keyed.get("/health").json()["status"] == "healthy", seconds=60,
               what=lambda: keyed.get("/health").body)
    for name in CALLEES:
        assert refused(keyed, name, "unknown_key") == 0


def test_secrets_are_files_of_their_owner_and_in_no_log(keyed):
    for path in keys_of(keyed).glob("*.key"):
        assert path.stat().st_mode & 0o777 == 0o600
        secret = path.read_text().strip()
        assert len(secret) == 40
        for log in pathlib.Path(keyed.dir, "log").glob("*.log"):
            assert secret not in log.read_text(errors="replace")
    assert len(list(keys_of(keyed).glob("*.key"))) == 5


def test_a_gateway_with_its_key_is_let_in(keyed, gateway):
    keys = keys_of(keyed)
    one = gateway(keyed, RPC_KEY_FILE=keys / "gateway.key", RPC_KEYS_DIR=keys / "public")
    eventually(lambda: one.ready(keyed), seconds=60, what=one.log.read_text)


def test_a_gateway_without_keys_is_refused(keyed, gateway):
    before = refused(keyed, "search", "without_key")
    one = gateway(keyed)
    eventually(lambda: one.said("refuses us: one of us has keys and the other has not"),
               seconds=60, what=one.log.read_text)
    eventually(lambda: refused(keyed, "search", "without_key") > before, seconds=60)
    assert not one.ready(keyed)
    eventually(lambda: "a peer was refused: without_key" in keyed.log("search"), seconds=60)
    assert keyed.search("river")["total"] >= 0


def test_a_gateway_with_a_key_of_its_own_making_is_refused(keyed, gateway, tmp_path):
    before = refused(keyed, "search", "unknown_key")
    assert cairn_keys(tmp_path, "gateway").returncode == 0
    for name in CALLEES:  # it does know whom it calls
        public = keys_of(keyed) / "public" / f"{name}.pub"
        (tmp_path / "public" / public.name).write_bytes(public.read_bytes())
    one = gateway(keyed, RPC_KEY_FILE=tmp_path / "gateway.key",
                  RPC_KEYS_DIR=tmp_path / "public")
    eventually(lambda: one.said("refuses us: it does not take our key"), seconds=60,
               what=one.log.read_text)
    eventually(lambda: refused(keyed, "search", "unknown_key") > before, seconds=60)
    assert not one.ready(keyed)
    stranger = (tmp_path / "public/gateway.pub").read_text().strip()
    assert stranger not in keyed.log("search")


def test_a_gateway_that_expects_another_service_is_refused(keyed, gateway, tmp_path):
    before = refused(keyed, "search", "wrong_server_key")
    assert cairn_keys(tmp_path).returncode == 0
    one = gateway(keyed, RPC_KEY_FILE=tmp_path / "gateway.key",
                  RPC_KEYS_DIR=tmp_path / "public")
    eventually(lambda: refused(keyed, "search", "wrong_server_key") > before, seconds=60)
    eventually(lambda: one.said("has another key than the one we know"), seconds=60,
               what=one.log.read_text)
    assert not one.ready(keyed)


def test_a_service_that_may_not_call_is_refused(keyed, gateway):
    """graph has keys, but nothing to ask of search."""
    keys = keys_of(keyed)
    before = refused(keyed, "search", "unknown_key")
    disguise = keys / "disguise"
    disguise.mkdir()
    for public in (keys / "public").glob("*.pub"):
        (disguise / public.name).write_bytes(public.read_bytes())
    (disguise / "gateway.pub").write_bytes((keys / "public/graph.pub").read_bytes())
    one = gateway(keyed, RPC_KEY_FILE=keys / "graph.key", RPC_KEYS_DIR=disguise)
    eventually(lambda: one.said("refuses us: it does not take our key"), seconds=60,
               what=one.log.read_text)  # any of the four may be the first to refuse it
    eventually(lambda: refused(keyed, "search", "unknown_key") > before, seconds=60)


def lines_of(stack, service):
    return [json.loads(line) for line in stack.log(service).splitlines()
            if line.startswith("{")]


def test_a_caller_taken_off_the_list_is_thrown_out_on_sighup(new_stack):
    stack = new_stack(STACK_KEYS=1).settled()
    public = keys_of(stack) / "public/gateway.pub"
    known = public.read_text()
    assert cairn_keys(keys_of(stack) / "other", "gateway").returncode == 0
    public.write_bytes((keys_of(stack) / "other/public/gateway.pub").read_bytes())
    stack.signal("search", signal.SIGHUP)
    eventually(lambda: not stack.ready("gateway"), seconds=60, what=stack.logs)
    eventually(lambda: refused(stack, "search", "unknown_key") > 0, seconds=60)
    eventually(lambda: refused(stack, "search", "revoked_key") > 0, seconds=60)
    public.write_text("garbage\n")  # kept as it was: nobody is let in by a bad file
    stack.signal("search", signal.SIGHUP)
    eventually(lambda: "the keys of the bus are kept as they were" in stack.log("search"),
               seconds=60)
    faults = [line["message"] for line in lines_of(stack, "search")
              if line["level"] == "ERROR"]
    assert any(text.startswith("RPC_KEYS_DIR: line 1 of gateway.pub is no public key")
               for text in faults), faults
    assert not stack.ready("gateway")
    public.write_text(known)
    stack.signal("search", signal.SIGHUP)
    eventually(lambda: stack.ready("gateway"), seconds=60, what=stack.logs)
    stack.search("anything")


def test_a_key_is_replaced_while_searches_go_on(new_stack):
    stack = new_stack(STACK_KEYS=1, SEARCH_REPLICAS=2).settled()
    keys = keys_of(stack)
    old = (keys / "public/search.pub").read_text()

    def everybody(number):
        for name in ("gateway", "search", "search-2", *CALLEES[1:]):
            stack.signal(name, number)

    def replicas():
        reply = stack.get("/peers", base=stack.ops("gateway")).json()
        peers = reply["peers"] if isinstance(reply, dict) else reply
        return sorted(p["instance"] for p in peers
                      if p["service"] == "search" and p["state"] == "ready")

    assert cairn_keys(keys, "--next", "search").returncode == 0
    everybody(signal.SIGHUP)
    assert cairn_keys(keys, "--switch", "search").returncode == 0
    for name in ("search", "search-2"):
        before = eventually(lambda: len(replicas()) == 2 and replicas(), seconds=60,
                            what=stack.logs)
        stack.signal(name, signal.SIGTERM)  # the supervisor starts it again
        eventually(lambda: len(set(replicas()) - set(before)) == 1, seconds=60,
                   what=stack.logs)
        stack.search("anything")
    assert cairn_keys(keys, "--drop", "search").returncode == 0
    new = (keys / "public/search.pub").read_text()
    assert new != old and len(new.splitlines()) == 1
    everybody(signal.SIGHUP)
    eventually(lambda: len(replicas()) == 2, seconds=60)
    stack.settled()


def start_alone(tmp_path, service="graph", **settings):
    environment = {**os.environ, "OPS_PORT": "0", "RPC_BIND": "tcp://127.0.0.1:0",
                   "DATABASE_URL": "postgresql://x:only-for-tests@127.0.0.1:1/z",
                   "REDIS_URL": "redis://127.0.0.1:1",
                   **{name: str(value) for name, value in settings.items()}}
    return subprocess.run([BIN / f"cairn-{service}", "--check-config"], check=False,
                          timeout=60, capture_output=True, text=True, env=environment,
                          cwd=tmp_path)


def test_faults_of_keys_stop_the_start_with_a_clear_message(tmp_path):
    assert cairn_keys(tmp_path).returncode == 0
    key, public = tmp_path / "graph.key", tmp_path / "public"
    settings = {"RPC_KEY_FILE": key, "RPC_KEYS_DIR": public}
    good = start_alone(tmp_path, **settings)
    assert good.returncode == 0, good.stderr

    def expect(fault, **changes):
        reply = start_alone(tmp_path, **{**settings, **changes})
        assert reply.returncode == 2
        assert fault in reply.stderr, reply.stderr
        assert key.read_text().strip() not in reply.stderr

    expect("RPC_KEY_FILE: cannot use the file", RPC_KEY_FILE=tmp_path / "none.key")
    expect("RPC_KEYS_DIR: cannot read the public keys: No such file",
           RPC_KEYS_DIR=tmp_path / "none")
    expect("RPC_KEY: its public key is not in RPC_KEYS_DIR/graph.pub",
           RPC_KEY_FILE=tmp_path / "search.key")
    expect("RPC_CALLERS: RPC_KEYS_DIR has no key in nobody.pub", RPC_CALLERS="nobody")
    torn = tmp_path / "torn.key"
    torn.write_text(key.read_text()[:20])
    expect("RPC_KEY: not a secret key", RPC_KEY_FILE=torn)
    key.chmod(0o644)
    expect("RPC_KEY_FILE: every user can read it", ENVIRONMENT="production")
    key.chmod(0o600)
    assert start_alone(tmp_path, **settings, ENVIRONMENT="production").returncode == 0


def test_a_key_that_was_dropped_is_not_started_with(tmp_path):
    """What has run out: rotated twice, and one process still has the first key."""
    assert cairn_keys(tmp_path).returncode == 0
    first = (tmp_path / "graph.key").read_text()
    for step in ("--next", "--switch", "--drop"):
        done = cairn_keys(tmp_path, step, "graph")
        assert done.returncode == 0, done.stderr
    (tmp_path / "graph.key").write_text(first)
    reply = start_alone(tmp_path, RPC_KEY_FILE=tmp_path / "graph.key",
                        RPC_KEYS_DIR=tmp_path / "public")
    assert reply.returncode == 2
    assert "is another service's, or was taken out" in reply.stderr


def test_plain_is_refused_off_the_machine(tmp_path):
    exposed = start_alone(tmp_path, RPC_BIND="tcp://0.0.0.0:5603")
    assert exposed.returncode == 2
    assert "RPC_BIND: only a loopback address or ipc" in exposed.stderr
    assert cairn_keys(tmp_path).returncode == 0
    keyed = start_alone(tmp_path, RPC_BIND="tcp://0.0.0.0:5603",
                        RPC_KEY_FILE=tmp_path / "graph.key",
                        RPC_KEYS_DIR=tmp_path / "public")
    assert keyed.returncode == 0, keyed.stderr


def test_production_calls_nobody_else_in_plain(stack, tmp_path):
    environment = {**stack.environment, "OPS_PORT": "0", "API_PORT": "0",
                   "DATABASE_URL": stack.env["DATABASE_URL"],
                   "REDIS_URL": stack.env["REDIS_URL"], "ENVIRONMENT": "production",
                   "AUTH_MODE": "jwt", "JWT_SECRET_KEY": secrets.token_hex(32),
                   "SEARCH_ENDPOINTS": "tcp://search.internal:5601"}
    done = subprocess.run([BIN / "cairn-gateway"], check=False, timeout=60,
                          capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode != 0
    assert "without keys (RPC_KEY) search must be on this machine" in done.stdout


def test_cairn_keys_overwrites_nothing(tmp_path):
    assert cairn_keys(tmp_path).returncode == 0
    before = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(before) == 10
    assert cairn_keys(tmp_path).returncode == 0
    assert before == {p: p.read_text() for p in tmp_path.rglob("*") if p.is_file()}
    lost = tmp_path / "public/search.pub"
    lost.unlink()
    assert cairn_keys(tmp_path, "search").returncode == 0
    assert lost.read_text() == before[lost]
    assert cairn_keys(tmp_path, "--next", "search").returncode == 0
    again = cairn_keys(tmp_path, "--next", "search")
    assert again.returncode == 1 and "search.next.key: File exists" in again.stderr
    assert lost.read_text().startswith(before[lost])
    assert len(lost.read_text().splitlines()) == 2
    for words in ((), ("--help",), (tmp_path, "--next"), (tmp_path, "../x"),
                  (tmp_path, "--switch", "backup"), (tmp_path, "--wrong", "x")):
        done = cairn_keys(*words)
        assert (done.returncode == 0) == (words == ("--help",)), words
        assert done.stdout or done.stderr
