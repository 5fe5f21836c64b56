"""Pages that are written from the code say what the code says."""

import subprocess
from pathlib import Path

import pytest
from conftest import BIN, ROOT


PAGES = ["docs/configuration.md", "docs/protocol.md", "compose/.env.example"]


@pytest.mark.parametrize("page", PAGES)
def test_generated_pages_are_current(tmp_path, page):
    subprocess.run([ROOT / "scripts/generate-docs.sh", BIN, tmp_path, tmp_path], check=True,
                   cwd=ROOT, timeout=120)
    made = tmp_path / Path(page).name
    assert made.read_text() == (ROOT / page).read_text(), "make docs"
