"""The clients that are made from /openapi.json, in use against the real stack."""

import importlib
import inspect
import json
import os
import shutil
import subprocess
import sys
import typing

import pytest
from conftest import BIN, ROOT

COLLECTION = "client-py"
PASSWORD = "Battery-Staple-42"
SCOPES = ["search", "read_documents", "write_documents", "read_graph", "write_graph"]


@pytest.fixture(scope="module")
def openapi(tmp_path_factory):
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    with open(path, "wb") as file:
        subprocess.run([BIN / "cairn-gateway", "--openapi"], stdout=file, check=True,
                       stdin=subprocess.DEVNULL, timeout=60)
    return path


def build(openapi, client):
    """The directory of a client, built as `make clients` builds it."""
    done = subprocess.run(
        [ROOT / "scripts/build-clients.sh", openapi, openapi.parent / "clients", client],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return openapi.parent / "clients" / client


@pytest.fixture(scope="module")
def package(openapi):
    sys.path.insert(0, str(build(openapi, "python")))
    yield importlib.import_module("cairn_client")
    sys.path.pop(0)


@pytest.fixture(scope="module")
def identity(stack):
    """A key, and an account with a password."""
    key = stack.post("/api/admin/keys", {"name": "clients", "role": "admin", "scopes": SCOPES})
    user = stack.post("/api/admin/users", {"username": "client.user", "password": PASSWORD,
                                           "role": "student"})
    assert (key.status, user.status) == (201, 201), key.body + user.body
    yield key.json()["key"]
    stack.delete(f"/api/admin/keys/{key.json()['id']}")
    stack.delete(f"/api/admin/users/{user.json()['id']}")


@pytest.fixture
def cairn(package, stack, identity):
    return package.Client(stack.env["GATEWAY_URL"], api_key=identity)


# --- Python


def test_there_is_a_method_for_every_operation(openapi, package):
    document = json.loads(openapi.read_text())
    names = {operation["operationId"] for verbs in document["paths"].values()
             for operation in verbs.values()}
    methods = dict(inspect.getmembers(package.Client, inspect.isfunction))
    assert len(names) > 100 and names <= set(methods)
    for name in names:
        assert "return" in typing.get_type_hints(methods[name])
    for name in document["components"]["schemas"]:
        shape = getattr(package.types, name)
        if typing.is_typeddict(shape):
            typing.get_type_hints(shape)  # every name in it leads somewhere


def test_shapes_say_what_may_be_missing(package):
    result = package.types.SearchResult
    assert "highlight" in result.__optional_keys__ and "text" in result.__required_keys__
    config = typing.get_type_hints(package.types.SearchRequest)["config"]
    assert typing.get_args(typing.get_type_hints(config)["mode"]) == ("hybrid", "vector", "text")


def test_a_name_and_a_password(package, stack, identity):
    client = package.Client(stack.env["GATEWAY_URL"])
    client.sign_in("client.user", PASSWORD)
    assert client.whoami()["username"] == "client.user"
    with pytest.raises(package.CairnError) as refused:
        client.sign_in("client.user", "Wrong-Horse-4242")
    assert refused.value.status == 401


def test_documents_by_a_job_and_their_pages(cairn):
    documents = [{"id": f"client-py-{i}", "title": f"No. {i}", "collection": COLLECTION,
                  "sections": [{"title": "", "text": f"balloon {i}"}]} for i in range(5)]
    lines = "".join(json.dumps(one) + "\n" for one in documents)
    begun = next(iter(cairn.store_documents(lines)))
    told = []
    job = cairn.follow_job(begun["job_id"], told.append)
    assert (job["state"], job["done"], job["failed"]) == ("done", 5, 0)
    assert told[-1]["state"] == "done"
    listed = cairn.pages(cairn.list_documents, "documents", per_page=2, collection=COLLECTION)
    assert sorted(one["id"] for one in listed) == [one["id"] for one in documents]
    results = list(cairn.store_documents((line.encode() for line in lines.splitlines(True)),
                                         wait=True))
    assert [one["status"] for one in results if "line" in one] == ["unchanged"] * 5


def test_a_file(cairn, tmp_path):
    path = tmp_path / 'an "airship".md'
    path.write_text("# Airship\n\nhow to moor a dirigible to a mast")
    stored = cairn.upload(path, id="client-py-file", collection=COLLECTION,
                          metadata={"priority": 2}, refresh=True)
    assert stored["document_id"] == "client-py-file"
    found = cairn.search_documents({"query": "moor dirigible",
                                    "filters": {"collection": COLLECTION}})
    assert found["results"][0]["document_id"] == "client-py-file"
    assert cairn.get_document_file("client-py-file") == path.read_bytes()
    assert cairn.delete_document("client-py-file")["deleted"]


def test_the_graph(cairn):
    nodes = [{"id": f"client-py-{name}", "labels": ["ClientPy"], "properties": {"name": name}}
             for name in ("Ünique", "other")]
    edge = {"id": "client-py-edge", "type": "NEAR", "from": nodes[0]["id"], "to": nodes[1]["id"]}
    lines = "".join(json.dumps(one) + "\n" for one in [*nodes, edge])
    stored = list(cairn.import_graph(lines, format="ndjson", refresh="true"))
    assert stored[-1]["status"] == "done" and stored[-1]["created"] == 3
    asked = {"query": "MATCH (n:ClientPy) WHERE n.name = $name RETURN n.name",
             "parameters": {"name": "Ünique"}}
    assert cairn.graph_query(asked)["rows"] == [["Ünique"]]
    near = cairn.graph_neighbors(nodes[0]["id"], direction="out", limit=1)
    assert [one["id"] for one in near["nodes"]] == [nodes[1]["id"]]
    page = cairn.graph_label("ClientPy", more={"prop.name": "other"})
    assert [one["id"] for one in page["nodes"]] == [nodes[1]["id"]]
    for node in nodes:
        cairn.delete_graph_node(node["id"], detach=True)


def test_what_is_refused(cairn, package, stack):
    def refusal(call, *arguments):
        with pytest.raises(package.CairnError) as refused:
            call(*arguments)
        error = refused.value
        assert error.request_id and str(error)
        return error.status, error.code, error.field

    assert refusal(cairn.get_document, "a/../no-such") == (404, "not_found", None)
    assert refusal(cairn.search_documents, {"query": "x", "config": {"max_results": -1}}) == (
        400, "invalid_request", "config.max_results")
    stranger = package.Client(stack.env["GATEWAY_URL"], api_key="cairn_000000000000_no")
    assert refusal(stranger.whoami) == (401, "invalid_api_key", None)
    with pytest.raises(ValueError):
        package.Client("ftp://127.0.0.1")


# --- TypeScript


def test_the_typescript_client(openapi, stack, identity):
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.fail("node and npm are missing: scripts/deps.sh test installs them")
    where = build(openapi, "typescript")
    environment = {**os.environ, "CAIRN_URL": stack.env["GATEWAY_URL"], "CLIENT": str(where),
                   "KEY": identity, "USER_NAME": "client.user", "PASSWORD": PASSWORD,
                   "NO_PROXY": "*"}
    done = subprocess.run(["node", ROOT / "tests/clients/api.mjs"], env=environment, timeout=300,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail 0" in done.stdout and "pass 0" not in done.stdout, done.stdout
    shutil.copy(ROOT / "tests/clients/typed.ts", where / "src")
    checked = subprocess.run(["npx", "--no-install", "tsc", "--noEmit"], cwd=where, timeout=300,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
