"""More gateways for the services of a running stack, each with settings of its own, and one
nginx that answers what a gateway would."""

import base64
import hashlib
import hmac
import json
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from nginx import free_port
from stack import BIN, eventually

USERS = 16
CALLEES = ("search", "embedder", "graph", "backup")
# As many requests as a machine can ask: limits are looked at and never reached.
PLENTY_FOR_ROLES = {"requests_per_minute": 1_000_000, "requests_per_hour": 50_000_000,
                    "max_results": 50}
ROLES = {"roles": {
    "staff": {"clearance": 2, "departments": "own", "permissions": ["search"],
              **PLENTY_FOR_ROLES},
    "anonymous": {"clearance": 1, "departments": "public", "permissions": [],
                  **PLENTY_FOR_ROLES}}}
PLENTY = {"RATE_LIMIT_API_PER_SECOND": "1000000", "RATE_LIMIT_API_BURST": "1000000"}


def token(secret, user):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    claims = {"sub": user, "username": user, "role": "staff", "department": "IT Services",
              "iat": int(time.time()), "exp": int(time.time()) + 8 * 3600}
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    signature = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + part(signature)).decode()


class Users:
    """Who asks: a few, in turn, each with a token."""

    def __init__(self):
        self.secret = secrets.token_urlsafe(48)
        self.tokens = [token(self.secret, f"user{n}") for n in range(USERS)]


class Gateway:
    started = []  # for whoever must end them after a failure

    def __init__(self, stack, name, **settings):
        port, ops = free_port(), free_port()
        self.name, self.url = name, f"http://127.0.0.1:{port}"
        self.log = pathlib.Path(stack.dir, "log", f"gateway-{name}.log")
        environment = {
            **stack.environment, "DATABASE_URL": stack.env["DATABASE_URL"],
            "REDIS_URL": stack.env["REDIS_URL"], "API_HOST": "127.0.0.1",
            "API_PORT": str(port), "OPS_PORT": str(ops), "WORKERS": "1",
            **{f"{s.upper()}_ENDPOINTS": f"ipc://{stack.dir}/run/{s}.sock" for s in CALLEES},
            **{key: str(value) for key, value in settings.items()}}
        with self.log.open("w") as out:
            self.process = subprocess.Popen([BIN / "cairn-gateway"], stdout=out, stderr=out,
                                            env=environment, cwd=stack.dir)
        Gateway.started.append(self)
        eventually(lambda: self.ready(stack), seconds=60, what=self.log.read_text)

    def ready(self, stack):
        if self.process.poll() is not None:
            raise SystemExit(f"the gateway {self.name} ended:\n{self.log.read_text()}")
        try:
            return stack.get("/readyz", base=self.url).status == 200
        except OSError:
            return False

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def secured(stack, users):
    """The settings of a gateway with everything that guards it."""
    roles = pathlib.Path(stack.dir, "roles.json")
    roles.write_text(json.dumps(ROLES))
    return {"AUTH_MODE": "jwt", "JWT_SECRET_KEY": users.secret, "ROLES_FILE": roles,
            "RATE_LIMIT_ENABLED": "true", **PLENTY}


class Canned:
    """One nginx worker that answers the bytes of a reply: body and headers."""

    OWN = {"server", "date", "content-type", "content-length", "connection", "keep-alive"}

    def __init__(self, reply, log):
        self.dir = tempfile.mkdtemp(prefix="cairn-nginx-")
        self.url = f"http://127.0.0.1:{free_port()}"
        body = self.quoted(reply.body.decode())
        pieces = [body[at:at + 1000] for at in range(0, len(body), 1000)]
        maps = "".join(f"map $uri $part{n} {{ default {self.joined(piece)}; }}\n"
                       for n, piece in enumerate(pieces))
        headers = "".join(f"add_header {name} {self.joined(self.quoted(value))};\n"
                          for name, value in reply.headers.items()
                          if name.lower() not in self.OWN)
        answer = "".join(f"${{part{n}}}" for n in range(len(pieces)))
        log = f"{self.dir}/access.log" if log else "off"
        conf = pathlib.Path(self.dir, "nginx.conf")
        conf.write_text(f"""
            worker_processes 1; daemon off; pid {self.dir}/nginx.pid;
            error_log {self.dir}/error.log; events {{ worker_connections 1024; }}
            http {{ access_log {log}; keepalive_requests 1000000000;
                geo $dollar {{ default "$"; }}
                client_body_temp_path {self.dir}; proxy_temp_path {self.dir};
                fastcgi_temp_path {self.dir}; uwsgi_temp_path {self.dir};
                scgi_temp_path {self.dir}; {maps}
                server {{ listen {self.url.removeprefix("http://")}; location / {{
                    default_type {reply.headers["Content-Type"].split(";")[0]};
                    {headers} return 200 "{answer}"; }} }} }}""")
        with open(pathlib.Path(self.dir, "output"), "w") as out:
            self.process = subprocess.Popen(["/usr/sbin/nginx", "-p", self.dir, "-c", conf],
                                            stderr=out)
        eventually(self.listens, seconds=30, what="nginx does not listen")

    def listens(self):
        if self.process.poll() is not None:
            raise SystemExit(pathlib.Path(self.dir, "output").read_text())
        host, port = self.url.removeprefix("http://").split(":")
        try:
            socket.create_connection((host, int(port))).close()
            return True
        except OSError:
            return False

    @staticmethod
    def quoted(text):
        """Characters as nginx reads them within single quotes; a list, so that no cut can
        part an escape."""
        escapes = {"\\": "\\\\", "'": "\\'", "$": "${dollar}"}
        return [escapes.get(c, c) for c in text]

    @staticmethod
    def joined(characters):
        return "'" + "".join(characters) + "'"

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)
