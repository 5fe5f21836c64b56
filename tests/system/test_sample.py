"""WordNet as `make run` loads it: here a few lines in the form of its files."""

import json
import os
import subprocess
import urllib.parse

import pytest
from conftest import BIN, eventually

DATA = {
    "noun": ["  1 This software and database is being provided to you, the LICENSEE",
             "00015388 03 n 02 animal 0 animate_being 0 001 ~ 02084071 n 0000 | a living thing",
             '02084071 05 n 02 dog 0 domestic_dog 0 001 @ 00015388 n 0000 | it "barks", it bites'],
    "verb": ["01047745 32 v 02 bark 2 yelp 0 000 01 + 02 00 | make barking sounds"],
    "adj": ["00003356 00 s 01 emergent(p) 0 000 | coming into existence"],
    "adv": ["00516492 02 r 01 wide 1 000 | far from the target"],
}
WORDS = 8
STORED = "SELECT count(*) FROM glossary_terms WHERE source = 'WordNet 3.0'"


@pytest.fixture
def wordnet(tmp_path, stack):
    for name, lines in DATA.items():
        (tmp_path / f"data.{name}").write_text("".join(line + "  \n" for line in lines))
    yield tmp_path
    stack.psql("DELETE FROM graph_nodes WHERE 'Synset' = ANY(labels); "
               "DELETE FROM glossary_terms WHERE source = 'WordNet 3.0'")


def load(stack, directory, *words, code=0):
    done = subprocess.run(
        [BIN / "cairn-stack", "--dir", stack.dir, "--bin", BIN, "load", *words],
        env={**os.environ, "WORDNET_DIR": str(directory)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout


def test_wordnet_becomes_a_graph_and_a_glossary(stack, wordnet):
    said = load(stack, wordnet, "wordnet")
    assert said.index("loading WordNet in the background") < said.index("the graph: stored ")
    summed = said[said.index("the graph: stored ") + len("the graph: stored "):]
    assert json.loads(summed.splitlines()[0])["failed"] == 0
    assert said.count("cairn jobs watch") == len(DATA)  # a job for each file goes on with it

    # the record has it all, the view follows
    eventually(lambda: stack.get("/api/graph/nodes/n02084071").status == 200, seconds=60,
               what=stack.logs)
    dog = stack.get("/api/graph/nodes/n02084071").json()
    assert dog["labels"] == ["Synset"] and dog["properties"] == {
        "name": "dog", "part_of_speech": "noun", "domain": "noun.animal",
        "definition": 'it "barks", it bites'}
    eventually(lambda: stack.get("/api/graph/path?from=n02084071&to=n00015388").status == 200,
               seconds=60, what=stack.logs)
    eventually(lambda: stack.psql(STORED) == str(WORDS), seconds=60, what=stack.logs)
    query = urllib.parse.urlencode({"q": '"domestic dog"', "domain": "noun.animal"})
    found = stack.get("/api/glossary?" + query).json()["entries"]
    assert [(one["term"], one["status"], one["part_of_speech"]) for one in found] == [
        ("domestic dog", "validated", "noun")]

    # what is there is not loaded again
    assert load(stack, wordnet, "wordnet") == "WordNet is there already\n"
    load(stack, wordnet, "everything", code=1)


def test_without_the_package_there_is_none(stack, tmp_path):
    assert "wordnet-base" in load(stack, tmp_path / "none", "wordnet")
    assert stack.psql(STORED) == "0"
