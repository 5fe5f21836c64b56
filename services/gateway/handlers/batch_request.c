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
    return exchange_query_flag(x, "wait", wait);
}
