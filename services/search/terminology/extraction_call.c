/* METHOD_GLOSSARY_EXTRACT: the job is made. */
#include <jansson.h>

#include "proto/messages.h"
#include "services/search/terminology/extraction.h"
#include "shared/job_call.h"

enum { FREQUENCY = 2, MOST = 1000 };

static void begun(struct sh_rpc_call *call, const struct sh_job_reply *job)
{
    const struct job_ref ref = {.id = sh_bytes_of(job->id)};

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
    const struct extractor *self = arg;
    const struct sh_job_new order = {.kind = EXTRACTION_KIND,
                                     .style = SH_JOB_STEPS,
                                     .write_key = sh_rpc_call_idempotency_key(call),
                                     .most_by_user = self->most_by_user};
    struct glossary_extract asked;

    if (sh_rpc_call_decode(call, glossary_extract_desc(), &asked) == SH_OK)
        sh_job_call(self->pg, call, &order, params_of(&asked), begun);
}
