DROP TABLE chunk_signatures;
DROP FUNCTION duplicates_orphan();
DROP FUNCTION duplicates_mark(integer, real);
DROP FUNCTION signature_similarity(bytea, bytea);
DROP FUNCTION signature_bands(bytea);
DROP TABLE document_reports;
DROP TABLE collections;
