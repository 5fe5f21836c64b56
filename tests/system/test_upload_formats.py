"""Files of every type through HTTP: what is found in them, and what is refused."""

import pathlib
import random
import subprocess
import sys

import pytest
from conftest import ADMIN, BIN, ROOT
from forms import upload
from made_files import docx, made_files, paragraph, pdf

UPLOADS = ROOT / "tests/data/uploads"
MADE = made_files()


def taken(stack, name, data, **fields):
    reply = upload(stack, name, data, **fields)
    assert reply.status in (200, 201), reply.body
    return reply.json()


def count(stack):
    return stack.get("/api/documents?per_page=1").json()["pagination"]["total_count"]


def refused(stack, name, data, status, code):
    before = count(stack)
    reply = upload(stack, name, data)
    assert (reply.status, reply.json()["code"]) == (status, code), reply.body
    assert reply.json()["field"] == "file"
    assert count(stack) == before
    return reply.json()["error"]


def document(stack, answer):
    return stack.get(f"/api/documents/{answer['document_id']}").json()


@pytest.mark.parametrize("name, text", [
    ("minimal-document.pdf", "Lorem ipsum dolor sit amet,"),
    ("poi-SampleDoc.docx", "I am a test document"),
    ("tika-multi-language.txt", "en ABC adhoc internship")])
def test_good_files_are_taken(stack, name, text):
    answer = taken(stack, name, (UPLOADS / "good" / name).read_bytes(), collection="good")
    assert any(text in section["text"] for section in document(stack, answer)["sections"])
    assert answer["file"]["name"] == name
    hits = stack.search(text, user=ADMIN, filters={"collection": "good"},
                        config={"mode": "text"})["results"]
    assert answer["document_id"] in {hit["document_id"] for hit in hits}


def test_bad_files_are_refused_with_their_cause(stack):
    assert "password" in refused(stack, "locked.pdf",
                                 (UPLOADS / "bad/encrypted-user-password.pdf").read_bytes(),
                                 422, "encrypted")
    refused(stack, "half.pdf", (UPLOADS / "bad/made-truncated-half.pdf").read_bytes(),
            422, "damaged")


def test_names_in_an_archive_touch_nothing(stack):
    upload(stack, "x.docx", (UPLOADS / "bad/made-path-traversal.docx").read_bytes())
    for path in ("/tmp/upload_traversal_probe.txt", "/etc/upload_traversal_probe2",
                 "probe3.txt"):
        assert not pathlib.Path(path).exists()


def test_headings_pages_title_language_and_date_are_kept(stack):
    word = document(stack, taken(stack, "tides.docx", MADE["tides.docx"], collection="kept"))
    assert word["title"] == "Handbook of tides"
    assert word["metadata"]["language"] == "en-GB"
    assert word["metadata"]["created"].startswith("2021-03-04")
    assert [section["title"] for section in word["sections"]] == ["Moon"]
    book = taken(stack, "tides.pdf", MADE["tides.pdf"], collection="kept")
    assert (book["file"]["type"], book["file"]["pages"]) == ("application/pdf", 2)
    book = document(stack, book)
    assert book["title"] == "Tides"
    assert [(section["title"], section["page_number"]) for section in book["sections"]] == [
        ("Chapter 1", 1), ("Chapter 1", 2)]


def test_text_of_every_other_type(stack):
    for name in ("tides.md", "tides.html", "tides.csv", "tides.txt"):
        answer = taken(stack, name, MADE[name], collection="others")
        texts = "\n".join(s["text"] for s in document(stack, answer)["sections"])
        assert "Leith" in texts, name
        assert "script" not in texts and "\0" not in texts


def test_what_is_said_goes_before_what_is_found(stack):
    answer = taken(stack, "said.docx", MADE["tides.docx"], collection="said", title="Mine",
                   metadata='{"language": "fr", "priority": 2}')
    kept = document(stack, answer)
    assert kept["title"] == "Mine"
    assert kept["metadata"]["language"] == "fr"
    assert kept["metadata"]["priority"] == 2


def test_without_a_title_the_name_is_one(stack):
    answer = taken(stack, "rain-gauges.txt", b"Read at nine each morning.")
    assert document(stack, answer)["title"] == "rain-gauges.txt"


def test_the_same_bytes_twice_are_one_document(stack):
    data = b"The same bytes, whoever brings them."
    first = taken(stack, "once.txt", data, collection="twice")
    assert first["unchanged"] is False
    again = taken(stack, "again.txt", data, collection="twice")
    assert again["unchanged"] is True
    assert again["document_id"] == first["document_id"]
    elsewhere = taken(stack, "once.txt", data, collection="elsewhere")
    assert elsewhere["document_id"] != first["document_id"]


def test_an_id_is_put_under_that_id(stack):
    data = b"Put under an id of its own."
    first = taken(stack, "a.txt", data, id="file-by-id")
    assert first["document_id"] == "file-by-id"
    assert taken(stack, "a.txt", data, id="file-by-id")["unchanged"] is True
    assert taken(stack, "a.txt", b"Other bytes.", id="file-by-id")["unchanged"] is False
    assert document(stack, first)["sections"][0]["text"] == "Other bytes."


def test_what_can_be_run_archives_and_two_things_at_once(stack):
    zipped = MADE["tides.docx"]
    for name, data in [
            ("x.txt", b"\x7fELF\2\1\1" + bytes(20)), ("x.pdf", b"MZ\x90" + bytes(64)),
            ("x.txt", b"#!/bin/sh\nexit\n"), ("x.exe", b"text"), ("x.zip", zipped),
            ("x.pdf", MADE["tides.pdf"] + zipped), ("x.docx", MADE["tides.pdf"]),
            ("x.html", b"<html>\n" + MADE["plain.pdf"]), ("x.docx", zipped + b"<html>"),
            ("x.docx", docx(paragraph("x"), more=[("word/vbaProject.bin", "x")]))]:
        refused(stack, name, data, 415, "type_refused")


def test_bombs_and_depth(stack):
    spaces = "<d><body><p><r><t>" + " " * 30_000_000
    refused(stack, "bomb.docx", docx("", document=spaces), 422, "limit_exceeded")
    refused(stack, "deep.docx", docx("<w:tbl>" * 400), 422, "limit_exceeded")
    laughs = ('<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><d><body><p><r><t>'
              '&b;</t></r></p></body></d>')
    refused(stack, "laughs.docx", docx("", document=laughs), 422, "damaged")
    refused(stack, "scan.pdf", pdf([[]]), 422, "no_text")


def test_damaged_files_harm_nothing(stack):
    """A few files of the kind of tests/faults/mutate_uploads.py, through the whole stack."""
    chance = random.Random(7)
    before = stack.pid("search")
    for _ in range(5):
        for name in ("tides.pdf", "tides.docx"):
            data = bytearray(MADE[name])
            for _ in range(8):
                data[chance.randrange(len(data))] = chance.randrange(256)
            reply = upload(stack, name, bytes(data), collection="damaged")
            assert reply.status in (200, 201, 415, 422), reply.body
    assert stack.pid("search") == before
    taken(stack, "after.txt", b"Still at work.")


def test_mutated_files_are_taken_or_refused():
    """A hundred of the thousand that are tried by hand, without the stack."""
    run = subprocess.run([sys.executable, ROOT / "tests/faults/mutate_uploads.py",
                          pathlib.Path(BIN) / "cairn-extract", "--count", "100"],
                         capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
