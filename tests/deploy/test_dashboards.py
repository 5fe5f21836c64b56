"""Dashboards and alerts beside a real stack: Prometheus scrapes it, and every panel has data."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml

import promql
from support import MONITORING, ROOT, RULES, SERVICES, alerts, tool

sys.path.insert(0, str(ROOT / "tests" / "support"))

DASHBOARDS = sorted((MONITORING / "grafana" / "dashboards").glob("*.json"))
# Of the cluster or of an operator in it; no stack on one machine has them.
ELSEWHERE = ("kubelet_", "container_", "certmanager_")


def panels():
    """(dashboard, panel, expression) of every panel."""
    return [(path.stem, panel["title"], target["expr"])
            for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"]
            for target in panel.get("targets", [])]


# --- what needs no stack ------------------------------------------------------------------


def test_dashboards_are_well_made():
    seen = set()
    for path in DASHBOARDS:
        board = json.loads(path.read_text())
        assert board["uid"] not in seen and not seen.add(board["uid"])
        assert len([each for each in board["panels"] if each["type"] != "row"]) > 5
        assert len({each["id"] for each in board["panels"]}) == len(board["panels"])
        for panel in board["panels"]:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24
            for target in panel.get("targets", []):
                assert target["datasource"]["uid"] == source_uid()


def source_uid():
    text = (MONITORING / "grafana/provisioning/datasources/prometheus.yaml").read_text()
    return next(each["uid"] for each in yaml.safe_load(text)["datasources"]
                if each["type"] == "prometheus")


def test_the_dashboards_asked_for_are_there():
    assert {path.stem for path in DASHBOARDS} == {"overview", "databases", *SERVICES}


def test_what_alerts_look_at_has_a_panel():
    shown = {promql.family(name) for _, _, expression in panels()
             for name in promql.metrics(expression)}
    for alert in alerts():
        for name in promql.metrics(alert["expr"]):
            if not name.startswith(ELSEWHERE):
                assert promql.family(name) in shown, f"{alert['alert']}: {name}"


# --- beside a stack -----------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Watch:
    """A stack, its exporters, and a Prometheus that looks at all of them each second."""

    def __init__(self, folder, stack):
        self.folder, self.stack = pathlib.Path(folder), stack
        self.processes = []
        self.port = free_port()
        self.turn = 0

    def start(self, *command, **environment):
        log = open(self.folder / f"{pathlib.Path(command[0]).name}.log", "w", encoding="utf-8")
        self.processes.append(subprocess.Popen(
            [str(word) for word in command], stdout=log, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, env=os.environ | environment))

    def targets(self):
        ports = {f"cairn-{name}": urllib.parse.urlsplit(self.stack.env[f"{name.upper()}_OPS_URL"])
                 .port for name in SERVICES}
        ports |= {"postgres": self.start_exporter(
            "prometheus-postgres-exporter", "--web.listen-address=127.0.0.1:{}",
            DATA_SOURCE_NAME=self.stack.env["DATABASE_URL"] + "?sslmode=disable")}
        redis = urllib.parse.urlsplit(self.stack.env["REDIS_URL"])
        ports |= {"redis": self.start_exporter(
            "prometheus-redis-exporter", "--web.listen-address=127.0.0.1:{}",
            REDIS_ADDR=f"redis://{redis.hostname}:{redis.port}", REDIS_PASSWORD=redis.password)}
        return ports

    def start_exporter(self, name, option, **environment):
        program, port = tool(name, package=f"Debian's {name}"), free_port()
        self.start(program, option.format(port), **environment)
        return port

    def begin(self):
        """The shipped configuration, with jobs that find their targets here."""
        config = yaml.safe_load((MONITORING / "prometheus" / "prometheus.yml").read_text())
        ports = self.targets()
        config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s",
                            "evaluation_interval": "1s"}
        config.pop("alerting")
        config["rule_files"] = [str(path) for path in RULES]
        config["scrape_configs"] = [
            {"job_name": job["job_name"],
             "static_configs": [{"targets": [f"127.0.0.1:{ports[job['job_name']]}"]}]}
            for job in config["scrape_configs"] if job["job_name"] in ports]
        path = self.folder / "prometheus.yml"
        path.write_text(yaml.safe_dump(config))
        self.start(tool("prometheus", package="Debian's prometheus"), f"--config.file={path}",
                   f"--storage.tsdb.path={self.folder / 'data'}",
                   f"--web.listen-address=127.0.0.1:{self.port}")

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=30) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise AssertionError(error.read()) from None
            return None  # not ready yet, or too slow just now
        except OSError:
            return None  # it is starting

    def has_data(self, expression):
        found = self.ask("query", query=expression.replace("$__rate_interval", "1m"))
        return bool(found) and any(each["value"][1] not in ("NaN", "+Inf", "-Inf")
                                   for each in found["result"])

    def traffic(self):
        """Something of everything that is measured."""
        self.turn += 1
        stack, name = self.stack, f"watched{self.turn}"
        stack.post("/api/documents", {"id": name, "title": name, "sections": [
            {"title": "One", "text": f"A text on {name}."}]})
        for _ in range(2):  # a miss, and a hit
            stack.search(f"a text on {name}")
        stack.get("/api/graph/search?q=dog")
        stack.get("/api/glossary?q=dog")
        stack.post("/api/graph/nodes", {"labels": ["Watched"], "properties": {"name": name}})
        stack.post("/api/embed", {"model": "", "input": name})
        if self.turn == 1:
            stack.post("/api/backups", {"verify": True})

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(timeout=60)


@pytest.fixture(scope="module")
def watch(tmp_path_factory):
    for name in ("prometheus", "prometheus-postgres-exporter", "prometheus-redis-exporter"):
        tool(name, package=f"Debian's {name}")
    from stack import BIN, Stack
    if not (BIN / "cairn-stack").exists():
        pytest.skip(f"no programs in {BIN} (make BUILD=release)")
    stack = Stack(BACKUP_SCHEDULE="0 2 * * *", SHADOW_RECALL_RATE="1", SNAPSHOT_INTERVAL="1")
    folder = tmp_path_factory.mktemp("watch")
    one = Watch(folder, stack)
    with contextlib.ExitStack() as after:
        after.callback(stack.down)
        stack.up().settled()
        after.callback(one.end)
        one.begin()
        yield one
    shutil.rmtree(folder, ignore_errors=True)


def test_every_panel_has_data(watch):
    from stack import eventually
    missing = dict.fromkeys(panels())

    def none_is_missing():
        watch.traffic()
        for panel in list(missing):
            if watch.has_data(panel[2]):
                del missing[panel]
        return not missing

    eventually(none_is_missing, seconds=300, what=lambda: "\n".join(map(str, missing)))


def test_rules_can_be_evaluated(watch):
    from stack import eventually

    def all_are_well():
        groups = (watch.ask("rules") or {"groups": []})["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return rules and all(rule["health"] == "ok" for rule in rules)

    eventually(all_are_well, seconds=60, what=lambda: str(watch.ask("rules"))[:3000])
    for alert in firing_or_pending(watch):
        assert "error" not in alert["annotations"]["description"], alert


def test_what_is_looked_at_is_exported(watch):
    """By the stack that runs, or, where it counts what did not happen here, in the sources."""
    from stack import eventually
    scraped = set()

    def exporters_were_scraped():
        scraped.update(watch.ask("label/__name__/values") or [])
        return {"pg_up", "redis_up", "up"} <= scraped

    eventually(exporters_were_scraped, seconds=60, what=lambda: str(scraped))
    sources = "".join(path.read_text(errors="replace") for folder in ("services", "libshared")
                      for path in (ROOT / folder).rglob("*.c"))
    counted = set(re.findall(
        r'"((?:cairn|auth|ratelimit|cache|http|embedding|vector)_\w+)"', sources))
    looked_at = [(alert["alert"], alert["expr"]) for alert in alerts()]
    looked_at += [(title, expression) for _, title, expression in panels()]
    for title, expression in looked_at:
        for name in promql.metrics(expression) - {"ALERTS"}:
            assert (name in scraped or promql.family(name) in counted
                    or name.startswith(ELSEWHERE)), f"{title}: {name}"


def firing_or_pending(watch):
    from stack import eventually
    answers = []
    eventually(lambda: answers.append(watch.ask("alerts")) or answers[-1], seconds=60)
    return answers[-1]["alerts"]


def test_a_healthy_stack_is_left_alone(watch):
    """Nothing but notices, and what the short life of this stack explains."""
    from stack import eventually
    eventually(lambda: not [alert for alert in firing_or_pending(watch)
                            if alert["state"] == "firing"
                            and alert["labels"]["severity"] != "info"],
               seconds=120, what=lambda: str(watch.ask("alerts")))


# --- logs ---------------------------------------------------------------------------------


def test_shippers_name_fields_that_lines_have(watch):
    from stack import eventually
    shippers = MONITORING / "shippers"
    named = set(re.findall(r"\bcairn\.(\w+)", (shippers / "filebeat.yml").read_text()))
    for stage in yaml.safe_load((shippers / "promtail.yaml").read_text())[
            "scrape_configs"][0]["pipeline_stages"]:
        named |= set(stage.get("json", {}).get("expressions", {}))
    labels = yaml.safe_load((shippers / "vector.yaml").read_text())["sinks"]["loki"]["labels"]
    named |= set(labels) - {"job"}
    assert {"level", "service", "timestamp", "logger", "request_id", "trace_id"} <= named

    def a_request_has_them_all():
        watch.traffic()
        lines = [json.loads(line) for line in watch.stack.log("gateway").splitlines()
                 if line.startswith("{") and line.endswith("}")]
        return any(named <= set(line) for line in lines)

    eventually(a_request_has_them_all, seconds=60)
