"""A machine that is gone says no word: no connection ends, and no lock may stay for that."""

import os
import pathlib
import shutil
import subprocess

import pytest
from backups import Backups, empty_server
from conftest import eventually

HERE, THERE = "10.98.7.1", "10.98.7.2"


def succeeds(*words):
    return subprocess.run(words, check=False, capture_output=True, timeout=60).returncode == 0


class Machines:
    """Two network namespaces and a cable between them; in the first is the database."""

    def __init__(self):
        self.names = [f"cairn{os.getpid()}{letter}" for letter in "ab"]

    def make(self):
        first, second = self.names
        steps = [["ip", "netns", "add", first], ["ip", "netns", "add", second],
                 ["ip", "-n", first, "link", "add", "cable", "type", "veth", "peer", "name",
                  "cable", "netns", second]]
        for name, address in ((first, HERE), (second, THERE)):
            steps += [["ip", "-n", name, "addr", "add", f"{address}/24", "dev", "cable"],
                      ["ip", "-n", name, "link", "set", "cable", "up"],
                      ["ip", "-n", name, "link", "set", "lo", "up"],
                      [*self.within(self.names.index(name)), "true"]]
        return all(succeeds(*step) for step in steps)

    def __enter__(self):
        if os.geteuid() or not shutil.which("ip") or not self.make():
            self.__exit__()
            pytest.skip("network namespaces cannot be made here")
        return self

    def __exit__(self, *_):
        for name in self.names:
            if pathlib.Path("/run/netns", name).exists():
                succeeds("ip", "netns", "del", name)

    def within(self, number):
        return ["nsenter", f"--net=/run/netns/{self.names[number]}"]

    def cut(self):
        assert succeeds("ip", "-n", self.names[1], "link", "set", "cable", "down")


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
                        "md5(g::text) FROM generate_series(1, 800000) g", url + "/postgres"],
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
