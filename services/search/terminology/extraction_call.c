/* METHOD_GLOSSARY_EXTRACT: the job is made. */
#include <jansson.h>
#include <stdlib.h>

#include "proto/messages.h"
#include "services/search/query/record_call.h"
#include "services/search/terminology/extraction.h"

enum { FREQUENCY = 2, MOST = 1000 };

static void on_added(void *arg, const struct sh_job_reply *reply)
{
    struct sh_rpc_call *call = arg;
    struct job_ref ref = {sh_bytes_of(reply->id)};

    if (reply->key_reused)
        record_key_reused(call);
    else if (reply->err == SH_BUSY)
        sh_rpc_fail(call, SH_CONFLICT, NULL, NULL,
                    "too many of your jobs have not ended yet");
    else if (reply->err != SH_OK)
        sh_rpc_fail_write(call, reply->err, reply->maybe_done);
    else
        sh_rpc_reply(call, job_ref_desc(), &ref);
}

static char *params_of(const struct glossary_extract *asked)
{
    uint32_t frequency = asked->min_frequency > 0 ? asked->min_frequency : FREQUENCY;
    uint32_t most = asked->most > 0 ? asked->most : MOST;
    const char *id = asked->document_id.len > 0 ? asked->document_id.data : "";
    const char *in = asked->collection.len > 0 ? asked->collection.data : "";
    const char *language = asked->language.len > 0 ? asked->language.data : "";
    json_t *params = json_pack(
        "{s:s%, s:s%, s:s%, s:i, s:i}", "document_id", id, asked->document_id.len,
        "collection", in, asked->collection.len, "language", language,
        asked->language.len, "min_frequency", (int)frequency, "most", (int)most);
    char *text = params != NULL ? json_dumps(params, JSON_COMPACT) : NULL;

    json_decref(params);
    return text;
}

void extraction_handle(void *arg, struct sh_rpc_call *call)
{
    struct extractor *self = arg;
    const struct caller *caller = sh_rpc_call_caller(call);
    struct sh_buffer rights = {0};
    struct glossary_extract asked;
    char *params = NULL;
    enum sh_err err;

    if (sh_rpc_call_decode(call, glossary_extract_desc(), &asked) != SH_OK)
        return;
    err = self->pg == NULL ? SH_DRAINING : msg_encode(caller_desc(), caller, &rights);
    if (err == SH_OK && (params = params_of(&asked)) == NULL)
        err = SH_NOMEM;
    struct sh_job_new order = {.kind = EXTRACTION_KIND,
                               .style = SH_JOB_STEPS,
                               .params = sh_bytes_of(params),
                               .caller = sh_buffer_bytes(&rights),
                               .created_by = caller->user_id,
                               .write_key = sh_rpc_call_idempotency_key(call),
                               .most_by_user = self->most_by_user};
    if (err == SH_OK)
        err = sh_job_add(self->pg, &order, on_added, call);
    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
    sh_buffer_free(&rights);
    free(params); /* jansson's */
}
