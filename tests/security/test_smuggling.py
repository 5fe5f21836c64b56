"""A file per attack, sent as it is to the real gateway: the right status, nothing smuggled
behind it, and an unharmed process. Each goes out whole, and cut at places of its own."""

import random

import pytest
from attacks import attacks
from wire import exchange, statuses_of

CORPUS = list(attacks())


@pytest.mark.parametrize("name,wanted,data", CORPUS, ids=[name for name, _, _ in CORPUS])
def test_attack(target, name, wanted, data):
    places = random.Random(name)
    for count in (0, 3):
        cuts = sorted(places.randrange(1, len(data)) for _ in range(count))
        answer = exchange(target.env["GATEWAY_URL"], data, cuts, 408 in wanted)
        statuses = statuses_of(answer)
        assert len(statuses) == 1 and statuses[0] in wanted, answer[:2000]
        head = answer.split(b"\r\n\r\n")[0].lower()
        assert b"\r\nx-evil" not in head and b"\r\nserver:" not in head
        assert b"x-content-type-options: nosniff" in head
