#!/usr/bin/python3
"""Runs the read scenarios of the openCypher TCK against the graph service's engine.

    run.py --driver build/release/tests/tck/driver PATH [--failed FILE] [--only TEXT]

PATH is a checkout of openCypher (github.com/opencypher/openCypher), which is not part of
this project. A scenario counts as one for each of its examples. One whose query writes is
no read scenario; one whose set-up we cannot read counts as failed."""

import argparse
import collections
import json
import os
import re
import subprocess
import sys

import gherkin
import setup_graph
import values

FOLDERS = [
    "clauses/match",
    "clauses/match-where",
    "clauses/return",
    "clauses/return-orderby",
    "clauses/return-skip-limit",
    "clauses/with",
    "clauses/with-where",
    "clauses/with-orderBy",
    "clauses/with-skip-limit",
    "clauses/unwind",
    "expressions",
]
WRITES = re.compile(r"(?<![.:$\w])(CREATE|MERGE|DELETE|SET|REMOVE|FOREACH)\b", re.I)
QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|//[^\n]*")
# A query that is refused for what it is; not for what is missing here.
REFUSALS = {"cypher_syntax", "cypher_type", "cypher_arguments"}
ERROR = re.compile(r"an? (\w+) should be raised at (.*?): (.*)")
RESULT = re.compile(r"the result should be(?:, (in any order|in order))?( \(ignoring.*\))?:")


class Failed(Exception):
    def __init__(self, kind, words):
        super().__init__(words)
        self.kind = kind


class Driver:
    """Begun anew when it ends, which fails the scenario that it ended with."""

    def __init__(self, path):
        self.path = path
        self.process = None

    def ask(self, request):
        if self.process is None:
            self.process = subprocess.Popen(
                [self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            status = self.process.wait()
            self.process = None
            raise Failed("crash", f"the driver ended with {status}")
        return json.loads(line)

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


def writes(query):
    return WRITES.search(QUOTED.sub("''", query)) is not None


def is_read(scenario):
    queries = [step.doc for step in scenario.steps if step.text == "executing query:"]
    return bool(queries) and not any(writes(query) for query in queries)


def set_up(scenario):
    graph = setup_graph.Graph()
    for step in scenario.steps:
        if step.text != "having executed:":
            continue
        try:
            setup_graph.Setup(graph).run(step.doc)
        except setup_graph.CannotRead as error:
            raise Failed("setup", f"the set-up cannot be made: {error}") from error
    return graph


def parameters_of(scenario):
    parameters = {}
    for step in scenario.steps:
        if step.text == "parameters are:":
            for name, text in step.table:
                parameters[name] = values.to_json(values.parse(text))
    return parameters


def check_error(reply, step, details):
    wanted = ERROR.match(step.text)
    if "error" not in reply:
        raise Failed("no error", f"{wanted[1]} {wanted[3]} wanted, {len(reply['rows'])} rows found")
    error = reply["error"]
    if error["code"] not in REFUSALS:
        raise Failed(error["code"], f"{wanted[3]} wanted: {error['message']}")
    details[error.get("detail") == wanted[3]] += 1


def rows_of(texts, ignoring):
    rows = [tuple(values.parse(text) for text in row) for row in texts]
    return [tuple(map(values.unordered, row)) for row in rows] if ignoring else rows


def check_rows(reply, step):
    wanted = RESULT.match(step.text)
    if "error" in reply:
        error = reply["error"]
        raise Failed(error["code"], f"{error['message']} ({error['line']}:{error['column']})")
    if reply["columns"] != step.table[0]:
        raise Failed("columns", f"columns {step.table[0]} wanted, {reply['columns']} found")
    expected = rows_of(step.table[1:], wanted[2])
    found = rows_of(reply["rows"], wanted[2])
    same = (
        expected == found
        if wanted[1] == "in order"
        else collections.Counter(expected) == collections.Counter(found)
    )
    if not same:
        raise Failed("rows", f"{step.table[1:4]} wanted, {reply['rows'][:3]} found")


def run_scenario(scenario, driver, details):
    request = set_up(scenario).request()
    request["parameters"] = parameters_of(scenario)
    reply = None
    for step in scenario.steps:
        if step.text == "executing query:":
            request["query"] = step.doc
            reply = driver.ask(request)
        elif ERROR.match(step.text):
            check_error(reply, step, details)
        elif RESULT.match(step.text):
            check_rows(reply, step)
        elif step.text == "the result should be empty":
            if reply.get("rows") != []:
                raise Failed("rows", f"nothing wanted, {str(reply)[:200]} found")
        elif step.text.startswith("there exists a procedure"):
            raise Failed("setup", "a procedure of its own")
        elif re.match(r"the binary-tree-\d graph", step.text):
            raise Failed("setup", "a named graph")


def scenarios_of(root):
    for folder in FOLDERS:
        for where, _, files in sorted(os.walk(os.path.join(root, folder))):
            for name in sorted(files):
                if name.endswith(".feature"):
                    path = os.path.join(where, name)
                    yield from gherkin.Reader(path, os.path.relpath(path, root)).read()


def find_features(path):
    for candidate in ("tck/features", "features", ""):
        if os.path.isdir(os.path.join(path, candidate, "clauses")):
            return os.path.join(path, candidate)
    sys.exit(f"{path} is no checkout of openCypher: there is no tck/features/clauses")


class Tally:
    def __init__(self):
        self.passed = collections.Counter()
        self.all = collections.Counter()
        self.failed = []  # (scenario, kind, words)
        self.skipped = 0
        self.details = collections.Counter()

    def run(self, scenario, driver):
        folder = os.path.dirname(scenario.feature)
        if not is_read(scenario):
            self.skipped += 1
            return
        self.all[folder] += 1
        try:
            run_scenario(scenario, driver, self.details)
            self.passed[folder] += 1
        except (Failed, values.BadValue) as error:
            kind = getattr(error, "kind", "unreadable value")
            self.failed.append((scenario, kind, str(error)))

    def write(self, path):
        with open(path, "w", encoding="utf-8") as out:
            for scenario, kind, words in self.failed:
                out.write(f"{scenario.feature}\t{scenario.name}\t{kind}\t{words}\n")

    def show(self):
        for folder, count in sorted(self.all.items()):
            share = 100 * self.passed[folder] / count
            print(f"{folder:42} {self.passed[folder]:5} of {count:5}  {share:5.1f} %")
        passed, count = sum(self.passed.values()), sum(self.all.values())
        share = 100 * passed / count if count else 0
        print(f"{'all read scenarios':42} {passed:5} of {count:5}  {share:5.1f} %")
        print(f"{self.skipped} scenarios write and were not run")
        print(
            f"{self.details[True]} of {sum(self.details.values())} errors also had "
            "openCypher's name"
        )
        for kind, number in collections.Counter(f[1] for f in self.failed).most_common():
            print(f"  failed, {kind}: {number}")
        return share


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path")
    parser.add_argument("--driver", required=True)
    parser.add_argument("--failed", help="where to write what failed")
    parser.add_argument("--only", default="", help="scenarios whose feature or name has this")
    parser.add_argument("--least", type=float, default=0, help="per cent that must pass")
    flags = parser.parse_args()
    driver, tally = Driver(flags.driver), Tally()
    for scenario in scenarios_of(find_features(flags.path)):
        if flags.only in f"{scenario.feature} {scenario.name}":
            tally.run(scenario, driver)
    driver.close()
    if flags.failed:
        tally.write(flags.failed)
    sys.exit(0 if tally.show() >= flags.least else 1)


if __name__ == "__main__":
    main()
