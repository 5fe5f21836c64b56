#!/usr/bin/python3
"""The part of clients/python that comes from the OpenAPI document.

    generate-python-client.py OPENAPI.json PACKAGE_DIR

writes PACKAGE_DIR/types.py, a TypedDict for every shape, and PACKAGE_DIR/operations.py, a
method for every operation. Standard library only."""

import json
import keyword
import pathlib
import sys
import textwrap

HEAD = '"""{about}\n\nGenerated from /openapi.json: changes are lost."""\n\n'
SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool",
          "null": "None", "array": "list[Any]", "object": "dict[str, Any]"}


def camel(name):
    return "".join(part[:1].upper() + part[1:] for part in name.replace("-", "_").split("_"))


def identifier(name):
    return name + "_" if keyword.iskeyword(name) else name


def is_plain(name):
    return name.isidentifier() and not keyword.iskeyword(name)


def prose(text, indent):
    """A docstring of one or more lines."""
    pad = " " * indent
    text = (text or "").replace("\\", "\\\\").replace('"""', "'''").strip()
    if text and not text.endswith((".", "!", "?")):
        text += "."
    wrapped = textwrap.wrap(text, 92 - indent)
    return f'{pad}"""' + f"\n{pad}".join(wrapped) + '"""\n' if wrapped else ""


class Types:
    """Shapes by name, in an order in which each comes after what it needs."""

    def __init__(self, schemas):
        self.text, self.names = "", set(schemas)
        for name, schema in schemas.items():
            self.shape(name, schema)

    def shape(self, name, schema):
        if not schema.get("properties"):
            self.text += f"{name}: TypeAlias = {self.quoted(schema, name)}\n\n\n"
            return
        required = set(schema.get("required", ()))
        rows = []
        for field, of in schema["properties"].items():
            kind = self.kind(of, f"{name}{camel(field)}")
            if field not in required:
                kind = f"NotRequired[{kind}]"
            rows.append((field, kind, of.get("description")))
        if all(is_plain(field) for field, _, _ in rows):
            self.text += f"class {name}(TypedDict):\n" + prose(schema.get("description"), 4)
            for field, kind, about in rows:
                self.text += f"    {field}: {kind}\n" + prose(about, 4)
        else:
            self.text += f'{name} = TypedDict("{name}", {{\n'
            for field, kind, _ in rows:
                self.text += f'    "{field}": {kind},\n'
            self.text += "})\n"
        self.text += "\n\n"

    def quoted(self, schema, name):
        kind = self.kind(schema, name)
        return f'"{kind}"' if any(other in kind for other in self.names) else kind

    def kind(self, schema, name):
        """How the type is written; what has no name of its own gets `name`."""
        if "$ref" in schema:
            return f'"{schema["$ref"].rsplit("/", 1)[1]}"'
        if "enum" in schema:
            return "Literal[" + ", ".join(map(repr, schema["enum"])) + "]"
        if "oneOf" in schema:
            return "Union[" + ", ".join(self.kind(one, name) for one in schema["oneOf"]) + "]"
        types = schema.get("type", "any")
        if isinstance(types, list):
            kinds = [self.kind({**schema, "type": one}, name) for one in types]
            return "Union[" + ", ".join(kinds) + "]"
        if types == "array" and schema.get("items"):
            return f"list[{self.kind(schema['items'], name + 'Item')}]"
        if types == "object" and schema.get("properties"):
            while name in self.names:
                name += "_"
            self.names.add(name)
            self.shape(name, schema)
            return f'"{name}"'
        if types == "object" and isinstance(schema.get("additionalProperties"), dict):
            return f"dict[str, {self.kind(schema['additionalProperties'], name + 'Value')}]"
        return SIMPLE.get(types, "Any")


def named(schema):
    """A type of types.py, as operations.py writes it."""
    return "types." + schema["$ref"].rsplit("/", 1)[1] if "$ref" in schema else "Any"


def arguments(operation):
    """Of the path, and of the query; and whether the query has names that are patterns."""
    path, query, free = [], [], False
    for one in operation.get("parameters", ()):
        if one["in"] == "path":
            path.append(one["name"])
        elif is_plain(identifier(one["name"])):
            query.append(one)
        else:
            free = True
    return path, query, free


def body_of(operation):
    """What the body is: its type, and its Content-Type, which is None where the caller says;
    None without a body."""
    body = operation.get("requestBody")
    if not body:
        return None
    media, content = next(iter(body["content"].items()))
    if media == "application/json":
        return named(content["schema"]), media
    return "Body", None if media == "*/*" else media


def answer_of(operation):
    """The type of the answer, and how it is read."""
    response = next(answer for status, answer in operation["responses"].items()
                    if status.startswith("2"))
    media, content = next(iter(response.get("content", {"": {}}).items()))
    if media == "application/json":
        return named(content["schema"]), "json"
    if media == "application/x-ndjson":
        return f"Iterator[{named(content['schema'])}]", "lines"
    if media == "text/event-stream":
        return "Iterator[tuple[str, Any]]", "events"
    return "bytes", "bytes"


def documentation(operation, query):
    about = prose(operation["summary"], 8)
    rows = "".join(
        textwrap.fill(f":param {identifier(one['name'])}: {one['description']}", 96,
                      initial_indent=" " * 8, subsequent_indent=" " * 12) + "\n"
        for one in query if one.get("description"))
    if not rows:
        return about
    return about.rstrip()[:-3] + "\n\n" + rows.replace("\\", "\\\\") + '        """\n'


def declared(operation, query, free):
    """The arguments of a method."""
    body = body_of(operation)
    names = ["self"] + [f"{identifier(name)}: str" for name in arguments(operation)[0]]
    if body:
        names.append(f"body: {body[0]}")
    optional = []
    if body and body[1] is None:
        optional.append('content_type: str = "application/octet-stream"')
    for one in query:
        kind = SIMPLE.get(one["schema"].get("type"), "Any")
        optional.append(f"{identifier(one['name'])}: {kind} | None = None")
    if free:
        optional.append("more: Mapping[str, Any] | None = None")
    return names + (["*", *optional] if optional else [])


def sent(verb, path, operation):
    """What a method hands on."""
    in_path, query, free = arguments(operation)
    body = body_of(operation)
    for name in in_path:
        path = path.replace("{" + name + "}", "{segment(" + identifier(name) + ")}")
    values = [f'"{verb.upper()}"', ("f" if in_path else "") + f'"{path}"',
              f'"{answer_of(operation)[1]}"']
    if query or free:
        pairs = [f'"{one["name"]}": {identifier(one["name"])}' for one in query]
        pairs += ["**(more or {})"] if free else []
        values.append(joined("{", pairs, "}", 12, " " * 12).strip())
    if body:
        media = f'"{body[1]}"' if body[1] else "content_type"
        values += ["body=body", f"content_type={media}"]
    return values


def joined(head, values, tail, indent, before=""):
    """On one line, or one for each value."""
    line = head + ", ".join(values) + tail
    if len(before + line) <= 98 and "\n" not in line:
        return line + "\n"
    pad = "\n" + " " * indent
    return head + pad + "    " + f",{pad}    ".join(values) + "," + pad + tail + "\n"


def method(verb, path, operation):
    _, query, free = arguments(operation)
    head = joined(f"    def {operation['operationId']}(", declared(operation, query, free),
                  f") -> {answer_of(operation)[0]}:", 4)
    call = joined("        return self._call(", sent(verb, path, operation), ")", 8)
    return head + documentation(operation, query) + call + "\n"


def operations(document):
    text = HEAD.format(about="A method for every operation of Cairn's HTTP API.")
    text += ("from __future__ import annotations\n\n"
             "from collections.abc import Iterator, Mapping\nfrom typing import Any\n\n"
             "from . import types\nfrom .transport import Body, Transport, segment\n\n\n"
             "class Operations(Transport):\n")
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            text += method(verb, path, operation)
    return text.rstrip() + "\n"


def main(source, target):
    document = json.loads(pathlib.Path(source).read_text(encoding="utf-8"))
    package = pathlib.Path(target)
    types = HEAD.format(about="The shapes of Cairn's HTTP API.")
    types += "from typing import Any, Literal, NotRequired, TypeAlias, TypedDict, Union\n\n\n"
    types += Types(document["components"]["schemas"]).text.rstrip() + "\n"
    (package / "types.py").write_text(types, encoding="utf-8")
    (package / "operations.py").write_text(operations(document), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
