"""Outside services for terms: DeepL and IATE, as a local server speaks for them."""

import json
import subprocess
import sys
import urllib.request

import pytest
from cairn import Cairn
from conftest import ROOT, Stack, eventually

KEY = "lookup-key-4711"


@pytest.fixture(scope="module")
def service():
    process = subprocess.Popen([sys.executable, str(ROOT / "tests/support/fake_lookup.py"),
                                "--key", KEY], stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().strip()
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def looking(service):
    """A stack that looks terms up."""
    running = Stack(DEEPL_API_KEY=KEY, DEEPL_URL=service + "/v2/translate",
                    IATE_URL=service + "/em-api/entries/_search", IATE_API_KEY=KEY,
                    LOOKUP_TIMEOUT_MS="3000").up()
    yield running
    running.down()


@pytest.fixture
def cairn(looking, tmp_path):
    return Cairn(tmp_path, looking.env["GATEWAY_URL"])


def asked(service):
    with urllib.request.urlopen(service + "/asked", timeout=30) as reply:
        return int(reply.read())


def look(stack, term, source="deepl", **members):
    return stack.post("/api/glossary/lookup", {"source": source, "term": term, "to": "de",
                                               **members})


def found(stack, *words, **members):
    """An answer; a machine that is busy may be late with one."""
    reply = eventually(lambda: (one := look(stack, *words, **members)).status == 200 and one,
                       seconds=60, what=stack.logs)
    return reply.json()


def test_it_is_off_unless_it_is_set(stack):
    for source in ("deepl", "iate"):
        reply = look(stack, "mill", source, **{"from": "en"})
        assert (reply.status, reply.json()["code"]) == (409, "lookup_off"), reply.body
    assert look(stack, "mill", "babel").status == 400
    assert look(stack, "mill", to="12").status == 400


def test_terms_are_looked_up_and_answers_are_kept(looking, service):
    stack = looking
    first = found(stack, "mill")
    assert (first["source"], first["answers"]) == ("deepl", [
        {"language": "de", "term": "llim", "source_language": "en"}])
    # an answer is given even if it cannot be kept in time
    eventually(lambda: found(stack, "mill")["cached"], seconds=60, what=stack.logs)
    before = asked(service)
    again = found(stack, "mill")
    assert again["cached"] and again["answers"] == first["answers"] and again["fetched_at"]
    assert asked(service) == before
    terms = found(stack, "mill", "iate", **{"from": "en"})["answers"]
    assert terms == [{"language": "de", "term": f"mill {n}", "definition": "what it is",
                      "domain": "LAW", "id": "17"} for n in (1, 2)]
    assert look(stack, "mill", "iate").status == 400  # it wants to know from which language

    for term, status in (("broken", 502), ("busy", 502), ("strange", 502), ("hang", 504)):
        reply = eventually(lambda t=term, s=status: (one := look(stack, t)).status == s and one,
                           seconds=60, what=stack.logs)
        assert reply.json()["code"] == "lookup_failed", reply.body
    stack.psql("UPDATE glossary_lookups SET fetched_at = now() - interval '1000 days'")
    before = asked(service)
    assert not found(stack, "mill")["cached"] and asked(service) > before
    assert KEY not in stack.logs(lines=100000)
    assert stack.figure("search", 'external_api_requests_total{service="deepl",status="ok"}') >= 2


def told(cairn, stack, *words, code=0, says=""):
    """What the command prints; a machine that is busy may be late with an answer."""
    def ended():
        process = cairn.start("glossary", "lookup", *words)
        out, err = process.communicate(timeout=120)
        assert "Sanitizer" not in err, err
        return process.returncode == code and says in err and (out, err)

    return eventually(ended, seconds=60, what=stack.logs)


def test_the_command_line_looks_terms_up(looking, cairn):
    out, err = told(cairn, looking, "verso", "de")
    assert (out, err) == ("osrev\tde\t\t\n", "")
    out, _ = told(cairn, looking, "recto", "fr", "-s", "iate", "-f", "en")
    assert out == "recto 1\tfr\tLAW\twhat it is\nrecto 2\tfr\tLAW\twhat it is\n"
    answer = json.loads(told(cairn, looking, "folio", "de", "-s", "deepl", "-f", "en",
                             "--json")[0])
    assert answer["source"] == "deepl" and answer["answers"][0]["term"] == "oilof"
    eventually(lambda: json.loads(told(cairn, looking, "folio", "de", "-f", "en",
                                       "--json")[0])["cached"], seconds=60, what=looking.logs)
    seen = cairn.terminal("glossary", "lookup", "folio", "de", "-f", "en",  # it is kept
                          NO_COLOR="1").splitlines()
    assert seen[0].split() == ["TERM", "LANGUAGE", "DOMAIN", "DEFINITION"], seen
    assert seen[1].split()[:2] == ["oilof", "de"], seen


def test_the_command_line_tells_what_went_wrong(looking, cairn):
    for term, why in (("broken", "not understood"), ("busy", "status 429"), ("hang", "in time")):
        out, err = told(cairn, looking, term, "de", code=1, says=why)
        assert out == "" and err.startswith("cairn: ") and KEY not in err, (term, err)
    out, err = told(cairn, looking, "verso", "de", "-s", "iate", code=1)
    assert out == "" and "from" in err, err
    cairn.run("glossary", "lookup", "verso", "de", "-s", "babel", code=2)
