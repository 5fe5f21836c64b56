"""The command line `cairn` against the real stack."""

import json
import os
import re
import shutil
import stat
import subprocess

import pytest
from cairn import PROGRAM, Cairn
from conftest import ROOT, eventually


@pytest.fixture
def cairn(stack, tmp_path):
    return Cairn(tmp_path, stack.env["GATEWAY_URL"])


# --- search


def test_results_are_lines_for_scripts(cairn):
    done = cairn.run("search", "password", "reset", "--max", "3", "--mode", "text")
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows and all(len(row) == 6 for row in rows)
    assert rows[0][1].startswith("university-")
    assert float(rows[0][0]) > 0
    assert "\x1b" not in done.stdout


def test_results_are_the_answer_itself_with_json(cairn, stack):
    answer = json.loads(cairn.run("search", "library loans", "--json").stdout)
    direct = stack.search("library loans")
    assert [hit["chunk_id"] for hit in answer["results"]] == [
        hit["chunk_id"] for hit in direct["results"]]
    explained = json.loads(cairn.run("search", "library", "--json", "--explain").stdout)
    assert explained["results"][0]["explanation"]


def test_results_are_laid_out_on_a_terminal(cairn):
    seen = cairn.terminal("search", "library", "loans", columns=60)
    assert "\x1b[1;33m" in seen  # what was sought stands out
    lines = re.sub(r"\x1b\[[0-9;]*m", "", seen).splitlines()
    assert lines[0].startswith(" 1. Library Guide: Loans and Renewals")
    passage = [line for line in lines if line.startswith("    ")]
    assert passage and all(len(line) <= 60 for line in passage)
    plain = cairn.terminal("search", "library", "loans", NO_COLOR="1")
    assert "\x1b" not in plain and "<em>" not in plain


def test_filters_and_rights_are_the_servers(cairn):
    def ids(*words):
        answer = json.loads(cairn.run("search", "--json", "the", "--max", "50", *words).stdout)
        return {hit["document_id"] for hit in answer["results"]}

    assert ids("--as", "admin") > ids("--as", "anonymous")
    department = '{"department":"IT Services"}'
    assert ids("--as", "staff:IT Services", "--filter", department) < ids("--as", "admin")
    assert ids("-c", "no-such", "-c", "university") == ids("-c", "university") != set()
    assert ids("-c", "no-such") == set()
    wrong = cairn.run("search", "x", "--filter", "{department", code=2)
    assert "--filter is no JSON object" in wrong.stderr
    refused = cairn.run("search", "x", "--filter", '{"max_clearance":5}', "--as", "student",
                        code=3)
    assert "clearance" in refused.stderr


def test_a_query_may_begin_with_a_hyphen(cairn):
    done = cairn.run("search", "--json", "--mode", "text", "--", "loans", "-library")
    assert json.loads(done.stdout)["query"] == "loans -library"


# --- documents


def test_documents_are_listed_shown_and_deleted(cairn, stack):
    for number in range(3):
        stack.put(id=f"cli/{number} ?", title=f"Number {number}", collection="cli",
                  text=f"First line {number}\nsecond line")
    listed = cairn.run("documents", "list", "-c", "cli").stdout.splitlines()
    assert [line.split("\t")[0] for line in listed] == [f"cli/{n} ?" for n in (2, 1, 0)]
    lines = cairn.run("documents", "list", "-c", "cli", "--json", "-n", "2").stdout
    assert [json.loads(line)["title"] for line in lines.splitlines()] == [
        "Number 2", "Number 1"]
    shown = cairn.run("documents", "get", "cli/1 ?").stdout
    assert "title: Number 1\n" in shown and "First line 1\nsecond line\n" in shown
    whole = json.loads(cairn.run("documents", "get", "cli/1 ?", "--json").stdout)
    assert whole["sections"][0]["text"] == "First line 1\nsecond line"
    some = cairn.run("documents", "delete", "cli/0 ?", "no-such", "cli/1 ?", code=1)
    assert "no-such was not deleted" in some.stderr
    cairn.run("documents", "get", "cli/1 ?", code=1)
    cairn.run("documents", "delete", "cli/2 ?")
    assert cairn.run("documents", "list", "-c", "cli").stdout == ""


def test_titles_cannot_drive_the_terminal(cairn, stack):
    stack.put(id="cli-hostile", collection="cli-hostile",
              title="before\u202eafter \u009b2J",
              text="\x1b]0;owned\x07 hostile\x1b[2J words about quagga")
    for seen in (cairn.terminal("documents", "list", "-c", "cli-hostile", NO_COLOR="1"),
                 cairn.terminal("documents", "get", "cli-hostile", NO_COLOR="1"),
                 cairn.terminal("search", "quagga", "--mode", "text", NO_COLOR="1"),
                 cairn.run("documents", "list", "-c", "cli-hostile").stdout,
                 cairn.run("search", "quagga").stdout):
        assert "\x1b" not in seen and "\u202e" not in seen and "\u009b" not in seen
    assert "before\\u{202e}after \\x9b2J" in cairn.run(
        "documents", "list", "-c", "cli-hostile").stdout
    cairn.run("documents", "delete", "cli-hostile")


def test_tables_fit_the_terminal(cairn):
    seen = cairn.terminal("documents", "list", "-c", "university", columns=70, NO_COLOR="1")
    lines = seen.splitlines()
    assert lines[0].split() == ["ID", "TITLE", "COLLECTION", "CHUNKS", "UPDATED"]
    assert len(lines) > 3 and all(len(line) <= 70 for line in lines)


# --- files, access, collections


def test_files_come_in_are_found_and_come_back(cairn, stack, tmp_path):
    folder = tmp_path / "guides"
    (folder / "sub").mkdir(parents=True)
    (folder / "ferry.md").write_text("# Ferry\n\nThe ferry to Inchcolm leaves at nine.\n")
    (folder / "sub/Büro.html").write_text(
        "<html><title>Bureau</title><body><h1>Bureau</h1><p>Wombat forms are signed here."
        "</p></body></html>")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4\nthis is none")
    done = cairn.run("ingest", folder, "-c", "cli files", "-d", "Travel", "--json", code=1)
    lines = {line["path"].split("/")[-1]: line
             for line in map(json.loads, done.stdout.splitlines())}
    assert lines["broken.pdf"]["status"] == "failed" and lines["broken.pdf"]["error"]
    assert lines["ferry.md"]["status"] == lines["Büro.html"]["status"] == "stored"
    ferry = lines["ferry.md"]["document_id"]

    found = json.loads(cairn.run("search", "Inchcolm", "-m", "text", "--json").stdout)
    assert [hit["document_id"] for hit in found["results"]] == [ferry]
    assert found["results"][0]["metadata"]["department"] == "Travel"
    listed = cairn.run("documents", "list", "-c", "cli files").stdout
    assert len(listed.splitlines()) == 2
    copy = tmp_path / "copy.md"
    cairn.run("documents", "file", ferry, "-o", copy)
    assert copy.read_bytes() == (folder / "ferry.md").read_bytes()
    assert cairn.run("documents", "file", ferry).stdout == (folder / "ferry.md").read_text()

    (folder / "broken.pdf").unlink()
    again = cairn.run("ingest", folder, "-c", "cli files", "-d", "Travel")
    assert "2 skipped" in again.stderr
    (folder / "ferry.md").write_text("# Ferry\n\nThe ferry to Cramond leaves at ten.\n")
    changed = cairn.run("ingest", folder, "-c", "cli files", "-d", "Travel")
    assert "1 stored, 1 skipped" in changed.stderr
    found = json.loads(cairn.run("search", "Inchcolm", "-m", "text", "--json").stdout)
    assert found["results"] == []
    assert stack.get(f"/api/documents/{ferry}").status == 200


def test_documents_by_line_become_a_job(cairn, stack, tmp_path):
    lines = tmp_path / "many.ndjson"
    lines.write_text("".join(json.dumps({"title": f"Tale {n}", "text": f"Of heron {n}."}) + "\n"
                             for n in range(40)) + "not json\n")
    done = cairn.run("ingest", lines, "-c", "cli jobs", "--json", code=1)
    told = json.loads(done.stdout)
    assert (told["status"], told["done"], told["failed"]) == ("failed", 40, 1)
    assert told["errors"][0]["item"] == "line 41" and "line 41" in done.stderr
    assert len(cairn.run("documents", "list", "-c", "cli jobs").stdout.splitlines()) == 40
    # mended and sent again, no document is there twice
    lines.write_text(lines.read_text().replace("not json\n", ""))
    again = json.loads(cairn.run("ingest", lines, "-c", "cli jobs", "--json").stdout)
    assert (again["status"], again["done"]) == ("stored", 40)
    assert again["job_id"] != told["job_id"]
    assert len(cairn.run("documents", "list", "-c", "cli jobs").stdout.splitlines()) == 40
    assert "skipped" in cairn.run("ingest", lines, "-c", "cli jobs").stderr
    seen = cairn.terminal("ingest", lines, "-c", "cli jobs", "--no-resume")
    assert "1 stored" in seen

    shown = cairn.run("jobs", "get", told["job_id"]).stdout
    assert "state: done\n" in shown and "line 41\t" in shown
    assert "file: many.ndjson\n" in shown
    listed = {line.split("\t")[0]: line for line in cairn.run("jobs", "list").stdout.splitlines()}
    assert {told["job_id"], again["job_id"]} <= set(listed)
    assert listed[told["job_id"]].endswith("\tmany.ndjson")
    assert cairn.run("jobs", "list", "--state", "running").returncode == 0
    watched = cairn.run("jobs", "watch", again["job_id"], "--json").stdout.splitlines()
    assert json.loads(watched[-1])["state"] == "done"
    cairn.run("jobs", "watch", told["job_id"], code=1)
    cairn.run("jobs", "cancel", "00000000-0000-0000-0000-000000000000", code=1)
    gone = json.loads(cairn.run("collections", "delete", "cli jobs", "--documents",
                                "--json").stdout)
    assert gone["documents_deleted"] == 40


def test_access_and_report_are_told(cairn, stack):
    stack.put(id="cli-access", title="Payroll", collection="cli-access",
              text="Salaries are paid on the last Friday of a month.",
              metadata={"department": "Finance", "clearance_level": 3})
    access = json.loads(cairn.run("documents", "access", "cli-access", "--role", "staff",
                                  "--department", "IT", "--json").stdout)
    assert access == stack.get(
        "/api/documents/cli-access/access?role=staff&department=IT").json()
    assert cairn.run("documents", "access", "cli-access").stdout
    report = json.loads(cairn.run("documents", "report", "cli-access", "--json").stdout)
    assert report == stack.get("/api/documents/cli-access/report").json()
    cairn.run("documents", "report", "none", code=1)
    cairn.run("documents", "delete", "cli-access")


def test_collections_are_set_shown_and_deleted(cairn, stack):
    cairn.run("collections", "set", "cli set", "--title", "Of the CLI", "-l", "2",
              "--chunk-overlap", "0")
    cairn.run("collections", "set", "cli set", "--department", "IT")
    one = json.loads(cairn.run("collections", "get", "cli set", "--json").stdout)
    assert (one["title"], one["clearance_level"], one["department"],
            one["chunk_overlap_percent"]) == ("Of the CLI", 2, "IT", 0)
    cairn.run("collections", "set", "cli set", "--title", "")
    shown = cairn.run("collections", "get", "cli set").stdout
    assert "clearance_level: 2\n" in shown and "title" not in shown
    rows = [line.split("\t")[0] for line in cairn.run("collections", "list").stdout.splitlines()]
    assert "cli set" in rows and "university" in rows
    stack.put(id="cli-set-1", title="t", text="x", collection="cli set")
    gone = json.loads(cairn.run("collections", "delete", "cli set", "--documents",
                                "--json").stdout)
    assert gone["documents_deleted"] == 1
    cairn.run("collections", "get", "cli set", code=1)


# --- how it ends


def test_exit_codes_say_what_went_wrong(cairn, tmp_path):
    assert "no such document" in cairn.run("documents", "get", "nothing", code=1).stderr
    assert "no command serch" in cairn.run("serch", code=2).stderr
    assert "missing argument: QUERY" in cairn.run("search", code=2).stderr
    nobody = Cairn(tmp_path, "http://127.0.0.1:1")
    assert "connect" in nobody.run("search", "x", code=3).stderr.lower()
    assert "no address" in Cairn(tmp_path, "ftp://x").run("search", "x", code=2).stderr


def test_help_and_version_need_no_server(tmp_path):
    cairn = Cairn(tmp_path, "http://127.0.0.1:1")
    version = (ROOT / "VERSION").read_text().strip()
    assert cairn.run("version").stdout == f"cairn {version}\n"
    assert "usage: cairn COMMAND" in cairn.run("help").stdout
    assert "--clearance" in cairn.run("help", "ingest").stdout
    assert "usage: cairn jobs watch ID" in cairn.run("help", "jobs", "watch").stdout
    assert cairn.run("jobs", "watch", "--help").stdout == cairn.run(
        "help", "jobs", "watch").stdout
    cairn.run("help", "no-such", code=2)
    cairn.run(code=2)


# --- the configuration


def write_config(home, text, mode=0o600):
    path = home / ".config/cairn/config"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_profiles_name_servers(stack, tmp_path):
    write_config(tmp_path, json.dumps({
        "default": {"url": "http://127.0.0.1:1"},
        "here": {"url": stack.env["GATEWAY_URL"]}}))
    cairn = Cairn(tmp_path)
    cairn.run("documents", "list", "-n", "1", code=3)
    cairn.run("documents", "list", "-n", "1", "--profile", "here")
    Cairn(tmp_path, CAIRN_PROFILE="here").run("documents", "list", "-n", "1")
    cairn.run("--url", stack.env["GATEWAY_URL"], "documents", "list", "-n", "1")


def test_a_configuration_that_others_can_read_is_refused(cairn, tmp_path):
    path = write_config(tmp_path, "{}", 0o644)
    assert f"chmod 600 {path}" in cairn.run("search", "x", code=2).stderr
    write_config(tmp_path, "{broken")
    assert "line 1" in cairn.run("search", "x", code=2).stderr


# --- the manual and the shells


def lint(command, text):
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def test_the_manual_is_clean_and_has_every_command(tmp_path):
    cairn = Cairn(tmp_path)
    page = lint(["groff", "-ww", "-man", "-Tutf8", "-P-c"], cairn.run("manual").stdout)
    page = re.sub(r".\x08", "", page)
    for words in ("cairn ingest", "cairn documents file ID", "cairn jobs watch ID",
                  "--metadata KEY=VALUE", "EXIT STATUS", "CAIRN_TOKEN"):
        assert words in page, words


def complete(cairn, line):
    """What bash offers at the end of the line."""
    words = line.split(" ")
    script = cairn.run("completion", "bash").stdout + f"""
compopt() {{ :; }}
COMP_WORDS=({' '.join(f"'{word}'" for word in words)}) COMP_CWORD={len(words) - 1}
_cairn
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    return set(lint(["bash", "--norc"], script).split())


def test_bash_completes_commands_options_and_values(cairn, tmp_path):
    assert {"ingest", "search", "documents", "--url"} <= complete(cairn, "cairn ")
    assert complete(cairn, "cairn doc") == {"documents", "doctor"}
    assert complete(cairn, "cairn documents ") == {
        "list", "query", "get", "delete", "file", "access", "passages", "report"}
    assert complete(cairn, "cairn jobs wa") == {"watch"}
    assert complete(cairn, "cairn search --mo") == {"--mode"}
    assert complete(cairn, "cairn search --mode ") == {"hybrid", "vector", "text"}
    assert complete(cairn, "cairn search x -m v") == {"vector"}
    assert complete(cairn, "cairn jobs list --state can") == {"cancelled"}
    assert complete(cairn, "cairn ingest --no") == {"--no-resume"}
    assert complete(cairn, "cairn help jo") == {"jobs"}
    assert complete(cairn, "cairn search --max ") == set()
    (tmp_path / "notes.txt").touch()
    assert complete(cairn, f"cairn ingest {tmp_path}/no") == {f"{tmp_path}/notes.txt"}
    assert complete(cairn, f"cairn search {tmp_path}/no") == set()


def test_fish_completes_too(cairn, tmp_path):
    def offered(line):
        script = cairn.run("completion", "fish").stdout + f"\ncomplete -C '{line}'\n"
        return {one.split("\t")[0] for one in lint(["fish", "--no-config"], script).splitlines()}

    assert {"ingest", "search", "documents"} <= offered("cairn ")
    assert {"list", "get"} <= offered("cairn documents ")
    assert offered("cairn search --mode ") == {"hybrid", "vector", "text"}
    assert "--no-resume" in offered("cairn ingest --no")


def test_zsh_reads_its_completion(cairn):
    lint(["zsh", "-f", "-c", "autoload -Uz compinit; compinit -D; source /dev/stdin; "
          "whence -w _cairn"], cairn.run("completion", "zsh").stdout)


def test_installation_puts_manual_and_completions_in_place(tmp_path):
    subprocess.run([ROOT / "scripts/install-cli.sh", PROGRAM, tmp_path], check=True)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"man/man1/cairn.1", "bash-completion/completions/cairn",
                     "zsh/site-functions/_cairn", "fish/vendor_completions.d/cairn.fish"}
    for name in found:
        assert stat.S_IMODE(os.stat(tmp_path / name).st_mode) == 0o644
        assert (tmp_path / name).stat().st_size > 1000


# --- tables


def test_a_table_becomes_a_catalogue(cairn, stack, tmp_path):
    example = ROOT / "examples/exoplanets"
    made = cairn.run("rows", str(example / "planet.json"), str(example / "planets.csv"))
    lines = [line for line in made.stdout.splitlines() if "orbits TRAPPIST-1." in line
             or "orbits Kepler-452." in line or "orbits 51 Peg." in line]
    assert len(made.stdout.splitlines()) == 492 and len(lines) >= 3
    (tmp_path / "planets.ndjson").write_text("\n".join(lines))
    cairn.run("ingest", str(tmp_path / "planets.ndjson"), "--collection", "sky")

    def found(**body):
        answer = stack.post("/api/documents/query", {"collection": "exoplanets", **body}).json()
        return [document["title"] for document in answer["documents"]]

    near = {"metadata": {"sky": {"cone": {"ra": 344.4, "dec": 20.8, "radius_deg": 1}}}}
    eventually(lambda: found(filters=near) == ["51 Peg b"], seconds=60)
    cold = found(filters={"metadata": {"temperature_k": {"lt": 270}}}, sort="temperature_k")
    assert cold and "51 Peg b" not in cold and cold == found(
        filters={"metadata": {"temperature_k": {"lt": 270}}}, sort="-temperature_k")[::-1]


def test_rows_that_cannot_be_read_are_told_of(cairn, tmp_path):
    (tmp_path / "t.json").write_text('{"id": "{n}", "metadata": {"size": "{size:number}"}}')
    (tmp_path / "t.csv").write_text('n,size\na,1\nb,big\n"c,\nd",\n')
    done = cairn.run("rows", str(tmp_path / "t.json"), str(tmp_path / "t.csv"), code=1)
    assert done.stdout.splitlines() == ['{"id":"a","metadata":{"size":1}}', '{"id":"c,\\nd"}']
    assert "row 2: not a number: big" in done.stderr
