-- New records are at the end of both, where an index takes them for less than in front, and
-- in full pages. Pages of the log are read backwards.
DROP INDEX audit_log_at;
DROP INDEX audit_log_user;
CREATE INDEX audit_log_at ON audit_log (at, id);
CREATE INDEX audit_log_user ON audit_log (user_id, at);
