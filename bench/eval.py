"""Ranking quality through the whole stack, on a judged collection.

    eval.py [DIRECTORY] [--fail-under MODE=NDCG …] [--alpha WEIGHT …]

DIRECTORY holds corpus.jsonl {id,title,text}, queries.jsonl {id,text} and qrels.tsv (query,
document, grade). nDCG@10 with linear gain; a document counts where its best passage stands.
"""

import argparse
import json
import math
import os
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))

from stack import ROOT, Stack  # noqa: E402

ADMIN = {"user_id": "eval", "role": "admin"}
PAGE = 200  # what the role may have at a time


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def judgements(path):
    """{query: {document: grade}}, relevant ones only."""
    qrels = {}
    for line in path.read_text().splitlines():
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            qrels.setdefault(query, {})[document] = int(grade)
    return qrels


def ndcg(ranking, grades, depth=10):
    gain = sum(grades.get(d, 0) / math.log2(i + 2) for i, d in enumerate(ranking[:depth]))
    best = sorted(grades.values(), reverse=True)[:depth]
    return gain / sum(g / math.log2(i + 2) for i, g in enumerate(best))


def reciprocal_rank(ranking, grades):
    return next((1 / (i + 1) for i, d in enumerate(ranking) if d in grades), 0)


def recall(ranking, grades, depth=100):
    return len(set(ranking[:depth]) & set(grades)) / len(grades)


def rank(stack, query, config):
    """The first 100 documents, in the order of their best passages."""
    ranking = {}
    for offset in range(0, 2 * PAGE, PAGE):
        page = stack.search(query, user=ADMIN,
                            config={"max_results": PAGE, "offset": offset, **config})
        if page["degraded"]:
            raise SystemExit(f"degraded: {page['degraded']}")
        ranking.update({hit["document_id"]: None for hit in page["results"]
                        if hit["document_id"] not in ranking})
        if len(ranking) >= 100 or page["count"] < PAGE:
            break
    return list(ranking)


def evaluate(stack, queries, qrels, config):
    judged = [q for q in queries if q["id"] in qrels]
    with ThreadPoolExecutor(2) as pool:
        rankings = list(pool.map(lambda q: rank(stack, q["text"], config), judged))
    grades = [qrels[q["id"]] for q in judged]
    return [sum(map(figure, rankings, grades)) / len(judged)
            for figure in (ndcg, reciprocal_rank, recall)]


def ingest(stack, corpus):
    body = "\n".join(json.dumps({"id": d["id"], "title": d["title"] or "untitled",
                                 "text": d["text"] or d["title"] or "untitled"})
                     for d in corpus)
    reply = stack.post("/api/documents/batch?wait=true", body, timeout=1200,
                       headers={"Content-Type": "application/x-ndjson"})
    failed = [line for line in reply.body.splitlines()
              if json.loads(line)["status"] == "error"]
    if reply.status != 200 or failed:
        raise SystemExit(f"loading failed: {reply.status} {failed[:3]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", type=pathlib.Path,
                        default=ROOT.parent / "shared/data/cranfield")
    parser.add_argument("--fail-under", action="append", default=[], metavar="MODE=NDCG")
    parser.add_argument("--alpha", action="append", type=float, default=[])
    args = parser.parse_args()
    if not (args.directory / "qrels.tsv").exists():
        raise SystemExit(f"no judged collection in {args.directory}: "
                         "make eval COLLECTION=directory")
    qrels = judgements(args.directory / "qrels.tsv")
    queries = read(args.directory / "queries.jsonl")
    modes = {"text": {"mode": "text"}, "vector": {"mode": "vector"}, "hybrid": {},
             "hybrid, rrf": {"fusion": "rrf"}}
    modes |= {f"hybrid, weight {alpha}": {"vector_weight": alpha} for alpha in args.alpha}
    stack = Stack().up()
    results = {}
    try:
        ingest(stack, read(args.directory / "corpus.jsonl"))
        print("| mode | nDCG@10 | MRR | recall@100 |\n| --- | --- | --- | --- |")
        for name, config in modes.items():
            results[name] = evaluate(stack, queries, qrels, config)
            print("| {} | {:.4f} | {:.4f} | {:.4f} |".format(name, *results[name]), flush=True)
    finally:
        stack.down()
    for bound in args.fail_under:
        mode, least = bound.split("=")
        if results[mode][0] < float(least):
            raise SystemExit(f"{mode}: nDCG@10 {results[mode][0]:.4f} is under {least}")


if __name__ == "__main__":
    main()
