"""Waiting for what is looked at from outside: a server that answers, a figure that changes."""

import threading

from .record import now


def until(condition, seconds, pause=0.004):
    """When it became true, by the clock of the record; None: not in time."""
    deadline, never = now() + seconds, threading.Event()
    while now() < deadline:
        if condition():
            return now()
        never.wait(pause)
    return None
