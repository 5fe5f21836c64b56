#include "services/gateway/audit/outcome.h"

bool audit_is_denied(int status)
{
    return status == 401 || status == 403;
}

const char *audit_outcome(int status)
{
    if (status == 0)
        return "abandoned";
    if (status < 400)
        return "ok";
    if (audit_is_denied(status) || status == 423 || status == 429)
        return "denied";
    return status < 500 ? "invalid" : "failed";
}

bool audit_is_outcome(struct sh_bytes text)
{
    static const int of_each[] = {0, 200, 403, 400, 500};

    for (size_t i = 0; i < SH_COUNT(of_each); i++)
        if (sh_bytes_is(text, audit_outcome(of_each[i])))
            return true;
    return false;
}
