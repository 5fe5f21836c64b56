"""Workflows for users' forges: sound, and in step with .ci/run and the Makefile."""
import re

import pytest
import yaml

from support import NODE, ROOT, run

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def load(name):
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())


def steps(job):
    return [step["run"] for step in job["steps"] if "run" in step]


def made(text):
    """The targets that a script calls make with."""
    return {target for line in text.splitlines() if line.startswith("make ")
            for target in line.split()[1:] if "=" not in target}


def test_workflows_are_sound(node):
    done = run(node, NODE / "workflows.mjs", *WORKFLOWS)
    assert done.returncode == 0, done.stdout


def test_a_fault_is_found(node, tmp_path):
    path = tmp_path / "bad.yml"
    path.write_text("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
                    "      - run: echo ${{ matrix.none }}\n")
    assert run(node, NODE / "workflows.mjs", path).returncode == 1


def test_ci_runs_what_ci_run_runs():
    jobs = load("ci")["jobs"]
    asked = made((ROOT / ".ci" / "run").read_text())
    assert asked == {"lint", "test"}
    for target in asked:
        assert target in made("\n".join(steps(jobs[target])))


def test_every_target_there_is():
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.M))
    for path in WORKFLOWS:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            assert made("\n".join(steps(job))) <= targets, path


def test_the_matrix_is_two_releases_and_two_compilers():
    matrix = load("ci")["jobs"]["test"]["strategy"]["matrix"]
    assert matrix == {"debian": ["bookworm", "trixie"], "cc": ["gcc", "clang"]}


def test_every_image_is_built_and_scanned():
    job = load("ci")["jobs"]["images"]
    makefile = (ROOT / "Makefile").read_text()
    images = re.search(r"^IMAGES\s*:?=\s*(.*)$", makefile, re.M)[1].split()
    assert job["strategy"]["matrix"]["image"] == images
    text = str(job["steps"])
    for word in ("ghcr.io", "type=semver", "type=gha", "trivy-action", "upload-sarif"):
        assert word in text
    for name in images:
        path = ROOT / ("cli" if name == "tools" else f"services/{name}") / "Dockerfile"
        assert path.exists()
    # nothing is pushed that did not pass
    assert {"lint", "test"} <= set(job["needs"])


def test_triggers():
    for name, value in load("ci").items():
        if name in (True, "on"):  # YAML reads `on` as true
            assert value["push"] == {"branches": ["main", "master", "develop"], "tags": ["v*"]}
            assert "pull_request" in value


def test_deploys_go_to_the_host_and_are_asked_there():
    jobs = load("deploy")["jobs"]
    for name, job in jobs.items():
        assert job["environment"]["name"] == name
        text = str(job["steps"])
        for secret in ("HOST", "USER", "SSH_KEY"):
            assert f"secrets.{name.upper()}_{secret}" in text
        assert "scripts/deploy.sh" in text and "/health" in text


# --- scripts/deploy.sh ----------------------------------------------------------------------


class Host:
    """A machine whose docker and curl are scripts that note what they are asked."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("compose", "scripts", "bin"):
            (folder / name).mkdir()
        script = folder / "scripts" / "deploy.sh"
        script.write_text((ROOT / "scripts" / "deploy.sh").read_text())
        self.program("docker", 'echo "docker $CAIRN_TAG $*" >>"$NOTES"')
        self.program("curl", '! grep -q "^CAIRN_TAG=bad$" .env')
        self.env_file.write_text("ADMIN_USERNAME=admin\nCAIRN_TAG=v1\n")

    @property
    def env_file(self):
        return self.folder / "compose" / ".env"

    def program(self, name, text):
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def deploy(self, *words):
        return run("sh", self.folder / "scripts" / "deploy.sh", *words,
                   env={"PATH": f"{self.folder}/bin:/usr/bin:/bin",
                        "NOTES": str(self.folder / "notes")})

    def notes(self):
        path = self.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_a_good_release_stays(host):
    assert host.deploy("v2").returncode == 0
    assert host.env_file.read_text() == "ADMIN_USERNAME=admin\nCAIRN_TAG=v2\n"
    assert [note.split()[1:4] for note in host.notes()] == [["v2", "compose", "pull"],
                                                            ["v2", "compose", "up"]]


def test_a_bad_release_goes_back(host):
    done = host.deploy("bad")
    assert done.returncode == 1
    assert "back to v1" in done.stderr
    assert "CAIRN_TAG=v1\n" in host.env_file.read_text()
    assert [note.split()[1] for note in host.notes()] == ["bad", "bad", "v1", "v1"]


def test_a_release_that_does_not_start_goes_back(host):
    host.program("docker", 'echo "docker $CAIRN_TAG $*" >>"$NOTES"\n'
                           '[ "$CAIRN_TAG $2" != "v2 up" ]')
    assert host.deploy("v2").returncode == 1
    assert "CAIRN_TAG=v1\n" in host.env_file.read_text()


def test_rollback_goes_to_the_tag_before(host):
    assert host.deploy("--rollback").returncode == 2  # there is none
    assert host.deploy("v2").returncode == 0
    assert host.deploy("--rollback").returncode == 0
    assert "CAIRN_TAG=v1\n" in host.env_file.read_text()


def test_dry_run_does_nothing(host):
    done = host.deploy("--dry-run", "v2")
    assert done.returncode == 0 and "docker compose up" in done.stdout
    assert host.notes() == [] and "CAIRN_TAG=v1\n" in host.env_file.read_text()


def test_what_is_no_tag_is_refused(host):
    for words in (["v2; rm -rf /"], ["--force"], [], ["a", "b"]):
        assert host.deploy(*words).returncode == 2
    assert host.notes() == []
