#!/usr/bin/env python3
"""A small server in the shapes of DeepL (POST /v2/translate) and IATE (POST
/em-api/entries/_search), with faults.

    fake_lookup.py --key KEY

prints its URL on the first line and serves until it is killed. Requests must bear the key
as each service wants it. GET /asked tells how many questions were answered. DeepL: a text is
"translated" by being turned around; IATE: two terms of one entry, made of the query. A term
tells the fault: "hang" never answers, "broken" gets what is no JSON, "busy" 429, "strange"
JSON of another shape.
"""

import argparse
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def deepl(body):
    text = body["text"][0]
    return text, {"translations": [{"detected_source_language": body.get("source_lang", "EN"),
                                    "text": text[::-1]}]}


def iate(body):
    term, language = body["query"], body["targets"][0]
    return term, {"items": [{"id": 17, "domains": [{"name": "LAW"}], "language": {language: {
        "definition": "what it is", "term_entries": [{"term_value": f"{term} 1"},
                                                     {"term_value": f"{term} 2"}]}}}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, json.dumps(self.server.asked).encode())

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_deepl = self.path == "/v2/translate"
        wanted = ("DeepL-Auth-Key " if is_deepl else "Bearer ") + self.server.key
        if self.headers["Authorization"] != wanted:
            self.answer(403, b"{}")
            return
        term, found = (deepl if is_deepl else iate)(body)
        self.server.asked += 1
        if term == "hang":
            threading.Event().wait()
        faults = {"broken": (200, b"<html>"), "busy": (429, b"{}"), "strange": (200, b"[1]")}
        self.answer(*faults.get(term, (200, json.dumps(found).encode())))

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--key", default="secret")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.key = parser.parse_args().key
    server.asked = 0
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
