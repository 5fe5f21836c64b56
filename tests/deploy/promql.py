"""Which metrics an expression of PromQL looks at, as far as ours are written."""
import re

import yaml

from support import RULES

WORDS = {"by", "on", "ignoring", "without", "or", "and", "unless", "offset", "bool", "group_left",
         "group_right", "inf", "nan"}


def recorded():
    return {rule["record"]: rule["expr"] for path in RULES
            for group in yaml.safe_load(path.read_text())["groups"]
            for rule in group["rules"] if "record" in rule}


def metrics(expression):
    """Names of metrics, those behind recorded ones in their place."""
    text = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    text = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", text)
    text = re.sub(r"\b(by|on|ignoring|without|group_left|group_right)\s*\([^)]*\)", " ", text)
    text = re.sub(r"\boffset\s+\w+", " ", text)
    names = {name for name, call in re.findall(r"(?<![\w.])([a-zA-Z_:][\w:]*)\s*(\(?)", text)
             if not call and name.lower() not in WORDS}
    plain = set()
    for name in names:
        rule = recorded().get(name)
        plain |= metrics(rule) if rule else {name}
    if "__name__" in expression:
        plain.add("cairn_search_event_loop_lag_seconds_bucket")
    return plain


def family(name):
    return re.sub(r"_(bucket|sum|count)$", "", name)
