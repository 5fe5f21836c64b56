"""WordNet as nodes and edges of a graph: what Debian's wordnet-base has in
/usr/share/wordnet (apt-get install wordnet-base). Standard library only.

A node is a synset: id (part of speech and offset), label Synset, its words as name (the
first) and words (all), domain (the lexicographer's file) and definition. An edge is a
relation between two synsets, once a type.
"""

import json
import pathlib

HOME = pathlib.Path("/usr/share/wordnet")
FILES = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
POINTERS = {
    "!": "ANTONYM", "@": "HYPERNYM", "@i": "INSTANCE_HYPERNYM", "~": "HYPONYM",
    "~i": "INSTANCE_HYPONYM", "#m": "MEMBER_HOLONYM", "#s": "SUBSTANCE_HOLONYM",
    "#p": "PART_HOLONYM", "%m": "MEMBER_MERONYM", "%s": "SUBSTANCE_MERONYM",
    "%p": "PART_MERONYM", "=": "ATTRIBUTE", "+": "DERIVATION", "*": "ENTAILMENT",
    ">": "CAUSE", "^": "ALSO_SEE", "$": "VERB_GROUP", "&": "SIMILAR_TO",
    "<": "PARTICIPLE", "\\": "PERTAINYM", ";c": "TOPIC", ";r": "REGION", ";u": "USAGE",
    "-c": "HAS_TOPIC", "-r": "HAS_REGION", "-u": "HAS_USAGE"}


def synsets(home=HOME):
    """Each as (id, part of speech, file number, words, [(pointer, id)], definition)."""
    for name, kind in FILES.items():
        for line in (home / f"data.{name}").read_text(encoding="utf-8").splitlines():
            if line.startswith(" "):
                continue  # the licence
            fields, _, gloss = line.partition("|")
            fields = fields.split()
            words = fields[4:4 + 2 * int(fields[3], 16):2]
            at = 4 + 2 * len(words)
            pointers = [(fields[i], FILES_OF[fields[i + 2]] + fields[i + 1])
                        for i in range(at + 1, at + 1 + 4 * int(fields[at]), 4)]
            words = [word.partition("(")[0].replace("_", " ") for word in words]
            yield kind + fields[0], name, int(fields[1]), words, pointers, gloss.strip()


FILES_OF = {"n": "n", "v": "v", "a": "a", "s": "a", "r": "r"}


def escaped(text):
    """For COPY."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def write(nodes_path, edges_path):
    """Files for COPY: nodes as id, labels, properties; edges as id, type, from, to. How
    many of each."""
    node_count = edge_count = 0
    with open(nodes_path, "w", encoding="utf-8") as nodes, \
            open(edges_path, "w", encoding="utf-8") as edges:
        for key, part, number, words, pointers, gloss in synsets():
            properties = json.dumps({"name": words[0], "words": ", ".join(words),
                                     "domain": number, "definition": gloss},
                                    ensure_ascii=False)
            nodes.write(f"{key}\t{{Synset,{part.capitalize()}}}\t{escaped(properties)}\n")
            node_count += 1
            for kind, other in sorted({(POINTERS[sign], to) for sign, to in pointers}):
                edges.write(f"{key}-{kind.lower()}-{other}\t{kind}\t{key}\t{other}\n")
                edge_count += 1
    return node_count, edge_count
