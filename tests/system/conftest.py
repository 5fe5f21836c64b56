"""The real stack for the system tests: started once a session in a directory of its own, on
free ports. A test that breaks services starts one for itself with `new_stack`."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from stack import BIN, ROOT, Stack, eventually  # noqa: E402, F401  tests import them here
from statuses import unlisted  # noqa: E402

STAFF = {"user_id": "staff123", "username": "john.smith", "role": "staff",
         "department": "IT Services", "campus": "King's Buildings"}
ADMIN = {"user_id": "root", "username": "root", "role": "admin"}


@pytest.fixture(scope="session")
def stack():
    """One stack for all tests that leave its processes alone, with the sample loaded. At the
    end the statuses that the tests got must be those of /openapi.json."""
    running = Stack().up().settled()
    sample = (ROOT / "examples/university.ndjson").read_bytes()
    reply = running.post("/api/documents/batch?wait=true", sample,
                         headers={"Content-Type": "application/x-ndjson"})
    assert reply.status == 200, reply.body
    yield running.embedded()
    surprises = unlisted(running.get("/openapi.json").json(), running.answered)
    running.down()
    assert not surprises, surprises


@pytest.fixture
def new_stack():
    """A function that starts a stack of one's own; all are stopped afterwards."""
    started = []

    def start(**settings):
        one = Stack(**settings)
        started.append(one)
        return one.up()

    yield start
    for one in started:
        one.down()
