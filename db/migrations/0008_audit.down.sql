DROP FUNCTION audit_cut(text, bigint);
DROP FUNCTION audit_cuts(timestamptz);
DROP TABLE audit_heads;
DROP TABLE audit_log;
DROP FUNCTION audit_guard();
