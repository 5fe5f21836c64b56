"""A large body of real text: the kernel's documentation, from Debian's linux-doc package."""

import json
import re
import shutil
import subprocess

from stack import BIN, ROOT

WHERE = ROOT / "var/bench"


def fetch():
    """Documents as NDJSON, made once from the package's reStructuredText."""
    path = WHERE / "linux-doc.ndjson"
    if path.exists():
        return path
    WHERE.mkdir(parents=True, exist_ok=True)
    depends = subprocess.run(["apt-cache", "depends", "linux-doc"], text=True, check=True,
                             stdout=subprocess.PIPE).stdout
    package = re.search(r"Depends: (linux-doc-\S+)", depends).group(1)
    subprocess.run(["apt-get", "download", "-q", package], cwd=WHERE, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deb = next(WHERE.glob("linux-doc-*.deb"))
    subprocess.run(["dpkg-deb", "-x", deb.name, "unpacked"], cwd=WHERE, check=True)
    specs = []
    for file in sorted((WHERE / "unpacked").rglob("*.rst.gz")):
        name = str(file).split("/Documentation/")[-1].removesuffix(".rst.gz")
        if "translations/" not in name:
            specs.append(f"{name.replace('/', '.')[-100:]}={name.replace(':', ' ')}:1={file}")
    part = path.with_suffix(".part")
    with part.open("w") as out:
        for at in range(0, len(specs), 200):
            subprocess.run([BIN / "cairn-sample", *specs[at:at + 200]], stdout=out, check=True)
    part.rename(path)
    shutil.rmtree(WHERE / "unpacked")
    deb.unlink()
    return path


def load(chunks):
    """Enough documents for so many chunks, each a line of JSON."""
    lines, words = [], 0
    with fetch().open("rb") as file:
        for line in file:
            lines.append(line)
            words += line.count(b" ")
            if words > chunks * 400:
                break
    return lines


def queries(lines):
    """Section titles of the corpus: what people would look for in it."""
    found = []
    for line in lines:
        for section in json.loads(line)["sections"]:
            words = re.findall(r"[A-Za-z]{3,}", section["title"])
            if 2 <= len(words) <= 8:
                found.append(" ".join(words))
    return found[:5000]
