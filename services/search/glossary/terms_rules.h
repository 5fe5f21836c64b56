/* terms_rules: what may be said of a term, and how its status may change: a draft is
 * validated, what is validated is deprecated; both steps can be taken back. Whoever may
 * not validate writes drafts and leaves them drafts. Pure. */
#ifndef SEARCH_TERMS_RULES_H
#define SEARCH_TERMS_RULES_H

#include <stdbool.h>

#include "proto/msg.h"

/* What is missing gets its default (language en, status draft, clearance 1, metadata {}).
 * NULL: it is good; else what is wrong, *field says where. */
const char *terms_check(struct glossary_term *term, const char **field);
/* draft, validated or deprecated. */
bool terms_status_ok(struct sh_bytes status);
/* As PostgreSQL reads an array: the statuses from which `to` can be reached; "{}": none.
 * `to` empty: those of which a term may be deleted. */
const char *terms_from(struct sh_bytes to, bool may_validate);

#endif
