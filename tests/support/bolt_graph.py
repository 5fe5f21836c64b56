"""The graph that Bolt's tests ask: 25 people, each knows the next, the first knows all."""

from stack import eventually

PEOPLE = 25


def fill(stack, headers=None):
    """Returns when every loop of the gateway can have it."""
    stack.psql(f"""
        INSERT INTO graph_nodes (id, labels, properties)
            SELECT 'bolt-' || i, '{{BoltPerson}}',
                   jsonb_build_object('number', i, 'name', 'Person ' || i)
            FROM generate_series(0, {PEOPLE - 1}) AS i;
        INSERT INTO graph_edges (id, type, from_id, to_id, properties)
            SELECT 'bolt-next-' || i, 'BOLT_KNOWS', 'bolt-' || i, 'bolt-' || i + 1,
                   jsonb_build_object('since', 2000 + i)
            FROM generate_series(0, {PEOPLE - 2}) AS i;
        INSERT INTO graph_edges (id, type, from_id, to_id)
            SELECT 'bolt-all-' || i, 'BOLT_KNOWS', 'bolt-0', 'bolt-' || i
            FROM generate_series(2, {PEOPLE - 1}) AS i;""")

    def shown():
        reply = stack.get("/api/graph/schema", headers=headers)
        if reply.status != 200:
            return False
        types = {t["name"]: t["count"] for t in reply.json()["relationship_types"]}
        return types.get("BOLT_KNOWS") == 2 * PEOPLE - 3

    eventually(shown, seconds=60, what=stack.logs)
