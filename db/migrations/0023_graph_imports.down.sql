DROP FUNCTION graph_import_stale();
DROP TABLE graph_import_parts;
