"""The public clients of Ollama and OpenAI, unchanged, from the npm registry: what they are
told, they must understand."""

import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import ROOT

CLIENTS = ROOT / "tests/clients"


@pytest.fixture(scope="session")
def clients(tmp_path_factory):
    """A directory with the scripts and the clients of the lock file."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.fail("node and npm are missing: scripts/deps.sh test installs them")
    where = tmp_path_factory.mktemp("clients")
    for name in ("package.json", "package-lock.json", "ollama.mjs", "openai.mjs"):
        shutil.copy(CLIENTS / name, where)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=where,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        pytest.fail("npm cannot install the clients of tests/clients/package-lock.json; the "
                    f"registry must be reachable:\n{done.stdout}{done.stderr}")
    return where


def run(where, script, stack, model, dimension):
    environment = {
        **os.environ,
        "CAIRN_URL": stack.env["GATEWAY_URL"],
        "MODEL": model,
        "DIMENSION": str(dimension),
        "VERSION": pathlib.Path(ROOT, "VERSION").read_text().strip(),
        "NO_PROXY": "*",
    }
    done = subprocess.run(["node", script], cwd=where, env=environment, timeout=300,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout or "fail 0" in done.stdout, done.stdout


@pytest.mark.parametrize("script", ["ollama.mjs", "openai.mjs"])
def test_the_public_client_works_unchanged(stack, clients, script):
    tag = stack.get("/api/tags").json()["models"][0]
    run(clients, script, stack, tag["model"].removesuffix(":latest"),
        len(stack.post("/api/embed", {"input": "x"}).json()["embeddings"][0]))
