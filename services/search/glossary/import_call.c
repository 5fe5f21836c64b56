/* METHOD_GLOSSARY_IMPORT: the job is made. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "services/search/glossary/import.h"
#include "shared/job_call.h"

static void begun(struct sh_rpc_call *call, const struct sh_job_reply *job)
{
    const struct job_ref ref = {.id = sh_bytes_of(job->id)};

    sh_rpc_reply(call, job_ref_desc(), &ref);
}

static char *params_of(const struct glossary_import *asked)
{
    char claim[24];
    json_t *params;
    char *text;

    (void)snprintf(claim, sizeof(claim), "%" PRIu64, asked->claim);
    params = json_pack("{s:s%, s:s%, s:s, s:b}", "hash", asked->hash.data,
                       asked->hash.len, "format", asked->format.data, asked->format.len,
                       "claim", claim, "may_validate", asked->may_validate);
    text = params != NULL ? json_dumps(params, JSON_COMPACT) : NULL;
    json_decref(params);
    return text;
}

void import_handle(void *arg, struct sh_rpc_call *call)
{
    const struct importer *self = arg;
    struct sh_job_new order = {
        .kind = IMPORT_KIND, .style = SH_JOB_STEPS, .most_by_user = self->most_by_user};
    struct glossary_import asked;

    if (sh_rpc_call_decode(call, glossary_import_desc(), &asked) != SH_OK)
        return;
    order.file_name = asked.file_name;
    if (sh_file_hash_ok(asked.hash))
        sh_job_call(self->pg, call, &order, params_of(&asked), begun);
    else
        sh_rpc_fail(call, SH_INVALID, NULL, NULL, "a hash is wanted");
}
