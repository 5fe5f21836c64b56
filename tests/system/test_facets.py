"""`facets` of POST /api/search: all that matches, counted under the caller's rights."""

import pytest
from conftest import ADMIN

STUDENT = {"user_id": "s1", "role": "student"}
TEXT = {"mode": "text", "max_results": 1}


@pytest.fixture(scope="module", autouse=True)
def sorts(stack):
    """Thirty jars; every third is for the laboratory alone."""
    ids = [f"facets-{i}" for i in range(30)]
    for i, name in enumerate(ids):
        secret = {"clearance_level": 4, "department": "Laboratory", "sort": "arsenic"}
        stack.put(id=name, title=f"Jar {i}", collection="jars", text="one quincelike jar",
                  metadata=secret if i % 3 == 0 else
                  {"sort": "jam" if i % 2 else "honey", "year": 2020 + i % 4,
                   "sealed": i % 5 == 0})
    yield
    for name in ids:
        stack.delete(f"/api/documents/{name}")


def counted(answer, field):
    return {value["value"]: value["count"] for one in answer["facets"]["fields"]
            if one["field"] == field for value in one["values"]}


def test_counts_are_of_all_that_matches_not_of_the_page(stack):
    answer = stack.search("quincelike", user=ADMIN, config=TEXT,
                          facets={"fields": ["sort", "year", "sealed", "collection", "none"]})
    assert answer["total"] == 30 and answer["count"] == 1
    assert answer["facets"]["over"] == "matches"
    assert counted(answer, "sort") == {"jam": 10, "honey": 10, "arsenic": 10}
    assert sum(counted(answer, "year").values()) == 20
    assert counted(answer, "sealed") == {True: 4, False: 16}
    assert counted(answer, "collection") == {"jars": 30}
    assert counted(answer, "none") == {}


@pytest.mark.parametrize("mode", ["text", "hybrid"])
def test_what_one_may_not_read_is_neither_counted_nor_named(stack, mode):
    answer = stack.search("quincelike", user=STUDENT, config={"mode": mode},
                          filters={"collection": "jars"},
                          facets={"fields": ["sort", "department", "clearance_level"]})
    assert counted(answer, "sort") == {"jam": 10, "honey": 10}
    assert "Laboratory" not in str(answer["facets"])
    assert 4 not in counted(answer, "clearance_level")


def test_a_filter_for_a_value_finds_as_many_as_were_counted(stack):
    ask = {"user": ADMIN, "config": TEXT}
    answer = stack.search("quincelike", **ask, facets={"fields": ["year"]})
    for year, count in counted(answer, "year").items():
        found = stack.search("quincelike", **ask, filters={"metadata": {"year": year}})
        assert found["total"] == count


def test_without_fields_it_is_what_divides_what_was_found(stack):
    answer = stack.search("quincelike", user=ADMIN, config=TEXT, facets={"values": 2})
    fields = {one["field"]: one for one in answer["facets"]["fields"]}
    assert {"sort", "year", "sealed"} <= set(fields)
    assert "collection" not in fields, "all are of one"
    assert fields["sort"]["distinct"] == 3 and len(fields["sort"]["values"]) == 2
    assert "facets" not in stack.search("quincelike", user=ADMIN, config=TEXT)


@pytest.mark.parametrize("facets, field", [
    ({"fields": ["x"] * 17}, "facets.fields"), ({"fields": [""]}, "facets.fields"),
    ({"fields": ["x" * 513]}, "facets.fields"), ({"values": 0}, "facets.values"),
    ({"values": 51}, "facets.values"), ({"fields": 3}, "facets.fields"), ([], "facets")])
def test_what_is_wrong_is_named(stack, facets, field):
    reply = stack.post("/api/search", {"query": "x", "user": ADMIN, "facets": facets})
    assert reply.status == 400
    assert reply.json()["field"] == field


def test_the_same_question_again_is_the_same_question(stack):
    """Bodies that were read before are not read again; what they name must still be there."""
    def ask(*fields):
        return stack.search("quincelike", user=ADMIN, config=TEXT,
                            facets={"fields": fields})["facets"]
    first = ask("sort", "year")
    for n in range(20):
        ask(*(f"other{n}.{i}" for i in range(16)))
        assert ask("sort", "year") == first
