"""Judges a record: what must not happen, whatever broke.

- an acknowledged write is there, once; a refused one is not; of an unknown one there is at
  most one
- nobody sees what they may not see, ever
- nobody sees what was deleted or replaced before they asked, but for the time that replicas
  are documented to take; not even that once all of them were said to show it
- a search finds all there is, or says that it could not"""

import collections
import dataclasses

from .record import ACKNOWLEDGED, REFUSED, UNKNOWN


@dataclasses.dataclass(frozen=True)
class Violation:
    rule: str
    about: str

    def __str__(self):
        return f"{self.rule}: {self.about}"


def last_versions(writes):
    """What was put, without versions that a later one took the place of: marker to its
    write, and the markers that may or may not have been replaced or deleted."""
    puts = {one.marker: one for one in writes if one.action == "put"}
    gone, doubtful = set(), set()
    for one in writes:
        target = one.replaces if one.action == "put" else one.marker
        if not target or one.outcome == REFUSED:
            continue
        (gone if one.outcome == ACKNOWLEDGED else doubtful).add(target)
    return puts, gone, doubtful - gone


def check_stored(writes, stored):
    """`stored`: markers in the record in the end, as often as each is there."""
    puts, gone, doubtful = last_versions(writes)
    for marker, put in puts.items():
        count = stored.get(marker, 0)
        about = (f"{put.kind} {marker} ({put.outcome}, {put.status} {put.said}, "
                 f"{put.tries} tries, keyed {put.keyed}) is there {count} times")
        if count > 1:
            yield Violation("doubled", about)
        elif put.outcome == REFUSED and count > 0:
            yield Violation("refused, but stored", about)
        elif marker in gone and count > 0:
            yield Violation("deleted, but stored", about)
        elif put.outcome == ACKNOWLEDGED and count == 0 and \
                marker not in gone and marker not in doubtful:
            yield Violation("lost", about)
    for marker in stored.keys() - puts.keys():
        yield Violation("from nowhere", marker)


def endings(writes):
    """marker to (when it was certainly no longer to be shown, whether everywhere at once)."""
    ends = {}
    for one in writes:
        target = one.replaces if one.action == "put" else one.marker
        if target and one.outcome == ACKNOWLEDGED:
            ends[target] = (one.ended, one.everywhere)
    return ends


def check_reads(reads, puts, ends, freshness):
    for read in reads:
        for marker in read.seen:
            put = puts.get(marker)
            about = f"{read.what} of {read.reader} at {read.where} {read.began:.3f} saw {marker}"
            if put is None:
                yield Violation("from nowhere", about)
            elif not read.rights.may_see(put.rights):
                yield Violation("leaked", f"{about}, which is {put.rights}")
            elif put.outcome == REFUSED:
                yield Violation("refused, but shown", about)
            elif marker in ends:
                ended, everywhere = ends[marker]
                late = read.began - ended
                if late > (0 if everywhere else freshness):
                    yield Violation("shown after its end", f"{about}, {late:.2f} s after"
                                    f"{' all said it was gone' if everywhere else ''}")
        if read.status == 200 and read.expected >= 0 and not read.degraded and \
                read.found < read.expected:
            yield Violation("incomplete", f"{read.what} of {read.reader} at {read.where} found "
                            f"{read.found} of {read.expected} and did not say so")


def check(record, stored, freshness, history=()):
    """`history`: writes of earlier runs, whose versions may still come to light."""
    writes = [*history, *record.writes]
    found = list(check_stored(writes, stored))
    puts = {one.marker: one for one in writes if one.action == "put"}
    found += check_reads(record.reads, puts, endings(writes), freshness)
    return found


def figures(record):
    """How the writes and reads went, for the report."""
    writes = collections.Counter(one.outcome for one in record.writes)
    reads = collections.Counter("ok" if one.status == 200 else str(one.status)
                                for one in record.reads)
    times = sorted(one.ended - one.began for one in record.reads)
    return {"acknowledged": writes[ACKNOWLEDGED], "refused": writes[REFUSED],
            "unknown": writes[UNKNOWN], "reads": dict(reads),
            "p50_ms": 1000 * times[len(times) // 2] if times else 0,
            "p99_ms": 1000 * times[int(len(times) * 0.99)] if times else 0,
            "max_ms": 1000 * times[-1] if times else 0,
            "degraded": sum(1 for one in record.reads if one.degraded)}
