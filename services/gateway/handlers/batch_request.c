#include <strings.h>

#include "services/gateway/handlers/batch.h"

static bool is_ndjson(struct sh_bytes type)
{
    static const char *const known[] = {"application/x-ndjson",
                                        "application/ndjson",
                                        "application/jsonl",
                                        "application/json",
                                        "application/octet-stream",
                                        "application/x-www-form-urlencoded",
                                        "text/plain"};

    for (size_t i = 0; i < SH_COUNT(known); i++) {
        size_t len = strlen(known[i]);
        if (type.len >= len && strncasecmp(type.data, known[i], len) == 0)
            return true;
    }
    return type.len == 0;
}

bool batch_request_ok(struct exchange *x, bool *wait)
{
    struct sh_bytes text;

    if (!exchange_body_plain(x))
        return false;
    if (!is_ndjson(sh_http_header(x->request, "Content-Type"))) {
        exchange_fail(
            x, &(struct sh_problem){.status = 415,
                                    .code = "unsupported_media_type",
                                    .error = "a batch is one JSON object a line: send "
                                             "Content-Type: application/x-ndjson"});
        return false;
    }
    if (!exchange_query_text(x, "wait", 8, &text))
        return false;
    *wait = sh_bytes_is(text, "true") || sh_bytes_is(text, "1");
    if (*wait || text.len == 0 || sh_bytes_is(text, "false") || sh_bytes_is(text, "0"))
        return true;
    exchange_invalid(x, "wait", "wait must be true or false");
    return false;
}
