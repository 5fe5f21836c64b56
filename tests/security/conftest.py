"""The stack that is attacked: with tokens, an audience, a secret of every kind, and patient
enough for a slow machine. One for all: whatever is done to it, it must go on."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from stack import Stack, eventually  # noqa: E402
from tokens import JWT, bearer  # noqa: E402

SERVICES = ("gateway", "search", "embedder", "graph", "backup")
PASSWORD = "Correct-Horse-71"
SETTINGS = {
    **JWT, "JWT_AUDIENCE": "cairn", "ADMIN_USERNAME": "root", "ADMIN_PASSWORD": PASSWORD,
    "AUDIT_KEY": "an-audit-key-of-these-tests-0123456789", "WORKERS": 2,
    "METRICS_PUBLIC": "false", "STACK_KEYS": 1,
    "HTTP_HEAD_TIMEOUT_MS": 50000, "HTTP_BODY_TIMEOUT_MS": 50000,
}


def by(role, user=None, **claims):
    return bearer(user or f"user-{role}", role, aud="cairn", **claims)


@pytest.fixture(scope="session")
def target():
    running = Stack(**SETTINGS).up().settled()
    eventually(lambda: running.psql("SELECT count(*) FROM users") != "0", seconds=60,
               what=running.logs)
    yield running
    running.down()


@pytest.fixture(autouse=True)
def unharmed(request):
    """Whatever is tried: the same processes go on, and answer others."""
    if "target" not in request.fixturenames:
        yield
        return
    target = request.getfixturevalue("target")
    pids = {service: target.pid(service) for service in SERVICES}
    yield
    assert {service: target.pid(service) for service in SERVICES} == pids
    assert target.get("/health/ping").status == 200
    for service in SERVICES:
        assert target.get("/livez", base=target.ops(service)).status == 200
