"""Real text in quantity: the kernel's documentation and WordNet, from Debian's packages."""

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
    unpack(package)
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
    return path


def unpack(package):
    """The package's files under WHERE/unpacked."""
    subprocess.run(["apt-get", "download", "-q", package], cwd=WHERE, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deb = next(WHERE.glob(f"{package}_*.deb"))
    subprocess.run(["dpkg-deb", "-x", deb.name, "unpacked"], cwd=WHERE, check=True)
    deb.unlink()
    return WHERE / "unpacked"


def meanings(directory):
    """(words, meaning) of WordNet's synonym sets, from its data files."""
    for path in sorted(directory.rglob("data.*")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("  "):
                continue  # the licence
            fields, _, meaning = line.partition("|")
            fields = fields.split()
            words = fields[4:4 + 2 * int(fields[3], 16):2]
            yield ", ".join(words).replace("_", " "), meaning.strip()


def glossary(sets=200):
    """117,659 short passages as NDJSON: a document for so many synonym sets, a section for
    each."""
    path = WHERE / "wordnet.ndjson"
    if not path.exists():
        WHERE.mkdir(parents=True, exist_ok=True)
        entries = list(meanings(unpack("wordnet-base")))
        part = path.with_suffix(".part")
        with part.open("w") as out:
            for at in range(0, len(entries), sets):
                sections = [{"title": words, "text": meaning}
                            for words, meaning in entries[at:at + sets]]
                out.write(json.dumps({"id": f"wordnet-{at}", "title": f"WordNet {at}",
                                      "sections": sections}) + "\n")
        part.rename(path)
        shutil.rmtree(WHERE / "unpacked")
    with path.open("rb") as file:
        return list(file)


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
