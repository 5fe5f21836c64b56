"""Pages that are written from the code say what the code says."""

import subprocess

import pytest
from conftest import BIN, ROOT


@pytest.mark.parametrize("page", ["configuration.md", "protocol.md"])
def test_generated_pages_are_current(tmp_path, page):
    subprocess.run([ROOT / "scripts/generate-docs.sh", BIN, tmp_path], check=True, cwd=ROOT,
                   timeout=120)
    assert (tmp_path / page).read_text() == (ROOT / "docs" / page).read_text(), "make docs"
