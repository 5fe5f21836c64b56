"""A stack of containers by compose.yaml, in an engine that is there (DOCKER_HOST, or the
default one). Its images are there already: `make test-containers` builds them first."""

import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
SERVICES = ("gateway", "search", "embedder", "graph", "backup")
# Images of others; scripts/test-containers.sh pulls them, or builds what stands in for them.
OTHERS = ("pgvector/pgvector:pg17", "redis:8", "nginx:stable")


def docker(*command, check=True, **more):
    done = subprocess.run(["docker", *command], capture_output=True, text=True, check=False,
                          **more)
    if check and done.returncode != 0:
        pytest.fail(f"docker {' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done


def there(image):
    return docker("image", "inspect", image, check=False).returncode == 0


class Compose:
    """A copy of compose/ with secrets of its own, and the project started from it."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(ROOT / "compose", folder, ignore=shutil.ignore_patterns("secrets", ".env"))
        docker_env = {key: value for key, value in os.environ.items() if key != "CAIRN_TAG"}
        subprocess.run([folder / "setup.sh"], check=True, env=docker_env, capture_output=True)
        (folder / ".env").write_text(f"COMPOSE_PROJECT_NAME=cairn-test-{os.getpid()}\n"
                                     "GATEWAY_PORTS=127.0.0.1:0\nBOLT_PORTS=127.0.0.1:0\n"
                                     "PROMETHEUS_PORT=0\nALERTMANAGER_PORT=0\n"
                                     "HTTP_PORT=127.0.0.1:0\nHTTPS_PORT=127.0.0.1:0\n"
                                     "BACKUP_SCHEDULE=\n")
        self.profiles = []
        self.times = {}
        self.token = None

    def run(self, *command, **more):
        flags = [flag for profile in self.profiles for flag in ("--profile", profile)]
        return docker("compose", *flags, *command, cwd=self.folder, **more)

    def up(self, what, *scales, only=()):
        """Returns when all are healthy; how long it took is kept under `what`. `only` names
        services, if not all are meant."""
        begun = time.monotonic()
        scale = [flag for each in scales for flag in ("--scale", each)]
        done = self.run("up", "--detach", "--no-build", "--wait", "--wait-timeout", "300", *scale,
                        *only, *(each.split("=")[0] for each in scales if only), check=False)
        self.times[what] = time.monotonic() - begun
        if done.returncode != 0:
            logs = self.run("logs", "--tail", "20", check=False).stdout
            pytest.fail(f"{what}: {done.stderr[-3000:]}\n{logs[-6000:]}")

    def down(self):
        self.run("--profile", "*", "down", "--volumes", "--timeout", "20", check=False)

    def port(self, service, port):
        return self.run("port", service, str(port)).stdout.strip().rsplit(":", 1)[1]

    def ids(self, service):
        return self.run("ps", "--quiet", service).stdout.split()

    def metrics(self, container, port):
        """What a replica says on its ops port, asked from within."""
        ask = (f"exec 3<>/dev/tcp/127.0.0.1/{port}; "
               "printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3")
        return docker("exec", container, "bash", "-c", ask).stdout

    def call(self, path, body=None, base=None):
        """Status and JSON of a request to the gateway, as the admin once logged in."""
        base = base or f"http://127.0.0.1:{self.port('gateway', 8000)}"
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(base + path, data, headers)
        trusting = ssl._create_unverified_context()
        try:
            with urllib.request.urlopen(request, timeout=60, context=trusting) as reply:
                return reply.status, json.load(reply)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")

    def login(self):
        password = (self.folder / "secrets/admin_password").read_text()
        status, reply = self.call("/api/auth/login", {"username": "admin", "password": password})
        if status == 200:
            self.token = reply["access_token"]
        return status == 200


@pytest.fixture(scope="session")
def engine():
    if shutil.which("docker") is None or docker("info", check=False).returncode != 0:
        pytest.skip("no container engine here (DOCKER_HOST)")
    if docker("compose", "version", check=False).returncode != 0:
        pytest.skip("the engine's client has no compose")
    for image in [*(f"cairn-{name}:latest" for name in (*SERVICES, "tools")), *OTHERS]:
        if not there(image):
            pytest.skip(f"there is no image {image}: make test-containers makes it")


@pytest.fixture(scope="session")
def stack(engine, tmp_path_factory):
    compose = Compose(tmp_path_factory.mktemp("containers") / "compose")
    try:
        compose.up("up")
        yield compose
    finally:
        compose.down()
        for what, seconds in compose.times.items():
            print(f"\n{what}: {seconds:.1f} s", end="")
