"""What a large set takes of memory: as much as a small one."""

import os
import pathlib
import re

import pytest
from backups import Backups, Service
from conftest import eventually
from fake_s3 import BUCKET, FakeS3
from stack import SANITIZED

KB, MB = 1 << 10, 1 << 20
LARGE = int(os.environ.get("LARGE_MB", "96"))
GROWTH = 8 * MB  # a quarter of a part
BAR = 50 * MB


@pytest.fixture
def s3():
    fake = FakeS3()
    yield fake
    fake.close()


def most(pid):
    """Bytes that it has had in memory."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) * KB


def measured(stack, s3, home, megabytes, part):
    """The service and its run, when a set with a file of this size was made and is all in S3 but
    for its manifest."""
    home.mkdir()
    with open(home / "large", "wb") as large:
        large.truncate(megabytes * MB)
    settings = {name: value for name, value in s3.settings().items() if name != "FILE_STORE"}
    backups = Backups(home, stack, **settings, BACKUP_COMPRESSION="none", BACKUP_TIMEZONE="UTC",
                      BACKUP_CONFIG_PATHS=str(home / "large"),
                      BACKUP_FILES="false", BACKUP_VERIFY="none", BACKUP_PART_MB="100",
                      BACKUP_PLACES=f"s3://{BUCKET}/{megabytes}", S3_PART_MB=str(part))
    backups.environment["ASAN_OPTIONS"] += ":quarantine_size_mb=1"
    backups.pretend(days_ago=3.5)
    s3.fault("hang", method="PUT", path="manifest.json")
    with Service(backups, home / "service.log", BACKUP_SCHEDULE="0 2 * * *") as service:
        service.until(lambda: s3.store.faults == [], seconds=200)
        run, = service.children()
        figures = most(service.process.pid), most(run)
    sent = sum(len(data) for key, data in s3.objects().items() if "/config." in key)
    assert sent > megabytes * MB
    return figures


def test_an_upload_takes_the_same_memory_whatever_the_size(stack, s3, tmp_path):
    """One part at a time, read from the disk as it is sent: neither files nor parts count."""
    small = measured(stack, s3, tmp_path / "small", 12, 5)
    eventually(lambda: s3.store.faults == [])
    large = measured(stack, s3, tmp_path / "large", LARGE, 32)
    print("service and run, small and large set:", small, large)  # noqa: T201
    for before, after in zip(small, large, strict=True):
        assert after < before + GROWTH
        assert SANITIZED or after < BAR
