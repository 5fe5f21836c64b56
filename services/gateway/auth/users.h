/* users: the gateway's own accounts in PostgreSQL, as statements and rows. Statements are
 * run on an edge's pool by those who have a use for them. Any thread, but for what says
 * otherwise. */
#ifndef GATEWAY_USERS_H
#define GATEWAY_USERS_H

#include "services/gateway/json_out.h"
#include "shared/mem.h"
#include "shared/pg.h"

enum {
    USER_ID = 36,          /* letters of an id: a UUID */
    USER_NAME = 64,        /* characters of a name, or of a department */
    USER_KEY = 4 * 4 * 64, /* bytes of a folded one */
};

/* --- names ------------------------------------------------------------------------ */

/* A name that a user can be given: letters, digits and "._-@+", at most USER_NAME. */
bool username_valid(struct sh_bytes name);
/* By which names are compared (NFKC, case folded), with a NUL; "ANN" and "ann" are one
 * user. False: no text, or too long; nobody can have that name. */
bool username_fold(struct sh_bytes name, char into[USER_KEY]);
bool user_id_valid(struct sh_bytes id);

/* --- rows ------------------------------------------------------------------------- */

struct user {
    struct sh_bytes id;
    struct sh_bytes username;
    struct sh_bytes username_key;
    struct sh_bytes password_hash;
    struct sh_bytes role;
    struct sh_bytes department;
    struct sh_bytes campus;
    struct sh_bytes created_at; /* RFC 3339 */
    struct sh_bytes updated_at;
    struct sh_bytes last_login_at; /* empty: never */
    bool active;
    uint64_t epoch;
    uint64_t locked_s; /* for how long; 0: not locked */
};

/* The columns of a row of users `u`, in the order that user_read() wants. */
#define USER_COLUMNS                                                                     \
    "u.id::text, u.username, u.username_key, u.password_hash, u.role, u.department, "    \
    "u.campus, " USER_TIME("created_at") ", " USER_TIME("updated_at") ", " USER_TIME(    \
        "last_login_at") ", u.active::integer, u.session_epoch, "                        \
                         "login_locked(u.username_key)"
#define USER_TIME(column) JSON_TIME_SQL("u." column)
enum { USER_COLUMN_COUNT = 13 };

/* The texts are the result's. */
void user_read(const PGresult *result, int row, struct user *user);
/* Copies of the texts in the arena. Errors: SH_NOMEM. */
SH_CHECK enum sh_err user_copy(const struct user *from, struct sh_arena *arena,
                               struct user *into);

/* --- statements ------------------------------------------------------------------- */

/* $1 folded name; no row when there is nobody. Further: how long the name is locked. */
extern const struct sh_pg_statement users_by_name;
/* $1 id. */
extern const struct sh_pg_statement users_by_id;
/* $1 folded name, $2 good, $3 failures until it is locked, $4 seconds. */
extern const struct sh_pg_statement users_judge;
/* $1 id, $2 the hash that was verified, $3 a new one or NULL. No row when that is not the
 * password any more, the user is not active, or the name is locked. */
extern const struct sh_pg_statement users_logged_in;
/* $1 part of the name's beginning, folded; $2 limit; $3 offset. */
extern const struct sh_pg_statement users_page;
/* $1 like that. */
extern const struct sh_pg_statement users_count;
/* $1 name, $2 folded, $3 hash, $4 role, $5 department, $6 campus, $7 active. */
extern const struct sh_pg_statement users_insert;
/* $1 id, $2 hash, $3 role, $4 department, $5 campus, $6 active; NULL leaves as it is. The
 * epoch goes up when something changed that sessions vouch for; a column after the others
 * says whether it did. */
extern const struct sh_pg_statement users_update;
/* $1 id. Ends the lock of the name. */
extern const struct sh_pg_statement users_unlock;
/* $1 id, $2 the hash that was verified, $3 the new one. */
extern const struct sh_pg_statement users_set_password;
/* $1 id. Its last epoch and one more. */
extern const struct sh_pg_statement users_delete;
/* $1 name, $2 folded, $3 hash. An admin, unless there is one. */
extern const struct sh_pg_statement users_first_admin;
extern const struct sh_pg_statement users_admins; /* how many are active */

#endif
