"""The peer: one nginx worker that answers a fixed body, and one that passes on to it."""

import pathlib
import shutil
import socket
import subprocess
import tempfile

PONG = '{"status":"ok","message":"pong"}'


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Nginx:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="cairn-nginx-")
        self.direct, self.proxy = free_port(), free_port()
        self.back = self.start("back", f"""
            server {{ listen 127.0.0.1:{self.direct}; location / {{
                default_type application/json; return 200 '{PONG}'; }} }}""")
        self.front = self.start("front", f"""
            upstream back {{ server 127.0.0.1:{self.direct}; keepalive 64; }}
            server {{ listen 127.0.0.1:{self.proxy}; location / {{
                proxy_pass http://back; proxy_http_version 1.1;
                proxy_set_header Connection ""; }} }}""")

    def start(self, name, servers):
        path = pathlib.Path(self.dir, f"{name}.conf")
        path.write_text(f"""
            worker_processes 1; daemon off; pid {self.dir}/{name}.pid;
            error_log {self.dir}/{name}.log; events {{ worker_connections 1024; }}
            http {{ access_log off; keepalive_requests 1000000000;
                client_body_temp_path {self.dir}; proxy_temp_path {self.dir};
                fastcgi_temp_path {self.dir}; uwsgi_temp_path {self.dir};
                scgi_temp_path {self.dir}; {servers} }}""")
        return subprocess.Popen(["/usr/sbin/nginx", "-p", self.dir, "-c", path],
                                stderr=subprocess.DEVNULL)

    def stop(self):
        for process in (self.front, self.back):
            process.terminate()
            process.wait()
        shutil.rmtree(self.dir)
