-- A number for every node and relationship, beside its id: what Cypher's id() and Bolt's
-- integer ids are. It stays the same as long as the row is there, and is never used again.

ALTER TABLE graph_nodes ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY,
    ADD CONSTRAINT graph_nodes_number UNIQUE (number);
ALTER TABLE graph_edges ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY,
    ADD CONSTRAINT graph_edges_number UNIQUE (number);
