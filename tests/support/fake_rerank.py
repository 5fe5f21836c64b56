#!/usr/bin/env python3
"""A small server that speaks the two usual re-ranking APIs over real HTTP, with faults.

    fake_rerank.py [--port 0] [--host 127.0.0.1] [--like WORD] [--key KEY]

prints its URL on the first line and serves until it is killed:
    POST /rerank      {"query","texts","raw_scores"?,"truncate"?} → [{"index","score"}]
    POST /v2/rerank   {"query","documents","model"?,"top_n"?}
                      → {"results":[{"index","relevance_score"}]}
both best first. A text that contains WORD (default "walrus") scores 0.9, any other 0.2, and
0.01 more for each word of the query in it. With --key requests must bear it.
With a mode before the path ("/500/rerank") that fault happens:
    hang (never answers); 500; 429; 404; garbage (not JSON); half (the connection closes in
    the middle); refuse (it closes before any answer); empty (no results); short (one
    missing); long (one too many); duplicate (one index twice); stranger (an index that was
    not sent); negative (an index below 0); fraction (an index of 1.5); nan; infinite
    (1e999); text (scores are texts); huge (8 MiB of blanks and then the answer); logits
    (scores from -3 to 4); nothing ({})

Left out: return_text and return_documents (texts never come back), the limits on texts and
batches that real servers have, tokenization, HTTPS, meta and billing members.
"""

import argparse
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def score(query, text, like):
    shared = sum(word in text.lower() for word in set(query.lower().split()))
    return min(1.0, (0.9 if like in text.lower() else 0.2) + 0.01 * shared)


def spoil(mode, items, name):
    """The items as the fault has them."""
    if mode == "empty":
        return []
    if mode == "short":
        return items[1:]
    if mode == "long":
        return [*items, items[0]]
    if mode == "logits":
        return [{**item, name: item[name] * 10 - 5} for item in items]
    wrong = {"duplicate": {"index": items[-1]["index"]}, "stranger": {"index": len(items)},
             "negative": {"index": -1}, "fraction": {"index": 1.5},
             "nan": {name: float("nan")}, "text": {name: "0.5"}}
    return [{**items[0], **wrong.get(mode, {})}, *items[1:]]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def cut(self, mode, body):
        """Faults of the connection; true when it is over."""
        if mode == "hang":
            threading.Event().wait()
        if mode == "half":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:len(body) // 2])
        self.close_connection = mode in ("half", "refuse")
        return self.close_connection

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        mode, _, shape = self.path.strip("/").rpartition("rerank")[0].strip("/").partition("/")
        cohere = "v2" in (mode, shape)
        mode = "" if mode == "v2" else mode
        if self.server.key and self.headers["Authorization"] != f"Bearer {self.server.key}":
            return self.answer(401, b'{"error":"no"}')
        if mode.isdigit():
            return self.answer(int(mode), b'{"error":"told to fail"}')
        texts = request["documents" if cohere else "texts"]
        name = "relevance_score" if cohere else "score"
        items = [{"index": i, name: score(request["query"], text, self.server.like)}
                 for i, text in enumerate(texts)]
        items.sort(key=lambda item: -item[name])
        items = spoil(mode, items, name)
        body = json.dumps({"results": items} if cohere else items).encode()
        if mode == "garbage":
            body = b"<html>not JSON"
        if mode == "nothing":
            body = b"{}"
        if mode == "infinite":
            body = body.replace(b'score": 0', b'score": 1e999')
        if mode == "huge":
            body = b" " * (8 << 20) + body
        if not self.cut(mode, body):
            self.answer(200, body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that goes away is no fault


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--like", default="walrus")
    parser.add_argument("--key", default="")
    options = parser.parse_args()
    server = Server((options.host, options.port), Handler)
    server.like = options.like
    server.key = options.key
    print(f"http://{options.host}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
