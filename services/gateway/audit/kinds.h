/* kinds: what sort of act an action of the audit log is, by the table of routes. What is
 * no route of this version (records of the log itself, of other versions) is a change, so
 * that nothing hides among reads. Pure; any thread. */
#ifndef GATEWAY_AUDIT_KINDS_H
#define GATEWAY_AUDIT_KINDS_H

#include "services/gateway/router.h"
#include "shared/buffer.h"

enum { /* sets of kinds are sums of these */
       AUDIT_CHANGES = 1,
       AUDIT_LOGINS = 2,
       AUDIT_SEARCHES = 4,
       AUDIT_LOOKS = 8,   /* reads */
       AUDIT_DENIED = 16, /* not of an action but of how it ended */
};

/* "change,login": the set. False: a name is none of change, login, search, read and
 * denied, or empty. */
SH_CHECK bool audit_kinds_parse(struct sh_bytes text, unsigned *kinds);

/* One of the first four. */
unsigned audit_kind_of(const struct route *route);

/* How to find the records of a set: those whose action is among `names` (or is not, when
 * `without`), and all that were denied when the set has these. `names` is an array as
 * PostgreSQL writes it: {a,b}. */
struct audit_choice {
    bool without;
    struct sh_buffer names;
};
/* `names` is the caller's to free; its err is SH_NOMEM when there was no memory. */
void audit_choose(const struct route *routes, size_t count, unsigned kinds,
                  struct audit_choice *choice);

/* {"change":["store_document",…],"login":[…],"search":[…],"read":[…]}: what a record may
 * name. */
void audit_actions_json(const struct route *routes, size_t count, struct sh_buffer *out);

#endif
