#include "services/gateway/bolt/failures.h"

#include <string.h>

#define STATEMENT "Neo.ClientError.Statement."
#define TIMED_OUT "Neo.ClientError.Transaction.TransactionTimedOut"

/* A budget that is used up is so the next time, too: nobody should try again at once. */
static const struct {
    const char *ours, *theirs;
} known[] = {
    {"cypher_syntax", STATEMENT "SyntaxError"},
    {"cypher_unsupported", STATEMENT "UnsupportedOperationError"},
    {"cypher_type", BOLT_TYPE_ERROR},
    {"cypher_arguments", STATEMENT "ArgumentError"},
    {"budget_exceeded", TIMED_OUT},
    {"write_refused", STATEMENT "AccessMode"},
};

static const char *by_error(enum sh_err err)
{
    switch (err) {
    case SH_TIMEOUT:
        return TIMED_OUT;
    case SH_NOMEM:
        return BOLT_OUT_OF_MEMORY;
    case SH_BUSY:
    case SH_CANCELED:
    case SH_DRAINING:
    case SH_REJECTED:
    case SH_UNAVAILABLE:
        return BOLT_TRY_AGAIN;
    case SH_FORBIDDEN:
        return BOLT_FORBIDDEN;
    case SH_INVALID:
    case SH_MALFORMED:
    case SH_TYPE:
    case SH_UNREADABLE:
    case SH_TOOBIG:
    case SH_NOTFOUND:
    case SH_CONFLICT:
        return BOLT_REQUEST_INVALID;
    case SH_OK:
    case SH_UPSTREAM:
    case SH_IO:
    case SH_INTERNAL:
    case SH_ERR_COUNT:
    default:
        return BOLT_UNKNOWN;
    }
}

const char *failure_code(enum sh_err err, const char *code)
{
    for (size_t i = 0; code != NULL && i < SH_COUNT(known); i++)
        if (strcmp(code, known[i].ours) == 0)
            return known[i].theirs;
    return by_error(err);
}
