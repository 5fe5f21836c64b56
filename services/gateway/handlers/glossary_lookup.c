/* POST /api/glossary/lookup: what an outside service says of a term. */
#include <stdio.h>

#include "services/gateway/handlers/glossary.h"
#include "services/gateway/json_out.h"

enum { LOOKUP_MS = 30000 };

static const char *const sources[] = {"deepl", "iate", NULL};

struct lookup_body {
    uint32_t source; /* place in `sources` */
    struct sh_bytes term, from, to;
};
#define AT(member) offsetof(struct lookup_body, member)
static const struct schema_field fields[] = {
    {.name = "source",
     .type = SCHEMA_CHOICE,
     .offset = AT(source),
     .choices = sources,
     .required = true,
     .help = "which service is asked"},
    {.name = "term",
     .type = SCHEMA_TEXT,
     .offset = AT(term),
     .least = 1,
     .most = 512,
     .bytes = 2048,
     .required = true,
     .help = "what is looked up"},
    {.name = "from",
     .type = SCHEMA_TEXT,
     .offset = AT(from),
     .most = 16,
     .bytes = 16,
     .help = "its language; DeepL finds out when it is absent, IATE needs it"},
    {.name = "to",
     .type = SCHEMA_TEXT,
     .offset = AT(to),
     .least = 2,
     .most = 16,
     .bytes = 16,
     .required = true,
     .help = "the language of the answer"},
};
#undef AT
const struct schema glossary_lookup_schema = {
    "GlossaryLookup", "A term, and which outside service is asked for it.",
    sizeof(struct lookup_body), fields, SH_COUNT(fields)};

/* False: answered. */
static bool is_answer(struct exchange *x, struct sh_bytes answers)
{
    json_t *failure = json_loadb(answers.data, answers.len, 0, NULL);
    const char *error = json_string_value(json_object_get(failure, "error"));
    bool late = json_is_true(json_object_get(failure, "late"));
    char sentence[192];

    if (!json_is_object(failure)) {
        json_decref(failure);
        return true;
    }
    (void)snprintf(sentence, sizeof sentence, "%s", error != NULL ? error : "it failed");
    json_decref(failure);
    exchange_fail(x, &(struct sh_problem){.status = late ? 504 : 502,
                                          .code = "lookup_failed",
                                          .error = sentence});
    return false;
}

static void on_looked(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct lookup_body *body = x->state;
    struct glossary_looked looked;

    if (!exchange_decode(x, glossary_looked_desc(), response->payload, &looked) ||
        !is_answer(x, looked.answers))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    json_member_text(out, "source", sh_bytes_of(sources[body->source]));
    json_member(out, "cached");
    json_bool(out, looked.cached);
    if (looked.fetched_at > 0) {
        json_member(out, "fetched_at");
        json_time(out, looked.fetched_at);
    }
    json_member(out, "answers");
    json_raw(out, looked.answers, "[]");
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

/* Letters and digits with hyphens between them. */
static bool is_language(struct sh_bytes text)
{
    const char *at = text.data;

    for (size_t i = 0; i < text.len; i++) {
        char c = (char)(at[i] | 0x20);
        bool letter = c >= 'a' && c <= 'z';
        if (!letter && (i < 2 || !(at[i] == '-' || (at[i] >= '0' && at[i] <= '9'))))
            return false;
    }
    return true;
}

void glossary_lookup_post(struct exchange *x, void *body_in)
{
    const struct lookup_body *body = body_in;
    struct lookup_body *kept = sh_arena_alloc(&x->arena, sizeof *kept);
    const struct glossary_lookup order = {.source = sh_bytes_of(sources[body->source]),
                                          .term = search_trim(body->term),
                                          .from = body->from,
                                          .to = body->to};

    if (kept == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    if (!is_language(body->to)) {
        exchange_invalid(x, "to", "it must be a language tag such as en or de-AT");
        return;
    }
    if (!is_language(body->from) || (body->source == 1 && body->from.len == 0)) {
        exchange_invalid(x, "from", "it must be a language tag such as en or de-AT");
        return;
    }
    *kept = *body;
    x->state = kept;
    exchange_call(x, &(struct exchange_call){.peer = PEER_SEARCH,
                                             .method = METHOD_GLOSSARY_LOOKUP,
                                             .kind = SH_RPC_READ,
                                             .desc = glossary_lookup_desc(),
                                             .msg = &order,
                                             .timeout_ms = LOOKUP_MS,
                                             .done = on_looked});
}
