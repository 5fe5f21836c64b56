"""Ranking quality through the whole stack: starts one, loads a judged collection and lets
cairn-eval ask.

    eval.py [DIRECTORY] [OPTION OF cairn-eval …]

DIRECTORY holds corpus.jsonl {id,title,text}, queries.jsonl {id,text} and qrels.tsv (query,
document, grade).
"""

import json
import os
import pathlib
import subprocess
import sys

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))

from stack import BIN, ROOT, Stack  # noqa: E402


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
        status = subprocess.run([BIN / "cairn-eval", "--url", stack.env["GATEWAY_URL"], *options,
                                 directory], check=False).returncode
    finally:
        stack.down()
    raise SystemExit(status)


if __name__ == "__main__":
    main()
