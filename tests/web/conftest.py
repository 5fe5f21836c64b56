"""The stack of the web tests, and the packages that they are run with."""

import pathlib
import shutil
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[0] / "support")]

from forms import form  # noqa: E402
from made_files import pdf  # noqa: E402
from stack import ROOT, Stack, eventually  # noqa: E402
from tokens import JWT, bearer  # noqa: E402

ADMIN = bearer("root", "admin")
PEOPLE = {role: {"username": f"web-{role}", "role": role, "password": "Battery-Staple-42",
                 "department": "IT Services"} for role in ("admin", "staff", "student")}


@pytest.fixture(scope="session")
def scripts(tmp_path_factory):
    """A directory with the tests and the packages of the lock file."""
    where = tmp_path_factory.mktemp("web") / "web"
    shutil.copytree(HERE, where, ignore=shutil.ignore_patterns("node_modules", "*.py"))
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=where,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return where


@pytest.fixture(scope="session")
def deepl():
    """What stands for DeepL; IATE is switched off."""
    program = [sys.executable, ROOT / "tests/support/fake_lookup.py", "--key", "of-the-test"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as server:
        yield {"DEEPL_API_KEY": "of-the-test",
               "DEEPL_URL": server.stdout.readline().strip() + "/v2/translate"}
        server.kill()


@pytest.fixture(scope="session")
def stack(deepl):
    """One for all pages, with the sample and one user of each role."""
    running = Stack(**JWT, **deepl, SHADOW_RECALL_RATE="1").up()  # for the overview
    try:
        eventually(lambda: all([has_user(running, one) for one in PEOPLE.values()]), seconds=60,
                   what=running.logs)
        eventually(lambda: has_file(running), seconds=60, what=running.logs)
        eventually(lambda: loaded(running), seconds=60, what=running.logs)
        yield running
    finally:
        running.down()


def has_user(stack, user):
    return stack.post("/api/admin/users", user, headers=ADMIN).status in (201, 409)


def has_file(stack):
    pages = [["The harbour was built in 1888.", "Its stones came from the north."],
             ["Cormorants dry their wings on the harbour wall.", "They fish at high water."]]
    body, headers = form("harbour.pdf", pdf(pages, title="The Old Harbour"), "application/pdf",
                         id="harbour", title="The Old Harbour")
    return stack.request("POST", "/api/documents", body,
                         headers={**headers, **ADMIN}).status == 201


def loaded(stack):
    sample = (ROOT / "examples/university.ndjson").read_bytes()
    reply = stack.post("/api/documents/batch?wait=true", sample,
                       headers={**ADMIN, "Content-Type": "application/x-ndjson"})
    return reply.status == 200 and b'"error"' not in reply.body
