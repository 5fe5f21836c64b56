"""What the tests of manifests and monitoring share: paths, tools, and what they are for."""
import functools
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
K8S = ROOT / "k8s"
MONITORING = ROOT / "compose" / "monitoring"
RULES = sorted((MONITORING / "prometheus" / "rules").glob("*.yml"))
NODE = pathlib.Path(__file__).resolve().parent
SERVICES = ("gateway", "search", "embedder", "graph", "backup")


def tool(name, *, package):
    """The path of a program; without it the test is skipped and says what to install."""
    layer = NODE / "node_modules" / ".tools" / name
    found = shutil.which(name) or (str(layer) if layer.exists() else None)
    if found is None:
        pytest.skip(f"no {name} here ({package})")
    return found


def run(*command, stdin=None, **more):
    done = subprocess.run([str(part) for part in command], input=stdin, text=True,
                          capture_output=True, check=False, **more)
    if done.returncode != 0:
        print(done.stdout[-4000:], done.stderr[-4000:], sep="\n", file=sys.stderr)
    return done


def documents(text):
    return [each for each in yaml.safe_load_all(text) if each]


@functools.cache
def built(folder):
    """What kustomize makes of a folder below k8s/, as text."""
    done = run(tool("kubectl", package="kubectl"), "kustomize", K8S / folder)
    assert done.returncode == 0, folder
    return done.stdout


def alerts():
    """Every alert of every file of rules."""
    return [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"]
            for rule in group["rules"] if "alert" in rule]


def in_ci():
    return os.environ.get("CI") == "true"
