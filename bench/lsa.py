"""The fitted model (builtin:lsa) by itself: what a fit takes, and what its vectors find.

    lsa.py [CHUNKS] [DIRECTORY]

Fits to CHUNKS (100,000) passages of the kernel's documentation, windows of 280 words that
overlap so far that there are enough of them, and to as many short ones of WordNet; then to
the judged collection in DIRECTORY (corpus.jsonl, queries.jsonl, qrels.tsv), for nDCG@10 of
the vectors alone.
"""

import json
import os
import pathlib
import subprocess
import sys

os.environ.setdefault("CAIRN_BIN", "build/release/bin")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))

import corpus  # noqa: E402
from stack import BIN, ROOT  # noqa: E402

DRIVER = corpus.WHERE / "bench_lsa"
LIBRARIES = ("jansson", "utf8proc", "xxhash", "crypto", "uv", "stemmer", "openblas",
             "lapacke", "m", "pthread")
WORDS, CPU_MOST_S, PEAK_MOST_MB = 280, 120, 2048


def compile_driver(name):
    """bench/embedder/NAME.c, compiled."""
    out = corpus.WHERE / name
    out.parent.mkdir(parents=True, exist_ok=True)
    archives = [BIN.parent / f"{part}.a" for part in ("embedder", "libproto", "libshared")]
    subprocess.run(["gcc", "-O2", "-std=c17", "-D_GNU_SOURCE", "-I.", "-Ilibshared/include",
                    "-o", out, f"bench/embedder/{name}.c", "-Wl,--start-group",
                    *archives, "-Wl,--end-group", *(f"-l{library}" for library in LIBRARIES)],
                   check=True, cwd=ROOT)
    return out


def drive(*args):
    return json.loads(subprocess.run([DRIVER, *map(str, args)], check=True, text=True,
                                     cwd=ROOT, stdout=subprocess.PIPE).stdout)


def sections():
    for line in corpus.load(10**9):
        document = json.loads(line)
        for section in document["sections"]:
            yield f"{document['title']} {section['title']} {section['text']}".split()


def windows(chunks):
    """So many passages of the documentation, a line each."""
    total = sum(len(words) for words in sections())
    step = max(1, total // (chunks + chunks // 10))
    made = 0
    for words in sections():
        for at in range(0, len(words), step):
            if made < chunks:
                yield " ".join(words[at:at + WORDS])
                made += 1


def meanings(chunks):
    """So many short passages, a line each."""
    made = 0
    for line in corpus.glossary():
        for section in json.loads(line)["sections"]:
            if made < chunks:
                yield f"{section['title']} {section['text']}".replace("\n", " ")
                made += 1


def fit(name, lines, chunks):
    path = corpus.WHERE / f"lsa-{name}-{chunks}.txt"
    if not path.exists():
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    figures = drive("fit", path, chunks, 256)
    print(name, json.dumps(figures), flush=True)
    return figures["cpu_s"] < CPU_MOST_S and figures["peak_mb"] < PEAK_MOST_MB


def main():
    chunks = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    directory = pathlib.Path(sys.argv[2] if len(sys.argv) > 2
                             else ROOT.parent / "shared/data/cranfield")
    compile_driver(DRIVER.name)
    good = fit("linux-doc", windows(chunks), chunks)
    good = fit("wordnet", meanings(chunks), chunks) and good
    if (directory / "qrels.tsv").exists():
        print("judged", json.dumps(drive("judge", directory, 256)), flush=True)
    raise SystemExit(0 if good else f"over {CPU_MOST_S} s or {PEAK_MOST_MB} MB")


if __name__ == "__main__":
    main()
