"""Manifests: valid, hardened, closed to the network, and in step with the services' settings."""
import re
import shutil
import subprocess

import pytest

from settings import check_values, known_settings
from support import K8S, NODE, ROOT, SERVICES, alerts, built, documents, run, tool

OVERLAYS = ("base", "overlays/dev", "overlays/staging", "overlays/prod", "overlays/legacy")
OURS = [f"cairn-{name}" for name in SERVICES]


def of_kind(folder, *kinds):
    return [each for each in documents(built(folder)) if each["kind"] in kinds]


def named(folder, kind, name):
    return next(each for each in of_kind(folder, kind) if each["metadata"]["name"] == name)


def pod_of(document):
    return document["spec"]["template"]["spec"]


def validate(node, text, version="current"):
    done = run(node, NODE / "manifests.mjs", version, stdin=text)
    assert done.returncode == 0, done.stdout


# --- valid --------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", OVERLAYS[:-1])
def test_manifests_are_valid(node, folder):
    validate(node, built(folder))


def test_an_old_cluster_takes_the_legacy_overlay(node):
    validate(node, built("overlays/legacy"), "1.20")


def test_a_misspelt_field_is_found(node):
    text = built("base").replace("readOnlyRootFilesystem", "readOnlyRootFileSystem", 1)
    assert run(node, NODE / "manifests.mjs", "current", stdin=text).returncode == 1
    assert run(node, NODE / "manifests.mjs", "1.20", stdin=built("base")).returncode == 1


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    """What make.sh and kustomize make of k8s/secrets."""
    keys = ROOT / "build" / "release" / "bin" / "cairn-keys"
    if not keys.exists():
        pytest.skip("no cairn-keys here (make BUILD=release)")
    folder = tmp_path_factory.mktemp("secrets") / "secrets"
    shutil.copytree(K8S / "secrets", folder, ignore=shutil.ignore_patterns("values"))
    for _ in range(2):  # again changes nothing
        done = run("sh", folder / "make.sh", env={"PATH": "/usr/bin:/bin", "CAIRN_KEYS": str(keys)})
        assert done.returncode == 0
    done = run(tool("kubectl", package="kubectl"), "kustomize", folder)
    assert done.returncode == 0
    return done.stdout


def test_secrets_are_made_and_valid(node, secrets):
    validate(node, secrets)


def test_the_secrets_that_pods_want_are_those_that_are_made(secrets):
    made = {(each["kind"], each["metadata"]["name"]): set(each["data"])
            for each in documents(secrets)}
    for document in of_kind("base", "Deployment", "Job"):
        for source in next(v for v in pod_of(document)["volumes"]
                           if v["name"] == "secrets")["projected"]["sources"]:
            wanted = {item["key"] for item in source["secret"]["items"]}
            assert wanted <= made["Secret", source["secret"]["name"]]
    assert made["ConfigMap", "cairn-bus-public"] == {f"{name}.pub" for name in SERVICES}


def test_no_secret_is_in_the_tree():
    for folder in OVERLAYS:
        assert not of_kind(folder, "Secret")
    listed = subprocess.run(["git", "ls-files", "k8s/secrets"], cwd=ROOT, text=True,
                            capture_output=True, check=False).stdout.split()
    assert not [name for name in listed if "/values/" in name]


# --- hardened -----------------------------------------------------------------------------


@pytest.mark.parametrize("folder", OVERLAYS)
def test_pods_have_no_rights(folder):
    for document in of_kind(folder, "Deployment", "StatefulSet", "Job"):
        pod = pod_of(document)
        security = pod["securityContext"]
        assert security["runAsNonRoot"] and security["runAsUser"] >= 999
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]}}
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


def test_secrets_are_readable_by_the_service_alone():
    for document in of_kind("base", "Deployment", "Job"):
        volume = next(v for v in pod_of(document)["volumes"] if v["name"] == "secrets")
        assert volume["projected"]["defaultMode"] == 0o440
        assert pod_of(document)["securityContext"]["fsGroup"] == 1000


# --- living and leaving -------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_probes_are_the_services_own(service):
    pod = pod_of(named("base", "Deployment", f"cairn-{service}"))
    container = pod["containers"][0]
    ops = next(port for port in container["ports"] if port["name"] == "ops")
    assert str(ops["containerPort"]) == known_settings(service)["OPS_PORT"].default
    assert container["startupProbe"]["httpGet"] == {"path": "/livez", "port": "ops"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "ops"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "ops"}


@pytest.mark.parametrize("service", SERVICES)
def test_there_is_time_to_leave(service):
    """preStop, DRAIN_DELAY and SHUTDOWN_GRACE_SECONDS fit into the grace period."""
    deployment = named("base", "Deployment", f"cairn-{service}")
    pod = pod_of(deployment)
    settings = environment("base", deployment)
    pause = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("exec", {})
    sleep = int(pause["command"][1]) if pause else 0
    needed = sleep + int(settings.get("DRAIN_DELAY", 0)) + int(settings["SHUTDOWN_GRACE_SECONDS"])
    assert pod["terminationGracePeriodSeconds"] > needed
    assert (sleep > 0) == (service == "gateway")


@pytest.mark.parametrize("service", ["gateway", "search", "embedder", "graph"])
def test_a_rollout_takes_no_replica_before_another_is_there(service):
    spec = named("overlays/prod", "Deployment", f"cairn-{service}")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    places = [each["topologyKey"] for each in spec["template"]["spec"]["topologySpreadConstraints"]]
    assert places == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]


def test_replicas_are_the_autoscalers_where_there_is_one():
    scaled = {each["spec"]["scaleTargetRef"]["name"]
              for each in of_kind("overlays/prod", "HorizontalPodAutoscaler")}
    assert scaled == {"cairn-gateway", "cairn-search", "cairn-embedder"}
    for deployment in of_kind("overlays/prod", "Deployment"):
        assert ("replicas" in deployment["spec"]) == (deployment["metadata"]["name"] not in scaled)


def test_one_backup_runs():
    spec = named("overlays/prod", "Deployment", "cairn-backup")["spec"]
    assert spec["replicas"] == 1 and spec["strategy"] == {"type": "Recreate"}


def test_every_service_has_a_budget():
    budgets = {each["metadata"]["name"] for each in of_kind("overlays/prod", "PodDisruptionBudget")}
    assert budgets == set(OURS)


# --- the network --------------------------------------------------------------------------


def callers(folder, service):
    """Who may call a service on the bus."""
    policy = named(folder, "NetworkPolicy", f"cairn-{service}")
    return {peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
            for rule in policy["spec"]["ingress"] for peer in rule["from"] if "podSelector" in peer}


@pytest.mark.parametrize("service", SERVICES[1:])
def test_a_service_is_reached_by_whom_it_serves(service):
    allowed = known_settings(service)["RPC_CALLERS"].default.split(",")
    assert callers("overlays/prod", service) == {f"cairn-{name}" for name in allowed}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_reach_whom_it_calls(service):
    deployment = named("base", "Deployment", f"cairn-{service}")
    called = {re.search(r"cairn-\w+", value).group() for name, value
              in environment("base", deployment).items() if name.endswith("_ENDPOINTS")}
    policy = named("base", "NetworkPolicy", f"cairn-{service}")
    reached = {peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"]
               for rule in policy["spec"].get("egress", []) for peer in rule["to"]}
    assert reached == called


def test_only_the_gateway_is_reached_from_outside():
    entries = [each["metadata"]["name"] for each in of_kind("overlays/prod", "NetworkPolicy")
               for rule in each["spec"].get("ingress", []) for peer in rule["from"]
               if "ingress-nginx" in str(peer)]
    assert entries == ["cairn-gateway"]
    for service in of_kind("overlays/prod", "Service"):
        assert service["spec"].get("type", "ClusterIP") == "ClusterIP"
        headless = service["spec"].get("clusterIP") == "None"
        assert headless == (service["metadata"]["name"] != "cairn-gateway")
    ingress = of_kind("overlays/prod", "Ingress")
    assert len(ingress) == 1 and ingress[0]["spec"]["tls"][0]["secretName"]
    default = named("overlays/prod", "NetworkPolicy", "cairn-default")["spec"]
    assert default["policyTypes"] == ["Ingress", "Egress"] and "ingress" not in default


# --- settings -----------------------------------------------------------------------------


def environment(folder, document):
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind(folder, "ConfigMap")}
    values = {}
    for source in pod_of(document)["containers"][0].get("envFrom", []):
        values |= maps[source["configMapRef"]["name"]]
    return values


@pytest.mark.parametrize("folder", OVERLAYS)
@pytest.mark.parametrize("service", SERVICES)
def test_settings_are_known_and_in_range(folder, service):
    values = environment(folder, named(folder, "Deployment", f"cairn-{service}"))
    check_values(service, values)


@pytest.mark.parametrize("overlay", ["dev", "staging", "prod"])
@pytest.mark.parametrize("service", SERVICES)
def test_the_services_take_these_settings(overlay, service, secrets, tmp_path):
    """--check-config of the program itself, with the secrets where the pod has them."""
    folder = f"overlays/{overlay}"
    deployment = named(folder, "Deployment", f"cairn-{service}")
    values = environment(folder, deployment)
    write_secrets(deployment, documents(secrets), tmp_path)
    for name, value in values.items():
        values[name] = value.replace("/run/secrets/cairn", str(tmp_path)).replace(
            "/etc/cairn/keys", str(tmp_path / "keys"))
    program = ROOT / "build" / "release" / "bin" / f"cairn-{service}"
    done = run(program, "--check-config", env={"PATH": "/usr/bin:/bin"} | values, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def write_secrets(deployment, made, folder):
    import base64
    made = {(each["kind"], each["metadata"]["name"]): each["data"] for each in made}
    volume = next(v for v in pod_of(deployment)["volumes"] if v["name"] == "secrets")
    for source in volume["projected"]["sources"]:
        for item in source["secret"]["items"]:
            path = folder / item["path"]
            secret = made["Secret", source["secret"]["name"]]
            path.write_bytes(base64.b64decode(secret[item["key"]]))
            path.chmod(0o600)
    (folder / "keys").mkdir()
    for name, text in made["ConfigMap", "cairn-bus-public"].items():
        (folder / "keys" / name).write_text(text)


# --- monitoring ---------------------------------------------------------------------------


def test_rules_are_those_of_compose(tmp_path):
    """`make k8s-rules` was run after the last change."""
    for folder in ("components/monitoring", "helm/cairn"):
        (tmp_path / folder).mkdir(parents=True)
    done = run("sh", "scripts/generate-k8s-rules.sh", tmp_path, cwd=ROOT)
    assert done.returncode == 0
    made = (tmp_path / "components/monitoring/rules.yaml").read_text()
    assert made == (K8S / "components/monitoring/rules.yaml").read_text()
    names = {rule["alert"] for each in documents(made) for group in each["spec"]["groups"]
             for rule in group["rules"] if "alert" in rule}
    assert names == {alert["alert"] for alert in alerts()}
    for path in (tmp_path / "helm/cairn/rules").iterdir():
        assert path.read_text() == (K8S / "helm/cairn/rules" / path.name).read_text()


def test_every_replica_is_scraped():
    monitor = named("overlays/prod", "ServiceMonitor", "cairn")["spec"]
    assert monitor["jobLabel"] == "app.kubernetes.io/name"
    for service in of_kind("overlays/prod", "Service"):
        labels = service["metadata"]["labels"]
        assert monitor["selector"]["matchLabels"].items() <= labels.items()
        assert labels["app.kubernetes.io/name"] == service["metadata"]["name"]
        ports = [each["name"] for each in service["spec"]["ports"]]
        assert monitor["endpoints"][0]["port"] in ports


def test_autoscalers_look_at_what_waits():
    metrics = {each["metadata"]["name"]: [m.get("pods", {}).get("metric", {}).get("name")
                                          for m in each["spec"]["metrics"]]
               for each in of_kind("overlays/prod", "HorizontalPodAutoscaler")}
    adapter = (K8S / "components/monitoring/adapter.yaml").read_text()
    for names in metrics.values():
        assert len(names) == 2 and names[0] is None
        assert names[1] in adapter


# --- backups ------------------------------------------------------------------------------


@pytest.fixture
def with_cronjob(tmp_path):
    """The production overlay with the component for the cluster's own schedule."""
    shutil.copytree(K8S, tmp_path / "k8s", ignore=shutil.ignore_patterns("values"))
    path = tmp_path / "k8s/overlays/prod/kustomization.yaml"
    path.write_text(path.read_text().replace(
        "components:\n", "components:\n  - ../../components/backup-cronjob\n"))

    def build(overlay):
        done = run(tool("kubectl", package="kubectl"), "kustomize",
                   tmp_path / "k8s/overlays" / overlay)
        assert done.returncode == 0
        return done.stdout
    return build


def test_backups_by_the_clusters_schedule(node, with_cronjob):
    validate(node, with_cronjob("prod"))
    validate(node, with_cronjob("legacy"), "1.20")
    made = documents(with_cronjob("prod"))
    job = next(each for each in made if each["kind"] == "CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    settings = [each["data"] for each in made if each["kind"] == "ConfigMap"
                and "BACKUP_SCHEDULE" in each["data"]]
    assert [each["BACKUP_SCHEDULE"] for each in settings] == [""]
