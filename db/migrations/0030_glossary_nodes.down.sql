DROP TRIGGER node_delete ON glossary_terms;
DROP TRIGGER node_update ON glossary_terms;
DROP FUNCTION glossary_terms_changed();
DROP FUNCTION glossary_nodes_follow(text[]);
