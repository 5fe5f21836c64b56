"""What the job of an import of terms tells: while it goes on, and of a file that breaks off."""

import pytest
from conftest import eventually
from held import Held

TYPES = {"csv": "text/csv", "json": "application/json"}


@pytest.fixture
def none(stack):
    """No entry of theirs stays behind."""
    yield
    stack.psql("DELETE FROM glossary_terms WHERE domain = 'counted'")


def bring(stack, body, kind):
    reply = stack.request("POST", "/api/glossary/import", body,
                          headers={"Content-Type": TYPES[kind]})
    assert reply.status == 202, reply.body
    return reply.headers["Location"]


def ended(stack, place):
    return eventually(lambda: (job := stack.get(place).json())["state"] in ("done", "failed")
                      and job, seconds=60, what=stack.logs)


@pytest.mark.usefixtures("none")
def test_progress_rises_to_the_number_of_entries(stack):
    rows = b"".join(b'{"term":"many %d","id":"many-%d","domain":"counted"}\n' % (i, i)
                    for i in range(1301))
    assert ended(stack, bring(stack, rows, "json"))["result"]["created"] == 1301
    changed = rows.replace(b'"many ', b'"more ')
    with Held(stack, "glossary_terms", "many-1200"):
        place = bring(stack, changed, "json")
        half = eventually(lambda: (job := stack.get(place).json())["done"] == 1000 and job,
                          seconds=60, what=stack.logs)
        assert (half["state"], half["failed"], half["total"]) == ("running", 0, 1301)
        assert half["errors"] == []
    job = ended(stack, place)
    assert (job["done"], job["total"], job["result"]["updated"]) == (1301, 1301, 1301)


@pytest.mark.usefixtures("none")
def test_what_came_before_the_end_of_a_broken_file_is_counted(stack):
    """Batches that were whole stay; the figures are of these."""
    rows = b"term,domain,clearance_level\n" + b"".join(
        b"half %d,counted,%d\n" % (i, 9 if i == 499 else 1) for i in range(600))
    job = ended(stack, bring(stack, rows + b'open,"counted\n', "csv"))
    assert (job["state"], job["code"]) == ("failed", "damaged"), job
    assert (job["done"], job["failed"], job["total"]) == (499, 1, 600)
    assert [(error["item"], error["code"]) for error in job["errors"]] == [
        ("line 501", "invalid_request")]
    assert stack.psql("SELECT count(*) FROM glossary_terms WHERE domain = 'counted'") == "499"


@pytest.mark.usefixtures("none")
def test_a_file_of_which_nothing_could_be_taken_is_read_all_the_same(stack):
    job = ended(stack, bring(stack, b"term,domain\n,counted\n,counted\n", "csv"))
    assert (job["state"], job["done"], job["failed"], job["total"]) == ("done", 0, 2, 2)
    assert [error["item"] for error in job["errors"]] == ["line 2", "line 3"]
