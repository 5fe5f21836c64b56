"""The backup service by itself: what is due, over two replicas; health; the hook."""

import contextlib
import datetime
import json
import pathlib
import time
import zoneinfo

import pytest
from backups import Backups, Service
from conftest import eventually
from receiver import Receiver

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2"
NIGHTLY = {"BACKUP_SCHEDULE": "0 2 * * *", "BACKUP_TIMEZONE": "UTC", "BACKUP_VERIFY": "none",
           "BACKUP_FILES": "false"}


@pytest.fixture
def backups(stack, tmp_path):
    return Backups(tmp_path, stack)


def waits_for(service, verb):
    """Its run is there."""
    def there():
        for pid in service.children():
            with contextlib.suppress(OSError):  # it may have ended
                if verb in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                    return pid
        return None
    return service.until(there)


def knows_the_next(service):
    """It has seen the set of today: what is due next is still to come."""
    service.until(lambda: (service.figure("cairn_backup_next_timestamp_seconds") or 0)
                  > time.time() and not service.children())


def made(backups, old):
    return [one["id"] for one in backups.sets() if one["id"] != old]


def test_what_was_missed_is_made_up_once_by_two_replicas(backups, tmp_path):
    """And proven by a restore, as nobody said that it should not be."""
    old = backups.pretend(days_ago=3.5)
    settings = {name: value for name, value in NIGHTLY.items() if name != "BACKUP_VERIFY"}
    with Service(backups, tmp_path / "a.log", **settings) as one, \
            Service(backups, tmp_path / "b.log", **settings) as other:
        for service in (one, other):
            knows_the_next(service)
        name, = made(backups, old)
        manifest = backups.manifest(name)
        assert manifest["proven"] == "restored" and manifest["drill"]["ok"] is True
        for service in (one, other):
            service.until(lambda service=service: service.figure(
                "cairn_backup_last_verified_restore_timestamp_seconds"))
        for service in (one, other):
            assert service.figure('cairn_backup_runs_total{run="create",state="failed"}') is None
            assert service.figure("cairn_backup_next_timestamp_seconds") % 86400 == 7200
            service.says("")


def test_the_other_replica_takes_over(stack, backups, tmp_path):
    """One dies while it makes the set that the other waits for."""
    old = backups.pretend(days_ago=3.5)
    slow = {"BACKUP_COMPRESSION": "none", "BACKUP_RATE_MB": "1"}
    stack.psql("CREATE TABLE backup_filler AS SELECT g, md5(g::text) "
               "FROM generate_series(1, 200000) g")
    try:
        with Service(backups, tmp_path / "a.log", **NIGHTLY, **slow) as dies:
            dies.until(lambda: any(part.stat().st_size for part in
                                   backups.dir.glob(".making-*/database.*")))
            with Service(backups, tmp_path / "b.log", **NIGHTLY) as other:
                waits_for(other, b"create")
                assert len(list(backups.dir.glob(".making-*"))) == 1
                assert made(backups, old) == []
                dies.kill()
                knows_the_next(other)
                assert len(made(backups, old)) == 1
                assert backups.run("verify", made(backups, old)[0])["ok"] is True
                assert other.figure(
                    'cairn_backup_runs_total{run="create",state="done"}') == 1.0
        assert backups.hidden() == []
    finally:
        stack.psql("DROP TABLE backup_filler")


def test_the_schedule_is_that_of_the_zone(backups):
    """As another implementation has it, for the hundred days to come."""
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    shown = backups.run("schedule", "--next", "100", BACKUP_SCHEDULE="30 2 * * *",
                        BACKUP_TIMEZONE="Europe/Berlin")["next"]
    day = datetime.datetime.fromisoformat(shown[0]).astimezone(berlin).date()
    for text in shown:
        at = datetime.datetime.combine(day, datetime.time(2, 30), berlin)
        utc = at.astimezone(datetime.UTC)
        if utc.astimezone(berlin).hour != 2:  # the clock leaps over it, to three
            utc = utc.replace(minute=0)
        assert datetime.datetime.fromisoformat(text) == utc, day
        day += datetime.timedelta(days=1)
    assert "no time zone" in backups.run("schedule", code=2, BACKUP_TIMEZONE="Mars/Olympus")


def test_a_failure_is_told_to_the_hook_and_a_backup_is_late(backups, tmp_path):
    backups.pretend(days_ago=3.5)
    with Receiver() as hook:
        hook.statuses = [503]
        url = f"http://127.0.0.1:{hook.server_port}/failed"
        with Service(backups, tmp_path / "a.log", **NIGHTLY, DATABASE_URL=NOWHERE,
                     BACKUP_HOOK_URL=url) as service:
            eventually(lambda: len(hook.heard) == 2, seconds=90, what=service.log.read_text)
            told = [json.loads(body) for _, _, body in hook.heard]
            assert told[0] == told[1]  # the first answer was 503
            assert (told[0]["kind"], told[0]["state"], told[0]["created_by"]) == (
                "create", "failed", "schedule")
            assert "127.0.0.1" in told[0]["error"] and hook.heard[0][0] == "/failed"
            service.until(
                lambda: service.figure('cairn_backup_hooks_total{state="taken"}') == 1.0)
            service.says("a backup is late")
        hook.shutdown()


def test_health_is_degraded_by_what_is_wrong(backups, tmp_path):
    def says(message, **settings):
        with Service(backups, tmp_path / "health.log", DATABASE_URL=NOWHERE,
                     **settings) as service:
            service.says(message)

    says("")
    backups.pretend(verified=False)
    says("the newest full set is not verified")
    says("", BACKUP_VERIFY="none")
    says("the disk of the backups is short", BACKUP_VERIFY="none",
         BACKUP_MIN_FREE_MB="999999999")
    (backups.dir / "20200101T000000Z-full").mkdir()
    says("a backup set has no usable manifest", BACKUP_VERIFY="none")
