/* failures: what went wrong, in Neo4j's words: drivers decide by the code whether to try
 * again, to log in again, or to tell their user. Any thread. */
#ifndef GATEWAY_BOLT_FAILURES_H
#define GATEWAY_BOLT_FAILURES_H

#include "shared/rpc_client.h"

#define BOLT_REQUEST_INVALID "Neo.ClientError.Request.Invalid"
#define BOLT_REQUEST_FORMAT  "Neo.ClientError.Request.InvalidFormat"
#define BOLT_UNAUTHORIZED    "Neo.ClientError.Security.Unauthorized"
#define BOLT_LOCKED          "Neo.ClientError.Security.AuthenticationRateLimit"
#define BOLT_FORBIDDEN       "Neo.ClientError.Security.Forbidden"
#define BOLT_TOKEN_EXPIRED   "Neo.ClientError.Security.TokenExpired"
#define BOLT_LOGIN_EXPIRED   "Neo.ClientError.Security.AuthorizationExpired"
#define BOLT_NO_DATABASE     "Neo.ClientError.Database.DatabaseNotFound"
#define BOLT_TYPE_ERROR      "Neo.ClientError.Statement.TypeError"
#define BOLT_TRY_AGAIN       "Neo.TransientError.General.DatabaseUnavailable"
#define BOLT_TOO_MUCH        "Neo.TransientError.Request.ResourceExhaustion"
#define BOLT_OUT_OF_MEMORY   "Neo.TransientError.General.OutOfMemoryError"
#define BOLT_UNKNOWN         "Neo.DatabaseError.General.UnknownError"

/* The code for an answer of the graph service that is no good: by its own code where that
 * says something to a client, else by its error. */
const char *failure_code(enum sh_err err, const char *code);

#endif
