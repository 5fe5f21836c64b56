#include "services/gateway/handlers/models.h"

#include <stdio.h>

/* One question, kept in the arena; the handler's own state is put back before it goes on.
 */
struct question {
    models_found_fn *found;
    struct sh_bytes name;
    bool one;
    void *state;
};

static struct sh_bytes without_latest(struct sh_bytes name)
{
    static const char tag[] = ":latest";
    size_t len = sizeof tag - 1;

    if (name.len > len && memcmp((const char *)name.data + name.len - len, tag, len) == 0)
        name.len -= len;
    return name;
}

static void refuse(struct exchange *x, struct sh_bytes name)
{
    char sentence[300];

    (void)snprintf(sentence, sizeof sentence, "model '%.*s' not found", (int)name.len,
                   (const char *)name.data);
    exchange_fail(x, &(struct sh_problem){.status = 404,
                                          .code = "model_not_found",
                                          .field = "model",
                                          .error = sentence});
}

static void choose(struct exchange *x, const struct question *question,
                   const struct models_reply *reply)
{
    for (size_t i = 0; i < reply->models_count; i++)
        if (question->name.len == 0 ||
            sh_bytes_equal(without_latest(reply->models[i].name),
                           without_latest(question->name))) {
            question->found(x, &(struct models_found){&reply->models[i], 1});
            return;
        }
    if (question->name.len > 0)
        refuse(x, question->name);
    else
        exchange_fail_err(x, SH_UNAVAILABLE, "no model is ready at the moment");
}

static void on_models(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct question *question = x->state;
    struct models_reply reply;

    if (!exchange_decode(x, models_reply_desc(), response->payload, &reply))
        return;
    x->state = question->state;
    if (question->one)
        choose(x, question, &reply);
    else
        question->found(x, &(struct models_found){reply.models, reply.models_count});
}

static void ask(struct exchange *x, const struct question *question)
{
    static const struct empty nothing;
    struct question *kept = sh_arena_alloc(&x->arena, sizeof *kept);

    if (kept == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    *kept = *question;
    kept->state = x->state;
    x->state = kept;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_EMBEDDER,
                         .method = METHOD_EMBEDDER_MODELS,
                         .kind = SH_RPC_READ,
                         .desc = empty_desc(),
                         .msg = &nothing,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_models,
                     });
}

void models_all(struct exchange *x, models_found_fn *found)
{
    ask(x, &(struct question){.found = found});
}

void models_find(struct exchange *x, struct sh_bytes name, models_found_fn *found)
{
    ask(x, &(struct question){.found = found, .name = name, .one = true});
}
