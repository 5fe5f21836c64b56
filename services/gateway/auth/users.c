#include "services/gateway/auth/users.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "shared/uuid.h"

/* --- names ------------------------------------------------------------------------ */

static bool is_name_letter(utf8proc_int32_t letter)
{
    if (letter < 0x80 && letter != '\0' && strchr("._-@+", (int)letter) != NULL)
        return true;
    utf8proc_category_t category = utf8proc_category(letter);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_MC) ||
           category == UTF8PROC_CATEGORY_ND; /* letters, marks, digits */
}

bool username_valid(struct sh_bytes name)
{
    const unsigned char *at = name.data;
    utf8proc_ssize_t left = (utf8proc_ssize_t)name.len;
    size_t count = 0;
    char key[USER_KEY];

    while (left > 0) {
        utf8proc_int32_t letter;
        utf8proc_ssize_t used = utf8proc_iterate(at, left, &letter);
        if (used <= 0 || !is_name_letter(letter) || ++count > USER_NAME)
            return false;
        at += used;
        left -= used;
    }
    return count > 0 && username_fold(name, key);
}

bool username_fold(struct sh_bytes name, char into[USER_KEY])
{
    utf8proc_uint8_t *folded = NULL;

    if (name.len == 0 || name.len > 4 * (size_t)USER_NAME ||
        memchr(name.data, '\0', name.len) != NULL)
        return false;
    utf8proc_ssize_t len =
        utf8proc_map(name.data, (utf8proc_ssize_t)name.len, &folded,
                     UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
                         UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
    bool good = len > 0 && len < USER_KEY;
    if (good)
        memcpy(into, folded, (size_t)len + 1);
    free(folded); /* utf8proc's */
    return good;
}

bool user_id_valid(struct sh_bytes id)
{
    return sh_uuid_valid(id);
}

/* --- rows ------------------------------------------------------------------------- */

void user_read(const PGresult *result, int row, struct user *user)
{
    int column = 0;

    user->id = sh_pg_text(result, row, column++);
    user->username = sh_pg_text(result, row, column++);
    user->username_key = sh_pg_text(result, row, column++);
    user->password_hash = sh_pg_text(result, row, column++);
    user->role = sh_pg_text(result, row, column++);
    user->department = sh_pg_text(result, row, column++);
    user->campus = sh_pg_text(result, row, column++);
    user->created_at = sh_pg_text(result, row, column++);
    user->updated_at = sh_pg_text(result, row, column++);
    user->last_login_at = sh_pg_text(result, row, column++);
    user->active = sh_pg_u64(result, row, column++) == 1;
    user->epoch = sh_pg_u64(result, row, column++);
    user->locked_s = sh_pg_u64(result, row, column++);
}

enum sh_err user_copy(const struct user *from, struct sh_arena *arena, struct user *into)
{
    *into = *from;
    struct sh_bytes *const texts[] = {
        &into->id,         &into->username,     &into->username_key, &into->password_hash,
        &into->role,       &into->department,   &into->campus,       &into->created_at,
        &into->updated_at, &into->last_login_at};

    for (size_t i = 0; i < SH_COUNT(texts); i++) {
        /* With a NUL behind it, as a hash must have. */
        const char *copy = sh_arena_strndup(
            arena, texts[i]->len > 0 ? texts[i]->data : "", texts[i]->len);
        if (copy == NULL)
            return SH_NOMEM;
        texts[i]->data = copy;
    }
    return SH_OK;
}

/* --- statements ------------------------------------------------------------------- */

const struct sh_pg_statement users_by_name = {"users_by_name",
                                              "SELECT " USER_COLUMNS ", login_locked($1) "
                                              "FROM (SELECT 1) AS one LEFT JOIN users u "
                                              "ON u.username_key = $1 AND u.active"};

const struct sh_pg_statement users_by_id = {
    "users_by_id", "SELECT " USER_COLUMNS " FROM users u WHERE u.id = $1::uuid"};

const struct sh_pg_statement users_judge = {
    "users_judge", "SELECT locked_s, locks::integer "
                   "FROM login_judge($1, $2::boolean, $3::integer, $4::integer)"};

const struct sh_pg_statement users_logged_in = {
    "users_logged_in", "UPDATE users u SET last_login_at = now(), password_hash = "
                       "coalesce($3, password_hash) "
                       "WHERE u.id = $1::uuid AND u.active AND u.password_hash = $2 "
                       "AND login_locked(u.username_key) = 0 RETURNING " USER_COLUMNS};

const struct sh_pg_statement users_page = {
    "users_page",
    "SELECT " USER_COLUMNS " FROM users u WHERE starts_with(u.username_key, $1) "
    "ORDER BY u.username_key LIMIT $2::bigint OFFSET $3::bigint"};

const struct sh_pg_statement users_count = {
    "users_count", "SELECT count(*) FROM users u WHERE starts_with(u.username_key, $1)"};

const struct sh_pg_statement users_insert = {
    "users_insert",
    "INSERT INTO users AS u "
    "(username, username_key, password_hash, role, department, campus, active) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7::boolean) RETURNING " USER_COLUMNS};

const struct sh_pg_statement users_update = {
    "users_update",
    "WITH old AS (SELECT * FROM users WHERE id = $1::uuid FOR UPDATE), "
    "ends AS (SELECT $2::text IS NOT NULL OR role <> coalesce($3, role) "
    "OR department <> coalesce($4, department) OR campus <> coalesce($5, campus) "
    "OR (active AND NOT coalesce($6::boolean, active)) AS yes FROM old) "
    "UPDATE users u SET password_hash = coalesce($2, u.password_hash), "
    "password_changed_at = CASE WHEN $2 IS NULL THEN u.password_changed_at ELSE now() "
    "END, "
    "role = coalesce($3, u.role), department = coalesce($4, u.department), "
    "campus = coalesce($5, u.campus), active = coalesce($6::boolean, u.active), "
    "session_epoch = u.session_epoch + ends.yes::integer, updated_at = now() "
    "FROM ends WHERE u.id = $1::uuid RETURNING " USER_COLUMNS ", ends.yes::integer"};

const struct sh_pg_statement users_unlock = {
    "users_unlock", "DELETE FROM login_lockouts l USING users u WHERE u.id = $1::uuid "
                    "AND l.name_hash = login_name_hash(u.username_key)"};

const struct sh_pg_statement users_set_password = {
    "users_set_password",
    "UPDATE users u SET password_hash = $3, password_changed_at = now(), "
    "updated_at = now(), session_epoch = u.session_epoch + 1 "
    "WHERE u.id = $1::uuid AND u.active AND u.password_hash = $2 "
    "RETURNING " USER_COLUMNS};

const struct sh_pg_statement users_delete = {
    "users_delete",
    "DELETE FROM users u WHERE u.id = $1::uuid RETURNING u.session_epoch + 1"};

const struct sh_pg_statement users_first_admin = {
    "users_first_admin",
    "INSERT INTO users (username, username_key, password_hash, role) "
    "SELECT $1, $2, $3, 'admin' WHERE NOT EXISTS "
    "(SELECT FROM users WHERE role = 'admin' AND active) ON CONFLICT DO NOTHING"};

const struct sh_pg_statement users_admins = {
    "users_admins", "SELECT count(*) FROM users WHERE role = 'admin' AND active"};
