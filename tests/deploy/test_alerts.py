"""Alerts fire when they should, stay silent when they should, and name a runbook."""
import re

import pytest
import yaml

from alert_cases import CASES
from support import MONITORING, ROOT, RULES, alerts, run, tool


# What is recorded is there before the alerts look at it.
GROUPS = sorted((group["name"] for path in RULES
                 for group in yaml.safe_load(path.read_text())["groups"]),
                key=lambda name: name != "cairn-recording")


def promtool():
    return tool("promtool", package="Debian's prometheus")


def test_rules_are_valid():
    assert run(promtool(), "check", "rules", *RULES).returncode == 0


def test_the_configuration_is_valid(tmp_path):
    """With the rules where the container has them, and files that only it has."""
    text = (MONITORING / "prometheus" / "prometheus.yml").read_text()
    text = text.replace("/etc/prometheus/rules", str(RULES[0].parent))
    path = tmp_path / "prometheus.yml"
    path.write_text(text)
    assert run(promtool(), "check", "config", path).returncode == 0
    config = yaml.safe_load(text)
    assert config["global"]["scrape_interval"] == config["global"]["evaluation_interval"] == "15s"


def test_every_alert_has_cases():
    names = [alert["alert"] for alert in alerts()]
    assert sorted(names) == sorted(CASES)
    assert len(names) == len(set(names))


def fires(alert, case, expected):
    minutes, series = case
    firing = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > bool 0'
    samples = [{"labels": "{}", "value": 1}] if expected else []
    return {"name": f"{alert} {'fires' if expected else 'stays silent'}", "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [{"expr": firing, "eval_time": f"{minutes}m",
                                  "exp_samples": samples}]}


def steps(minutes):
    """How often rules are looked at: about a hundred times, the last time at the end."""
    return next(step for step in range(max(1, minutes // 100), 0, -1) if minutes % step == 0)


@pytest.mark.parametrize("alert", CASES)
def test_an_alert_fires_and_stays_silent(alert, tmp_path):
    *loud, quiet = CASES[alert]
    tests = [*(fires(alert, case, True) for case in loud), fires(alert, quiet, False)]
    path = tmp_path / "tests.yml"
    every = steps(CASES[alert][0][0])
    path.write_text(yaml.safe_dump({"rule_files": [str(path) for path in RULES],
                                    "group_eval_order": GROUPS, "tests": tests,
                                    "evaluation_interval": f"{every}m"}))
    done = run(promtool(), "test", "rules", path)
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_what_to_do(alert):
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    notes = alert["annotations"]
    assert notes["summary"] and notes["description"]
    page, heading = re.fullmatch(r"https://cairn\.example\.org/(docs/runbooks\.md)#(\w+)",
                                 notes["runbook_url"]).groups()
    assert heading == alert["alert"].lower()
    assert f"\n## {alert['alert']}\n" in (ROOT / page).read_text()


def test_the_thresholds_asked_for():
    by_name = {alert["alert"]: alert for alert in alerts()}
    for name, duration in (("HighResponseTime", "2m"), ("ApiDown", "1m"),
                           ("DatabaseConnectionPoolExhaustion", "1m"),
                           ("CacheHitRateDecline", "5m")):
        assert by_name[name]["for"] == duration
