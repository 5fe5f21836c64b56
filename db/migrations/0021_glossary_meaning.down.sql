DROP FUNCTION glossary_relate(jsonb, boolean, integer, boolean, text);
DROP FUNCTION glossary_named(text, text, boolean, integer, boolean, text);
DROP FUNCTION glossary_edge_id(text, text, text);
DROP FUNCTION glossary_node_id(text);
DROP TABLE glossary_links;
DROP TABLE glossary_vectors;
DROP FUNCTION glossary_text(text, text);
