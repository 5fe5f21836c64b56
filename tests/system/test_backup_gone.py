"""A machine that is gone says no word: no connection ends, and no lock may stay for that."""

import os
import subprocess

import pytest
from backups import Backups, empty_server
from conftest import eventually

HERE, THERE = "10.98.7.1", "10.98.7.2"


def ip(*words):
    return subprocess.run(["ip", *words], check=False, capture_output=True, timeout=60)


class Machines:
    """Two network namespaces and a cable between them; in the first is the database."""

    def __init__(self):
        self.names = [f"cairn{os.getpid()}{letter}" for letter in "ab"]

    def __enter__(self):
        for name in self.names:
            if ip("netns", "add", name).returncode:
                self.__exit__()
                pytest.skip("network namespaces cannot be made here")
        first, second = self.names
        ip("-n", first, "link", "add", "cable", "type", "veth", "peer", "name", "cable",
           "netns", second)
        for name, address in ((first, HERE), (second, THERE)):
            for words in (("addr", "add", f"{address}/24", "dev", "cable"),
                          ("link", "set", "cable", "up"), ("link", "set", "lo", "up")):
                done = ip("-n", name, *words)
                assert done.returncode == 0, done.stderr
        return self

    def __exit__(self, *_):
        for name in self.names:
            ip("netns", "del", name)

    def within(self, number):
        return ["ip", "netns", "exec", self.names[number]]

    def cut(self):
        assert ip("-n", self.names[1], "link", "set", "cable", "down").returncode == 0


@pytest.fixture
def machines():
    with Machines() as made:
        yield made


def writes(backups, process):
    """It is in the middle of a dump."""
    assert process.poll() is None, process.communicate()
    return any(part.stat().st_size for part in backups.dir.glob(".making-*/database.*"))


def test_a_machine_that_is_gone_keeps_no_lock(stack, machines, tmp_path):
    """Nor does its own run wait for the database for ever."""
    with empty_server(HERE, machines.within(0)) as url:
        subprocess.run([*machines.within(0), "psql", "-qc", "CREATE TABLE filler AS SELECT g, "
                        "md5(g::text) FROM generate_series(1, 400000) g", url + "/postgres"],
                       check=True, timeout=60)
        url += "/postgres?keepalives_idle=1&keepalives_interval=1&keepalives_count=2"
        gone, other = [Backups(tmp_path / name, stack, DATABASE_URL=url, BACKUP_FILES="false",
                               BACKUP_COMPRESSION="none", FILE_STORE=f"dir:{tmp_path}/none")
                       for name in ("gone", "other")]
        gone.within, other.within = machines.within(1), machines.within(0)
        run = gone.start("create", "--verify", "none", BACKUP_RATE_MB="1")
        eventually(lambda: writes(gone, run), seconds=60)
        assert "another replica" in other.run("create", code=1)
        machines.cut()
        made = other.create("--wait", "--verify", "none")
        assert [one["id"] for one in other.sets()] == [made["id"]]
        _, said = run.communicate(timeout=120)
        assert run.returncode == 1, said
        assert gone.sets() == gone.hidden() == []
