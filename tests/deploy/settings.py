"""What docs/configuration.md says of settings; it is made from the tables in the code."""
import dataclasses
import functools
import re

from support import ROOT

ROW = re.compile(
    r"\| `(?P<name>\w+)` \| (?:`(?P<default>.*?)`)? \| (?P<values>.*?) \| (?P<notes>.*?) \| ")


@dataclasses.dataclass
class Setting:
    name: str
    default: str
    values: str
    secret: bool


@functools.cache
def known_settings(service):
    """The settings of a service by their names, other names included."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    part = text.split(f"\n## cairn-{service}\n")[1].split("\n## cairn-")[0]
    found = {}
    for match in map(ROW.match, part.splitlines()):
        if not match:
            continue
        setting = Setting(match["name"], match["default"] or "", match["values"],
                          "secret" in match["notes"])
        for name in (match["name"], *re.findall(r"also (\w+)", match["notes"])):
            found[name] = setting
    assert len(found) > 15
    return found


def in_range(setting, value):
    numbers = re.fullmatch(r"(-?[\d.]+) to (-?[\d.]+)( characters)?", setting.values)
    if numbers and numbers[3]:
        return float(numbers[1]) <= len(value) <= float(numbers[2])
    if numbers:
        return float(numbers[1]) <= float(value) <= float(numbers[2])
    return value in re.split(r", | or ", setting.values)


def check_values(service, values):
    """Every name is a setting of the service, every value is one that it takes."""
    known = known_settings(service)
    for name, value in values.items():
        if name.endswith("_FILE") and name not in known:
            assert known[name.removesuffix("_FILE")].secret, name
            continue
        assert name in known, f"{name} is no setting of {service}"
        assert not known[name].secret, f"{name} is a secret: use {name}_FILE"
        assert in_range(known[name], value), f"{name}={value}: {known[name].values}"
