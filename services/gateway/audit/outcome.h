/* outcome: how what the audit log records ended, by the status it was answered with.
 * Pure; any thread. */
#ifndef GATEWAY_AUDIT_OUTCOME_H
#define GATEWAY_AUDIT_OUTCOME_H

#include <stdbool.h>

#include "shared/bytes.h"

/* 401 or 403: recorded whatever was asked for. */
bool audit_is_denied(int status);
/* "ok", "denied", "invalid", "failed", or "abandoned" (status 0: nobody waited). */
const char *audit_outcome(int status);
/* Whether it is one of these. */
bool audit_is_outcome(struct sh_bytes text);

#endif
