"""Every route of the API has a command: each is run against a server that only remembers
what it was asked."""

import json
import re

import pytest
from cairn import Cairn
from fake_cairn import Answer, FakeCairn

# Routes that another command's route answers as well, and for whom they are.
OTHERS = {
    "search_documents_get": "search_documents, in an address bar",
    "embeddings": "embed, as older Ollama clients ask",
    "openai_embeddings": "embed, as clients of OpenAI ask",
    "openai_models": "models",
    "openai_model": "show_model",
    "version": "health_check says it, too",
    "reject_candidate": "reject_candidates with one id",
    "reopen_candidate": "reopen_candidates with one id",
}

COMMANDS = {
    "health_ping": "ping",
    "health_ping_service": "ping search",
    "health_check": "health",
    "health_detailed": "health --detailed",
    "health_metrics": "metrics --json",
    "health_ready": "ping --ready",
    "health_liveness": "ping --live",
    "metrics": "metrics",
    "openapi": "openapi",
    "docs": "openapi --page",
    "clear_cache": "cache clear",
    "error_stats": "errors",
    "list_audit": "audit",
    "admin_stats": "status",
    "admin_stats_history": "history",
    "search_documents": "search words",
    "suggest": "suggest word",
    "store_document": "ingest {md} --no-resume",
    "store_documents": "ingest {ndjson} --no-resume",
    "list_documents": "documents list",
    "query_documents": "documents query",
    "get_document": "documents get 1",
    "delete_document": "documents delete 1",
    "list_passages": "documents passages 1",
    "get_document_file": "documents file 1",
    "explain_access": "documents access 1",
    "report_document": "documents report 1",
    "list_collections": "collections list",
    "get_collection": "collections get c",
    "define_collection": "collections set c --title t",
    "delete_collection": "collections delete c",
    "list_jobs": "jobs list",
    "get_job": "jobs get 1",
    "cancel_job": "jobs cancel 1",
    "watch_job": "jobs watch 1",
    "retry_job": "jobs retry 1",
    "reindex": "generations build m",
    "list_generations": "generations list",
    "compare_generations": "generations compare {a} {b}",
    "roll_back_generation": "generations rollback",
    "activate_generation": "generations activate {a}",
    "drop_generation": "generations delete {a}",
    "embed": "embed words",
    "models": "models list",
    "show_model": "models show m",
    "graph_schema": "graph schema",
    "graph_labels": "graph labels",
    "graph_label": "graph nodes L",
    "graph_node": "graph node 1",
    "put_graph_node": "graph update 1 -p a=1",
    "delete_graph_node": "graph delete 1",
    "graph_neighbors": "graph neighbours 1",
    "graph_search": "graph search words",
    "graph_similar": "graph similar 1",
    "graph_path": "graph path 1 2",
    "graph_paths": "graph paths 1 2",
    "graph_subgraph": "graph subgraph 1",
    "graph_query": "graph query RETURN",
    "create_graph_node": "graph create L",
    "create_graph_edge": "graph create --type T --from 1 --to 2",
    "graph_edge": "graph edge 1",
    "put_graph_edge": "graph update 1 --edge -p a=1",
    "delete_graph_edge": "graph delete 1 --edge",
    "merge_graph_node": "graph merge L -k a=1",
    "graph_analysis": "graph analyse pagerank",
    "import_graph": "graph import {ndjson}",
    "export_graph": "graph export",
    "list_backups": "backup list",
    "make_backup": "backup create",
    "show_backup_schedule": "backup schedule",
    "prune_backups": "backup prune",
    "undo_restore": "backup undo",
    "list_backup_runs": "backup runs",
    "get_backup_run": "backup create",
    "watch_backup_run": "backup create",
    "cancel_backup_run": "backup cancel 1",
    "get_maintenance": "maintenance show",
    "enter_maintenance": "maintenance enter",
    "leave_maintenance": "maintenance leave",
    "get_backup": "backup show 1",
    "delete_backup": "backup delete 1",
    "verify_backup": "backup verify 1",
    "drill_backup": "backup drill 1",
    "copy_backup": "backup copy 1",
    "restore_backup": "backup restore 1",
    "login": "login -u ada",
    "logout": "logout",
    "whoami": "whoami",
    "refresh_login": "refresh",
    "change_password": "password",
    "list_api_keys": "keys list",
    "create_api_key": "keys create k -r staff -s search",
    "get_api_key": "keys show 1",
    "revoke_api_key": "keys revoke 1",
    "list_roles": "roles",
    "list_users": "users list",
    "create_user": "users add ada -r staff",
    "get_user": "users show {id}",
    "change_user": "users disable {id}",
    "delete_user": "users delete {id}",
    "list_glossary": "glossary list",
    "create_term": "glossary add t --definition d",
    "import_glossary": "glossary import {csv}",
    "export_glossary": "glossary export",
    "extract_terms": "glossary extract",
    "list_candidates": "glossary candidates",
    "accept_candidates": "glossary accept 1 2",
    "reject_candidates": "glossary reject 1 2",
    "reopen_candidates": "glossary reopen 1 2",
    "accept_candidate": "glossary accept 1 --definition d",
    "look_up_term": "glossary lookup term de",
    "get_term": "glossary show 1",
    "change_term": "glossary validate 1",
    "delete_term": "glossary delete 1",
    "list_relations": "glossary relations 1",
    "add_relation": "glossary relate 1 RELATED 2",
    "delete_relation": "glossary unrelate 1 RELATED 2",
}

WORDS = {"a": "a" * 64, "b": "b" * 64, "id": "0" * 8 + "-0000-0000-0000-" + "0" * 12}
# Good for many things: a login, a job that is done, a run that is.
DONE = {"job_id": "1", "run_id": "1", "state": "done", "status": "healthy", "result": {},
        "access_token": "a.b.c", "csrf_token": "t"}


def answer(request):
    if request.path.endswith("/events"):
        return Answer(200, f"event: job\ndata: {json.dumps(DONE)}\n\n".encode(),
                      Content_Type="text/event-stream")
    busy = (request.method, request.path) == ("POST", "/api/backups")
    return Answer(200, {**DONE, "state": "running"} if busy else DONE,
                  Set_Cookie="cairn_session=one; Path=/")


@pytest.fixture(scope="module")
def recorder():
    server = FakeCairn()
    server.answer = answer
    yield server
    server.close()


@pytest.fixture(scope="module")
def cairn(recorder, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    for ending, text in (("md", "# T\n\ntext\n"), ("csv", "term,definition\nt,d\n"),
                         ("ndjson", '{"id":"1","labels":["L"],"title":"t","text":"x"}\n')):
        (home / f"file.{ending}").write_text(text)
    one = Cairn(home, recorder.url)
    one.run("login", "-u", "ada", stdin="secret\n")
    return one


@pytest.fixture(scope="module")
def routes(stack):
    """operationId: method and a pattern of the path."""
    paths = stack.get("/openapi.json").json()["paths"]
    return {one["operationId"]: (method.upper(), re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)))
            for path, methods in paths.items() for method, one in methods.items()}


def test_every_route_has_a_command(routes):
    missing = set(routes) - set(COMMANDS) - set(OTHERS)
    assert not missing, f"routes without a command of `cairn`: {sorted(missing)}"
    gone = (set(COMMANDS) | set(OTHERS)) - set(routes)
    assert not gone, f"there are no such routes any more: {sorted(gone)}"


def test_each_command_asks_its_route(cairn, recorder, routes):
    def asks(operation, words):
        files = {e: cairn.home / f"file.{e}" for e in ("md", "csv", "ndjson")}
        recorder.requests.clear()
        if operation in ("refresh_login", "logout"):  # another one ended the session
            cairn.run("login", "-u", "ada", stdin="secret\n")
        # what is answered is no answer to most of them: what they make of it is not the point
        with open(cairn.home / "stdin") as typed:
            said = cairn.start(*words.format(**WORDS, **files).split(), stdin=typed).communicate(
                timeout=60)[1]
        assert "Sanitizer" not in said, said
        method, path = routes[operation]
        return any(one.method == method and re.fullmatch(path, one.path.split("?")[0])
                   for one in recorder.requests)

    (cairn.home / "stdin").write_text("secret\nanother\n")
    wrong = [f"{words} does not ask {routes[operation]}: "
             f"{[(one.method, one.path) for one in recorder.requests]}"
             for operation, words in COMMANDS.items()
             if operation in routes and not asks(operation, words)]
    assert not wrong, "\n".join(wrong)
