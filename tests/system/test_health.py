"""Probes, health shapes and metrics of all five services."""

import json
import os
import re
import signal
import subprocess

import pytest
from conftest import ADMIN, BIN, eventually

SERVICES = ("gateway", "search", "embedder", "graph", "backup")


@pytest.mark.parametrize("service", SERVICES)
def test_probes_on_the_ops_port(stack, service):
    for path in ("/livez", "/readyz", "/health/liveness", "/health/ready", "/health/ping"):
        assert stack.get(path, base=stack.ops(service)).status == 200, path
    assert stack.get("/nothing", base=stack.ops(service)).status == 404
    assert stack.post("/livez", "", base=stack.ops(service)).status == 405


@pytest.mark.parametrize("service", SERVICES)
def test_metrics_pass_promtool(stack, service):
    stack.search("metrics")
    stack.get("/no/such/route")
    text = stack.get("/metrics", base=stack.ops(service)).body
    checked = subprocess.run(["promtool", "check", "metrics"], input=text,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert checked.returncode == 0, checked.stdout.decode()
    assert checked.stdout == b"", checked.stdout.decode()
    for name in (b"process_resident_memory_bytes", b"process_cpu_seconds_total",
                 b"cairn_build_info", b"cairn_heap_used_bytes", b"cairn_heap_free_bytes"):
        assert name in text


def test_metrics_on_the_public_port_too(stack):
    reply = stack.get("/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain")
    open_metrics = stack.get("/metrics",
                             headers={"Accept": "application/openmetrics-text"}).body
    assert open_metrics.endswith(b"# EOF\n")
    assert stack.get("/health/metrics").body.startswith(b"# HELP")
    as_json = stack.get("/health/metrics", headers={"Accept": "application/json"})
    assert isinstance(as_json.json(), dict)


def test_what_alerts_look_at_is_there(stack):
    text = stack.get("/metrics").body.decode()
    for series in ('cairn_health_check{check="search",required="true"} ',
                   "cairn_gateway_disk_free_ratio 0.", "cairn_gateway_memory_used_ratio 0."):
        assert series in text, series
    search = stack.get("/metrics", base=stack.ops("search")).body.decode()
    assert 'cairn_health_check{check="database",required="' in search
    assert 'cairn_search_degraded_total{reason="embedding"} ' in search


def test_the_originals_metric_names(stack):
    stack.search("counted", user=ADMIN)
    text = stack.get("/metrics").body.decode()
    assert ('vector_search_requests_total{method="POST",endpoint="search_documents",'
            'status="200"}') in text
    assert "# HELP vector_search_requests_total Total requests" in text
    for bound in ("0.1", "0.5", "1", "+Inf"):
        assert any(line.startswith("vector_search_request_duration_seconds_bucket") and
                   f'le="{bound}"' in line.replace('"1.0"', '"1"')
                   for line in text.splitlines()), bound
    assert 'vector_search_queries_total{user_role="admin",department="none"}' in text
    assert "http_requests_total{" in text
    stack.get("/a/path/that/does/not/exist")
    text = stack.get("/metrics").body.decode()
    assert 'endpoint="unmatched"' in text
    assert "/a/path" not in text


def test_health_has_the_union_shape(stack):
    def known():  # what was loaded shows once search and gateway have looked again
        answer = stack.get("/health").json()
        counted = answer["components"]["database"].get("chunk_count", 0) > 0
        return answer if answer["status"] == "healthy" and counted else None

    answer = eventually(known, what=lambda: stack.get("/health").body)
    for name in ("status", "healthy", "overall_healthy", "version", "timestamp",
                 "check_duration_ms", "issues", "components", "subsystems", "checks"):
        assert name in answer, name
    components = answer["components"]
    for name in ("app", "database", "embedding_service", "cache", "search_functionality",
                 "graph", "backups", "disk", "memory"):
        assert name in components, name
    assert components["database"]["pool_size"] == 20  # DB_POOL_MAX_SIZE
    assert components["embedding_service"]["embedding_length"] > 0
    assert components["search_functionality"]["end_to_end_functional"] is True
    assert components["disk"]["free_gb"] > 0
    assert 0 < components["memory"]["used_percent"] < 100


@pytest.mark.parametrize("profile, members", [
    ("garden", {"status", "components", "version", "timestamp"}),
    ("glossary", {"status", "timestamp"}),
    ("checks", {"status", "checks", "timestamp"}),
    ("vector", {"overall_healthy", "timestamp", "components"}),
])
def test_each_originals_profile(stack, profile, members):
    reply = stack.get(f"/health?profile={profile}")
    assert reply.status == 200
    assert members <= set(reply.json())


def test_the_detailed_page_has_the_glossarys_subsystems(stack):
    page = stack.get("/health/detailed").json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", page["timestamp"])
    assert isinstance(page["check_duration_ms"], float) and isinstance(page["issues"], list)
    parts = page["subsystems"]
    assert parts["fts_search"]["indexed_entries"] == parts["database"]["entry_count"]
    assert 0 <= parts["fts_search"]["lag_seconds"] < 60
    assert "latest_backup" in parts["backups"]
    assert parts["performance"]["avg_response_time_ms"] >= 0
    assert all("status" in part for part in parts.values())


def test_statistics_come_from_every_service(new_stack):
    stack = new_stack(SEARCH_REPLICAS=2, EMBEDDER_REPLICAS=2).settled()

    def whole():
        page = stack.get("/api/admin/stats").json()
        counts = {name: len(one["replicas"]) for name, one in page["services"].items()}
        healthy = all(one["status"] == "healthy" for service in page["services"].values()
                      for one in service["replicas"])
        all_there = [counts.get(name) for name in SERVICES] == [1, 2, 2, 1, 1]
        return page if all_there and healthy and page["cache"]["used_memory"] else None

    stack.put(id="s-1", title="Counted", text="counted by the statistics")
    page = eventually(whole, seconds=60, what=lambda: stack.get("/api/admin/stats").body)
    assert set(page) == {"database", "cache", "system", "services"}
    assert set(page["services"]) == set(SERVICES)
    assert set(page["database"]) == {"pool_size", "active_connections"}
    replicas = [one for service in page["services"].values() for one in service["replicas"]]
    assert page["database"]["pool_size"] == \
        sum(one["database"]["pool_size"] for one in replicas) > 0
    assert len({one["instance"] for one in replicas if "instance" in one}) == \
        len(replicas) - 1  # a gateway has no name on the bus
    for one in replicas:
        assert one["uptime"] > 0 and one["resident_bytes"] > 1 << 20
    assert set(page["cache"]) == {"used_memory", "connected_clients", "keyspace_hits",
                                  "keyspace_misses"}
    assert set(page["services"]["gateway"]["replicas"][0]["answers"]) == {
        "entries", "bytes", "hits", "misses"}
    assert re.fullmatch(r"\d+\.\dMB", page["cache"]["used_memory"])
    assert page["cache"]["connected_clients"] > 0
    before = page["system"]
    after = stack.get("/api/admin/stats").json()["system"]
    assert after["uptime"] > before["uptime"]
    assert after["requests_total"] > before["requests_total"] > 0
    assert 0 < after["avg_response_time"] < 60


def test_what_is_out_degrades_and_says_why(new_stack):
    stack = new_stack(HEALTH_DISK_MIN_FREE_PERCENT=101).settled()

    def page():
        return stack.get("/health?refresh=1")

    def degraded_by(part):
        reply = page()
        return reply.status == 200 and reply.json()["status"] == "degraded" and any(
            issue.startswith(part + ": ") for issue in reply.json()["issues"])

    eventually(lambda: degraded_by("disk"), seconds=60, what=lambda: page().body)
    assert stack.get("/health?profile=checks").status == 503
    redis = stack.signal("redis", signal.SIGSTOP)
    try:
        eventually(lambda: degraded_by("cache"), seconds=60, what=lambda: page().body)
        assert page().json()["components"]["cache"]["connection_active"] is False
        assert stack.get("/api/admin/stats").json()["cache"]["used_memory"] is None
    finally:
        os.kill(redis, signal.SIGCONT)


def test_a_lost_database_is_unhealthy_and_alive(new_stack):
    stack = new_stack().settled()

    def explorer_says(word):  # while searches go on
        components = stack.get("/health?profile=garden").json()["components"]
        return components["db"] == word and stack.get("/health").status == 200

    def database_is_lost():
        reply = stack.get("/health")
        return reply.status == 503 and not reply.json()["components"]["database"]["healthy"]

    eventually(lambda: explorer_says("ok"), seconds=60)
    stack.psql("ALTER TABLE users RENAME TO users_elsewhere")
    eventually(lambda: explorer_says("error"), seconds=60)
    stack.psql("ALTER TABLE users_elsewhere RENAME TO users")
    with stack.stopped("postgres"):
        eventually(database_is_lost, seconds=60)
        assert stack.get("/health?profile=garden").status == 200
        for path in ("/health/liveness", "/livez", "/health/ping"):
            assert stack.get(path).status == 200
    eventually(lambda: stack.get("/health").status == 200, seconds=60)


def test_public_probes(stack):
    assert stack.get("/health/ping").json() == {"status": "ok", "message": "pong"}
    for path in ("/health/ready", "/readyz", "/health/liveness", "/livez"):
        assert stack.get(path).status == 200
    for service in ("search", "embedder", "graph", "backup"):
        assert stack.get(f"/health/ping/{service}").json()["message"] == "pong"
    assert stack.get("/health/ping/nobody").status == 404


def test_the_probe_command(stack):
    for want, port in ((0, stack.ops("search").rsplit(":", 1)[1]), (1, "1")):
        done = subprocess.run([BIN / "cairn-search", "--probe", "ready"],
                              env={**stack.environment, "OPS_PORT": port}, timeout=30)
        assert done.returncode == want


def test_bad_settings_stop_the_start_and_are_named_together(stack):
    done = subprocess.run([BIN / "cairn-gateway"], timeout=30, stderr=subprocess.PIPE,
                          stdout=subprocess.PIPE,
                          env={**stack.environment, "API_PORT": "many", "LOG_FORMAT": "xml"})
    assert done.returncode != 0
    assert b"API_PORT" in done.stderr and b"LOG_FORMAT" in done.stderr


def test_secrets_are_in_no_log_and_no_print(stack):
    secret = stack.env["DATABASE_URL"].split(":")[2].split("@")[0]
    assert len(secret) > 16
    for service in SERVICES:
        assert secret not in stack.log(service)
        done = subprocess.run([BIN / f"cairn-{service}", "--print-config"], timeout=30,
                              stdout=subprocess.PIPE, text=True,
                              env={**stack.environment, "DATABASE_URL":
                                   stack.env["DATABASE_URL"]})
        assert done.returncode == 0
        assert secret not in done.stdout


def test_logs_are_json_lines(stack):
    stack.search("log me")
    for service in SERVICES:
        lines = stack.log(service).splitlines()
        assert lines
        for line in lines:
            entry = json.loads(line)
            assert {"timestamp", "level", "service", "message"} <= set(entry), line


def test_openapi_describes_what_answers(stack):
    document = stack.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert document["paths"]["/api/search"]["post"]["requestBody"]
    for path, operations in document["paths"].items():
        for method in operations:
            if method not in ("get", "post", "put", "delete"):
                continue
            probe = path.replace("{id}", "nothing").replace("{service}", "search")
            body = b"" if method in ("post", "put") else None
            reply = stack.request(method.upper(), probe, body)
            assert reply.status != 405, (method, path)
            if "{" not in path:
                assert reply.status != 404, (method, path)
    assert stack.get("/docs").headers["Content-Type"].startswith("text/html")


def test_the_small_services_answer_one_method_each(stack):
    schema = stack.get("/api/graph/schema").json()
    assert schema["labels"] == [] or isinstance(schema["labels"][0]["name"], str)
    assert stack.get("/api/backups").json()["backups"] == []


def test_refresh_probes_anew(stack):
    for path in ("/health", "/health/detailed"):
        before = stack.get(path).json()["timestamp"]
        first = stack.get(path + "?refresh=1").json()["timestamp"]
        second = stack.get(path + "?refresh=true").json()["timestamp"]
        assert before < first < second


def test_the_names_of_the_original_are_kept(stack):
    stack.put(id="kept-names", title="Names", text="kept for the dashboards")
    stack.search("dashboards")
    gateway = stack.get("/metrics").body.decode()
    for name in ("vector_search_requests_total{", "vector_search_request_duration_seconds_",
                 "vector_search_active_connections ", "vector_search_queries_total{",
                 "http_requests_total{", "http_request_duration_seconds_",
                 'vector_search_embedding_requests_total{status="success"} '):
        assert "\n" + name in gateway, name
    embedder = stack.get("/metrics", base=stack.ops("embedder")).body.decode()
    for name in ("embedding_requests_total{", "cache_operations_total{"):
        assert "\n" + name in embedder, name
