"""Makes a graph of the statements that set a scenario up. Our service is not asked to:
it refuses writing in queries, and a reader of its own would not catch its mistakes."""

import re

TOKEN = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|
    (?P<float>\d+\.\d+(?:[eE][-+]?\d+)?)|
    (?P<int>\d+)|
    (?P<name>`[^`]*`|[A-Za-z_][A-Za-z_0-9]*)|
    (?P<sign>->|<-|\.\.|[-+(){}\[\]:,.|<>=*/$;])
    )""",
    re.X,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class CannotRead(Exception):
    pass


def tokenize(text):
    text = re.sub(r"//[^\n]*", "", text)
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise CannotRead(f"what stands at {text[at : at + 20]!r}")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens + [("end", "")]


class Graph:
    def __init__(self):
        self.nodes = {}
        self.edges = {}

    def request(self):
        nodes = [
            {"id": id, "labels": node["labels"], "properties": node["properties"]}
            for id, node in self.nodes.items()
        ]
        edges = [dict(edge, id=id) for id, edge in self.edges.items()]
        return {"nodes": nodes, "edges": edges}

    def add_node(self, labels, properties):
        id = f"n{len(self.nodes)}"
        self.nodes[id] = {"labels": labels, "properties": stored(properties)}
        return ("node", id)

    def add_edge(self, type, start, end, properties):
        id = f"e{len(self.edges)}"
        self.edges[id] = {
            "type": type,
            "from": start[1],
            "to": end[1],
            "properties": stored(properties),
        }
        return ("edge", id)


def stored(properties):
    return {key: value for key, value in properties.items() if value is not None}


class Setup:
    """Statements run over rows of variables, clause by clause."""

    def __init__(self, graph):
        self.graph = graph

    def run(self, text):
        self.tokens, self.at = tokenize(text), 0
        self.rows = [{}]
        while not self.word("end"):
            self.clause()

    # --- tokens

    def word(self, text):
        kind, value = self.tokens[self.at]
        if value.upper() == text.upper() and kind in ("name", "sign") or kind == text:
            self.at += 1
            return True
        return False

    def looks(self, *texts):
        kind, value = self.tokens[self.at]
        return kind == "sign" and value in texts

    def need(self, text):
        if not self.word(text):
            raise CannotRead(f"{self.tokens[self.at][1]!r} where {text} would be read")

    def name(self):
        kind, value = self.tokens[self.at]
        if kind != "name":
            raise CannotRead(f"{value!r} where a name would be read")
        self.at += 1
        return value.strip("`")

    # --- clauses

    def clause(self):
        if self.word(";"):
            self.rows = [{}]
        elif self.word("CREATE"):
            self.create()
        elif self.word("UNWIND"):
            self.unwind()
        elif self.word("WITH"):
            self.project()
        elif self.word("MATCH"):
            self.match()
        else:
            raise CannotRead(self.tokens[self.at][1])

    def create(self):
        start = self.at
        for row in self.rows:
            self.at = start
            self.pattern(row)
            while self.word(","):
                self.pattern(row)

    def unwind(self):
        start, rows = self.at, []
        for row in self.rows:
            self.at = start
            items = self.expression(row)
            self.need("AS")
            name = self.name()
            rows += [{**row, name: item} for item in items]
        self.rows = rows

    def project(self):
        if self.word("*"):
            return
        names = [self.name()]
        while self.word(","):
            names.append(self.name())
        self.rows = [{name: row[name] for name in names} for row in self.rows]

    def match(self):
        """MATCH (name:Label …)"""
        self.need("(")
        name, labels = self.name(), self.labels()
        self.need(")")
        found = [
            ("node", id)
            for id, node in self.graph.nodes.items()
            if set(labels) <= set(node["labels"])
        ]
        self.rows = [{**row, name: node} for row in self.rows for node in found]

    # --- patterns

    def labels(self):
        labels = []
        while self.word(":"):
            labels.append(self.name())
        return labels

    def properties(self, row):
        return self.expression(row) if self.looks("{") else {}

    def node(self, row):
        self.need("(")
        name = None if self.looks(":", "{", ")") else self.name()
        if name in row:
            self.need(")")
            return row[name]
        node = self.graph.add_node(self.labels(), self.properties(row))
        self.need(")")
        if name is not None:
            row[name] = node
        return node

    def pattern(self, row):
        if self.tokens[self.at][0] == "name":  # of a path
            self.name()
            self.need("=")
        start = self.node(row)
        while self.looks("-", "<-"):
            backwards = self.word("<-")
            if not backwards:
                self.need("-")
            name, type, properties = self.relationship(row)
            if backwards:
                self.need("-")
            else:
                self.need("->")
            end = self.node(row)
            ends = (end, start) if backwards else (start, end)
            edge = self.graph.add_edge(type, *ends, properties)
            if name is not None:
                row[name] = edge
            start = end

    def relationship(self, row):
        self.need("[")
        name = None if self.looks(":") else self.name()
        self.need(":")
        type = self.name()
        properties = self.properties(row)
        self.need("]")
        return name, type, properties

    # --- expressions

    def expression(self, row):
        value = self.atom(row)
        while self.looks("+", "-", ".", "*", "/"):
            if self.word("."):
                value = self.property(value, self.name())
                continue
            sign = self.tokens[self.at][1]
            if sign != "+":
                raise CannotRead(f"the operator {sign}")
            self.at += 1
            value = self.sum(value, self.atom(row))
        return value

    def property(self, value, key):
        if not (isinstance(value, tuple) and value[0] == "node"):
            raise CannotRead(f"a property of {value!r}")
        return self.graph.nodes[value[1]]["properties"].get(key)

    def sum(self, left, right):
        if isinstance(left, str) != isinstance(right, str):
            left, right = str(left), str(right)
        return left + right

    def atom(self, row):
        kind, value = self.tokens[self.at]
        if self.looks("["):
            return self.list(row)
        if self.looks("{"):
            return self.map(row)
        if self.word("-"):
            return -self.atom(row)
        self.at += 1
        if kind == "string":
            return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), value[1:-1])
        if kind in ("int", "float"):
            return {"int": int, "float": float}[kind](value)
        if kind == "name":
            return self.named(row, value)
        raise CannotRead(f"the value {value!r}")

    def named(self, row, name):
        constants = {"true": True, "false": False, "null": None}
        if name.lower() in constants:
            return constants[name.lower()]
        if name in row:
            return row[name]
        if name.lower() == "range":
            self.need("(")
            first = self.expression(row)
            self.need(",")
            last = self.expression(row)
            self.need(")")
            return list(range(first, last + 1))
        raise CannotRead(f"the value {name}")

    def list(self, row):
        self.need("[")
        items = []
        while not self.word("]"):
            if items:
                self.need(",")
            items.append(self.expression(row))
        return items

    def map(self, row):
        self.need("{")
        entries = {}
        while not self.word("}"):
            if entries:
                self.need(",")
            key = self.name()
            self.need(":")
            entries[key] = self.expression(row)
        return entries
