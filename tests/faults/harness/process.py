"""A process of the cluster: started on its host, and again whenever it ends unasked."""

import contextlib
import os
import signal
import subprocess
import threading
import time

RESTART_AFTER = 0.1  # as soon as cairn-stack does it, and no later each time


class Process:
    def __init__(self, name, host, argv, environment, log):
        self.name, self.host, self.argv = name, host, list(argv)
        self.environment, self.log = dict(environment), log
        self.prefix = []  # what a fault puts in front: another clock, less memory
        self.child = None
        self.held = False  # it is to stay away
        self.ends = []  # how it ended, each time

    def spawn(self):
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(
                self.host.command([*self.prefix, *self.argv]), stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, env=self.environment, start_new_session=True)

    def start(self):
        """Only then is it the supervisor's again, who would start another one beside it."""
        self.spawn()
        self.held = False

    @property
    def running(self):
        return self.child is not None and self.child.poll() is None

    @property
    def pid(self):
        return self.child.pid

    def family(self):
        """With the children, as PostgreSQL has them."""
        family = [self.pid]
        with contextlib.suppress(OSError):
            path = f"/proc/{self.pid}/task/{self.pid}/children"
            with open(path, encoding="ascii") as file:
                family += map(int, file.read().split())
        return family

    def tell(self, number, whole=False):
        for pid in self.family() if whole else [self.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self, number=signal.SIGTERM, seconds=30):
        """And stay away until start()."""
        self.held = True
        if not self.running:
            return
        self.tell(signal.SIGCONT, whole=True)
        self.tell(number)
        try:
            self.child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.tell(signal.SIGKILL, whole=True)
            self.child.wait(timeout=10)

    def kill(self, hold=False):
        self.held = hold
        self.tell(signal.SIGKILL, whole=True)
        self.child.wait(timeout=10)


class Supervisor(threading.Thread):
    def __init__(self, processes):
        super().__init__(daemon=True)
        self.processes = processes
        self.over = threading.Event()
        self.ended = {}

    def look(self, process):
        if process.child is None or process.held or process.running:
            self.ended.pop(process.name, None)
            return
        since = self.ended.setdefault(process.name, time.monotonic())
        if time.monotonic() - since < RESTART_AFTER:
            return
        process.ends.append(process.child.returncode)
        process.spawn()

    def run(self):
        while not self.over.wait(0.02):
            for process in list(self.processes.values()):
                with contextlib.suppress(OSError):  # no memory for a child: the next round
                    self.look(process)
