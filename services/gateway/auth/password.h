/* password: what passwords must be like, and how they are kept: by Argon2id (RFC 9106,
 * libsodium's). Hashes of Werkzeug, which the earlier systems have, are verified too; the
 * caller then stores a new one. Hashing takes tens of milliseconds and megabytes: never
 * on a loop. Any thread. */
#ifndef GATEWAY_PASSWORD_H
#define GATEWAY_PASSWORD_H

#include "shared/bytes.h"
#include "shared/err.h"

enum { PASSWORD_LEAST = 8, PASSWORD_MOST = 256, PASSWORD_HASH = 128 };

/* --- rules ------------------------------------------------------------------------ */

enum password_fault {
    PASSWORD_GOOD,
    PASSWORD_SHORT, /* under PASSWORD_LEAST characters */
    PASSWORD_LONG,  /* over PASSWORD_MOST bytes */
    PASSWORD_NO_UPPER,
    PASSWORD_NO_LOWER,
    PASSWORD_NO_DIGIT,
    PASSWORD_NO_SYMBOL,
    PASSWORD_COMMON, /* one that everybody tries first, however it is dressed up */
    PASSWORD_NAME,   /* made of the user's name */
    PASSWORD_TEXT,   /* no UTF-8, or control characters */
    PASSWORD_FAULTS
};

/* `username` may be empty. */
enum password_fault password_check(struct sh_bytes password, struct sh_bytes username);
/* A sentence for a person. */
const char *password_fault_text(enum password_fault fault);

/* --- hashes ----------------------------------------------------------------------- */

/* Once in a process, before anything else here. Errors: SH_INTERNAL (no randomness). */
SH_CHECK enum sh_err password_start(void);
/* NUL-terminated, with its parameters. Errors: SH_NOMEM. */
SH_CHECK enum sh_err password_hash(struct sh_bytes password, char into[PASSWORD_HASH]);

struct password_verdict {
    bool good;
    bool outdated; /* by other means than ours today: hash it anew */
};

/* `hash` NULL or of no known kind: never good, at the cost of a real one, so that time
 * tells nobody whether a user exists. */
struct password_verdict password_verify(const char *hash, struct sh_bytes password);

#endif
