"""Where filters end: their depth, their number, their values; said by name."""


def test_how_deep_filters_may_be(stack):
    """Up to the depth that is documented they are taken, up to the depth of bodies they are
    refused by name, beyond it is garbage."""
    def asked(depth):
        filters = {"metadata": {"year": {"any": [2020]}}}
        for _ in range(depth):
            filters = {"any": [filters]}
        reply = stack.post("/api/search", {"query": "x", "filters": filters})
        problem = reply.json() if reply.status == 400 else {}
        return reply.status, problem.get("code"), problem.get("field", "")[:11]

    assert asked(16) == (200, None, "")
    for depth in (17, 29):
        assert asked(depth) == (400, "invalid_request", "filters.any")
    for depth in (32, 400):
        assert asked(depth) == (400, "malformed_json", "")


def test_how_many_conditions_filters_may_have(stack):
    """Each value of a list, each list, each group and each object in a group is one."""
    def status(filters):
        return stack.post("/api/search", {"query": "x", "filters": filters}).status

    assert status({"metadata": {"n": {"any": list(range(1023))}}}) == 200
    assert status({"metadata": {"n": {"any": list(range(1024))}}}) == 400
    assert status({"any": [{"campus": "c"}] * 511}) == 200
    assert status({"any": [{"campus": "c"}] * 512}) == 400


def test_a_priority_that_there_is_not_is_named_with_the_range(stack):
    reply = stack.get("/api/search?q=x&min_priority=6")
    assert (reply.status, reply.json()["field"]) == (400, "min_priority")
    assert "from 0 to 5" in reply.json()["error"]
