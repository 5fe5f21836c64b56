"""The public driver of Neo4j for JavaScript, unchanged, from the npm registry: make test-bolt.
It logs in as a user of ours; without a login it meets a port that trusts it."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[0] / "support")]

from bolt_graph import fill  # noqa: E402
from stack import Stack, eventually  # noqa: E402
from tokens import JWT, bearer  # noqa: E402

ADMIN = bearer("root", "admin")


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """A directory with the script and the driver of the lock file."""
    where = tmp_path_factory.mktemp("bolt")
    for name in ("package.json", "package-lock.json", "driver.mjs"):
        shutil.copy(HERE / name, where)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=where,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return where


def run(where, stack, **login):
    environment = {**os.environ, "BOLT_URL": stack.env["BOLT_URL"], "NO_PROXY": "*", **login}
    done = subprocess.run(["node", "driver.mjs"], cwd=where, env=environment, timeout=300,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr + stack.logs()
    assert "fail 0" in done.stdout and "pass 0" not in done.stdout, done.stdout


def test_the_driver_works_unchanged_where_all_are_trusted(driver):
    stack = Stack().up()
    try:
        fill(stack)
        run(driver, stack)
    finally:
        stack.down()


def test_the_driver_works_unchanged_with_a_login(driver):
    stack = Stack(**JWT).up()
    try:
        fill(stack, headers=ADMIN)
        made = eventually(lambda: make_user(stack), seconds=60, what=stack.logs)
        run(driver, stack, BOLT_USER=made, BOLT_PASSWORD="Battery-Staple-42")
    finally:
        stack.down()


def make_user(stack):
    reply = stack.post("/api/admin/users", {"username": "explorer", "role": "staff",
                                            "password": "Battery-Staple-42"}, headers=ADMIN)
    return "explorer" if reply.status in (201, 409) else None
