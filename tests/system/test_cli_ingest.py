"""`cairn ingest`: what it sends, what it remembers, and what it does when the server refuses,
breaks off or is away: against a gateway that is made up, which can do all that when asked."""

import json
import os
import signal
import threading

import pytest
from cairn import Cairn
from conftest import eventually
from fake_cairn import Answer, FakeCairn, problem


@pytest.fixture
def fake():
    one = FakeCairn()
    yield one
    one.close()


@pytest.fixture
def cairn(fake, tmp_path):
    return Cairn(tmp_path / "home", fake.url)


@pytest.fixture(autouse=True)
def home(tmp_path):
    (tmp_path / "home").mkdir()


@pytest.fixture
def files(tmp_path):
    """A directory, and a function that writes into it."""
    folder = tmp_path / "files"

    def write(**texts):
        for name, text in texts.items():
            path = folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder

    return write


def told(done):
    """What came of each file, by its name."""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {os.path.basename(line["path"]): line for line in lines}


def statuses(done):
    return {name: line["status"] for name, line in told(done).items()}


def test_files_are_sent_with_what_is_said_of_them(cairn, fake, files):
    folder = files(a_txt="alpha", sub__b_md="# beta\nä", image_png="no")
    done = cairn.run("ingest", folder, "--json", "-c", "hand book", "-d", "IT", "-l", 2,
                     "--campus", "west", "--priority", 4, "-m", "year=2024", "-m", "tags=[1]",
                     "-m", "note=a=b", "-m", "on=true")
    assert statuses(done) == {"a.txt": "stored", "b.md": "stored"}
    assert "2 stored" in done.stderr and "1 files of other formats left out" in done.stderr
    forms = {form["file"][0]: form for form in fake.documents.values()}
    assert forms["a.txt"]["file"][1] == b"alpha"
    assert forms["b.md"]["file"][1] == "# beta\nä".encode()
    assert forms["a.txt"]["collection"] == "hand book"
    assert json.loads(forms["a.txt"]["metadata"]) == {
        "department": "IT", "campus": "west", "clearance_level": 2, "priority": 4,
        "year": 2024, "tags": [1], "note": "a=b", "on": True}
    assert list(fake.of("POST", "/api/documents")[0].form())[-1] == "file"
    assert "bad" in cairn.run("ingest", folder, "-m", "bad", code=2).stderr


def test_what_was_stored_is_not_sent_again(cairn, fake, files, tmp_path):
    folder = files(a_txt="alpha", b_txt="beta", c_txt="gamma")
    cairn.run("ingest", folder)
    assert statuses(cairn.run("ingest", folder, "--json")) == dict.fromkeys(
        ("a.txt", "b.txt", "c.txt"), "skipped")
    assert len(fake.of("POST", "/api/documents")) == 3
    files(a_txt="alph2")  # as long as it was
    os.utime(folder / "b.txt")  # touched
    (folder / "d.txt").write_text("delta")
    again = cairn.run("ingest", folder, "--json")
    assert statuses(again) == {"a.txt": "stored", "b.txt": "skipped", "c.txt": "skipped",
                               "d.txt": "stored"}
    # what has changed replaces its document
    assert len(fake.documents) == 4
    assert statuses(cairn.run("ingest", folder, "--json", "--no-resume")) == dict.fromkeys(
        ("a.txt", "b.txt", "c.txt", "d.txt"), "unchanged")
    # said otherwise, it is another matter
    assert set(statuses(cairn.run("ingest", folder, "--json", "-d", "IT")).values()) == {
        "stored"}
    assert len(fake.documents) == 4
    state = list((tmp_path / "home/.local/state/cairn").iterdir())
    assert all(path.stat().st_mode & 0o077 == 0 for path in state)


def test_ids_are_of_path_and_collection(cairn, fake, files, tmp_path):
    folder = files(a_txt="alpha", sub__a_txt="beta")
    cairn.run("ingest", folder)
    first = set(fake.documents)
    assert len(first) == 2
    cairn.run("ingest", "sub/../a.txt", "sub", "--no-resume", cwd=folder)
    assert set(fake.documents) == first
    cairn.run("ingest", folder, "-c", "other")
    assert len(fake.documents) == 4
    # below a base they stay the same wherever that is
    cairn.run("ingest", folder, "--base", folder, "-c", "moved")
    ids = set(fake.documents)
    folder.rename(tmp_path / "elsewhere")
    cairn.run("ingest", tmp_path / "elsewhere", "--base", tmp_path / "elsewhere", "-c", "moved",
              "--no-resume")
    assert set(fake.documents) == ids


def test_ids_may_be_left_to_the_server(cairn, fake, files):
    folder = files(a_txt="alpha", b_txt="alpha", c_txt="gamma")
    lines = told(cairn.run("ingest", folder, "--by-content", "--json"))
    assert len(fake.documents) == 2
    assert lines["a.txt"]["document_id"] == lines["b.txt"]["document_id"]
    assert set(statuses(cairn.run("ingest", folder, "--by-content", "--json")).values()) == {
        "skipped"}


def test_what_fails_is_told_and_stops_nothing(cairn, fake, files, tmp_path):
    folder = files(**{f"f{n}_txt": f"text {n}" for n in range(6)})

    def answer(request):
        if request.path == "/api/documents" and b"text 3" in request.body:
            return problem(422, "unreadable", "the file is encrypted")
        return None

    fake.answer = answer
    done = cairn.run("ingest", folder, tmp_path / "missing", "--json", code=1)
    lines = told(done)
    assert lines["f3.txt"]["status"] == "failed"
    assert lines["f3.txt"]["code"] == "unreadable"
    assert "encrypted" in lines["f3.txt"]["error"]
    assert lines["missing"]["status"] == "failed"
    assert "f3.txt: the file is encrypted" in done.stderr
    assert "5 stored, 2 failed" in done.stderr
    fake.answer = lambda request: None
    assert statuses(cairn.run("ingest", folder, "--json"))["f3.txt"] == "stored"


def test_dry_run_sends_nothing(cairn, fake, files):
    folder = files(a_txt="alpha", b_txt="beta")
    done = cairn.run("ingest", folder, "--dry-run")
    assert [os.path.basename(line) for line in done.stdout.splitlines()] == ["a.txt", "b.txt"]
    assert fake.requests == []
    cairn.run("ingest", folder / "a.txt")
    assert statuses(cairn.run("ingest", folder, "-n", "--json")) == {
        "a.txt": "skipped", "b.txt": "planned"}


def test_globs_choose_what_is_sent(cairn, files):
    folder = files(a_txt="1", b_log="2", drafts__c_txt="3", drafts__d_txt="4")

    def names(*words):
        return set(statuses(cairn.run("ingest", folder, "-n", "--json", *words)))

    assert names("--include", "*.log", "--include", "c.*") == {"b.log", "c.txt"}
    assert names("--exclude", "drafts") == {"a.txt"}
    assert names("--exclude", "drafts/d*") == {"a.txt", "c.txt"}


# --- a server that is busy, away, or does not let one in


def test_what_is_put_off_is_sent_again_when_it_was_said(cairn, fake, files):
    refusals = iter([problem(503, "overloaded", "at capacity", Retry_After="1"),
                     problem(429, "rate_limited", "too many", Retry_After="1"),
                     FakeCairn.BREAK])
    fake.answer = lambda request: (
        next(refusals, None) if request.path == "/api/documents" else None)
    done = cairn.run("ingest", files(a_txt="alpha"), "--json")
    assert statuses(done) == {"a.txt": "stored"}
    sent = fake.of("POST", "/api/documents")
    assert len(sent) == 4
    assert all(request.form()["file"][1] == b"alpha" for request in sent)


def test_nobody_there_is_told_once(tmp_path, files):
    folder = files(**{f"f{n}_txt": "x" for n in range(20)})
    done = Cairn(tmp_path / "home", "http://127.0.0.1:1").run("ingest", folder, code=3)
    assert len(done.stderr.splitlines()) == 1


def test_who_is_not_let_in_stops_at_once(cairn, fake, files):
    folder = files(**{f"f{n}_txt": "x" for n in range(20)})
    fake.answer = lambda request: (
        problem(401, "token_expired", "the token has expired")
        if request.path == "/api/documents" else None)
    done = cairn.run("ingest", folder, "-p", 1, code=3)
    assert "expired" in done.stderr
    assert len(fake.of("POST", "/api/documents")) == 1
    fake.answer = lambda request: (
        problem(403, "forbidden", "not allowed")
        if request.path == "/api/documents" else None)
    cairn.run("ingest", folder, code=3)


def test_a_token_goes_to_its_server_alone_and_never_into_messages(fake, files, tmp_path):
    config = tmp_path / "home/.config/cairn/config"
    config.parent.mkdir(parents=True)
    config.touch(0o600)
    config.write_text(json.dumps({"default": {"url": fake.url, "token": "s3cret-token"}}))
    fake.answer = lambda request: problem(403, "forbidden", "no")
    cairn = Cairn(tmp_path / "home")
    done = cairn.run("documents", "list", code=3)
    assert fake.requests[-1].headers["Authorization"] == "Bearer s3cret-token"
    assert "s3cret" not in done.stderr + done.stdout
    # the same server under another name is another server
    other = fake.url.replace("127.0.0.1", "localhost")
    cairn.run("--url", other, "documents", "list", code=3)
    assert fake.requests[-1].headers["Authorization"] is None
    keyed = Cairn(tmp_path / "home", CAIRN_API_KEY="the-key")
    keyed.run("documents", "list", code=3)
    assert fake.requests[-1].headers["X-API-Key"] == "the-key"
    assert fake.requests[-1].headers["Authorization"] is None


def test_another_server_is_not_followed_to(cairn, fake):
    fake.answer = lambda request: Answer(302, {}, Location="http://127.0.0.1:1/steal")
    done = cairn.run("documents", "list", code=1)
    assert "HTTP 302" in done.stderr


# --- broken off


def test_an_interrupted_run_goes_on_where_it_was(cairn, fake, files):
    folder = files(**{f"f{n}_txt": f"text {n}" for n in range(8)})
    held = threading.Event()

    def answer(request):
        if b"text 3" in request.body:
            held.wait(60)
        return None

    fake.answer = answer
    process = cairn.start("ingest", folder, "-p", 1, "--json")
    eventually(lambda: len(fake.of("POST", "/api/documents")) == 4)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on from here" in errors
    assert len(out.splitlines()) == 3
    held.set()
    done = cairn.run("ingest", folder, "--json")
    assert sorted(statuses(done).values()).count("skipped") == 3
    assert len(fake.documents) == 8


def test_a_run_that_was_killed_goes_on_where_it_was(cairn, fake, files):
    folder = files(**{f"f{n}_txt": f"text {n}" for n in range(8)})
    held = threading.Event()
    fake.answer = lambda request: (
        held.wait(60) and None if b"text 5" in request.body else None)
    process = cairn.start("ingest", folder, "-p", 1)
    eventually(lambda: len(fake.of("POST", "/api/documents")) == 6)
    process.kill()
    process.communicate(timeout=60)
    held.set()
    done = cairn.run("ingest", folder, "--json")
    assert list(statuses(done).values()).count("skipped") == 5
    assert len(fake.documents) == 8


# --- documents by line


LINES = '{"title":"one","text":"x"}\nnot json\n{"title":"two","text":"y","collection":"own"}\n'


class Jobs:
    """Jobs of the made-up gateway: each has the states that it is given, one a question."""

    def __init__(self, *states, events=None):
        self.states, self.events, self.batches = list(states), events, []

    def __call__(self, request):
        path = request.path.split("?")[0]
        if path == "/api/documents/batch":
            self.batches.append(request.body)
            return Answer(202, {"job_id": "j1", "state": "queued", "total": 3})
        if path == "/api/jobs/j1/events" and self.events:
            return Answer(200, self.events.encode(), Content_Type="text/event-stream")
        if path == "/api/jobs/j1":
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
            return state if isinstance(state, Answer) else Answer(200, state)
        return None


def job(state, done=0, failed=0, **more):
    return {"job_id": "j1", "kind": "documents", "state": state, "done": done,
            "failed": failed, "total": 3, "errors": [], **more}


def test_lines_become_a_job_that_is_followed(cairn, fake, files):
    fake.answer = Jobs(job("done", 3), events=(
        ": alive\n\nevent: progress\ndata: " + json.dumps(job("running", 1)) +
        "\n\nevent: end\ndata: " + json.dumps(job("done", 3)) + "\n\n"))
    folder = files(docs_ndjson=LINES)
    line = told(cairn.run("ingest", folder, "--json"))["docs.ndjson"]
    assert (line["status"], line["job_id"], line["done"]) == ("stored", "j1", 3)
    sent = fake.answer.batches[0].decode().splitlines()
    assert sent[1] == "not json"
    first, last = json.loads(sent[0]), json.loads(sent[2])
    assert first.pop("id") != last.pop("id")  # the same line again is the same document
    assert [first, last] == [json.loads(line) for line in LINES.splitlines()[::2]]
    assert statuses(cairn.run("ingest", folder, "--json")) == {"docs.ndjson": "skipped"}


def test_lines_get_what_they_leave_open(cairn, fake, files):
    fake.answer = Jobs(job("done", 3))
    cairn.run("ingest", files(docs_jsonl=LINES), "-c", "all", "-l", 2)
    sent = fake.answer.batches[0].decode().splitlines()
    first = json.loads(sent[0])
    assert first.pop("id").startswith("file-")
    assert first == {"title": "one", "text": "x", "collection": "all",
                     "metadata": {"clearance_level": 2}}
    assert sent[1] == "not json"
    assert json.loads(sent[2])["collection"] == "own"


def test_without_events_the_job_is_asked_for(cairn, fake, files):
    fake.answer = Jobs(job("queued"), job("running", 2), job("done", 3))
    assert statuses(cairn.run("ingest", files(docs_ndjson=LINES), "--json")) == {
        "docs.ndjson": "stored"}


def test_lines_that_fail_are_named_and_sent_again(cairn, fake, files):
    errors = [{"item": "line 2", "code": "malformed_json", "error": "no \x1bJSON"}]
    fake.answer = Jobs(job("done", 2, 1, errors=errors))
    folder = files(docs_ndjson=LINES)
    done = cairn.run("ingest", folder, "--json", code=1)
    line = told(done)["docs.ndjson"]
    assert (line["status"], line["failed"], line["errors"]) == ("failed", 1, errors)
    assert "docs.ndjson: line 2: no \\x1bJSON" in done.stderr
    fake.answer.states = [job("done", 3)]
    cairn.run("ingest", folder)
    assert len(fake.answer.batches) == 2
    assert fake.answer.batches[0] == fake.answer.batches[1]


def test_a_job_goes_on_without_us_and_is_found_again(cairn, fake, files):
    fake.answer = Jobs(job("running", 1))
    folder = files(docs_ndjson=LINES)
    process = cairn.start("ingest", folder)
    eventually(lambda: fake.of("GET", "/api/jobs/j1"))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 130
    fake.answer.states = [job("done", 3)]
    assert statuses(cairn.run("ingest", folder, "--json")) == {"docs.ndjson": "stored"}
    assert len(fake.answer.batches) == 1
    # one that was cancelled meanwhile, or that the server forgot, is begun anew
    fake.answer.states = [job("running", 1)]
    process = cairn.start("ingest", folder, "--no-resume")
    eventually(lambda: len(fake.answer.batches) == 2 and
               fake.requests[-1].path == "/api/jobs/j1")
    process.send_signal(signal.SIGINT)
    assert "goes on from here" in process.communicate(timeout=60)[1]
    fake.answer.states = [job("cancelled", 1), job("done", 3)]
    cairn.run("ingest", folder)
    assert len(fake.answer.batches) == 3
    files(docs_ndjson=LINES + "\n")
    fake.answer.states = [job("running", 1)]
    process = cairn.start("ingest", folder)
    eventually(lambda: len(fake.answer.batches) == 4 and
               fake.requests[-1].path == "/api/jobs/j1")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    fake.answer.states = [problem(404, "not_found", "no such job"), job("done", 4)]
    cairn.run("ingest", folder)
    assert len(fake.answer.batches) == 5


# --- jobs, the file, a person


def test_a_job_is_watched_to_its_end(cairn, fake):
    fake.answer = Jobs(job("done", 3, result={"documents": 3}), events=(
        "event: progress\ndata: " + json.dumps(job("running", 1)) + "\n\n"))
    done = cairn.run("jobs", "watch", "j1")
    assert "state: done" in done.stdout and 'result: {"documents":3}' in done.stdout
    states = [json.loads(line)["state"]
              for line in cairn.run("jobs", "watch", "j1", "--json").stdout.splitlines()]
    assert states == ["running", "done"]
    fake.answer = Jobs(job("cancelled", 1))
    cairn.run("jobs", "watch", "j1", code=1)
    cairn.run("jobs", "watch", "j2", code=1)


def test_a_file_is_there_whole_or_not_at_all(cairn, fake, tmp_path):
    content = os.urandom(300_000)
    fake.answer = lambda request: (
        Answer(200, content, Content_Type="application/pdf")
        if request.path == "/api/documents/a%2Fb/file" else None)
    target = tmp_path / "out.pdf"
    cairn.run("documents", "file", "a/b", "-o", target)
    assert target.read_bytes() == content
    cairn.run("documents", "file", "none", "-o", target, code=1)
    assert target.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == [
        "out.pdf"]


def test_progress_is_shown_to_a_person(cairn, files):
    folder = files(**{f"f{n}_txt": f"text {n}" for n in range(5)})
    seen = cairn.terminal("ingest", folder)
    assert "5/5 files" in seen and "[####" in seen
    assert seen.endswith("cairn: 5 stored; 5 passages\n")
    assert "[####" not in cairn.run("ingest", folder, "--no-resume").stderr


def test_a_password_is_typed_and_its_token_kept(cairn, fake, tmp_path):
    def answer(request):
        if request.path == "/api/auth/login":
            body = json.loads(request.body)
            good = body == {"username": "ann", "password": "Pass word-1"}
            return (Answer(200, {"access_token": "tok", "token_type": "Bearer"}) if good else
                    problem(401, "invalid_credentials", "wrong name or password"))
        return None

    fake.answer = answer
    seen = cairn.terminal("login", typed=[("Username: ", "ann\n"), ("Password: ",
                                                                    "Pass word-1\n")])
    assert "Pass word" not in seen and "logged in" in seen
    path = tmp_path / "home/.config/cairn/config"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["default"] == {"url": fake.url, "token": "tok"}
    cairn.run("login", "-u", "ann", stdin="wrong\n", code=3)
    assert json.loads(path.read_text())["default"]["token"] == "tok"
    cairn.run("login", code=2)
    cairn.run("logout")
    assert "token" not in json.loads(path.read_text())["default"]
