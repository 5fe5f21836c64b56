"""cairn-eval against the sample documents: its figures are those that a second computation
of the same rankings gives."""

import json
import math
import subprocess

import pytest
from conftest import ADMIN, BIN

QUERIES = {
    "q1": "reset a forgotten password",
    "q2": "vpn access from home",
    "q3": "laboratory safety rules",
    "unjudged": "nobody asks this",
}


def documents(stack, query, **config):
    page = stack.search(query, user=ADMIN, config={"max_results": 200, **config})
    return list(dict.fromkeys(hit["document_id"] for hit in page["results"]))[:100]


@pytest.fixture
def collection(stack, tmp_path):
    """Judgements taken from what the text leg finds, some turned about, one unfindable."""
    grades = {}
    for query in ("q1", "q2", "q3"):
        found = documents(stack, QUERIES[query], mode="text")
        assert len(found) >= 2
        grades[query] = {found[0]: 1, found[1]: 3, "no-such-document": 2}
    (tmp_path / "queries.jsonl").write_text("".join(
        json.dumps({"id": query, "text": text}) + "\n" for query, text in QUERIES.items()))
    (tmp_path / "qrels.tsv").write_text("".join(
        f"{query}\t{document}\t{grade}\n" for query, judged in grades.items()
        for document, grade in [*judged.items(), ("irrelevant", 0)]))
    return tmp_path, grades


def run(stack, directory, *options, url=None):
    return subprocess.run(
        [BIN / "cairn-eval", "--url", url or stack.env["GATEWAY_URL"], *options, directory],
        capture_output=True, text=True, timeout=300, check=False)


def table(output):
    rows = (line.strip("| ").split(" | ") for line in output.splitlines()
            if line.startswith("| ") and "nDCG" not in line and "---" not in line)
    return {row[0]: [float(figure) for figure in row[1:]] for row in rows}


def figures(rankings, grades):
    def gain(values):
        return sum(value / math.log2(place + 2) for place, value in enumerate(values[:10]))

    ndcg = mrr = recall = 0
    for query, judged in grades.items():
        values = [judged.get(document, 0) for document in rankings[query]]
        ndcg += gain(values) / gain(sorted(judged.values(), reverse=True))
        mrr += next((1 / place for place, value in enumerate(values, 1) if value), 0)
        recall += sum(value > 0 for value in values) / len(judged)
    return [figure / len(grades) for figure in (ndcg, mrr, recall)]


@pytest.mark.parametrize("name, config", [
    ("text", {"mode": "text"}), ("vector", {"mode": "vector"}), ("hybrid", {}),
    ("rrf", {"fusion": "rrf"})])
def test_figures_are_those_of_a_second_computation(stack, collection, name, config):
    directory, grades = collection
    rankings = {query: documents(stack, QUERIES[query], **config) for query in grades}
    result = run(stack, directory)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("3 queries\n")
    assert table(result.stdout)[name] == pytest.approx(figures(rankings, grades), abs=1e-4)


def test_tuning_names_the_best_weight(stack, collection):
    result = run(stack, collection[0], "--tune")
    assert result.returncode == 0, result.stderr
    weights = {name: row[0] for name, row in table(result.stdout).items()
               if name.startswith("hybrid, weight")}
    assert len(weights) == 21
    best = max(weights.values())
    assert f"nDCG@10 {best:.4f}; chosen by one half" in result.stdout
    assert weights["hybrid, weight 0.00"] == pytest.approx(
        table(result.stdout)["text"][0], abs=0.2)


def test_a_mode_under_its_bound_fails(stack, collection):
    directory, _ = collection
    assert run(stack, directory, "--fail-under", "text=0.1").returncode == 0
    result = run(stack, directory, "--fail-under", "text=0.1", "--fail-under", "text=0.999")
    assert result.returncode == 3
    assert "text: nDCG@10" in result.stderr
    assert "is under 0.999" in result.stderr


@pytest.mark.parametrize("options", [
    ["--fail-under", "txet=0.5"], ["--fail-under", "tuned=0.5"], ["--fail-under", "text"],
    ["--fail-under", "text=2"], ["--page", "0"], ["--page", "x"], ["--unknown"]])
def test_wrong_usage_is_no_pass(stack, collection, options):
    result = run(stack, collection[0], *options)
    assert result.returncode == 2
    assert "usage: cairn-eval" in result.stderr


def test_what_cannot_be_read_or_asked_is_an_error(stack, collection, tmp_path):
    directory, _ = collection
    (tmp_path / "empty").mkdir()
    result = run(stack, tmp_path / "empty")
    assert result.returncode == 1
    assert "queries.jsonl: No such file" in result.stderr
    with open(directory / "qrels.tsv", "a") as file:
        file.write("q1\tdocument\tmany\n")
    result = run(stack, directory)
    assert result.returncode == 1
    assert "qrels.tsv:13: cannot be read" in result.stderr


def test_no_server_and_refused_requests_are_errors(stack, collection):
    directory, _ = collection
    assert run(stack, directory, url="http://127.0.0.1:1").returncode == 1
    result = run(stack, directory, url=stack.ops("search"))
    assert result.returncode == 1
    assert "HTTP 404" in result.stderr
