"""What the gateways think of the replicas, and how the requests of a stretch of time went:
the figures of the failure table."""

import threading

from .record import Record, now
from .stack import GATEWAYS
from .workload import Workload

LOOPS = 2  # of each gateway (WORKERS): each has connections of its own


def replicas(stack, service, states):
    return sum(stack.figure(gateway, "cairn_rpc_client_replicas"
                            f'{{service="{service}",state="{state}"}}')
               for gateway in GATEWAYS for state in states)


def ready(stack, service="search"):
    """Connections over which work is given, of both gateways."""
    return replicas(stack, service, ["ready"])


def known(stack, service="search"):
    """Those, and the ones over which none is given at the moment, for slow answers say."""
    return replicas(stack, service, ["ready", "half_open", "ejected", "handshaken"])


def quantile(times, share):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def milliseconds(reads, share=0.99):
    return 1000 * quantile([one.ended - one.began for one in reads], share)


def between(ones, since, to):
    return [one for one in ones if since <= one.began < to]


class Load:
    """About 200 requests a second, a fifth of them writes, recorded."""

    def __init__(self, stack, number, writers=4, readers=16, pace=0.1):
        self.record = Record()
        self.work = Workload(stack, self.record, number, writers, readers, pace)

    def __enter__(self):
        self.work.__enter__()
        self.work.over.wait(3)  # what is normal
        self.began = now()
        return self

    def __exit__(self, *rest):
        self.work.__exit__(*rest)

    def normal(self):
        return milliseconds(between(self.record.reads, self.began - 2, self.began))

    def failed_reads(self, since=0.0):
        return [one for one in self.record.reads if one.began >= since and one.status != 200]


class Prober(threading.Thread):
    """Asks one thing over and over; keeps when, how long, and with what answer."""

    def __init__(self, ask, pause=0.01):
        super().__init__(daemon=True)
        self.ask, self.pause = ask, pause
        self.over = threading.Event()
        self.answers = []  # (began, took, status, answer)

    def run(self):
        while not self.over.is_set():
            began = now()
            status, answer = self.ask()
            self.answers.append((began, now() - began, status, answer))
            self.over.wait(self.pause)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join(timeout=30)
