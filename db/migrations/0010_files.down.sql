DROP TRIGGER file_left_by_update ON documents;
DROP TRIGGER file_left_by_delete ON documents;
DROP FUNCTION file_removed(bytea, timestamptz, integer);
DROP FUNCTION file_collect(integer, integer);
DROP FUNCTION file_release(bigint);
DROP FUNCTION file_claim(bytea);
DROP FUNCTION file_lock(bytea);
DROP FUNCTION file_left();
DROP TABLE file_sweeps;
DROP TABLE file_orphans;
DROP TABLE file_claims;
ALTER TABLE documents
    DROP COLUMN file_hash,
    DROP COLUMN file_name,
    DROP COLUMN file_type,
    DROP COLUMN file_size,
    DROP COLUMN page_count;
