DROP INDEX graph_nodes_properties;
ALTER TABLE graph_edges DROP COLUMN version;
ALTER TABLE graph_nodes DROP COLUMN version;
DROP SEQUENCE graph_versions;
