"""One more gateway beside a stack with keys on its bus, with keys of its own or none, and who
says that it was refused."""

import pathlib
import re
import signal
import subprocess

from stack import BIN

CALLEES = ("search", "embedder", "graph", "backup")


def cairn_keys(*words):
    return subprocess.run([BIN / "cairn-keys", *map(str, words)], check=False, timeout=60,
                          capture_output=True, text=True)


def keys_of(stack):
    return pathlib.Path(stack.dir, "keys")


def endpoint(stack, service):
    return f"ipc://{stack.dir}/run/{service}.sock"


def refused(stack, service, reason):
    return stack.figure(service, f'cairn_rpc_refused_peers_total{{reason="{reason}"}}') or 0


class Gateway:
    """One more gateway that calls the stack's services, on its own terms."""

    def __init__(self, stack, **settings):
        self.log = pathlib.Path(stack.dir, "log", f"gateway-{id(self)}.log")
        environment = {**stack.environment, "DATABASE_URL": stack.env["DATABASE_URL"],
                       "REDIS_URL": stack.env["REDIS_URL"], "OPS_PORT": "0",
                       "API_PORT": "0", "WORKERS": "1",
                       **{f"{s.upper()}_ENDPOINTS": endpoint(stack, s) for s in CALLEES},
                       **{name: str(value) for name, value in settings.items()}}
        with self.log.open("w") as out:
            self.process = subprocess.Popen([BIN / "cairn-gateway"], stdout=out, stderr=out,
                                            env=environment, cwd=stack.dir)

    def said(self, text):
        assert self.process.poll() is None, self.log.read_text()
        return text in self.log.read_text()

    def ready(self, stack):
        found = re.search(r"ops on \S+ port (\d+)", self.log.read_text())
        return found and stack.get("/readyz", base=f"http://127.0.0.1:{found[1]}"
                                   ).status == 200

    def address(self):
        """Once it listens."""
        found = re.search(r"listening on \S+ port (\d+)", self.log.read_text())
        return found and f"http://127.0.0.1:{found[1]}"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=60) == 0, self.log.read_text()
