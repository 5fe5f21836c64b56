"""`cairn graph` and `cairn glossary` against the real stack."""

import json

import pytest
from cairn import Cairn
from conftest import eventually

GRAPH = [{"id": "cg-ada", "labels": ["CliHuman"], "properties": {"name": "Ada Quill", "n": 1}},
         {"id": "cg-ben", "labels": ["CliHuman", "CliPoet"],
          "properties": {"name": "Ben Quill", "n": 2}},
         {"id": "cg-cyd", "labels": ["CliHuman"], "properties": {"name": "Cyd Inkwell"}},
         {"id": "cg-dan", "labels": ["CliHuman"], "properties": {}},
         {"id": "cg-ab", "type": "CLI_KNOWS", "from": "cg-ada", "to": "cg-ben",
          "properties": {"km": 1}},
         {"id": "cg-bc", "type": "CLI_KNOWS", "from": "cg-ben", "to": "cg-cyd",
          "properties": {"km": 1}},
         {"id": "cg-ac", "type": "CLI_LIKES", "from": "cg-ada", "to": "cg-cyd",
          "properties": {"km": 5}}]


@pytest.fixture
def cairn(stack, tmp_path):
    return Cairn(tmp_path, stack.env["GATEWAY_URL"])


@pytest.fixture
def graph(cairn, tmp_path):
    """The graph above, and the command line."""
    path = tmp_path / "graph.ndjson"
    path.write_text("".join(json.dumps(item) + "\n" for item in GRAPH))
    cairn.run("graph", "import", path)
    yield cairn
    cairn.run("graph", "delete", "--detach", "cg-ada", "cg-ben", "cg-cyd", "cg-dan")


def lines(done):
    return [line.split("\t") for line in done.stdout.splitlines()]


def objects(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- reading


def test_the_graph_is_looked_through(graph):
    schema = {line[1]: line for line in lines(graph.run("graph", "schema"))}
    assert schema["CliHuman"] == ["label", "CliHuman", "4", "n: integer, name: string"]
    assert schema["CLI_LIKES"][3] == "CliHuman -> CliHuman"
    assert ["CliPoet", "1"] in lines(graph.run("graph", "labels"))
    found = lines(graph.run("graph", "nodes", "CliHuman", "--sort=-n", "-n", "2"))
    assert [line[:2] for line in found] == [["cg-ben", "CliHuman:CliPoet"],
                                            ["cg-ada", "CliHuman"]]
    one = objects(graph.run("graph", "nodes", "CliHuman", "-w", "n=2", "--json"))
    assert [node["id"] for node in one] == ["cg-ben"]
    assert "degree: 2\n" in graph.run("graph", "node", "cg-ada").stdout
    assert "from: cg-ada\n" in graph.run("graph", "edge", "cg-ab").stdout
    assert [line[1] for line in lines(graph.run("graph", "search", "ben", "quil"))] == ["cg-ben"]
    missing = graph.run("graph", "node", "no-such", code=1)
    assert missing.stdout == "" and missing.stderr.startswith("cairn: ")


def test_ways_are_found(graph):
    near = lines(graph.run("graph", "neighbours", "cg-ada"))
    assert sorted(line[:3] for line in near) == [["out", "CLI_KNOWS", "cg-ben"],
                                                 ["out", "CLI_LIKES", "cg-cyd"]]
    pairs = objects(graph.run("graph", "neighbours", "cg-cyd", "--direction", "in",
                              "-t", "CLI_LIKES", "--json"))
    assert [(pair["edge"]["id"], pair["node"]["id"]) for pair in pairs] == [("cg-ac", "cg-ada")]
    short = lines(graph.run("graph", "path", "cg-cyd", "cg-ada"))
    assert [line[2:4] for line in short] == [["", "cg-cyd"], ["<-CLI_LIKES-", "cg-ada"]]
    cheap = lines(graph.run("graph", "path", "cg-ada", "cg-cyd", "--weight", "km", "-k", "2"))
    assert [(line[0], line[3]) for line in cheap] == [
        ("1", "cg-ada"), ("1", "cg-ben"), ("1", "cg-cyd"), ("2", "cg-ada"), ("2", "cg-cyd")]
    every = lines(graph.run("graph", "paths", "cg-ada", "cg-cyd", "--max-depth", "2"))
    assert {line[0] for line in every} == {"1", "2"}
    assert "no path leads" in graph.run("graph", "path", "cg-ada", "cg-dan", code=1).stderr
    around = lines(graph.run("graph", "subgraph", "cg-ben", "--depth", "1"))
    assert {line[1] for line in around} == {"cg-ada", "cg-ben", "cg-cyd",
                                            "cg-ab", "cg-ac", "cg-bc"}


def test_queries_have_parameters_and_tables(graph):
    query = "MATCH (p:CliHuman) WHERE p.name = $name RETURN p.n AS n, p.name AS name"
    rows = graph.run("graph", "query", query, "-p", "name=Ben Quill")
    assert rows.stdout == "2\tBen Quill\n"
    count = "MATCH (p:CliHuman) WHERE p.n IN $among RETURN count(*)"
    assert graph.run("graph", "query", "-", "-p", "among=[1, 2, 3]",
                     stdin=count).stdout == "2\n"
    answer = json.loads(graph.run("graph", "query", "RETURN 1 AS one", "--json").stdout)
    assert (answer["columns"], answer["rows"]) == (["one"], [[1]])
    more = graph.run("graph", "query", "UNWIND range(1, 9) AS x RETURN x", "-n", "2")
    assert more.stdout == "1\n2\n" and "more rows" in more.stderr
    assert "line" in graph.run("graph", "query", "MATCH (n RETURN n", code=1).stderr
    graph.run("graph", "query", "RETURN 1", "-p", "nothing", code=2)
    seen = graph.terminal("graph", "query", query, "-p", "name=Ben Quill", NO_COLOR="1")
    assert seen.splitlines()[0].split()[:2] == ["n", "name"]


# --- changing


def test_nodes_and_relationships_are_made_changed_and_deleted(cairn):
    made = json.loads(cairn.run("graph", "create", "CliMade", "CliToo", "--id", "cg/x ?",
                                "-p", "n=1", "-p", "s=one two", "--json").stdout)
    assert made["created"] and made["id"] == "cg/x ?"
    cairn.run("graph", "create", "CliMade", "--id", "cg-y")
    assert "created: true" in cairn.run(
        "graph", "create", "--id", "cg-xy", "--type", "CLI_MADE", "--from", "cg/x ?",
        "--to", "cg-y", "-p", "km=2.5").stdout
    cairn.run("graph", "create", "CliMade", "--type", "T", code=2)
    cairn.run("graph", "update", "cg/x ?", "-p", "n=null", "-p", "m=2", "-l", "CliMore")
    cairn.run("graph", "update", "cg-xy", "--edge", "-p", "km=3")
    node = json.loads(cairn.run("graph", "node", "cg/x ?", "--json").stdout)
    assert node["properties"] == {"s": "one two", "m": 2}
    assert sorted(node["labels"]) == ["CliMade", "CliMore", "CliToo"]
    edge = json.loads(cairn.run("graph", "edge", "cg-xy", "--json").stdout)
    assert edge["properties"] == {"km": 3}
    cairn.run("graph", "update", "cg-z", "-p", "n=1", code=1)
    stale = cairn.run("graph", "delete", "cg-y", "--version", "1", "--detach", code=1)
    assert "cg-y was not deleted" in stale.stderr
    cairn.run("graph", "delete", "--edge", "cg-xy")
    some = cairn.run("graph", "delete", "cg/x ?", "cg-z", "cg-y", code=1)
    assert "cg-z was not deleted" in some.stderr
    cairn.run("graph", "node", "cg-y", code=1)


def test_analyses_are_followed(graph):
    done = graph.run("graph", "analyse", "degree", "-l", "CliHuman", "-p", "top=1")
    assert "state: done\n" in done.stdout and "cg-ada" in done.stdout
    begun = json.loads(graph.run("graph", "analyse", "components", "--no-wait",
                                 "--json").stdout)
    assert "state: done\n" in graph.run("jobs", "watch", begun["job_id"]).stdout
    assert "kind" in graph.run("graph", "analyse", "nonsense", code=1).stderr


def test_a_graph_goes_out_and_comes_back(graph, tmp_path):
    for form, ending in (("ndjson", "ndjson"), ("csv", "csv"), ("graphml", "xml")):
        path = tmp_path / f"out.{ending}"
        graph.run("graph", "export", "-f", form, "-l", "CliHuman", "-o", path)
        again = lines(graph.run("graph", "import", path))
        assert again == [[str(path), "0", "0", "7", "0"]]
    whole = graph.run("graph", "export", "-l", "CliPoet").stdout
    assert [json.loads(line)["id"] for line in whole.splitlines()] == ["cg-ben"]


def test_what_is_refused_is_told_with_its_line(graph, tmp_path):
    path = tmp_path / "some.ndjson"
    path.write_text('{"id":"cg-dan","labels":["CliHuman"],"properties":{}}\nnonsense\n'
                    '{"type":"T","from":"cg-dan","to":"cg-nobody"}\n')
    done = graph.run("graph", "import", path, code=1)
    assert lines(done) == [[str(path), "0", "0", "1", "2"]]
    assert f"{path}:2: " in done.stderr and f"{path}:3: " in done.stderr
    assert [line["status"] for line in objects(
        graph.run("graph", "import", path, "--json", code=1))][-1] == "done"
    graph.run("graph", "import", tmp_path / "none.ndjson", code=1)
    assert "--format" in graph.run("graph", "import", "-", code=2).stderr
    piped = graph.run("graph", "import", "-", "-f", "ndjson", stdin=json.dumps(GRAPH[3]))
    assert lines(piped) == [["-", "0", "0", "1", "0"]]


def test_an_import_may_be_a_job(graph, tmp_path):
    path = tmp_path / "job.ndjson"
    path.write_text("".join(json.dumps(item) + "\n" for item in GRAPH) + "nonsense\n")
    done = graph.run("graph", "import", "--job", path, code=1).stdout
    assert "kind: graph_import\nfile: job.ndjson\nstate: done\ndone: 7\nfailed: 1\n" in done
    assert done.splitlines()[-1].startswith("line 8\tmalformed_json\t")
    begun = json.loads(graph.run("graph", "import", "--no-wait", "--json", path).stdout)
    assert "done: 7\n" in graph.run("jobs", "watch", begun["job_id"], code=1).stdout


# --- the glossary


def test_a_term_lives(cairn, stack):
    cairn.run("glossary", "add", "quire", "--id", "cli-quire", "-d", "CliPaper",
              "--definition", "twenty-five sheets of paper", "-m", "pages=25")
    cairn.run("glossary", "add", "ream", "--id", "cli-ream", "-d", "CliPaper")
    assert "already" in cairn.run("glossary", "add", "ream", "-d", "CliPaper", code=1).stderr
    listed = lines(cairn.run("glossary", "list", "-d", "CliPaper"))
    assert [line[:5] for line in listed] == [
        ["cli-quire", "quire", "en", "CliPaper", "draft"],
        ["cli-ream", "ream", "en", "CliPaper", "draft"]]
    found = objects(cairn.run("glossary", "search", "sheets", "-d", "CliPaper", "--json"))
    assert [entry["id"] for entry in found] == ["cli-quire"]
    cairn.run("glossary", "edit", "cli-quire", "--source", "Print shop", "-m", "count=24")
    shown = cairn.run("glossary", "show", "cli-quire").stdout
    assert "source: Print shop\n" in shown and "definition: twenty-five sheets" in shown
    entry = json.loads(cairn.run("glossary", "show", "cli-quire", "--json").stdout)
    assert entry["metadata"] == {"pages": 25, "count": 24}
    some = cairn.run("glossary", "validate", "cli-quire", "cli-nobody", code=1)
    assert "cli-nobody was not validated" in some.stderr
    cairn.run("glossary", "deprecate", "cli-quire")
    assert [line[0] for line in lines(cairn.run(
        "glossary", "list", "-d", "CliPaper", "-s", "deprecated"))] == ["cli-quire"]
    cairn.run("glossary", "delete", "cli-quire", "cli-ream")
    assert cairn.run("glossary", "list", "-d", "CliPaper").stdout == ""


def test_terms_are_related(cairn, stack):
    cairn.run("glossary", "add", "folio", "--id", "cli-folio", "-d", "CliPaper")
    cairn.run("glossary", "add", "leaf", "--id", "cli-leaf", "-d", "CliPaper")
    cairn.run("glossary", "relate", "cli-folio", "BROADER", "cli-leaf")
    eventually(lambda: lines(cairn.run("glossary", "relations", "cli-leaf"))
               == [["NARROWER", "out", "cli-folio", "folio", "en"]], seconds=60,
               what=stack.logs)
    cairn.run("glossary", "relate", "cli-folio", "NONSENSE", "cli-leaf", code=1)
    cairn.run("glossary", "unrelate", "cli-folio", "BROADER", "cli-leaf")
    eventually(lambda: cairn.run("glossary", "relations", "cli-leaf").stdout == "",
               seconds=60, what=stack.logs)
    cairn.run("glossary", "delete", "cli-folio", "cli-leaf")


def test_terms_go_out_and_come_back(cairn, tmp_path):
    table = tmp_path / "terms.csv"
    table.write_text("id,term,definition,domain\ncli-a,verso,the back,CliFile\n"
                     "cli-b,recto,the front,CliFile\n")
    done = cairn.run("glossary", "import", table)
    assert "state: done\n" in done.stdout and '"created":2' in done.stdout
    for form in ("csv", "json", "tbx", "skos", "xlsx"):
        path = tmp_path / f"out.{form}"
        cairn.run("glossary", "export", "-f", form, "-d", "CliFile", "-o", path)
        again = cairn.run("glossary", "import", path)
        assert '"unchanged":2' in again.stdout
    piped = cairn.run("glossary", "export", "-f", "csv", "-d", "CliFile").stdout
    assert "verso" in piped
    table.write_text("id,term\ncli-c,\n")
    failed = cairn.run("glossary", "import", table, code=1).stdout
    assert failed.splitlines()[-1].startswith("line 2\tinvalid_request\tterm: ")
    cairn.run("glossary", "delete", "cli-a", "cli-b")


def test_terms_are_found_in_documents(cairn, stack):
    text = ("The spindle whorl turns. A spindle whorl is heavy; every spindle whorl is round. "
            "The loom weight hangs. A loom weight is of clay.")
    stored = stack.post("/api/documents", {"id": "cli-loom", "title": "Loom", "text": text,
                                           "collection": "cli-terms"})
    assert stored.status in (200, 201), stored.body
    done = cairn.run("glossary", "extract", "-c", "cli-terms", "--min-frequency", "2").stdout
    assert "state: done\n" in done and "kind: glossary_extract\n" in done
    found = {line[1]: line for line in lines(cairn.run("glossary", "candidates", "-k", "phrase"))}
    assert found["spindle whorl"][2:5] == ["en", "3", "1"]
    loom = found["loom weight"][0]
    one = objects(cairn.run("glossary", "candidates", "spindle whorl", "--json"))[0]
    assert one["contexts"][0]["document_id"] == "cli-loom"

    accepted = json.loads(cairn.run("glossary", "accept", one["id"], "-d", "CliLoom",
                                    "--definition", "a flywheel", "--json").stdout)
    entry = json.loads(cairn.run("glossary", "show", accepted["term_id"], "--json").stdout)
    assert (entry["term"], entry["domain"], entry["status"]) == (
        "spindle whorl", "CliLoom", "draft")
    nobody = "00000000-0000-0000-0000-000000000000"
    cairn.run("glossary", "accept", loom, nobody, "-d", "x", code=2)
    assert lines(cairn.run("glossary", "reject", loom, nobody, code=1)) == [
        [loom, "rejected", ""], [nobody, "not_found", ""]]
    assert [line[1] for line in lines(cairn.run(
        "glossary", "candidates", "loom", "-s", "rejected"))] == ["loom weight"]
    cairn.run("glossary", "reopen", loom)
    assert loom in cairn.run("glossary", "candidates", "loom weight").stdout
    cairn.run("glossary", "delete", accepted["term_id"])
    stack.delete("/api/documents/cli-loom")


def test_what_is_off_is_not_looked_up(cairn):
    for source in ("deepl", "iate"):
        refused = cairn.run("glossary", "lookup", "mill", "de", "-s", source, "-f", "en", code=1)
        assert f"{source} is not configured" in refused.stderr, refused.stderr
    cairn.run("glossary", "lookup", "mill", code=2)
    cairn.run("glossary", "search", "mill", "--mode", "psychic", code=2)
