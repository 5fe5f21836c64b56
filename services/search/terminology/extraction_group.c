/* A group of documents: counting what stands in them, storing what was found. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/glossary/terms.h"
#include "services/search/terminology/candidates_sql.h"
#include "services/search/terminology/extraction_internal.h"
#include "services/search/text/language.h"

enum {
    PAGE_ROWS = 32,
    RUNS = 300000, /* different ones that are kept of a group */
    STORE_ROWS = 500,
    NUMBER = 24,
    PAGE_PARAMS = GROUPS_PARAMS + 6,
    STORE_PARAMS = 5,
};

static struct extraction *of(struct runner *runner)
{
    return SH_CONTAINER_OF(runner, struct extraction, runner);
}

void extraction_next(struct runner *runner, enum sh_err err)
{
    (void)err;
    runner_next(runner);
}

void extraction_leave(struct extraction *self)
{
    phrases_free(&self->phrases);
    sh_arena_free(&self->texts);
    PQclear(self->rows);
    self->rows = NULL;
    self->documents = NULL;
    self->document_count = 0;
    self->after = (struct sh_bytes){"", 0};
    self->ordinal = 0;
    self->found = NULL;
    self->found_count = self->stored = 0;
}

/* --- a group is stored ------------------------------------------------------------ */

struct sh_bytes extraction_cursor(struct extraction *self)
{
    int len = snprintf(self->cursor, sizeof(self->cursor),
                       "{\"group\":%zu,\"read\":%" PRIu64 ",\"candidates\":%" PRIu64
                       ",\"missed\":%" PRIu64 "}",
                       self->group, self->read, self->candidates, self->missed);

    return (struct sh_bytes){self->cursor, (size_t)len};
}

static json_t *contexts_of(const struct extraction *self, const struct phrase *phrase)
{
    json_t *all = json_array();

    for (uint32_t i = 0; i < phrase->context_count; i++) {
        const struct phrase_context *context = &phrase->contexts[i];
        struct sh_bytes id = self->documents[context->document];
        (void)json_array_append_new(
            all, json_pack("{s:s%, s:i, s:i, s:s%}", "d", id.data, id.len, "o",
                           (int)context->ordinal, "s", (int)context->start, "f",
                           context->form.data, context->form.len));
    }
    return all;
}

/* Stems with a space between them: a NUL is no text for PostgreSQL. */
static json_t *key_of(struct sh_bytes key)
{
    char text[PHRASE_WORDS * (ANALYZER_TERM_MAX + 1)];

    memcpy(text, key.data, key.len);
    for (size_t i = 0; i < key.len; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    return json_stringn(text, key.len);
}

static char *batch_of(const struct extraction *self, size_t end)
{
    json_t *all = json_array();
    char *text = NULL;

    for (size_t i = self->stored; i < end; i++) {
        const struct phrase *phrase = &self->found[i];
        (void)json_array_append_new(
            all,
            json_pack("{s:o, s:s%, s:i, s:I, s:I, s:f, s:o}", "key", key_of(phrase->key),
                      "term", phrase->form.data, phrase->form.len, "words",
                      (int)phrase->words, "frequency", (json_int_t)phrase->frequency,
                      "documents", (json_int_t)phrase->documents, "score", phrase->score,
                      "contexts", contexts_of(self, phrase)));
    }
    if (json_array_size(all) == end - self->stored)
        text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    return text;
}

static void on_stored(struct runner *runner, enum sh_err err)
{
    struct extraction *self = of(runner);

    (void)err;
    if (self->stored >= self->found_count && self->phase == READING)
        extraction_leave(self);
    runner_next(runner);
}

void extraction_store(struct extraction *self)
{
    const struct group *group = &self->groups[self->group];
    size_t end = self->found_count - self->stored > STORE_ROWS ? self->stored + STORE_ROWS
                                                               : self->found_count;
    bool first = self->stored == 0;
    char *batch = batch_of(self, end);
    struct sh_pg_param params[STORE_PARAMS] = {
        terms_text(sh_bytes_of(sh_job_id(self->runner.run))), terms_text(group->language),
        terms_text(group->clearance), terms_text(group->department),
        terms_text(sh_bytes_of(batch))};
    struct sh_pg_step steps[] = {{&candidates_store, params, STORE_PARAMS, false},
                                 {&candidates_clear, params, STORE_PARAMS - 1, false}};

    if (batch == NULL) {
        runner_pause(&self->runner, 1000);
        return;
    }
    self->stored = end;
    if (end == self->found_count) {
        self->read += self->document_count;
        self->candidates += self->found_count;
        self->missed += phrases_missed(self->phrases);
        self->phase = READING;
        self->group++;
    }
    uint64_t done = self->read + (self->phase == STORING ? self->document_count : 0);
    struct sh_job_checkpoint checkpoint = {.cursor = extraction_cursor(self),
                                           .done = done,
                                           .total = self->total,
                                           .steps = steps,
                                           .step_count =
                                               first && self->everything ? 2 : 1};
    runner_save(&self->runner, &checkpoint, on_stored);
    free(batch); /* jansson's */
}

/* --- a group is read -------------------------------------------------------------- */

static void rank(struct runner *runner)
{
    struct extraction *self = of(runner);
    const struct phrase_wish wish = {self->frequency, self->most, self->document_count};

    self->err = phrases_rank(self->phrases, &wish, &self->texts, &self->found,
                             &self->found_count);
}

static void on_ranked(struct runner *runner)
{
    struct extraction *self = of(runner);

    if (self->err != SH_OK) {
        runner_fail(runner, sh_err_code(self->err), sh_err_text(self->err));
        return;
    }
    self->phase = STORING;
    runner_next(runner);
}

/* The number of the document of a row. */
static enum sh_err document_of(struct extraction *self, struct sh_bytes id,
                               uint32_t *number)
{
    if (self->document_count == 0 || !sh_bytes_equal(self->after, id)) {
        if (self->document_count >= self->groups[self->group].documents)
            return SH_TOOBIG; /* more than there were: the next job's */
        self->after = sh_arena_copy(&self->texts, id);
        if (self->after.data == NULL)
            return SH_NOMEM;
        self->documents[self->document_count++] = self->after;
    }
    *number = (uint32_t)self->document_count - 1;
    return SH_OK;
}

static void count(struct runner *runner)
{
    struct extraction *self = of(runner);
    uint32_t number = 0;

    self->err = SH_OK;
    for (int row = 0; self->err == SH_OK && row < PQntuples(self->rows); row++) {
        self->err = document_of(self, sh_pg_text(self->rows, row, 0), &number);
        if (self->err != SH_OK)
            break;
        self->ordinal = (uint32_t)sh_pg_u64(self->rows, row, 1);
        self->err = phrases_add(self->phrases, number, self->ordinal,
                                sh_pg_text(self->rows, row, 2));
    }
}

static void on_counted(struct runner *runner)
{
    struct extraction *self = of(runner);
    bool last = PQntuples(self->rows) < PAGE_ROWS || self->err == SH_TOOBIG;

    PQclear(self->rows);
    self->rows = NULL;
    if (self->err != SH_OK && self->err != SH_TOOBIG) {
        runner_fail(runner, sh_err_code(self->err), sh_err_text(self->err));
        return;
    }
    if (last) {
        runner_work(runner, self->extractor->workers, rank, on_ranked);
        return;
    }
    /* Progress to be seen; the cursor is that of the group's beginning. */
    struct sh_job_checkpoint checkpoint = {.cursor = extraction_cursor(self),
                                           .done = self->read + self->document_count,
                                           .total = self->total};
    runner_save(runner, &checkpoint, extraction_next);
}

static void on_page(void *arg, const struct sh_pg_reply *reply)
{
    struct extraction *self = of(arg);

    self->rows = PQcopyResult(reply->results[0], PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    if (self->rows == NULL)
        runner_pause(&self->runner, 1000);
    else
        runner_work(&self->runner, self->extractor->workers, count, on_counted);
}

static enum sh_err begin_group(struct extraction *self)
{
    const struct group *group = &self->groups[self->group];

    self->documents = sh_arena_array(&self->texts, (size_t)group->documents + 1,
                                     sizeof(*self->documents));
    if (self->documents == NULL)
        return SH_NOMEM;
    return phrases_create(language_of(group->language), RUNS, &self->phrases);
}

void extraction_read(struct extraction *self)
{
    const struct group *group = &self->groups[self->group];
    struct sh_pg_param params[PAGE_PARAMS];
    struct sh_pg_step step = {&candidates_page, params, PAGE_PARAMS, false};
    char ordinal[NUMBER];
    char limit[NUMBER];

    if (self->phrases == NULL && begin_group(self) != SH_OK) {
        runner_fail(&self->runner, "internal_error", "out of memory");
        return;
    }
    (void)snprintf(ordinal, sizeof(ordinal), "%" PRId64,
                   self->document_count > 0 ? (int64_t)self->ordinal : -1);
    (void)snprintf(limit, sizeof(limit), "%d", PAGE_ROWS);
    memcpy(params, self->params, sizeof(self->params));
    params[GROUPS_PARAMS] = terms_text(group->clearance);
    params[GROUPS_PARAMS + 1] = terms_text(group->department);
    params[GROUPS_PARAMS + 2] = terms_text(group->language);
    params[GROUPS_PARAMS + 3] = terms_text(self->after);
    params[GROUPS_PARAMS + 4] = terms_text(sh_bytes_of(ordinal));
    params[GROUPS_PARAMS + 5] = terms_text(sh_bytes_of(limit));
    runner_query(&self->runner, &step, on_page);
}
