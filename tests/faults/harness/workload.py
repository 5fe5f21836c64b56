"""Writers and readers of several identities. Each asks one gateway over a connection that it
keeps, and goes to the other one when that fails, as a client behind a load balancer does."""

import http.client
import json
import random
import re
import threading
import time

from .record import ACKNOWLEDGED, REFUSED, UNKNOWN, Read, Rights, Write, now, outcome_of
from .stack import GATEWAYS, HTTP, REPLICAS, bearer

BASE = 40  # documents that nobody changes: every search for them must find all
MARKER = re.compile(r"\bmk[0-9a-z]+\b")
DEPARTMENTS = ("Law", "Physics")
CLIENT_TIMEOUT = 12

IDENTITIES = {
    "student": (Rights(2), {"role": "student"}),
    "lawyer": (Rights(3, "Law"), {"role": "staff", "department": "Law"}),
    "physicist": (Rights(3, "Physics"), {"role": "staff", "department": "Physics"}),
    "academic": (Rights(4, everywhere=True), {"role": "academic"}),
    "admin": (Rights(5, everywhere=True), {"role": "admin"}),
}


class Client:
    """One who asks, over one connection at a time."""

    def __init__(self, stack, identity, first):
        self.stack = stack
        self.rights, claims = IDENTITIES[identity]
        self.headers = {**bearer(identity, **claims), "Content-Type": "application/json"}
        self.order = list(GATEWAYS[first:] + GATEWAYS[:first])
        self.connection = None

    @property
    def gateway(self):
        return self.order[0]

    def turn(self):
        """To the other gateway."""
        if self.connection:
            self.connection.close()
        self.connection = None
        self.order.reverse()

    def ask(self, method, path, body=None, headers=None):
        """(status, answer); status 0: no answer."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(
                self.stack.address(self.gateway), HTTP, timeout=CLIENT_TIMEOUT)
        try:
            data = None if body is None else json.dumps(body)
            self.connection.request(method, path, data, {**self.headers, **(headers or {})})
            reply = self.connection.getresponse()
            text = reply.read()
            status = reply.status
            if reply.will_close:
                self.connection.close()
                self.connection = None
        except (OSError, http.client.HTTPException) as error:
            self.turn()
            return 0, {"code": repr(error)}
        try:
            return status, json.loads(text)
        except ValueError:
            return status, {"code": text[:80].decode(errors="replace")}

    def close(self):
        if self.connection:
            self.connection.close()


def code_of(answer):
    return str(answer.get("code", "")) if isinstance(answer, dict) else ""


class Writer(threading.Thread):
    """Stores things, replaces some by what fewer may see, deletes some. What it does to one
    document it does in order, and never with two questions open."""

    def __init__(self, common, run, number):
        super().__init__(daemon=True)
        stack, self.record, self.over, self.pace, self.gone = common
        self.random = random.Random(f"{run}/{number}")
        self.client = Client(stack, "admin", number % 2)
        self.prefix = f"mk{run}w{number}n"
        self.count = 0
        self.mine = []  # (id, marker, rights) of documents that are surely there

    def marker(self):
        self.count += 1
        return f"{self.prefix}{self.count}"

    def rights(self):
        clearance = self.random.choice((1, 2, 3, 4, 5))
        return Rights(clearance, self.random.choice(DEPARTMENTS) if clearance > 2 else "")

    def send(self, method, path, body=None, key=None):
        """As a client does that wants it done: again with the same key while it is not
        known; once without. The first attempt that is known counts."""
        headers = {"Idempotency-Key": key} if key else {}
        unsure, longest = False, 0.0
        for attempt in range(4 if key else 1):
            began = now()
            status, answer = self.client.ask(method, path, body, headers)
            longest = max(longest, now() - began)
            outcome = outcome_of(status, code_of(answer))
            if outcome == ACKNOWLEDGED or (outcome == REFUSED and status != 503 and not unsure):
                break
            unsure = unsure or outcome == UNKNOWN
            if key is None or self.over.wait(0.1 * (attempt + 1)):
                break
        if unsure and outcome != ACKNOWLEDGED:
            outcome = UNKNOWN
        return outcome, status, answer, attempt + 1, longest

    def note(self, action, kind, marker, began, sent, **more):
        outcome, status, answer, tries, longest = sent
        everywhere = outcome == ACKNOWLEDGED and answer.get("visible") is True and \
            answer.get("replicas", {}).get("visible") == len(REPLICAS)
        self.record.add(Write(action, kind, marker, began, now(), outcome, status, tries=tries,
                              longest=longest, where=self.client.gateway, said=code_of(answer),
                              everywhere=everywhere, **more))
        return outcome == ACKNOWLEDGED

    def refresh(self):
        return self.random.choice(("", "", "?refresh=true", "?refresh=false"))

    def body(self, marker, rights):
        metadata = {"clearance_level": rights.clearance}
        if rights.department:
            metadata["department"] = rights.department
        return {"title": marker, "text": f"{marker} is about lighthouses and tides",
                "metadata": metadata}

    def add_document(self):
        marker, rights, began = self.marker(), self.rights(), now()
        key = f"key-{marker}" if self.random.random() < 0.5 else None
        sent = self.send("POST", "/api/documents" + self.refresh(), self.body(marker, rights),
                         key)
        if self.note("put", "document", marker, began, sent, rights=rights,
                     keyed=key is not None):
            self.mine.append((sent[2]["document_id"], marker, rights))

    def replace_document(self):
        """By a version with rights of its own: who saw the old one may not see the new."""
        if not self.mine:
            return
        identity, old, _ = self.mine.pop(self.random.randrange(len(self.mine)))
        marker, rights, began = self.marker(), Rights(5, "Law"), now()
        sent = self.send("POST", "/api/documents" + self.refresh(),
                         {"id": identity, **self.body(marker, rights)})
        if self.note("put", "document", marker, began, sent, rights=rights, replaces=old):
            self.mine.append((identity, marker, rights))
            self.gone.append(old)

    def delete_document(self):
        if not self.mine:
            return
        identity, marker, rights = self.mine.pop(self.random.randrange(len(self.mine)))
        began = now()
        sent = self.send("DELETE", f"/api/documents/{identity}" + self.refresh())
        if self.note("delete", "document", marker, began, sent, rights=rights):
            self.gone.append(marker)

    def add_term(self):
        marker, began = self.marker(), now()
        sent = self.send("POST", "/api/glossary", {"term": marker, "definition": "a mark"})
        self.note("put", "term", marker, began, sent)

    def add_node(self):
        marker, began = self.marker(), now()
        sent = self.send("POST", "/api/graph/nodes", {
            "labels": ["Mark"], "properties": {"name": marker}})
        self.note("put", "node", marker, began, sent)

    def run(self):
        steps = [self.add_document] * 4 + [self.replace_document, self.delete_document,
                                           self.add_term, self.add_node]
        while not self.over.is_set():
            self.random.choice(steps)()
            self.over.wait(self.random.uniform(0, 2 * self.pace))
        self.client.close()


class Reader(threading.Thread):
    """Searches and reads as one identity."""

    def __init__(self, common, run, number):
        super().__init__(daemon=True)
        stack, self.record, self.over, self.pace, self.gone = common
        self.name_of = list(IDENTITIES)[number % len(IDENTITIES)]
        self.run_number = run
        self.random = random.Random(f"{run}/reader/{number}")
        self.client = Client(stack, self.name_of, number % 2)

    def search(self, query, mode, expected):
        """With a word that nobody else says, half of the time: no cache answers that."""
        body = {"query": query, "config": {"mode": mode, "max_results": 50}}
        if self.name_of in ("student",):
            body["config"]["max_results"] = 20
        began, retried = now(), False
        status, answer = self.client.ask("POST", "/api/search", body)
        if status == 0:  # the connection went: the other gateway is asked, as browsers do
            retried = True
            status, answer = self.client.ask("POST", "/api/search", body)
        results = answer.get("results", []) if status == 200 else []
        seen = {found for hit in results for text in (hit["document_title"], hit["text"])
                for found in MARKER.findall(text)}
        self.record.add(Read(
            self.name_of, self.client.rights, began, now(), status,
            "base" if expected >= 0 else "search", tuple(sorted(seen)),
            tuple(answer.get("degraded", ())), expected, answer.get("total", -1)
            if status == 200 else -1, self.client.gateway, code_of(answer), retried))

    def step(self):
        draw = self.random.random()
        if draw < 0.3:
            self.search("keystone", "text", BASE)
        elif draw < 0.5 and self.gone:  # what must not be found any more
            self.search(self.random.choice(self.gone), "text", -1)
        elif draw < 0.6:
            self.search(f"mk{self.run_number}w{self.random.randrange(4)}n"
                        f"{self.random.randrange(1, 30)}", "text", -1)
        elif draw < 0.75:
            self.search("lighthouses", self.random.choice(("text", "hybrid")), -1)
        else:
            self.search(f"tides and lighthouses {self.random.randrange(10**6)}", "hybrid", -1)

    def run(self):
        while not self.over.is_set():
            self.step()
            self.over.wait(self.random.uniform(0, 2 * self.pace))
        self.client.close()


class Workload:
    """`with Workload(...) as work:` everybody is at it, and has stopped behind it."""

    def __init__(self, stack, record, run, writers=4, readers=6, pace=0.06):
        self.over = threading.Event()
        common = stack, record, self.over, pace, []
        self.threads = [Writer(common, run, n) for n in range(writers)]
        self.threads += [Reader(common, run, n) for n in range(readers)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(timeout=4 * CLIENT_TIMEOUT + 10)
            assert not thread.is_alive(), "a client never got an answer"


def load_base(stack):
    """What every search must find whole; readable for all."""
    url = stack.url(GATEWAYS[0])
    for number in range(BASE):
        deadline = time.monotonic() + 30
        while True:
            status, said = stack.ask("POST", f"{url}/api/documents?refresh=true", {
                "id": f"base-{number}", "title": f"base {number}",
                "text": f"keystone {number} of the arch", "metadata": {"clearance_level": 1}})
            if status in (200, 201):
                break
            assert time.monotonic() < deadline, (status, said)
