/* note: what an exchange leaves behind in the audit log: one record when it is answered,
 * or its client has left. Which exchanges, follows from the route: searches, views of the
 * graph and the glossary, whatever changes something, what administrators do, and every
 * refusal for want of rights; a new route is recorded unless it only reads. Handlers add
 * what only they know. Loop thread only. */
#ifndef GATEWAY_AUDIT_NOTE_H
#define GATEWAY_AUDIT_NOTE_H

#include "shared/bytes.h"

struct exchange;

/* Of an exchange; zeroed at its start. What is pointed to lives until it is answered. */
struct audit_note {
    struct sh_bytes query;   /* what was searched for */
    struct sh_bytes filters; /* JSON */
    struct sh_bytes target;  /* what it was done to; the path's parameter when empty */
    struct sh_bytes user;    /* who logged in by this request */
    const char *reason;      /* instead of the problem's code */
    uint32_t results;
    bool counted; /* `results` counts */
};

/* So many things were shown. */
static inline void audit_counted(struct audit_note *note, size_t count)
{
    note->results = (uint32_t)count;
    note->counted = true;
}

/* The exchange is answered with `status`, or 0: its client left. */
void audit_exchange(const struct exchange *x, int status, uint64_t duration_us);

#endif
