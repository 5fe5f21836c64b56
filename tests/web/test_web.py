"""The web pages in Debian's Chromium, against a stack that asks everybody to sign in: make
test-web. Each *.test.mjs is a program for node's test runner; support/browser.mjs is what they
share. Pictures are left in build/web-screenshots."""

import json
import os
import pathlib
import subprocess

import pytest
from conftest import PEOPLE, ROOT

HERE = pathlib.Path(__file__).resolve().parent


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_pages(stack, scripts, name):
    environment = {**os.environ, "CAIRN_URL": stack.env["GATEWAY_URL"], "NO_PROXY": "*",
                   "PEOPLE": json.dumps(PEOPLE),
                   "SCREENSHOTS": str(ROOT / "build/web-screenshots")}
    if "PICTURES" in environment:  # see paint.test.mjs
        environment["PICTURES"] = str(ROOT / environment["PICTURES"])
    done = subprocess.run(["node", name], cwd=scripts, env=environment, timeout=900,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    print("\n".join(line for line in done.stdout.splitlines() if "first page:" in line))
    assert done.returncode == 0, done.stdout + done.stderr + stack.logs()
    assert "fail 0" in done.stdout and "pass 0" not in done.stdout, done.stdout
