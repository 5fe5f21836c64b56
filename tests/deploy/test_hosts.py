"""Files for machines without containers: units, scripts, proxies."""
import re
import subprocess

import pytest

from support import ROOT, SERVICES, run, tool

COMPOSE = ROOT / "compose"
UNITS = sorted((COMPOSE / "systemd").glob("*.service")) + [COMPOSE / "systemd/cairn.target"]
SCRIPTS = sorted([*ROOT.glob("scripts/*.sh"), *COMPOSE.glob("**/*.sh"),
                  *ROOT.glob("tests/containers/*/*.sh")])


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """The units as they are, but for programs and pages that are not installed here."""
    folder = tmp_path_factory.mktemp("units")
    for unit in UNITS:
        (folder / unit.name).write_text(
            re.sub(r"/usr/local/bin/cairn\S*|Documentation=.*\n", lambda found:
                   "/bin/true" if "bin" in found.group() else "", unit.read_text()))
    return folder


def test_there_is_a_unit_for_each_service():
    assert {unit.stem for unit in UNITS} == {f"cairn-{name}" for name in (*SERVICES, "migrate")} | {
        "cairn"}


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_it(units, unit):
    done = run(tool("systemd-analyze", package="systemd"), "verify", units / unit.name)
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert done.returncode == 0 and not said, done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_units_are_hardened(units, name):
    text = (units / f"cairn-{name}.service").read_text()
    for line in ("Restart=always", "RestartSec=5", "NoNewPrivileges=yes", "ProtectSystem=strict",
                 "CapabilityBoundingSet=", "MemoryDenyWriteExecute=yes"):
        assert re.search(f"^{line}$", text, re.MULTILINE), line
    done = run(tool("systemd-analyze", package="systemd"), "security", "--offline=true",
               "--threshold=25", units / f"cairn-{name}.service")
    assert done.returncode == 0, done.stdout[-300:]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_scripts_are_sound(script):
    shell = "bash" if script.read_text().startswith("#!/bin/bash") else "sh"
    assert subprocess.run([shell, "-n", script], check=False).returncode == 0
    done = run(tool("shellcheck", package="shellcheck"), "--severity=warning", script)
    assert done.returncode == 0, done.stdout


def test_the_firewall_lets_in_what_it_says():
    done = run(COMPOSE / "scripts/firewall.sh", "--dry-run")
    assert done.returncode == 0
    assert "ufw default deny incoming" in done.stdout
    to_all = set(re.findall(r"ufw (?:allow|limit) (\d+)/tcp", done.stdout))
    assert to_all == {"22", "80", "443"}
    assert "172.16.0.0/12 to any port 5432" in done.stdout and "172.0.0.0/8" not in done.stdout
