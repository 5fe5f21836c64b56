"""An HTTP server that keeps what is posted to it."""

import http.server
import threading


class Receiver(http.server.ThreadingHTTPServer):
    """`heard`: path, headers and body of each post, in the order of their arrival. It answers
    with `statuses`, one after the other, then with 200."""

    def __init__(self):
        self.heard = []
        self.statuses = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.heard.append((self.path, dict(self.headers), body.decode()))
                self.send_response(outer.statuses.pop(0) if outer.statuses else 200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
