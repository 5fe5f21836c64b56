"""What is broken when: one fault or two that overlap, by chance, and how that is carried out."""

import dataclasses
import subprocess
import threading
import time

from .faults import Fault


@dataclasses.dataclass
class Step:
    fault: Fault
    at: float
    lasts: float = 0

    def __str__(self):
        span = f" for {self.lasts:.1f} s" if self.fault.lasts else ""
        return f"[{self.fault.name}{span} @{self.at:.1f} s]"


def make(chance, faults, single=None):
    """One fault or two that overlap."""
    chosen = [single or chance.choice(faults)]
    if single is None and chance.random() < 0.5:
        others = [fault for fault in faults if not set(fault.parts) & set(chosen[0].parts)]
        chosen.append(chance.choice(others))
    steps = []
    for fault in chosen:
        at, lasts = chance.uniform(0.2, 1.2), chance.uniform(0.8, fault.most)
        steps.append(Step(fault, at, lasts if fault.lasts else 0))
    return steps


def carry_out(steps, stack):
    """Each in a thread of its own, all mended at once when one goes wrong. Returns when the
    last one was mended (monotonic)."""
    ended, wrong, over = [], [], threading.Event()

    def run(step):
        if over.wait(step.at):
            return
        try:
            began = time.monotonic()
            try:
                began = step.fault.begin(stack) or began
                if step.fault.lasts:
                    over.wait(step.lasts)
            finally:
                step.fault.end(stack)
            ended.append(time.monotonic() if step.fault.lasts else began)
        except (OSError, subprocess.SubprocessError, AssertionError) as error:
            wrong.append(f"{step}: {error!r}")
            over.set()

    threads = [threading.Thread(target=run, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, wrong
    return max(ended)
