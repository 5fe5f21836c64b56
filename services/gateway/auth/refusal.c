#include "services/gateway/auth/refusal.h"

#include <stdio.h>

#include "shared/metrics.h"

static struct sh_family refusals = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_auth_refusals_total",
    .help = "Requests that were refused for who sent them",
    .labels = {"reason"},
};

/* RFC 6750 knows one error for whatever is wrong with a token. */
static void refuse(struct exchange *x, const char *code, const char *error)
{
    char header[256];

    (void)snprintf(header, sizeof header,
                   "Bearer realm=\"cairn\", error=\"invalid_token\", "
                   "error_description=\"%s\"",
                   error);
    sh_count(&refusals, code);
    sh_http_add_header(x->request, "WWW-Authenticate", header);
    exchange_fail(x, &(struct sh_problem){.status = 401, .code = code, .error = error});
}

static const char *sentence_for(enum jwt_fault fault)
{
    switch (fault) {
    case JWT_FORMAT:
        return "this is no token";
    case JWT_ALGORITHM:
        return "the token is signed in a way that is not accepted";
    case JWT_SIGNATURE:
    case JWT_UNKNOWN_KEY:
        return "the signature of the token is not good";
    case JWT_EXPIRED:
        return "the token has expired";
    case JWT_NOT_YET:
        return "the token is not valid yet";
    case JWT_ISSUER:
        return "the token comes from somebody else";
    case JWT_AUDIENCE:
        return "the token is meant for somebody else";
    case JWT_CLAIMS:
        return "the token does not say who it is for, or until when, in a way that is "
               "understood";
    case JWT_GOOD:
    case JWT_NOMEM:
    case JWT_FAULTS:
    default:
        return "the token was not accepted";
    }
}

void refuse_token(struct exchange *x, int why)
{
    enum jwt_fault fault = (enum jwt_fault)why;

    if (fault == JWT_NOMEM)
        exchange_fail_err(x, SH_NOMEM, NULL);
    else
        refuse(x, fault == JWT_EXPIRED ? "token_expired" : "invalid_token",
               sentence_for(fault));
}

void refuse_key(struct exchange *x, int why)
{
    (void)why;
    refuse(x, "invalid_api_key", "there is no such API key, or it is no longer valid");
}

void refuse_session(struct exchange *x, int why)
{
    (void)why;
    refuse(x, "session_expired", "the session is over: log in again");
}

void refuse_header(struct exchange *x, int why)
{
    if (why == 0) {
        refuse(x, "invalid_token",
               "send Authorization: Bearer and a token, or X-API-Key and a key");
        return;
    }
    sh_count(&refusals, "two_credentials");
    exchange_invalid(x, NULL, "send Authorization or X-API-Key, not both");
}

void refuse_nobody(struct exchange *x)
{
    sh_count(&refusals, "authentication_required");
    sh_http_add_header(x->request, "WWW-Authenticate", "Bearer realm=\"cairn\"");
    exchange_fail(x, &(struct sh_problem){.status = 401,
                                          .code = "authentication_required",
                                          .error = "this needs a token, an API key or a "
                                                   "session"});
}

void refuse_permission(struct exchange *x, enum permission permission)
{
    char sentence[128];

    (void)snprintf(sentence, sizeof sentence, "this needs the permission %s",
                   permission_name(permission));
    sh_count(&refusals, "forbidden");
    exchange_fail(
        x, &(struct sh_problem){.status = 403, .code = "forbidden", .error = sentence});
}

void refuse_unknown(struct exchange *x, int why)
{
    sh_count(&refusals, "unknown");
    exchange_fail(x, &(struct sh_problem){
                         .status = 503,
                         .code = why == SH_BUSY ? "overloaded" : "dependency_unavailable",
                         .error = "who you are cannot be checked at the moment",
                         .retry_after_s = 1});
}
