"""The little of Gherkin that the openCypher TCK is written in."""

import re


class Step:
    def __init__(self, text):
        self.text = text
        self.doc = None  # what stood between triple quotes
        self.table = []  # rows of cells

    def filled(self, values):
        """The step of one example: <name> stands for its value."""
        step = Step(fill(self.text, values))
        step.doc = None if self.doc is None else fill(self.doc, values)
        step.table = [[fill(cell, values) for cell in row] for row in self.table]
        return step


class Scenario:
    def __init__(self, feature, name, steps):
        self.feature = feature  # path from the folder of features
        self.name = name
        self.steps = steps


def fill(text, values):
    for name, value in values.items():
        text = text.replace(f"<{name}>", value)
    return text


ESCAPED = {"\\n": "\n", "\\|": "|", "\\\\": "\\"}


def cells_of(line):
    """| a | b\\|c |, with Gherkin's three escapes."""
    cells = re.split(r"(?<!\\)\|", line.strip())[1:-1]
    return [re.sub(r"\\[n|\\]", lambda m: ESCAPED[m[0]], cell.strip()) for cell in cells]


def dedent(lines, indent):
    return "\n".join(line[indent:] if line[:indent].isspace() else line for line in lines)


class Reader:
    def __init__(self, path, feature):
        with open(path, encoding="utf-8") as file:
            self.lines = file.read().split("\n")
        self.feature = feature
        self.background = []
        self.scenarios = []
        self.name = None
        self.steps = None
        self.examples = []  # tables
        self.table = None

    def read(self):
        at = 0
        while at < len(self.lines):
            at = self.read_line(at)
        self.end_scenario()
        return self.scenarios

    def read_line(self, at):
        line = self.lines[at].strip()
        if line == '"""':
            return self.read_doc(at)
        if line.startswith("|"):
            self.table.append(cells_of(line))
        elif match := re.match(r"Scenario(?: Outline)?: *(.*)", line):
            self.end_scenario()
            self.name, self.steps, self.examples = match[1], [], []
        elif line.startswith("Background:"):
            self.steps = self.background
        elif line.startswith("Examples:"):
            self.table = []
            self.examples.append(self.table)
        elif match := re.match(r"(?:Given|When|Then|And|But) +(.*)", line):
            self.steps.append(Step(match[1]))
            self.table = self.steps[-1].table
        return at + 1

    def read_doc(self, at):
        indent = self.lines[at].index('"""')
        end = next(i for i in range(at + 1, len(self.lines)) if self.lines[i].strip() == '"""')
        self.steps[-1].doc = dedent(self.lines[at + 1:end], indent)
        return end + 1

    def end_scenario(self):
        if self.name is None:
            return
        steps = self.background + self.steps
        if not self.examples:
            self.scenarios.append(Scenario(self.feature, self.name, steps))
        for table in self.examples:
            for number, row in enumerate(table[1:], 1):
                values = dict(zip(table[0], row))
                filled = [step.filled(values) for step in steps]
                name = f"{self.name} (example {number})"
                self.scenarios.append(Scenario(self.feature, name, filled))
        self.name = None
