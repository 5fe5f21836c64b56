/* Passages get their vectors: those of a group go to the embedder as if they were of one
 * document, so that its batches are full. */
#include "services/search/ingest/put_internal.h"
#include "shared/clock.h"

enum { EMBED_SHARE = 4 /* a quarter of the time left is kept for storing */ };

/* The next step of all of them. */
static void go_on(struct put_group *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (!put_given_up(group->puts[i]))
            put_store(group->puts[i]);
    put_group_end(group);
}

static size_t count_texts(const struct put_group *group)
{
    size_t count = 0;

    for (size_t i = 0; i < group->count; i++)
        count += group->puts[i]->doc.chunk_count;
    return count;
}

static bool lay_out(struct put_group *group)
{
    size_t count = count_texts(group);
    size_t at = 0;

    group->texts = sh_alloc_array(count + 1, sizeof(*group->texts));
    group->have = sh_alloc_array(count + 1, sizeof(*group->have));
    group->vectors = sh_alloc_array(count + 1, group->puts[0]->model.dimension *
                                                   sizeof(*group->vectors));
    if (group->texts == NULL || group->have == NULL || group->vectors == NULL)
        return false;
    for (size_t i = 0; i < group->count; i++) {
        const struct put *put = group->puts[i];
        for (size_t n = 0; n < put->doc.chunk_count; n++, at++) {
            group->texts[at] = put->doc.texts[n];
            group->have[at] = put->have[n];
        }
    }
    return true;
}

/* Those that it had stay as they are. */
static void hand_out(struct put_group *group)
{
    size_t dimension = group->puts[0]->model.dimension;
    size_t at = 0;

    for (size_t i = 0; i < group->count; i++) {
        struct put *put = group->puts[i];
        for (size_t n = 0; n < put->doc.chunk_count; n++, at++) {
            if (put->have[n] || !group->have[at])
                continue;
            memcpy(put->vectors + n * dimension, group->vectors + at * dimension,
                   dimension * sizeof(float));
            put->have[n] = true;
        }
    }
}

static void on_embedded(void *arg, const struct embed_result *result)
{
    struct put_group *group = arg;
    struct putter *putter = group->putter;

    hand_out(group);
    if (result->other_model && !putter->closing)
        model_check(putter->options.model);
    go_on(group);
}

void put_group_embed(struct put_group *group)
{
    const struct put *first = group->puts[0];
    uint64_t left = sh_left_ms(group->deadline_ms);
    struct embed_order order = {.client = group->putter->options.embedder,
                                .model = &first->model,
                                .deadline_ms = group->deadline_ms - left / EMBED_SHARE,
                                .trace = first->order.trace};

    /* What gets no vector now gets one later; not even an attempt is no failure. */
    if (first->model.dimension == 0 || sh_rpc_client_ready(order.client) == 0 ||
        !lay_out(group)) {
        go_on(group);
        return;
    }
    order.texts = group->texts;
    order.have = group->have;
    order.vectors = group->vectors;
    order.count = count_texts(group);
    if (embed_start(&order, on_embedded, group, &group->job) != SH_OK)
        go_on(group);
}

void put_embed(struct put *put)
{
    put_gather(put, PUT_EMBEDDING);
}
