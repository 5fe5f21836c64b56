"""The chart says the same as the kustomize base and overlays, field for field."""
import json
import re

import pytest

from support import K8S, NODE, built, documents, run

CHART = K8S / "helm" / "cairn"
GENERATED = re.compile(r"^(cairn-\w+)-[a-z0-9]{10}$")


def rendered(helm, *more):
    done = run(helm, "template", "cairn", CHART, "--namespace", "cairn", *more)
    assert done.returncode == 0
    return done.stdout


def plain_name(value):
    """kustomize puts a hash behind the names of ConfigMaps that it makes."""
    found = GENERATED.match(value)
    return found[1] if found else value


def in_order(value):
    return json.dumps(value, sort_keys=True)


def plain(value):
    """Without what only one of both tools adds, and without order where it means nothing."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()
                if not name.startswith(("helm.sh/", "checksum/"))
                and name != "app.kubernetes.io/managed-by" and each not in ({}, [])}
    if isinstance(value, list):
        values = [plain(each) for each in value]
        named = all(isinstance(each, dict) and ("name" in each or "key" in each or "to" in each)
                    for each in values)
        return sorted(values, key=in_order) if named else values
    return plain_name(" ".join(value.split())) if isinstance(value, str) else value


def objects(text, *, without=("Namespace",)):
    found = {}
    for each in documents(text):
        if each["kind"] in without:
            continue
        each = plain(each)
        if not each["metadata"].get("annotations", True):
            del each["metadata"]["annotations"]
        each["metadata"].pop("namespace", None)
        found[each["kind"], each["metadata"]["name"]] = drop_empty(each)
    return found


def drop_empty(value):
    """A map whose members were all left out is none."""
    if isinstance(value, dict):
        kept = {name: drop_empty(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each != {}}
    return [drop_empty(each) for each in value] if isinstance(value, list) else value


def test_the_chart_is_sound(helm):
    done = run(helm, "lint", "--strict", CHART, "-f", CHART / "values-prod.yaml")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("folder", "options"), [
    ("base", ["--kube-version", "1.30.0"]),
    ("overlays/prod", ["--kube-version", "1.30.0", "-f", CHART / "values-prod.yaml"]),
    ("overlays/legacy", ["--kube-version", "1.20.15", "-f", CHART / "values-prod.yaml"])])
def test_the_chart_makes_what_kustomize_makes(helm, folder, options):
    theirs = objects(rendered(helm, *options))
    ours = objects(built(folder))
    assert theirs.keys() == ours.keys()
    for name, document in ours.items():
        assert theirs[name] == document, name


def test_the_chart_is_valid(helm, node):
    for version, kube in (("current", "1.30.0"), ("1.20", "1.20.15")):
        text = rendered(helm, "--kube-version", kube, "-f", CHART / "values-prod.yaml",
                        "--set", "backupCronJob.enabled=true")
        done = run(node, NODE / "manifests.mjs", version, stdin=text)
        assert done.returncode == 0, done.stdout


def test_changed_settings_restart_their_services(helm):
    def checksums(*more):
        return {each["metadata"]["name"]: each["spec"]["template"]["metadata"]["annotations"]
                for each in documents(rendered(helm, *more)) if each["kind"] == "Deployment"}
    before = checksums()
    after = checksums("--set", "settings.redis.REDIS_HOST=elsewhere")
    changed = {name for name, each in before.items() if after[name] != each}
    assert changed == {"cairn-gateway", "cairn-embedder"}
