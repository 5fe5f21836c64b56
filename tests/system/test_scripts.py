"""The scripts that operators run against any URL, against a real stack."""

import json
import os
import subprocess

from conftest import ROOT, eventually


def run(script, *arguments, **settings):
    return subprocess.run([ROOT / "scripts" / script, *arguments], capture_output=True, text=True,
                          check=False, timeout=120, env={**os.environ, **settings})


def test_health_check_says_what_health_says(stack):
    def agrees():
        said = json.loads(stack.get("/health").body)["status"]
        done = run("health_check.sh", stack.env["GATEWAY_URL"])
        status = 503 if said == "unhealthy" else 200
        return (f": {said} ({status})" in done.stdout and
                done.returncode == {"healthy": 0, "degraded": 1, "unhealthy": 2}[said])
    eventually(agrees, 60)
    gone = run("health_check.sh", "http://127.0.0.1:1")
    assert gone.returncode == 2 and "unreachable" in gone.stdout


def test_smoke_test_passes_and_fails(stack):
    done = run("smoke_test.sh", stack.env["GATEWAY_URL"], SMOKE_WRITE="1")
    assert done.returncode == 0, done.stdout
    assert "ok      it is found" in done.stdout and "FAILED" not in done.stdout
    refused = run("smoke_test.sh", stack.env["GATEWAY_URL"], CAIRN_TOKEN="no.such.token")
    assert refused.returncode == 1 and "FAILED  a search answers: 401" in refused.stdout
