#include "services/gateway/uploads/sent_name.h"

enum { SENT_MAX = 1024 }; /* bytes; what is longer than a name keeps its end */

bool sent_name_read(struct exchange *x, char out[static FILE_NAME_MAX])
{
    struct sh_bytes sent;

    out[0] = '\0';
    if (!exchange_query_text(x, "file_name", SENT_MAX, &sent))
        return false;
    enum sh_err err = sent.len > 0 ? file_name_clean(sent, out) : SH_OK;
    if (err != SH_OK)
        exchange_fail_err(x, err, NULL);
    return err == SH_OK;
}
