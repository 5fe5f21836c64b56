/* Vectors of entries are made, and stored. */
#include "services/search/meaning/entry_feed_internal.h"
#include "shared/clock.h"
#include "shared/pg_array.h"

/* What changes meanwhile does not wait until all have one. */
static void on_stored(void *arg, const struct sh_pg_reply *reply)
{
    struct entry_feed *self = arg;

    if (entry_feed_came(self, reply))
        entry_feed_look(self);
}

static void store(struct entry_feed *self)
{
    struct sh_buffer arrays[3] = {{0}, {0}, {0}};
    struct sh_buffer vector = {0};
    size_t some = 0;

    for (size_t i = 0; i < self->count; i++)
        some += self->have[i];
    sh_pg_array_begin(&arrays[0], SH_PG_ARRAY_TEXT, some);
    sh_pg_array_begin(&arrays[1], SH_PG_ARRAY_TEXT, some);
    sh_pg_array_begin(&arrays[2], SH_PG_ARRAY_BYTEA, some);
    for (size_t i = 0; i < self->count; i++) {
        if (!self->have[i])
            continue;
        sh_pg_array_bytes(&arrays[0], self->facts[i].id);
        sh_pg_array_bytes(&arrays[1], self->texts[i]);
        sh_buffer_clear(&vector);
        entry_vector_write(&vector, self->vectors + i * self->model.dimension,
                           self->model.dimension);
        sh_pg_array_bytes(&arrays[2], sh_buffer_bytes(&vector));
    }
    struct sh_pg_param params[] = {{sh_bytes_of(self->model.fingerprint), false},
                                   sh_pg_array_param(&arrays[0]),
                                   sh_pg_array_param(&arrays[1]),
                                   sh_pg_array_param(&arrays[2])};
    if (vector.err != SH_OK || arrays[0].err != SH_OK || arrays[1].err != SH_OK ||
        arrays[2].err != SH_OK)
        entry_feed_fail(self, "out of memory");
    else
        entry_feed_run(
            self, &(struct sh_pg_step){&entry_store, params, SH_COUNT(params), false},
            on_stored);
    sh_buffer_free(&vector);
    for (size_t i = 0; i < SH_COUNT(arrays); i++)
        sh_buffer_free(&arrays[i]);
}

static void on_embedded(void *arg, const struct embed_result *result)
{
    struct entry_feed *self = arg;
    size_t made = 0;

    self->embedding = NULL;
    for (size_t i = 0; i < self->count; i++) {
        if (!self->have[i])
            continue;
        made++;
        if (entry_set_put(self->held->set, &self->facts[i],
                          self->vectors + i * self->model.dimension) != SH_OK)
            self->have[i] = false;
    }
    /* What the model refused is without until it changes, or the next start. */
    for (size_t i = 0; result->err != SH_OK && i < self->count; i++)
        if (!self->have[i] && !entry_names_add(&self->bare, self->facts[i].id))
            break;
    if (made > 0)
        store(self);
    else if (result->err != SH_OK)
        entry_feed_fail(self, sh_err_text(result->err));
    else
        entry_feed_look(self);
}

void entry_feed_make(void *arg, const struct sh_pg_reply *reply)
{
    struct entry_feed *self = arg;
    const PGresult *rows;
    enum sh_err err = SH_OK;

    if (!entry_feed_came(self, reply))
        return;
    rows = reply->results[0];
    entry_names_drop(&self->bare, entry_names_some(&self->bare));
    sh_arena_free(&self->arena);
    self->count = 0;
    for (int row = 0; err == SH_OK && row < PQntuples(rows); row++) {
        struct entry_facts *facts = &self->facts[self->count];
        if (entry_feed_put(self, rows, row, &err) || err != SH_OK)
            continue;
        entry_feed_facts(rows, row, facts);
        facts->id = sh_arena_copy(&self->arena, facts->id);
        facts->department = sh_arena_copy(&self->arena, facts->department);
        facts->language = sh_arena_copy(&self->arena, facts->language);
        facts->domain = sh_arena_copy(&self->arena, facts->domain);
        facts->status = sh_arena_copy(&self->arena, facts->status);
        self->texts[self->count] =
            sh_arena_copy(&self->arena, entry_feed_cell(rows, row, ENTRY_TEXT));
        self->have[self->count] = false;
        if (facts->id.data == NULL || facts->department.data == NULL ||
            facts->language.data == NULL || facts->domain.data == NULL ||
            facts->status.data == NULL || self->texts[self->count].data == NULL)
            err = SH_NOMEM;
        self->count++;
    }
    sh_free(self->vectors);
    self->vectors =
        sh_alloc_array(AT_ONCE * (size_t)self->model.dimension, sizeof(float));
    if (err == SH_OK && self->vectors == NULL)
        err = SH_NOMEM;
    if (err == SH_OK && self->count > 0) {
        const struct embed_order order = {.client = self->options.embedder,
                                          .texts = self->texts,
                                          .have = self->have,
                                          .vectors = self->vectors,
                                          .count = self->count,
                                          .model = &self->model,
                                          .deadline_ms = sh_now_ms() + EMBED_MS};
        err = embed_start(&order, on_embedded, self, &self->embedding);
        if (err == SH_OK)
            return;
        for (size_t i = 0; i < self->count; i++)
            if (!entry_names_add(&self->bare, self->facts[i].id))
                break;
    }
    if (err != SH_OK)
        entry_feed_fail(self, sh_err_text(err));
    else
        entry_feed_rest(self, 0);
}
