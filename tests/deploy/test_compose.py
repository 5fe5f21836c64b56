"""compose.yaml and the images, as far as that goes without an engine."""
import pathlib
import re
import shutil

import pytest
import yaml

from support import ROOT, SERVICES, run, tool

COMPOSE = ROOT / "compose"
DOCKERFILES = {**{name: ROOT / f"services/{name}/Dockerfile" for name in SERVICES},
               "tools": ROOT / "cli/Dockerfile"}
OURS = (*SERVICES, "migrate", "pgbouncer")
# The image's own entry point changes owners and then its user.
STARTS_AS_ROOT = {"postgres", "postgres-replica", "redis", "nginx"}


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    copy = tmp_path_factory.mktemp("compose") / "compose"
    shutil.copytree(COMPOSE, copy, ignore=shutil.ignore_patterns("secrets", ".env"))
    (copy / ".env").write_text("")
    return copy


PROFILES = [[], ["edge"], ["monitoring"], ["ha"], ["ollama"], ["logging"],
            ["edge", "monitoring", "ha", "ollama", "logging"]]


@pytest.mark.parametrize("profiles", PROFILES, ids="+".join)
@pytest.mark.parametrize("environment", ["development", "staging", "production"])
def test_compose_takes_it(folder, profiles, environment):
    docker = tool("docker", package="docker-cli and docker-compose")
    if run(docker, "compose", "version").returncode != 0:
        pytest.skip("docker has no compose here")
    flags = [flag for one in profiles for flag in ("--profile", one)]
    (folder / ".env").write_text(f"CAIRN_ENV={environment}\n")
    done = run(docker, "compose", *flags, "config", "--quiet", cwd=folder)
    assert done.returncode == 0 and "obsolete" not in done.stderr, done.stderr


def test_all_images_share_one_build():
    stages = {name: path.read_text().split("# --- the same to here ---")[0]
              for name, path in DOCKERFILES.items()}
    assert len(set(stages.values())) == 1, "then every image compiles everything again"


@pytest.mark.parametrize("name", DOCKERFILES)
def test_images_are_slim_and_rootless(name):
    last = DOCKERFILES[name].read_text().split("\nFROM ")[-1]
    assert last.startswith("debian:trixie-slim\n")
    assert re.search(r"^USER 1000:1000$", last, re.MULTILINE)
    assert "\nRUN " not in last
    for label in ("title", "version", "revision", "licenses"):
        assert f"org.opencontainers.image.{label}=" in last
    if name in SERVICES:
        assert f'CMD ["/usr/local/bin/cairn-{name}", "--probe", "ready"]' in last


def test_every_container_is_closed(compose):
    for name, service in compose["services"].items():
        assert service["logging"]["options"]["max-size"], name
        assert service.get("deploy", {}).get("resources", {}).get("limits", {}).get("memory") or \
            name == "ollama-pull", name
        assert "no-new-privileges:true" in service.get("security_opt", []) or \
            name == "ollama-pull", name
        assert "ulimits" not in service and "container_name" not in service, name
        if name not in ("ollama", "ollama-pull"):
            assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
            assert bool(service.get("cap_add")) == (name in STARTS_AS_ROOT), name


def test_nothing_but_the_edge_is_open_to_the_world(compose):
    open_ports = {name: [str(port) for port in service.get("ports", [])
                         if "127.0.0.1" not in str(port)]
                  for name, service in compose["services"].items()}
    assert {name for name, ports in open_ports.items() if ports} == {"nginx"}
    for name in ("postgres", "postgres-replica", "pgbouncer", "redis"):
        assert not compose["services"][name].get("ports"), name
        assert list(compose["services"][name]["networks"]) == ["data"], name
    assert compose["networks"]["data"]["internal"] and compose["networks"]["bus"]["internal"]


def test_secrets_are_files(compose):
    for name, service in compose["services"].items():
        for key, value in (service.get("environment") or {}).items():
            if re.search(r"PASSWORD|SECRET|_KEY(_|$)|TOKEN", key):
                assert key.endswith("FILE"), f"{name}: {key}={value}"
        for secret in service.get("secrets", []):
            assert secret in compose["secrets"], f"{name}: {secret}"
    setup = (COMPOSE / "setup.sh").read_text()
    for secret, where in compose["secrets"].items():
        base = pathlib.Path(where["file"]).name
        assert base in setup or base.endswith(".key"), secret


def test_others_wait_for_health(compose):
    for name, service in compose["services"].items():
        for other, how in (service.get("depends_on") or {}).items() \
                if isinstance(service.get("depends_on"), dict) else ():
            assert how["condition"] in ("service_healthy", "service_completed_successfully"), name
            if how["condition"] == "service_healthy":
                assert "healthcheck" in compose["services"][other], other


def test_settings_exist(folder):
    known = set(re.findall(r"^#([A-Z][A-Z0-9_]*)=", (COMPOSE / ".env.example").read_text(),
                           re.MULTILINE))
    compose = yaml.safe_load((COMPOSE / "compose.yaml").read_text())
    for name in SERVICES:
        for key in compose["services"][name]["environment"]:
            if key != "<<":
                assert key in known or key.removesuffix("_FILE") in known, f"{name}: {key}"
    for path in COMPOSE.glob("*.env"):
        for key in re.findall(r"^([A-Z][A-Z0-9_]*)=", path.read_text(), re.MULTILINE):
            assert key in known, f"{path.name}: {key}"


def block_of(conf, opening):
    """What is in the braces that follow `opening`."""
    rest = conf[conf.index(opening) + len(opening):]
    assert rest.lstrip().startswith("{"), opening
    return rest[rest.index("{") + 1:rest.index("}")]


def test_the_edge_lets_the_pages_files_be_kept():
    """At the folder that the gateway itself calls one of hashed names."""
    gateway = (ROOT / "services/gateway/web/files.c").read_text()
    folder = re.search(r'\.hashed = strncmp\(path, "(/[a-z]+/)"', gateway).group(1)
    block = block_of((COMPOSE / "nginx/nginx.conf").read_text(), f"location {folder}")
    assert "include /etc/nginx/proxy.conf;" in block
    kept = re.search(r'add_header Cache-Control "([^"]*)"( always)?;', block)
    assert kept.group(1) == "public, max-age=31536000, immutable"
    assert kept.group(2) is None, "a 404 would be kept for a year"
