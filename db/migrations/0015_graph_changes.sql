-- Changes of the graph by those who use it.

-- Every change gives a row a version of its own, never the same again: who changes what
-- somebody else has changed meanwhile can be told so.
CREATE SEQUENCE graph_versions;
ALTER TABLE graph_nodes ADD COLUMN version bigint NOT NULL DEFAULT nextval('graph_versions');
ALTER TABLE graph_edges ADD COLUMN version bigint NOT NULL DEFAULT nextval('graph_versions');

-- Nodes by the value of a property: whether one of this key is there.
CREATE INDEX graph_nodes_properties ON graph_nodes USING gin (properties jsonb_path_ops);
