/* entry: letting somebody in: a token for clients, a new session with its cookie for
 * browsers, and the answer that tells of both. Loop thread only. */
#ifndef GATEWAY_ENTRY_H
#define GATEWAY_ENTRY_H

#include "services/gateway/handlers/account.h"

/* What the state of a handler that lets somebody in begins with. */
struct entry {
    struct account account;
    struct session session;
    struct sh_bytes former; /* session of the same browser, which is over */
};

/* As the user is now, of ours or of the directory. The texts are copied into the arena.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err entry_of_user(struct exchange *x, const struct user *user,
                                   bool local);
/* Answers 200. Without Redis there is a token, but no session. */
void entry_answer(struct exchange *x);

#endif
