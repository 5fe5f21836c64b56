"""Who is told of what."""
import pytest
import yaml

from support import MONITORING, alerts, run, tool

CONFIG = MONITORING / "alertmanager" / "alertmanager.yml"


def amtool():
    return tool("amtool", package="Debian's prometheus-alertmanager")


def test_the_configuration_is_valid():
    assert run(amtool(), "check-config", CONFIG).returncode == 0


@pytest.mark.parametrize(("severity", "receiver"), [
    ("critical", "on-call"), ("warning", "warnings"), ("info", "notices"), ("new", "warnings")])
def test_severities_go_to_their_receivers(severity, receiver):
    done = run(amtool(), "config", "routes", "test", f"--config.file={CONFIG}",
               f"--verify.receivers={receiver}", f"severity={severity}", "alertname=X")
    assert done.returncode == 0, done.stdout


def test_every_severity_of_an_alert_has_a_route():
    routes = yaml.safe_load(CONFIG.read_text())["route"]["routes"]
    known = {route["matchers"][0].split('"')[1] for route in routes}
    assert {alert["labels"]["severity"] for alert in alerts()} == known


def test_inhibitions_name_alerts_that_there_are():
    names = {alert["alert"] for alert in alerts()}
    for rule in yaml.safe_load(CONFIG.read_text())["inhibit_rules"]:
        assert rule["source_matchers"][0].split('"')[1] in names


def test_secrets_are_files():
    text = CONFIG.read_text()
    for setting in ("smtp_auth_password_file:", "slack_api_url_file:", "routing_key_file:"):
        assert f"{setting} /run/secrets/" in text
    for receiver in ("email_configs", "slack_configs", "pagerduty_configs"):
        assert receiver in text
    for plain in ("smtp_auth_password:", "slack_api_url:", "routing_key:", "service_key:"):
        assert plain not in text
