/* json_in: bytes from outside as JSON. Refused with a sentence that says where: what is
 * not JSON, invalid UTF-8, NUL, duplicate members, deep nesting. The depth leaves room
 * for filters as deep as search takes them (two levels each) and deeper ones that it
 * refuses by name. Any thread. */
#ifndef GATEWAY_JSON_IN_H
#define GATEWAY_JSON_IN_H

#include <jansson.h>

#include "shared/bytes.h"
#include "shared/err.h"

enum { JSON_IN_DEPTH = 64 };

/* The caller owns *out. Errors: SH_MALFORMED with the sentence in `why`; SH_NOMEM. */
SH_CHECK enum sh_err json_in(struct sh_bytes body, json_t **out, char *why, size_t size);

/* What clients are told of such an error. */
const char *json_in_code(enum sh_err err);

/* Whether a body with this Content-Type is read as JSON. Absent, and what `curl -d` sends
 * by itself, is taken for JSON when the body begins like it. */
bool json_in_accepts(struct sh_bytes content_type, struct sh_bytes body);

#endif
