"""A server that sends every caller elsewhere, and the place that it names: nobody may ever
come there."""

import http.server
import threading


class Counted(http.server.ThreadingHTTPServer):
    """`asked`: method and path of each request. `answer` writes what it gets."""

    daemon_threads = True

    def __init__(self, answer):
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def serve(self):
                outer.asked.append(f"{self.command} {self.path}")
                length = self.headers.get("Content-Length", "0")
                self.rfile.read(int(length) if length.isdigit() else 0)
                answer(self)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = serve

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def heard_of(self, path):
        return any(path in line for line in list(self.asked))


class Trap(Counted):
    def __init__(self):
        def answer(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "2")
            handler.end_headers()
            handler.wfile.write(b"{}")

        super().__init__(answer)


class Redirector(Counted):
    """Each request the next of 301, 302, 303, 307, 308; to the trap, to a file and to the
    address where clouds keep their machines' keys, in turn."""

    def __init__(self, trap):
        places = (trap.url + "/trap", "file:///etc/passwd",
                  "http://169.254.169.254/latest/meta-data/", trap.url + "//trap")

        def answer(handler):
            turn = len(self.asked)
            handler.send_response((301, 302, 303, 307, 308)[turn % 5])
            handler.send_header("Location", places[turn % len(places)])
            handler.send_header("Refresh", f"0; url={trap.url}/refresh")
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        super().__init__(answer)
