"""The checker must find what it is there for; a record without fault must pass."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness.checker import check  # noqa: E402
from harness.record import (  # noqa: E402
    ACKNOWLEDGED,
    REFUSED,
    UNKNOWN,
    Read,
    Record,
    Rights,
    Write,
    outcome_of,
)

STUDENT, LAWYER = Rights(2), Rights(3, "Law")
PHYSICS = Rights(3, "Physics")


def put(marker, outcome=ACKNOWLEDGED, at=0.0, **more):
    return Write("put", "document", marker, at, at + 0.1, outcome, 201, **more)


def delete(marker, outcome=ACKNOWLEDGED, at=1.0, **more):
    return Write("delete", "document", marker, at, at + 0.1, outcome, 200, **more)


def read(*seen, rights=STUDENT, at=0.5, **more):
    return Read("somebody", rights, at, at + 0.1, 200, "search", seen, **more)


def rules(writes, reads=(), stored=None, history=()):
    record = Record()
    for one in (*writes, *reads):
        record.add(one)
    return [one.rule for one in check(record, stored or {}, 5.0, history)]


def test_nothing_is_found_where_nothing_is_wrong():
    writes = [put("a"), put("b", REFUSED), put("c", UNKNOWN), put("d", UNKNOWN), put("e"),
              delete("e"), put("f", replaces="a", at=2.0)]
    reads = [read("a"), read("a", at=4.0), read("e", at=0.9),
             Read("x", STUDENT, 1, 2, 200, "base", (), (), 40, 40),
             Read("x", STUDENT, 1, 2, 200, "base", (), ("text",), 40, 3),
             Read("x", STUDENT, 1, 2, 503, "base", (), (), 40)]
    assert rules(writes, reads, {"c": 1, "f": 1}) == []


@pytest.mark.parametrize(("writes", "stored", "rule"), [
    ([put("a")], {}, "lost"),
    ([put("a")], {"a": 2}, "doubled"),
    ([put("a", UNKNOWN)], {"a": 2}, "doubled"),
    ([put("a", REFUSED)], {"a": 1}, "refused, but stored"),
    ([put("a"), delete("a")], {"a": 1}, "deleted, but stored"),
    ([put("a"), put("b", replaces="a")], {"a": 1, "b": 1}, "deleted, but stored"),
    ([put("a"), put("b", REFUSED, replaces="a")], {}, "lost"),
    ([], {"a": 1}, "from nowhere"),
])
def test_what_is_stored(writes, stored, rule):
    assert rules(writes, (), stored) == [rule]


def test_a_deletion_of_unknown_outcome_allows_both():
    writes = [put("a"), delete("a", UNKNOWN)]
    assert rules(writes, (), {}) == rules(writes, (), {"a": 1}) == []


@pytest.mark.parametrize(("thing", "caller", "leaks"), [
    (Rights(3, "Law"), STUDENT, True),
    (Rights(3, "Law"), LAWYER, False),
    (PHYSICS, LAWYER, True),
    (PHYSICS, Rights(4, everywhere=True), False),
    (Rights(5, "Law"), Rights(4, everywhere=True), True),
    (Rights(2), STUDENT, False),
])
def test_rights(thing, caller, leaks):
    found = rules([put("a", rights=thing)], [read("a", rights=caller)], {"a": 1})
    assert found == (["leaked"] if leaks else [])


def test_what_was_deleted_may_be_shown_for_as_long_as_is_documented():
    writes = [put("a"), delete("a", at=1.0)]
    assert rules(writes, [read("a", at=6.0)]) == []
    assert rules(writes, [read("a", at=6.2)]) == ["shown after its end"]


def test_what_all_said_was_gone_is_not_shown_at_all():
    writes = [put("a"), delete("a", at=1.0, everywhere=True)]
    assert rules(writes, [read("a", at=1.05)]) == []  # asked before the answer
    assert rules(writes, [read("a", at=1.2)]) == ["shown after its end"]


def test_a_version_that_was_replaced_ends():
    writes = [put("a"), put("b", replaces="a", at=1.0)]
    assert rules(writes, [read("a", at=9)], {"b": 1}) == ["shown after its end"]


def test_versions_of_earlier_runs_are_known():
    history = [put("a"), delete("a")]
    assert rules([], [read("a", at=9)], {}, history) == ["shown after its end"]
    assert rules([], [], {"a": 1}, history) == ["deleted, but stored"]


def test_what_was_never_written_or_refused_is_not_shown():
    assert rules([], [read("a")]) == ["from nowhere"]
    assert rules([put("a", REFUSED)], [read("a")]) == ["refused, but shown"]


def test_a_search_that_misses_something_must_say_so():
    missing = Read("x", STUDENT, 1, 2, 200, "base", (), (), 40, 39)
    assert rules([], [missing]) == ["incomplete"]


@pytest.mark.parametrize(("status", "code", "outcome"), [
    (201, "", ACKNOWLEDGED), (400, "invalid_request", REFUSED), (429, "", REFUSED),
    (503, "unavailable", REFUSED), (503, "outcome_unknown", UNKNOWN),
    (500, "", UNKNOWN), (504, "", UNKNOWN), (0, "", UNKNOWN)])
def test_what_an_answer_says_of_a_write(status, code, outcome):
    assert outcome_of(status, code) == outcome
