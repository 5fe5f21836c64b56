/* METHOD_GLOSSARY_IMPORT: the job is made. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/glossary/import.h"

static void on_added(void *arg, const struct sh_job_reply *reply)
{
    struct sh_rpc_call *call = arg;
    struct job_ref ref = {sh_bytes_of(reply->id)};

    if (reply->err == SH_BUSY)
        sh_rpc_fail(call, SH_CONFLICT, NULL, NULL,
                    "too many of your jobs have not ended yet");
    else if (reply->err != SH_OK)
        sh_rpc_fail_write(call, reply->err, reply->maybe_done);
    else
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
    struct importer *self = arg;
    const struct caller *caller = sh_rpc_call_caller(call);
    struct sh_buffer rights = {0};
    struct glossary_import asked;
    char *params = NULL;
    enum sh_err err;

    if (sh_rpc_call_decode(call, glossary_import_desc(), &asked) != SH_OK)
        return;
    if (!sh_file_hash_ok(asked.hash)) {
        sh_rpc_fail(call, SH_INVALID, NULL, NULL, "a hash is wanted");
        return;
    }
    err = self->pg == NULL ? SH_DRAINING : msg_encode(caller_desc(), caller, &rights);
    if (err == SH_OK && (params = params_of(&asked)) == NULL)
        err = SH_NOMEM;
    struct sh_job_new order = {.kind = IMPORT_KIND,
                               .style = SH_JOB_STEPS,
                               .params = sh_bytes_of(params),
                               .caller = sh_buffer_bytes(&rights),
                               .created_by = caller->user_id,
                               .most_by_user = self->most_by_user};
    if (err == SH_OK)
        err = sh_job_add(self->pg, &order, on_added, call);
    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
    sh_buffer_free(&rights);
    free(params); /* jansson's */
}
