"""The commands of who keeps Cairn: users, keys, the audit log, health, models."""

import base64
import json
import re
import time

import pytest
from cairn import Cairn
from conftest import eventually
from fake_cairn import Answer, FakeCairn, problem

GOOD, OTHER = "Good-Pass1", "Other-Pass2"


@pytest.fixture
def cairn(stack, tmp_path):
    return Cairn(tmp_path, stack.env["GATEWAY_URL"])


def told(done):
    """`label: value` as a dict."""
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


def table(done):
    return [line.split("\t") for line in done.stdout.splitlines()]


# --- users


def test_users_are_made_changed_and_removed(cairn, stack, tmp_path):
    made = told(cairn.run("users", "add", "cli.ada", "-r", "staff", "-d", "IT", stdin=GOOD + "\n"))
    assert (made["username"], made["role"], made["department"]) == ("cli.ada", "staff", "IT")
    rows = table(cairn.run("users", "list", "--begins", "cli."))
    assert [row[0] for row in rows] == ["cli.ada"] and rows[0][-1] == made["id"]
    assert told(cairn.run("users", "show", "CLI.Ada"))["id"] == made["id"]
    assert json.loads(cairn.run("users", "show", made["id"], "--json").stdout)["active"] is True
    assert told(cairn.run("users", "edit", "cli.ada", "-r", "student"))["role"] == "student"
    assert "--role" in cairn.run("users", "edit", "cli.ada", code=2).stderr

    ada = Cairn(tmp_path / "ada", stack.env["GATEWAY_URL"])
    assert told(cairn.run("users", "disable", "cli.ada"))["active"] == "false"
    ada.run("login", "-u", "cli.ada", stdin=GOOD + "\n", code=3)
    assert told(cairn.run("users", "enable", "cli.ada"))["active"] == "true"
    cairn.run("users", "password", "cli.ada", stdin=OTHER + "\n")
    ada.run("login", "-u", "cli.ada", stdin=GOOD + "\n", code=3)
    ada.run("login", "-u", "cli.ada", stdin=OTHER + "\n")
    assert told(ada.run("whoami"))["user"] == "cli.ada"

    assert "password" in cairn.run("users", "password", "cli.ada", stdin="weak\n", code=1).stderr
    assert "no user cli.nobody" in cairn.run("users", "show", "cli.nobody", code=1).stderr
    assert told(cairn.run("users", "delete", "cli.ada"))["deleted"] == "true"
    assert cairn.run("users", "list", "--begins", "cli.ada").stdout == ""


def test_roles_are_listed(cairn):
    rows = [json.loads(line) for line in cairn.run("roles", "--json").stdout.splitlines()]
    assert [row["name"] for row in rows] == ["anonymous", "student", "staff", "academic", "admin"]
    assert rows[1]["source"] == "built_in" and rows[1]["max_results"] == 20
    assert table(cairn.run("roles"))[2][0] == "staff"


def test_a_lock_is_ended(cairn, stack, tmp_path):
    cairn.run("users", "add", "cli.locked", "-r", "student", stdin=GOOD + "\n")
    other = Cairn(tmp_path / "other", stack.env["GATEWAY_URL"])
    for _ in range(5):
        other.run("login", "-u", "cli.locked", stdin="Wrong-Pass1\n", code=3)
    assert "locked" in other.run("login", "-u", "cli.locked", stdin=GOOD + "\n", code=3).stderr
    assert told(cairn.run("users", "unlock", "cli.locked"))["locked"] == "false"
    other.run("login", "-u", "cli.locked", stdin=GOOD + "\n")
    cairn.run("users", "delete", "cli.locked")


def test_passwords_are_typed_twice(cairn):
    seen = cairn.terminal("users", "add", "cli.typed", "-r", "student", code=2, typed=[
        ("Password: ", GOOD + "\n"), ("once more: ", OTHER + "\n")])
    assert "not the same" in seen and GOOD not in seen
    cairn.terminal("users", "add", "cli.typed", "-r", "student", typed=[
        ("Password: ", GOOD + "\n"), ("once more: ", GOOD + "\n")])
    cairn.run("users", "delete", "cli.typed")


def test_a_login_is_renewed_and_ended(cairn, stack, tmp_path):
    cairn.run("users", "add", "cli.renewed", "-r", "staff", stdin=GOOD + "\n")
    home = tmp_path / "renewed"
    mine = Cairn(home, stack.env["GATEWAY_URL"])
    mine.run("login", "-u", "cli.renewed", stdin=GOOD + "\n")

    def kept():
        return json.loads((home / ".config/cairn/config").read_text())["default"]

    first = kept()
    assert first["session"].startswith("cairn_session=") and first["csrf"] and first["token"]
    mine.run("refresh")
    second = kept()
    assert second["session"] != first["session"]
    assert told(mine.run("whoami"))["user"] == "cli.renewed"
    mine.run("password", stdin=f"{GOOD}\n{OTHER}\n")
    third = kept()
    assert third["session"] != second["session"]
    assert told(mine.run("whoami"))["user"] == "cli.renewed"
    # sessions of before are over: what is kept of them is no good any more
    config = json.loads((home / ".config/cairn/config").read_text())
    (home / ".config/cairn/config").write_text(json.dumps({"default": second}))
    mine.run("refresh", code=3)
    (home / ".config/cairn/config").write_text(json.dumps(config))
    mine.run("logout")
    assert kept() == {"url": stack.env["GATEWAY_URL"]}
    (home / ".config/cairn/config").write_text(json.dumps(config))
    mine.run("refresh", code=3)
    assert "no session" in Cairn(tmp_path / "new", stack.env["GATEWAY_URL"]).run(
        "refresh", code=3).stderr
    cairn.run("users", "delete", "cli.renewed")


def token(age, name):
    """A JWT of so many seconds ago, good for eight hours."""
    begun = int(time.time()) - age
    parts = {"alg": "none"}, {"iat": begun, "exp": begun + 28800, "sub": name}, {}
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
                    for part in parts)


def test_a_token_is_renewed_while_one_works(tmp_path):
    fake, old, new = FakeCairn(), token(1000, "old"), token(0, "new")

    def answer(request):
        if request.path == "/api/auth/login":
            return Answer(200, {"access_token": old, "csrf_token": "csrf1"},
                          Set_Cookie="cairn_session=first; Path=/; HttpOnly")
        if request.path == "/api/auth/refresh":
            if request.headers["Cookie"] != "cairn_session=first":
                return problem(401, "session_expired", "over")
            assert request.headers["Authorization"] is None
            assert request.headers["X-CSRF-Token"] == "csrf1"
            return Answer(200, {"access_token": new, "csrf_token": "csrf2"},
                          Set_Cookie="cairn_session=second; Path=/; HttpOnly")
        return None

    fake.answer = answer
    mine = Cairn(tmp_path, fake.url)
    config = tmp_path / ".config/cairn/config"

    def asked():
        paths = [(one.path, one.headers["Authorization"]) for one in fake.requests]
        fake.requests.clear()
        return paths

    mine.run("login", "-u", "ada", stdin=GOOD + "\n")
    asked()
    mine.run("ping")
    assert asked() == [("/api/auth/refresh", None), ("/health/ping", f"Bearer {new}")]
    kept = json.loads(config.read_text())["default"]
    assert (kept["token"], kept["session"], kept["csrf"]) == (
        new, "cairn_session=second", "csrf2")
    mine.run("ping")
    assert asked() == [("/health/ping", f"Bearer {new}")]
    # a session that is over is not asked again; the token may do for now
    config.write_text(json.dumps({"default": {**kept, "token": old}}))
    for paths in (["/api/auth/refresh", "/health/ping"], ["/health/ping"]):
        mine.run("ping")
        assert [path for path, _ in asked()] == paths
    fake.close()


# --- keys


def test_keys_are_made_used_and_revoked(cairn, stack, tmp_path):
    made = cairn.run("keys", "create", "cli key", "-r", "staff", "-s", "search", "-s", "session",
                     "--days", "1", "--json")
    key = json.loads(made.stdout)
    assert key["expires_at"] and sorted(key["scopes"]) == ["search", "session"]
    assert "this once" in made.stderr
    program = Cairn(tmp_path / "key", stack.env["GATEWAY_URL"], CAIRN_API_KEY=key["key"])
    assert told(program.run("whoami"))["role"] == "staff"
    program.run("users", "list", code=3)
    assert told(cairn.run("keys", "show", key["id"]))["name"] == "cli key"
    assert key["id"] in [row[0] for row in table(cairn.run("keys", "list"))]
    assert told(cairn.run("keys", "revoke", key["id"]))["revoked"] == "true"
    program.run("whoami", code=3)
    assert "--scope" in cairn.run("keys", "create", "x", code=2).stderr


# --- the audit log


def test_the_audit_log_is_filtered_and_exported(cairn):
    for _ in range(3):
        cairn.run("users", "list")
    rows = eventually(lambda: len(found := table(cairn.run(
        "audit", "--action", "list_users", "--since", "2020-01-01"))) >= 3 and found, seconds=60)
    assert {row[3] for row in rows} == {"list_users"}
    assert len(table(cairn.run("audit", "-n", "2"))) == 2
    lines = [json.loads(line) for line in cairn.run(
        "audit", "--all", "--json", "--action", "list_users").stdout.splitlines()]
    assert len({line["id"] for line in lines}) == len(lines) >= 3 and lines[0]["hash"]
    assert cairn.run("audit", "--until", "2001-01-01").stdout == ""
    cairn.run("audit", "--outcome", "sideways", code=2)
    kept = [json.loads(line)["action"] for line in cairn.run(
        "audit", "--all", "--json", "--kind", "change,login").stdout.splitlines()]
    assert kept and "list_users" not in kept


# --- operation


def test_every_replica_is_shown(cairn):
    eventually(lambda: cairn.start("status").wait(timeout=60) == 0, seconds=60)
    rows = table(cairn.run("status"))
    assert [row[0] for row in rows] == ["search", "embedder", "graph", "backup", "gateway"]
    assert {row[1] for row in rows} == {"healthy"}
    assert re.fullmatch(r"\d+/\d+", rows[0][7]) and rows[0][8] != ""
    assert "SERVICE" in cairn.terminal("status", NO_COLOR="1")
    assert json.loads(cairn.run("status", "--json").stdout)["services"]["search"]["absent"] == 0


def test_the_last_hour_is_told(cairn, stack):
    stack.search("library opening")
    assert int(told(cairn.run("history"))["searches"]) >= 1
    drawn = cairn.terminal("history", "--minutes", "60", NO_COLOR="1")
    assert "requests" in drawn and "at most" in drawn
    assert re.search(r"search is behind .*(at most [\d.e-]+ s|no figures)\r?\n", drawn), drawn
    assert re.search(r"recall of searches .*(at least [\d.]+|no figures)\r?\n", drawn), drawn
    page = json.loads(cairn.run("history", "--minutes", "60", "--json").stdout)
    slow = {route["operation"] for route in page["routes"]}  # the slowest of whoever asked
    assert len(slow & set(drawn.split())) >= min(len(slow), 5), drawn
    assert page["sums"]["searches"] >= 1 and page["steps"]
    cairn.run("history", "--minutes", "61", code=2)


def test_health_is_told_by_parts(cairn):
    parts = {row[1] for row in table(cairn.run("health"))}
    assert {"database", "cache", "disk", "search_functionality"} <= parts
    detailed = {(row[0], row[1]) for row in table(cairn.run("health", "--detailed"))}
    assert {("search", "generations"), ("embedder", "embedding_service")} <= detailed
    assert "checks" in json.loads(cairn.run("health", "--profile-of", "checks", "--json").stdout)
    assert told(cairn.run("ping", "search"))["message"] == "pong"
    assert told(cairn.run("ping", "--ready"))["ready"] == "true"
    cairn.run("ping", "nothing", code=1)
    assert "# TYPE" in cairn.run("metrics").stdout
    assert json.loads(cairn.run("metrics", "--json").stdout)["requests_total"] > 0


def test_caches_errors_and_maintenance(cairn, stack):
    stack.search("library opening")
    assert int(told(cairn.run("cache", "stats"))["answers"]) >= 0
    assert told(cairn.run("cache", "clear"))["everywhere"] == "true"
    assert json.loads(cairn.run("errors", "--json").stdout)["error_counts"]
    assert told(cairn.run("maintenance", "show"))["active"] == "false"
    entered = told(cairn.run("maintenance", "enter", "--minutes", "5", "--reason", "a new disk"))
    try:
        assert entered["active"] == "true" and entered["reason"] == "a new disk"
        assert told(cairn.run("maintenance", "show"))["until"]
    finally:
        left = told(cairn.run("maintenance", "leave"))
    assert left["active"] == "false"
    eventually(lambda: stack.get("/health").json()["maintenance"] is None, seconds=60)


# --- models


def test_texts_become_vectors(cairn):
    rows = table(cairn.run("embed", "--dimensions", "4", "a cat", "a dog"))
    assert [len(row) for row in rows] == [4, 4] and rows[0] != rows[1]
    piped = table(cairn.run("embed", "--dimensions", "4", stdin="a cat\na dog\n"))
    assert piped == rows
    answer = json.loads(cairn.run("embed", "a cat", "--json").stdout)
    assert len(answer["embeddings"][0]) == 512
    cairn.run("embed", code=2)
    names = [row[0] for row in table(cairn.run("models", "list"))]
    assert names and "cairn.fingerprint" in cairn.run("models", "show", names[0]).stdout


def test_generations_are_built_compared_and_deleted(cairn):
    def state():
        return {row[1]: (row[2], row[0]) for row in table(cairn.run("generations", "list"))}

    live = state()["use-lite"]
    assert live[0] == "live"
    built = told(cairn.run("generations", "build", "hashing"))
    assert built["state"] == "done"
    other = state()["hashing"]
    assert other[0] == "ready"
    compared = json.loads(cairn.run(
        "generations", "compare", live[1][:10], other[1], "-q", "library loans", "--json")
        .stdout.splitlines()[-1])
    assert 0 <= compared["result"]["overlap_at_10"] <= 1
    assert "no generation zzz" in cairn.run("generations", "activate", "zzz", code=1).stderr
    assert "live" in cairn.run("generations", "delete", live[1][:10], code=1).stderr
    cairn.run("generations", "rollback", code=1)
    cairn.run("generations", "delete", other[1][:10])
    assert set(state()) == {"use-lite"}


# --- the rest


def test_documents_are_asked_for_by_their_metadata(cairn, stack):
    for number in range(3):
        stack.put(id=f"cli-asked-{number}", title=f"Number {number}", collection="cli-asked",
                  text="Of quokkas.", metadata={"size": number})
    rows = table(cairn.run("documents", "query", "-c", "cli-asked", "--filter",
                           '{"metadata":{"size":{"gte":1}}}', "--sort=-size"))
    assert [row[0] for row in rows] == ["cli-asked-2", "cli-asked-1"]
    one = cairn.run("documents", "query", "-c", "cli-asked", "--sort", "size", "-n", "1", "--json")
    assert [json.loads(line)["id"] for line in one.stdout.splitlines()] == ["cli-asked-0"]
    cairn.run("documents", "query", "--filter", "{", code=2)
    cairn.run("documents", "delete", *[f"cli-asked-{number}" for number in range(3)])


def test_a_node_is_merged_by_its_key(cairn):
    first = json.loads(cairn.run("graph", "merge", "CliBook", "-k", "isbn=12", "-p", "title=A",
                                 "--json").stdout)
    second = json.loads(cairn.run("graph", "merge", "CliBook", "-k", "isbn=12", "-p", "pages=7",
                                  "--json").stdout)
    node = json.loads(cairn.run("graph", "node", first["id"], "--json").stdout)
    assert second["id"] == first["id"]
    assert node["properties"] == {"isbn": 12, "title": "A", "pages": 7}
    cairn.run("graph", "delete", first["id"])


def test_profiles_are_listed_chosen_and_forgotten(stack, tmp_path):
    cairn = Cairn(tmp_path)
    config = tmp_path / ".config/cairn/config"
    config.parent.mkdir(parents=True)
    config.touch(0o600)
    config.write_text(json.dumps({
        "away": {"url": "http://127.0.0.1:1", "token": "hidden"},
        "here": {"url": stack.env["GATEWAY_URL"]}}))
    listed = cairn.run("profile", "list")
    assert [row[0] for row in table(listed)] == ["away", "here"] and "hidden" not in listed.stdout
    cairn.run("ping", code=3)  # nothing is at the default's address
    assert "here" in cairn.run("profile", "use", "here").stdout
    cairn.run("ping")
    assert told(cairn.run("profile", "show"))["url"] == stack.env["GATEWAY_URL"]
    cairn.run("ping", "--profile", "away", code=3)
    cairn.run("profile", "delete", "away")
    assert "away" not in json.loads(config.read_text())
    assert "no profile away" in cairn.run("profile", "use", "away", code=1).stderr
    cairn.run("profile", "delete", "here")
    assert json.loads(config.read_text()) == {}
