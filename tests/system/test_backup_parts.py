"""Large files of a set go to S3 in parts, and on where they broke off."""

import datetime
import itertools

import pytest
from backups import Backups
from conftest import eventually
from fake_s3 import BUCKET, FakeS3

PARTS = 3  # of 5 MiB


@pytest.fixture(scope="module")
def s3():
    fake = FakeS3()
    yield fake
    fake.close()


@pytest.fixture(scope="module")
def made(stack, s3, tmp_path_factory):
    """A set with one large file."""
    home = tmp_path_factory.mktemp("parts")
    large = home / "large"
    large.write_bytes(b"".join(number.to_bytes(8, "big") * 1024 for number in range(1500)))
    settings = {name: value for name, value in s3.settings().items() if name != "FILE_STORE"}
    backups = Backups(home, stack, BACKUP_COMPRESSION="none", BACKUP_CONFIG_PATHS=str(large),
                      S3_PART_MB="5", **settings)
    backups.name = backups.create("--kind", "config", "--verify", "none")["id"]
    assert (backups.dir / backups.name / "config.000").stat().st_size > 2 * (5 << 20)
    return backups


@pytest.fixture
def place(s3, made, numbers=itertools.count()):
    """A place of one's own; afterwards nothing is under way."""
    s3.store.faults.clear()
    prefix = f"parts{next(numbers)}"
    made.environment["BACKUP_PLACES"] = f"s3://{BUCKET}/{prefix}"
    yield prefix
    s3.store.uploads.clear()


def there(s3, prefix):
    return {key.rsplit("/", 1)[1]: data for key, data in s3.objects().items()
            if key.startswith(prefix + "/")}


def here(made):
    return {path.name: path.read_bytes() for path in (made.dir / made.name).iterdir()}


def nothing_there(s3, prefix):
    """No file that is not whole, and nothing that says that there is a set."""
    return not {"config.000", "manifest.json"} & set(there(s3, prefix))


def another(stack, made, home):
    """A machine that has nothing."""
    return Backups(home, stack, **{name: value for name, value in made.environment.items()
                                   if name.startswith("S3_")}, FILE_STORE=f"dir:{home}/none")


def test_only_parts_that_are_missing_are_sent_again(s3, made, place):
    s3.fault("cut", path="partNumber=3")
    before = s3.store.parts_sent
    said = made.run("copy", made.name, code=1, S3_ATTEMPTS="1")
    assert "config.000" in said and nothing_there(s3, place)
    assert s3.store.parts_sent - before == PARTS - 1 and len(s3.store.uploads) == 1
    made.run("copy", made.name)
    assert s3.store.parts_sent - before == PARTS
    assert there(s3, place) == here(made) and s3.store.uploads == {}


def test_what_passes_does_not_stop_a_copy(s3, made, place):
    for fault in ({"kind": "status", "status": 500}, {"kind": "drop"}, {"kind": "cut"}):
        s3.fault(**fault, path="partNumber=2")
    s3.fault("status", status=503, path="uploads=", code="SlowDown")
    s3.fault("truncate", method="GET", path="uploadId=")
    s3.fault("lost", method="POST", path="uploadId=")
    made.run("copy", made.name, S3_ATTEMPTS="6")
    assert there(s3, place) == here(made) and s3.store.uploads == {}
    assert s3.store.faults == []


def test_silence_is_not_waited_for(s3, made, place):
    s3.fault("hang", path="partNumber=2")
    made.run("copy", made.name, S3_TIMEOUT_MS="2000")
    assert there(s3, place) == here(made)


def test_what_trickles_is_given_up_and_goes_on_later(s3, made, place, stack, tmp_path):
    """A byte now and then keeps a connection alive, and no run."""
    s3.fault("trickle", path="partNumber=3")
    before = s3.store.parts_sent
    said = made.run("copy", made.name, code=1, S3_ATTEMPTS="1", S3_SLOW_S="2")
    assert "config.000: " in said and "too slow" in said and nothing_there(s3, place)
    sent = s3.store.parts_sent - before
    made.run("copy", made.name)
    assert s3.store.parts_sent - before == PARTS and sent < PARTS
    assert there(s3, place) == here(made)
    fresh = another(stack, made, tmp_path)
    s3.fault("trickle", method="GET", path="config.000")
    fresh.run("fetch", made.name, "--from", made.environment["BACKUP_PLACES"], S3_SLOW_S="2")
    assert (fresh.dir / made.name / "config.000").read_bytes() == here(made)["config.000"]
    assert s3.store.faults == []


def test_a_copy_is_cancelled_in_the_middle_of_a_part(s3, made, place):
    """Nobody waits for S3 any more; what is there is gone on with."""
    s3.fault("hang", path="partNumber=2")
    run = made.start("copy", made.name, S3_SLOW_S="3600", S3_TIMEOUT_MS="3600000")
    eventually(lambda: s3.store.faults == [], seconds=60)
    run.terminate()
    _, said = run.communicate(timeout=120)
    assert run.returncode == 1 and "cancelled" in said and nothing_there(s3, place)
    made.run("copy", made.name)
    assert there(s3, place) == here(made)


@pytest.mark.parametrize("fault", ["flip", "rot"])
def test_wrong_bytes_never_become_a_backup(s3, made, place, fault):
    s3.fault(fault, path="partNumber=2")
    said = made.run("copy", made.name, code=1, S3_ATTEMPTS="1")
    assert "config.000" in said and nothing_there(s3, place)
    made.run("copy", made.name)
    assert there(s3, place) == here(made)


def test_what_is_damaged_here_is_not_sent(s3, made, place):
    path = made.dir / made.name / "config.000"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    before = s3.store.parts_sent
    try:
        assert "not what was written" in made.run("copy", made.name, code=1)
    finally:
        path.write_bytes(good)
    assert nothing_there(s3, place) and s3.store.parts_sent == before


def test_parts_of_something_else_are_not_taken_for_ours(s3, made, place):
    """The file was cut otherwise, or was another one; and what nobody goes on with goes."""
    now = datetime.datetime.now(datetime.UTC)
    key = f"{place}/{made.name}/config.000"
    s3.store.uploads["other.cut"] = (key, now, {1: b"x" * (5 << 20), 9: b"y"})
    s3.store.uploads["left"] = (f"{place}/20200101T000000Z-full/database.000", now, {1: b"z"})
    s3.store.uploads["log"] = (f"{place}/.wal/7/partial-a.000", now, {})
    s3.store.uploads["somebody's"] = (f"{place}/photographs/1.raw", now, {})
    s3.store.uploads["another place's"] = (f"{place}2/x/database.000", now, {})
    made.run("copy", made.name)
    assert there(s3, place) == here(made)
    assert set(s3.store.uploads) == {"log", "somebody's", "another place's"}


def test_it_comes_back_from_there(stack, s3, made, place, tmp_path):
    """Connections that break while it comes cost the piece that was under way."""
    made.run("copy", made.name)
    fresh = another(stack, made, tmp_path)
    s3.fault("truncate", method="GET", path="config.000", count=2)
    s3.fault("short", method="GET", path="config.000")
    before = s3.store.requests["GET"]
    fresh.run("fetch", made.name, "--from", made.environment["BACKUP_PLACES"])
    assert (fresh.dir / made.name / "config.000").read_bytes() == here(made)["config.000"]
    assert s3.store.faults == [] and s3.store.requests["GET"] - before <= 10
