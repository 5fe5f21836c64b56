DROP INDEX audit_log_at;
DROP INDEX audit_log_user;
CREATE INDEX audit_log_at ON audit_log (at DESC, id DESC);
CREATE INDEX audit_log_user ON audit_log (user_id, at DESC);
