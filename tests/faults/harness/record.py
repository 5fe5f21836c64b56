"""What was asked and what was answered, in the order it ended: the only thing that the
checker believes, beside what is stored in the end."""

import dataclasses
import json
import threading
import time

ACKNOWLEDGED, REFUSED, UNKNOWN = "acknowledged", "refused", "unknown"


@dataclasses.dataclass(frozen=True)
class Rights:
    """Who may see a thing, and who somebody is. The rule is the documented one: up to one's
    clearance, and above level 2 only in departments within reach."""

    clearance: int
    department: str = ""
    everywhere: bool = False  # of a caller: all departments are within reach

    def may_see(self, thing):
        if thing.clearance > self.clearance:
            return False
        return thing.clearance <= 2 or self.everywhere or thing.department == self.department


@dataclasses.dataclass
class Write:
    """One thing stored or removed. `marker` is unique in the whole record and stands in what
    is stored, so that it is recognised wherever it comes to light."""

    action: str  # "put" or "delete"
    kind: str  # "document", "term" or "node"
    marker: str
    began: float
    ended: float
    outcome: str
    status: int  # 0: the connection failed
    rights: Rights = Rights(1)
    replaces: str = ""  # the marker of the version that this one takes the place of
    keyed: bool = False
    everywhere: bool = False  # all replicas were said to show it
    tries: int = 1
    longest: float = 0.0  # seconds until one of the tries was answered
    where: str = ""
    said: str = ""


@dataclasses.dataclass
class Read:
    """One question and all that its answer showed."""

    reader: str
    rights: Rights
    began: float
    ended: float
    status: int
    what: str  # "search", "document", "base"
    seen: tuple = ()
    degraded: tuple = ()
    expected: int = -1  # how many it must find unless it says that it is not complete
    found: int = -1
    where: str = ""
    said: str = ""
    retried: bool = False  # by its client, at another gateway


class Record:
    """Filled by many threads."""

    def __init__(self):
        self.writes, self.reads = [], []
        self.lock = threading.Lock()

    def add(self, one):
        with self.lock:
            (self.writes if isinstance(one, Write) else self.reads).append(one)

    def cut(self):
        """All so far; what follows begins anew."""
        with self.lock:
            taken = Record()
            taken.writes, self.writes = self.writes, []
            taken.reads, self.reads = self.reads, []
            return taken

    def save(self, path):
        with open(path, "w", encoding="utf-8") as out:
            for one in [*self.writes, *self.reads]:
                line = {"is": type(one).__name__, **dataclasses.asdict(one)}
                out.write(json.dumps(line) + "\n")


def now():
    return time.monotonic()


def outcome_of(status, code=""):
    """What an answer says of a write. A 503 says that nothing was done, unless it says that
    this is not known; so do 4xx. 5xx else, and no answer at all, leave it open."""
    if 200 <= status < 300:
        return ACKNOWLEDGED
    if code == "outcome_unknown" or status in (0, 408, 500, 502, 504):
        return UNKNOWN
    return REFUSED
