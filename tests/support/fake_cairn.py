"""A gateway that is made up: it takes uploads and batches as the real one does and answers what
a test wants, also what the real one does rarely: refusals, broken connections, silence."""

import email.parser
import email.policy
import hashlib
import http.server
import json
import threading


class Request:
    def __init__(self, handler, body):
        self.method, self.path = handler.command, handler.path
        self.headers, self.body = handler.headers, body

    def form(self):
        """Parts of a form by name: text, or (file name, bytes)."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + self.body)
        form = {}
        for part in parts.iter_parts():
            name = part.get_param("name", header="Content-Disposition")
            data = part.get_payload(decode=True)
            form[name] = (part.get_filename(), data) if part.get_filename() else data.decode()
        return form


class Answer:
    def __init__(self, status, body=None, **headers):
        self.status, self.headers = status, headers
        self.body = body if isinstance(body, bytes) else json.dumps(body or {}).encode()


def problem(status, code, error, **headers):
    return Answer(status, {"status": status, "code": code, "error": error}, **headers)


class FakeCairn:
    """`answer(request)` may give an Answer, or None for what the real one would say; BREAK
    closes the connection."""

    BREAK = object()

    def __init__(self):
        self.requests = []
        self.documents = {}  # id: the form
        self.answer = lambda request: None
        self.lock = threading.Lock()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def of(self, method, path):
        with self.lock:
            return [one for one in self.requests
                    if one.method == method and one.path.split("?")[0] == path]

    def _usual(self, request):
        if request.method == "POST" and request.path == "/api/documents":
            form = request.form()
            name = form.get("id") or "doc_" + hashlib.sha256(form["file"][1]).hexdigest()
            with self.lock:
                same = self.documents.get(name) == form
                self.documents[name] = form
            return Answer(201, {"document_id": name, "chunks": 1, "unchanged": same})
        if request.path == "/health/ping":
            return Answer(200, {"status": "ok"})
        return problem(404, "not_found", "there is nothing at this path")

    def _take(self, request):
        with self.lock:
            self.requests.append(request)
        return self.answer(request) or self._usual(request)

    def _handler(self):
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else head and body are 40 ms apart

            def _body(self):
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def _serve(self):
                answer = fake._take(Request(self, self._body()))
                if answer is FakeCairn.BREAK:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_DELETE = _serve

            def log_message(self, *_):
                pass

        return Handler
