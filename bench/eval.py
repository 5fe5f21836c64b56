"""Ranking quality through the whole stack: starts one, loads a judged collection and lets
cairn-eval ask.

    eval.py [DIRECTORY] [OPTION OF cairn-eval …]

DIRECTORY holds corpus.jsonl {id,title,text}, queries.jsonl {id,text} and qrels.tsv (query,
document, grade).

Then a model is fitted to the corpus itself (builtin:lsa), and asked the same. It is proposed
where the judged queries show that it wins, and nowhere else.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import time

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))

from stack import BIN, ROOT, Stack  # noqa: E402

QUERIES_LEAST, MARGIN = 40, 0.005


def ingest(stack, corpus):
    documents = (json.loads(line) for line in corpus.read_text().splitlines())
    body = "\n".join(json.dumps({"id": d["id"], "title": d["title"] or "untitled",
                                 "text": d["text"] or d["title"] or "untitled"})
                     for d in documents)
    reply = stack.post("/api/documents/batch?wait=true", body, timeout=1200,
                       headers={"Content-Type": "application/x-ndjson"})
    failed = [line for line in reply.body.splitlines()
              if json.loads(line)["status"] == "error"]
    if reply.status != 200 or failed:
        raise SystemExit(f"loading failed: {reply.status} {failed[:3]}")


def evaluate(stack, directory, options):
    """Exit status of cairn-eval, and nDCG@10 by mode."""
    run = subprocess.run([BIN / "cairn-eval", "--url", stack.env["GATEWAY_URL"], *options,
                          directory], check=False, text=True, stdout=subprocess.PIPE)
    print(run.stdout, flush=True)
    rows = re.findall(r"^\| (\w+) \| ([0-9.]+) \|", run.stdout, re.M)
    queries = re.match(r"\d+", run.stdout)
    return run.returncode, int(queries.group()) if queries else 0, {
        mode: float(ndcg) for mode, ndcg in rows}


def fit(stack):
    """builtin:lsa is live when this returns."""
    reply = stack.post("/api/reindex", {"model": "builtin:lsa", "activate": True})
    if reply.status != 202:
        raise SystemExit(f"the fit is refused: {reply.status} {reply.body}")
    job = reply.json()["job_id"]
    while (state := stack.psql(f"SELECT state FROM jobs WHERE id = '{job}'")) not in (
            "done", "failed", "cancelled"):
        time.sleep(0.5)
    if state != "done":
        raise SystemExit(stack.psql(f"SELECT error FROM jobs WHERE id = '{job}'"))


def propose(queries, before, after):
    """Whether the fitted model is worth having, in words."""
    won = min(after["vector"] - before["vector"], after["hybrid"] - before["hybrid"])
    if queries < QUERIES_LEAST:
        return f"builtin:lsa is not proposed: under {QUERIES_LEAST} judged queries say little"
    if won <= MARGIN:
        return "builtin:lsa is not proposed: it does not win by vectors and in hybrid searches"
    return ("builtin:lsa wins on these queries, by vectors and in hybrid searches:\n"
            "POST /api/reindex {\"model\":\"builtin:lsa\",\"activate\":true}")


def main():
    options = sys.argv[1:]
    directory = ROOT.parent / "shared/data/cranfield"
    if options and not options[0].startswith("-"):
        directory = pathlib.Path(options.pop(0))
    if not (directory / "qrels.tsv").exists():
        raise SystemExit(f"no judged collection in {directory}: "
                         "make eval COLLECTION=directory")
    stack = Stack().up()
    try:
        ingest(stack, directory / "corpus.jsonl")
        stack.embedded()
        status, queries, before = evaluate(stack, directory, options)
        if status == 0:
            fit(stack)
            print("after a fit to this corpus, builtin:lsa:", flush=True)
            _, _, after = evaluate(stack, directory, [])
            print(propose(queries, before, after), flush=True)
    finally:
        stack.down()
    raise SystemExit(status)


if __name__ == "__main__":
    main()
