DROP TABLE users;
DROP FUNCTION users_keep_admin();
DROP FUNCTION login_judge(text, boolean, integer, integer);
DROP FUNCTION login_locked(text);
DROP TABLE login_lockouts;
DROP FUNCTION login_name_hash(text);
