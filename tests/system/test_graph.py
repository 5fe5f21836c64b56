"""The graph through the gateway."""

from conftest import eventually


def schema(stack):
    return stack.get("/api/graph/schema").json()


def label(answer, name):
    return next((item for item in answer["labels"] if item["name"] == name), None)


def test_the_schema_follows_the_record(stack):
    stack.psql("""
        INSERT INTO graph_nodes (id, labels, properties) VALUES
            ('schema-ada', '{SchemaPerson}', '{"name": "Ada", "born": 1815}'),
            ('schema-notes', '{SchemaPaper}', '{"pages": 66.5}');
        INSERT INTO graph_edges (id, type, from_id, to_id) VALUES
            ('schema-wrote', 'SCHEMA_WROTE', 'schema-ada', 'schema-notes');""")
    eventually(lambda: label(schema(stack), "SchemaPerson"), seconds=60, what=stack.logs)
    answer = schema(stack)
    assert label(answer, "SchemaPerson") == {
        "name": "SchemaPerson", "count": 1,
        "properties": [{"name": "born", "types": ["integer"]},
                       {"name": "name", "types": ["string"]}]}
    wrote = next(item for item in answer["relationship_types"]
                 if item["name"] == "SCHEMA_WROTE")
    assert wrote == {"name": "SCHEMA_WROTE", "count": 1,
                     "from_labels": ["SchemaPerson"], "to_labels": ["SchemaPaper"]}
    stack.psql("DELETE FROM graph_nodes WHERE id LIKE 'schema-%'")
    eventually(lambda: label(schema(stack), "SchemaPerson") is None, seconds=60,
               what=stack.logs)
