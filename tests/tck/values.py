"""Values as the TCK writes them, read into what Python can compare."""

import math
import re


class BadValue(Exception):
    pass


def number_key(number):
    if isinstance(number, float) and math.isnan(number):
        return ("float", "NaN")
    return (type(number).__name__, repr(number + type(number)(0)))  # -0.0 is 0.0


class Parser:
    """Every value becomes a tuple that begins with its kind, so that 1 is not 1.0."""

    def __init__(self, text):
        self.text = text
        self.at = 0

    def fail(self, wanted):
        raise BadValue(f"{wanted} wanted at {self.at} of {self.text!r}")

    def space(self):
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def looks(self, token):
        self.space()
        return self.text.startswith(token, self.at)

    def take(self, token):
        if not self.looks(token):
            return False
        self.at += len(token)
        return True

    def need(self, token):
        if not self.take(token):
            self.fail(token)

    def match(self, pattern):
        self.space()
        found = re.compile(pattern).match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def whole(self):
        value = self.value()
        self.space()
        if self.at != len(self.text):
            self.fail("the end")
        return value

    def value(self):
        if self.looks("'"):
            return ("string", self.string())
        if self.looks("[:"):
            return self.relationship()
        if self.looks("["):
            return self.list()
        if self.looks("{"):
            return ("map", self.entries())
        if self.looks("("):
            return self.node()
        if self.looks("<"):
            return self.path()
        return self.word()

    def word(self):
        if found := self.match(r"(null|true|false)\b"):
            return (found[1],)
        if self.match(r"NaN\b"):
            return number_key(math.nan)
        if found := self.match(r"(-?)Inf(?:inity)?\b"):
            return number_key(-math.inf if found[1] else math.inf)
        if found := self.match(r"-?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][-+]?\d+)?"):
            return number_key(float(found[0]))
        if found := self.match(r"-?\d+"):
            return number_key(int(found[0]))
        return self.fail("a value")

    def string(self):
        self.need("'")
        out = []
        while self.at < len(self.text) and self.text[self.at] != "'":
            if self.text[self.at] == "\\" and self.at + 1 < len(self.text):
                self.at += 1
            out.append(self.text[self.at])
            self.at += 1
        self.at += 1
        return "".join(out)

    def list(self):
        self.need("[")
        items = []
        while not self.take("]"):
            if items:
                self.need(",")
            items.append(self.value())
        return ("list", tuple(items))

    def entries(self):
        self.need("{")
        entries = {}
        while not self.take("}"):
            if entries:
                self.need(",")
            key = self.match(r"`[^`]*`|[^\s:,}]+")
            if key is None:
                self.fail("a key")
            self.need(":")
            entries[key[0].strip("`")] = self.value()
        return tuple(sorted(entries.items()))

    def names(self):
        names = []
        while self.take(":"):
            name = self.match(r"`[^`]*`|[^\s:{}()\[\]]+")
            names.append(name[0].strip("`") if name else self.fail("a name"))
        return tuple(sorted(names))

    def node(self):
        self.need("(")
        labels = self.names()
        properties = self.entries() if self.looks("{") else ()
        self.need(")")
        return ("node", labels, properties)

    def relationship(self):
        self.need("[")
        types = self.names()
        properties = self.entries() if self.looks("{") else ()
        self.need("]")
        return ("relationship", types, properties)

    def path(self):
        self.need("<")
        parts = [self.node()]
        while not self.take(">"):
            backwards = self.take("<-")
            if not backwards:
                self.need("-")
            relationship = self.relationship()
            self.need("-" if backwards else "->")
            parts += [("<" if backwards else ">", relationship), self.node()]
        return ("path", tuple(parts))


def parse(text):
    return Parser(text).whole()


def unordered(value):
    """The same, whatever the order within its lists."""
    if isinstance(value, tuple) and value[:1] == ("list",):
        return ("list", tuple(sorted(map(unordered, value[1]), key=repr)))
    if isinstance(value, tuple):
        return tuple(map(unordered, value))
    return value


def to_json(value):
    """A parameter, as a client would send it."""
    kind = value[0]
    if kind in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[kind]
    if kind == "int":
        return int(value[1])
    if kind == "float":
        return float(value[1])
    if kind == "string":
        return value[1]
    if kind == "list":
        return [to_json(item) for item in value[1]]
    if kind == "map":
        return {key: to_json(item) for key, item in value[1]}
    raise BadValue(f"no parameter: {value}")
