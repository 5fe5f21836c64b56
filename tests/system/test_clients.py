"""Public clients, unchanged, from the npm registry, of Ollama, OpenAI and the Model Context
Protocol: what they are told, they must understand."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest
from conftest import BIN, ROOT, eventually

CLIENTS = ROOT / "tests/clients"
SECRET = "a-secret-of-these-clients-0123456789"


def token(role):
    def part(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    claims = {"sub": f"user-{role}", "role": role, "exp": int(time.time()) + 3600}
    text = part(b'{"alg":"HS256"}') + b"." + part(json.dumps(claims).encode())
    sign = hmac.new(SECRET.encode(), text, hashlib.sha256).digest()
    return (text + b"." + part(sign)).decode()


@pytest.fixture(scope="session")
def clients(tmp_path_factory):
    """A directory with the scripts and the clients of the lock file."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.fail("node and npm are missing: scripts/deps.sh test installs them")
    where = tmp_path_factory.mktemp("clients")
    for file in CLIENTS.iterdir():
        if file.is_file():
            shutil.copy(file, where)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=where,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        pytest.fail("npm cannot install the clients of tests/clients/package-lock.json; the "
                    f"registry must be reachable:\n{done.stdout}{done.stderr}")
    return where


def run(where, script, stack, model, dimension=0, **more):
    environment = {
        **os.environ,
        "CAIRN_URL": stack.env["GATEWAY_URL"],
        "MODEL": model,
        "DIMENSION": str(dimension),
        "VERSION": pathlib.Path(ROOT, "VERSION").read_text().strip(),
        "NO_PROXY": "*",
        **more,
    }
    done = subprocess.run(["node", script], cwd=where, env=environment, timeout=300,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail 0" in done.stdout and "pass 0" not in done.stdout, done.stdout


@pytest.mark.parametrize("script", ["ollama.mjs", "openai.mjs"])
def test_the_public_client_works_unchanged(stack, clients, script):
    tag = stack.get("/api/tags").json()["models"][0]
    run(clients, script, stack, tag["model"].removesuffix(":latest"),
        len(stack.post("/api/embed", {"input": "x"}).json()["embeddings"][0]))


def test_the_public_clients_identify_themselves(new_stack, clients):
    """With tokens and API keys; who may not is told so in the words of their API."""
    stack = new_stack(AUTH_MODE="jwt", JWT_SECRET_KEY=SECRET, RATE_LIMIT_ENABLED="false")
    admin = {"Authorization": "Bearer " + token("admin")}
    made = eventually(lambda: keys_of(stack, admin), seconds=60)
    run(clients, "identity.mjs", stack, "use-lite", KEY=made["embed"], NARROW=made["search"],
        TOKEN=token("student"))


def keys_of(stack, admin):
    """API keys by scope; None while PostgreSQL or the embedder has not been met."""
    made = {}
    for scope in ("embed", "search"):
        reply = stack.post("/api/admin/keys",
                           {"name": scope, "role": "staff", "scopes": [scope]}, headers=admin)
        if reply.status == 503:
            return None
        assert reply.status == 201, reply.body
        made[scope] = reply.json()["key"]
    return made


def test_the_public_clients_understand_limits(new_stack, clients):
    stack = new_stack(AUTH_MODE="jwt", JWT_SECRET_KEY=SECRET, RATE_LIMIT_ENABLED="true")
    run(clients, "limits.mjs", stack, "use-lite", TOKEN=token("student"))


MCP_GRAPH = [
    {"id": "mcp-ada", "labels": ["McpHuman"], "properties": {"name": "Mcp Ada"}},
    {"id": "mcp-ben", "labels": ["McpHuman"], "properties": {"name": "Mcp Ben"}},
    {"id": "mcp-bob", "labels": ["McpHuman"], "properties": {"name": "Mcp Bob"}},
    {"id": "mcp-1", "type": "MCP_KNOWS", "from": "mcp-ada", "to": "mcp-ben"},
    {"id": "mcp-2", "type": "MCP_KNOWS", "from": "mcp-ada", "to": "mcp-bob"}]


def test_the_public_client_of_the_model_context_protocol(stack, clients):
    lines = "".join(json.dumps(one) + "\n" for one in MCP_GRAPH)
    reply = stack.post("/api/graph/import?refresh=true", lines,
                       headers={"Content-Type": "application/x-ndjson"})
    assert reply.status == 200, reply.body
    reply = stack.post("/api/glossary?refresh=true", {
        "term": "mcp quire", "definition": "twenty-four sheets", "language": "en"})
    assert reply.status == 201, reply.body
    made = stack.post("/api/admin/keys", {
        "name": "mcp-client", "role": "staff", "department": "IT Services",
        "scopes": ["search", "read_documents", "read_glossary", "read_graph"]}).json()
    try:
        run(clients, "mcp.mjs", stack, "", CAIRN=str(BIN / "cairn"), HOME=str(clients),
            CAIRN_API_KEY=made["key"],
            **{name: stack.environment[name] for name in ("ASAN_OPTIONS", "LSAN_OPTIONS")})
    finally:
        stack.delete(f"/api/admin/keys/{made['id']}")
        for node in ("mcp-ada", "mcp-ben", "mcp-bob"):
            stack.delete(f"/api/graph/nodes/{node}?detach=true")


def test_the_openapi_document_is_valid(stack, clients):
    run(clients, "openapi.mjs", stack, "")
