#!/usr/bin/env python3
"""A small server that speaks Ollama's embedding API over real HTTP, with faults.

    fake_ollama.py [--port 0] [--host 127.0.0.1] [--dimension 256] [--model NAME]

prints its URL on the first line and serves until it is killed:
    POST /api/embed       {"model","input":text|[texts],"truncate"?,"dimensions"?}
    POST /api/embeddings  {"model","prompt"}
    POST /api/show        {"model"}
    GET  /api/tags, GET /api/version
and, not in Ollama:
    POST /fault   {"mode": M, "match"?: text, "seconds"?: 2, "times"?: n}
    GET  /calls   what /api/embed was asked: {"calls": n, "texts": n, "batches": [sizes]}
    POST /reset   forget the calls and the fault
    POST /model   {"digest"?, "dimension"?, "seed"?}: another model under the same name;
                  another seed alone: other vectors, and nothing else tells

Modes: ok; slow (answers after `seconds`); hang (never answers); 500; 429 (Retry-After: 1);
wrong_dimension; wrong_count; half_body (the connection closes in the middle); nan; zero;
garbage (not JSON); refuse (the connection closes before any answer). With `match` only
requests with a text that contains it are hit, with `times` only the first so many.

Vectors are feature hashes of words and their trigrams: the same on every run, and near for
texts that share words. They are not normalised, as from a server older than 0.1.33.

Left out: generation and chat, pulling and deleting models, keep_alive and options (taken
and ignored), streaming, authentication, HTTPS, `truncate` by tokens (a text of over 8,192
words is too long), load_duration (always 0).
"""

import argparse
import hashlib
import json
import math
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTEXT = 8192
SUFFIXES = ("ing", "ed", "es", "s")


def stem(word):
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) > len(suffix) + 2:
            return word[:-len(suffix)]
    return word


def features(text):
    for word in re.findall(r"\w+", text.lower()):
        yield "w" + stem(word), 1.0
        padded = f"^{word}$"
        for i in range(len(padded) - 2):
            yield "t" + padded[i:i + 3], 0.5 / math.sqrt(len(padded) - 2)


def embed(text, dimension, seed=""):
    vector = [0.0] * dimension
    vector[0] = 0.05  # no text has a zero vector
    for name, weight in features(text):
        digest = hashlib.blake2b((seed + name).encode(), digest_size=8).digest()
        number = int.from_bytes(digest, "little")
        vector[number % dimension] += weight if number >> 63 else -weight
    return vector


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, model, dimension):
        super().__init__(address, Handler)
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.model, self.dimension, self.seed = model, dimension, ""
        self.digest = hashlib.sha256(f"{model}/{dimension}".encode()).hexdigest()
        self.reset()

    def reset(self):
        self.fault, self.batches = {"mode": "ok"}, []

    def fault_for(self, texts):
        with self.lock:
            fault = self.fault
            match = fault.get("match")
            if match is not None and not any(match in text for text in texts):
                return "ok", fault
            if fault.get("times") is not None:
                if fault["times"] <= 0:
                    return "ok", fault
                fault["times"] -= 1
            return fault["mode"], fault


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake-ollama"
    wbufsize = -1  # head and body leave together

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/api/tags":
            self.answer(200, {"models": [self.about()]})
        elif self.path == "/api/version":
            self.answer(200, {"version": "0.5.0"})
        elif self.path == "/calls":
            batches = list(self.server.batches)
            self.answer(200, {"calls": len(batches), "texts": sum(batches),
                              "batches": batches})
        elif self.path == "/":
            self.send(200, b"Ollama is running", "text/plain")
        else:
            self.answer(404, {"error": "not found"})

    do_HEAD = do_GET

    def do_POST(self):
        try:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length) or b"{}")
            if not isinstance(body, dict):
                raise ValueError("not an object")
        except ValueError as error:
            self.answer(400, {"error": str(error)})
            return
        route = {"/api/embed": self.embed, "/api/embeddings": self.embeddings,
                 "/api/show": self.show, "/fault": self.set_fault, "/reset": self.reset,
                 "/model": self.set_model}.get(self.path)
        if route:
            route(body)
        else:
            self.answer(404, {"error": "not found"})

    # --- Ollama's ------------------------------------------------------------------------

    def about(self):
        server = self.server
        return {"name": f"{server.model}:latest", "model": f"{server.model}:latest",
                "modified_at": "2026-01-01T00:00:00Z", "size": 274302450,
                "digest": server.digest,
                "details": {"format": "gguf", "family": "fake", "parameter_size": "137M",
                            "quantization_level": "F16"}}

    def known(self, body):
        name = body.get("model") or body.get("name")
        if not isinstance(name, str) or not name:
            self.answer(400, {"error": "model is required"})
        elif name.removesuffix(":latest") != self.server.model:
            self.answer(404, {"error": f'model "{name}" not found, try pulling it first'})
        else:
            return True
        return False

    def show(self, body):
        if self.known(body):
            self.answer(200, {"details": self.about()["details"],
                              "model_info": {"general.architecture": "fake",
                                             "fake.context_length": CONTEXT,
                                             "fake.embedding_length": self.server.dimension},
                              "capabilities": ["embedding"]})

    def embed(self, body):
        if not self.known(body):
            return
        texts = body.get("input", [])
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
            self.answer(400, {"error": "invalid input type"})
            return
        if body.get("truncate") is False and any(len(t.split()) > CONTEXT for t in texts):
            self.answer(400, {"error": "input length exceeds maximum context length"})
            return
        with self.server.lock:
            self.server.batches.append(len(texts))
        mode, fault = self.server.fault_for(texts)
        start = time.monotonic_ns()
        vectors = [embed(t, self.server.dimension, self.server.seed) for t in texts]
        size = body.get("dimensions")
        if isinstance(size, int) and 0 < size < self.server.dimension:
            vectors = [v[:size] for v in vectors]
        reply = {"model": body["model"], "embeddings": vectors,
                 "total_duration": time.monotonic_ns() - start, "load_duration": 0,
                 "prompt_eval_count": sum(max(1, len(t.split())) for t in texts)}
        self.answer_with(mode, fault, reply)

    def embeddings(self, body):
        if not self.known(body):
            return
        prompt = body.get("prompt", "")
        if not isinstance(prompt, str):
            self.answer(400, {"error": "invalid prompt"})
            return
        self.answer(200, {"embedding": embed(prompt, self.server.dimension,
                                             self.server.seed)})

    # --- control -------------------------------------------------------------------------

    def set_fault(self, body):
        with self.server.lock:
            self.server.fault = {"mode": "ok", **body}
        self.answer(200, {"ok": True})

    def reset(self, _):
        with self.server.lock:
            self.server.reset()
        self.answer(200, {"ok": True})

    def set_model(self, body):
        self.server.dimension = body.get("dimension", self.server.dimension)
        self.server.digest = body.get("digest", self.server.digest)
        self.server.seed = body.get("seed", self.server.seed)
        self.answer(200, {"ok": True})

    def answer_with(self, mode, fault, reply):
        vectors = reply["embeddings"]
        if mode == "slow":
            self.server.stopped.wait(fault.get("seconds", 2))
        elif mode == "hang":
            self.server.stopped.wait()
            return
        elif mode == "refuse":
            self.close_connection = True
            return
        elif mode == "500":
            self.answer(500, {"error": "the model runner has stopped"})
            return
        elif mode == "429":
            self.answer(429, {"error": "too many requests"}, {"Retry-After": "1"})
            return
        elif mode == "garbage":
            self.send(200, b"<html>not what you asked for</html>", "text/html")
            return
        elif mode == "half_body":
            data = json.dumps(reply).encode()
            self.send(200, data[:len(data) // 2], "application/json", length=len(data))
            self.close_connection = True
            return
        elif mode == "wrong_dimension":
            reply["embeddings"] = [v + [0.5] for v in vectors]
        elif mode == "wrong_count":
            reply["embeddings"] = vectors[:-1]
        elif mode == "nan":
            for vector in vectors:
                vector[1] = math.nan  # json writes NaN
        elif mode == "zero":
            reply["embeddings"] = [[0.0] * len(v) for v in vectors]
        self.answer(200, reply)

    def answer(self, status, value, headers=None):
        self.send(status, json.dumps(value).encode(), "application/json", headers=headers)

    def send(self, status, data, kind, length=None, headers=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=11434)
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--model", default="nomic-embed-text")
    options = parser.parse_args()
    server = Server((options.host, options.port), options.model, options.dimension)
    print(f"http://{options.host}:{server.server_address[1]}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
