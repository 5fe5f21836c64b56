ALTER TABLE graph_edges DROP COLUMN number;
ALTER TABLE graph_nodes DROP COLUMN number;
