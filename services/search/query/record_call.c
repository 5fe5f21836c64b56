#include "services/search/query/record_call.h"

#include <stdio.h>

#include "shared/clock.h"
#include "shared/log.h"

enum sh_err record_rights_of(const struct caller *caller, struct sh_arena *arena,
                             struct sh_pg_param out[static RECORD_RIGHTS])
{
    char *clearance = sh_arena_alloc(arena, 12);

    if (clearance == NULL)
        return SH_NOMEM;
    (void)snprintf(clearance, 12, "%u", (unsigned)caller->clearance);
    out[0].value = sh_bytes_of(caller->role.len == 0 ? "t" : "f"); /* a service itself */
    out[1].value = sh_bytes_of(clearance);
    out[2].value = sh_bytes_of(caller->all_departments ? "t" : "f");
    out[3].value = caller->department.len > 0 ? caller->department : sh_bytes_of("");
    return SH_OK;
}

enum sh_err record_rights(struct sh_rpc_call *call,
                          struct sh_pg_param out[static RECORD_RIGHTS])
{
    return record_rights_of(sh_rpc_call_caller(call), sh_rpc_call_arena(call), out);
}

uint64_t record_deadline(struct sh_rpc_call *call, uint64_t most_ms)
{
    uint64_t latest = sh_now_ms() + most_ms;
    uint64_t own = sh_rpc_call_deadline_ms(call);

    return own < latest ? own : latest;
}

bool record_failed(struct sh_rpc_call *call, const struct sh_pg_reply *reply)
{
    enum sh_err err = reply->err;

    if (err == SH_OK)
        return false;
    sh_warning(sh_rpc_call_trace(call), "the database failed: %s %s", reply->sqlstate,
               reply->message);
    if (err == SH_TIMEOUT && sh_left_ms(sh_rpc_call_deadline_ms(call)) > 0)
        err = SH_UNAVAILABLE; /* silent for longer than it may be */
    sh_rpc_fail_write(call, err, reply->maybe_done);
    return true;
}

void record_no_memory(struct sh_rpc_call *call)
{
    sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
}
