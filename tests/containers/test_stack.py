"""The stack of compose.yaml: up, asked, scaled, behind its edge, with its database doubled."""

import re
import urllib.error
import urllib.request

from conftest import SERVICES, docker
from stack import eventually

DOCUMENT = {"id": "leave", "title": "Staff handbook",
            "sections": [{"title": "Leave", "text": "Annual leave is asked for in writing."}]}
QUERIES = re.compile(r'^cairn_rpc_server_requests_total\{method="search.query",status="OK"\} (\d+)',
                     re.MULTILINE)


def queries(stack, container):
    said = QUERIES.search(stack.metrics(container, 9101))
    return int(said.group(1)) if said else 0


def finds(stack, number=0, base=None):
    status, reply = stack.call("/api/search", {"query": f"holidays of staff {number}"}, base)
    return status == 200 and any(one["document_id"] == "leave" for one in reply["results"])


def test_five_probes_are_green(stack):
    for service in SERVICES:
        done = stack.run("exec", "-T", service, f"cairn-{service}", "--probe", "ready",
                         check=False)
        assert done.returncode == 0, service


def test_containers_are_closed(stack):
    for service in SERVICES:
        container = stack.ids(service)[0]
        form = "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.Config.User}}"
        said = docker("inspect", "--format", form, container).stdout.split()
        assert said == ["true", "[ALL]", "1000:1000"], service
        assert docker("exec", container, "sh", "-c", "command -v gcc make",
                      check=False).stdout == ""


def test_what_is_stored_is_found(stack):
    eventually(stack.login, 60)
    status, reply = stack.call("/api/documents?refresh=true", DOCUMENT)
    assert status in (200, 201), reply
    assert finds(stack)


def test_a_set_is_restored_in_a_drill(stack):
    eventually(stack.login, 60)
    status, reply = stack.call("/api/backups", {"verify": True})
    assert status in (200, 202), reply

    def proven():
        sets = stack.call("/api/backups")[1]["backups"]
        return any(one.get("proven") == "restored" for one in sets)
    eventually(proven, 120)


def test_three_searches_all_answer(stack):
    """And two embedders: nothing else was changed, names are looked up again and again."""
    eventually(stack.login, 60)
    stack.call("/api/documents?refresh=true", DOCUMENT)
    stack.up("scaled to 3 and 2", "search=3", "embedder=2")
    replicas = stack.ids("search")
    assert len(replicas) == 3 and len(stack.ids("embedder")) == 2
    before = {one: queries(stack, one) for one in replicas}
    asked = 0

    def all_answered():
        nonlocal asked
        for _ in range(10):
            asked += 1
            assert finds(stack, asked)
        return all(queries(stack, one) > before[one] for one in replicas)
    eventually(all_answered, 60)


def test_the_edge_ends_tls(stack):
    eventually(stack.login, 60)
    stack.call("/api/documents?refresh=true", DOCUMENT)
    stack.profiles = ["edge"]
    stack.up("edge", "search=3", "embedder=2")
    secure = f"https://127.0.0.1:{stack.port('nginx', 443)}"
    plain = f"http://127.0.0.1:{stack.port('nginx', 80)}"
    assert finds(stack, base=secure)
    assert stack.call("/metrics", base=secure)[0] == 404

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, req, fp, code, msg, headers, newurl):
            return None

    request = urllib.request.Request(plain + "/health", headers={"Host": "api.example.org"})
    try:
        urllib.request.build_opener(Stay).open(request, timeout=30)
        raise AssertionError("not sent to TLS")
    except urllib.error.HTTPError as error:
        assert error.code == 301
        assert error.headers["Location"] == "https://api.example.org/health"

    def limited():
        status, said = stack.call("/api/documents", DOCUMENT, secure)
        return status == 429 and "rate_limited" in said
    eventually(limited, 30)


def test_prometheus_sees_every_replica(stack):
    """Whatever is scraped is up: five services, PostgreSQL, Redis, nginx."""
    watching = ("prometheus", "alertmanager", "postgres-exporter", "redis-exporter",
                "nginx-exporter")
    stack.profiles = ["edge", "monitoring"]
    stack.up("monitoring", "search=3", "embedder=2", only=watching)
    base = f"http://127.0.0.1:{stack.port('prometheus', 9090)}"

    def all_up():
        targets = stack.call("/api/v1/targets", base=base)[1]["data"]["activeTargets"]
        up = [one["labels"]["job"] for one in targets if one["health"] == "up"]
        return len(up) == len(targets) and set(up) >= {
            *(f"cairn-{name}" for name in SERVICES), "postgres", "redis", "nginx"} and \
            up.count("cairn-search") == 3 and up.count("cairn-embedder") == 2
    eventually(all_up, 120)

    def figures():
        query = "/api/v1/query?query=pg_up%2Bon()redis_up%2Bon()nginx_up"
        result = stack.call(query, base=base)[1]["data"]["result"]
        return result and float(result[0]["value"][1]) == 3
    eventually(figures, 60)
    rules = stack.call("/api/v1/rules", base=base)[1]["data"]["groups"]
    assert rules and all(rule["health"] != "err" for group in rules for rule in group["rules"])


def test_the_database_has_a_replica_and_a_pooler(stack):
    eventually(stack.login, 60)
    with (stack.folder / ".env").open("a") as settings:
        settings.write((stack.folder / "ha.env").read_text())
    stack.profiles = ["edge", "ha"]
    stack.run("--profile", "monitoring", "rm", "--stop", "--force", "prometheus", "alertmanager",
              "postgres-exporter", "redis-exporter", "nginx-exporter")
    stack.up("ha", "search=3", "embedder=2")
    status, reply = stack.call("/api/documents?refresh=true",
                               {**DOCUMENT, "id": "pooled", "title": "By the pooler"})
    assert status in (200, 201) and reply["replicas"]["visible"] == 3, reply

    def copied():
        said = stack.run("exec", "-T", "postgres-replica", "psql", "-U", "postgres", "-d", "cairn",
                         "-Atc", "SELECT pg_is_in_recovery(), count(*) FROM documents").stdout
        return said.startswith("t|") and int(said.split("|")[1]) >= 2
    eventually(copied, 60)
    listening = stack.run("exec", "-T", "postgres", "psql", "-U", "postgres", "-Atc",
                          "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    assert int(listening.stdout) >= 4  # gateway and three searches, past the pooler
