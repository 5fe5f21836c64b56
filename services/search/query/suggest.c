#include "services/search/query/suggest.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "services/search/feed/held.h"
#include "services/search/glossary/terms_sql.h"
#include "services/search/query/record_call.h"
#include "services/search/view/view_suggest.h"
#include "shared/clock.h"

enum { VIEW_MS = 1000, TERMS_MS = 200 /* nobody waits longer for a help */ };
enum { LIMIT = 8, ROWS = 3 * SUGGEST_MOST /* a term is there in several languages */ };
enum kind { KIND_TITLE, KIND_TERM, KIND_WORD, KINDS };

struct suggesting {
    struct suggester *suggester;
    struct sh_rpc_call *call;
    struct suggest_query query;
    struct view_suggest asked;
    struct sh_work work;
    struct held_view *view; /* NULL: there is none */
    struct sh_arena arena;  /* the worker's */
    enum sh_err outcome;
    struct view_suggested found;
    struct view_suggestion terms[SUGGEST_MOST];
    size_t term_count;
    bool no_terms; /* the record did not tell */
    int awaited;
};

static void release(struct suggesting *self)
{
    held_release(self->view);
    sh_arena_free(&self->arena);
    sh_free(self);
}

/* --- the answer ------------------------------------------------------------------- */

static bool is_term(const struct suggesting *self, struct sh_bytes text)
{
    for (size_t i = 0; i < self->term_count; i++) {
        const struct sh_bytes *term = &self->terms[i].text;
        if (term->len == text.len && strncasecmp(term->data, text.data, text.len) == 0)
            return true;
    }
    return false;
}

/* What is a term is told as that. */
static void drop_terms(struct suggesting *self)
{
    struct view_suggested *found = &self->found;
    size_t kept = 0;

    for (size_t i = 0; i < found->word_count; i++)
        if (!is_term(self, found->words[i].text))
            found->words[kept++] = found->words[i];
    found->word_count = kept;
}

/* Each kind has the same share, and what others leave. */
static void share(const size_t there[KINDS], size_t limit, size_t out[KINDS])
{
    bool more = true;

    while (more && limit > 0) {
        more = false;
        for (int kind = 0; kind < KINDS && limit > 0; kind++) {
            if (out[kind] == there[kind])
                continue;
            out[kind]++;
            limit--;
            more = true;
        }
    }
}

static void answer(struct suggesting *self)
{
    static const enum kind order[] = {KIND_WORD, KIND_TERM, KIND_TITLE};
    static const struct sh_bytes titles = {"titles", 6}, words = {"words", 5},
                                 terms = {"terms", 5};
    struct suggestion list[SUGGEST_MOST] = {{.kind = 0}};
    struct sh_bytes degraded[KINDS];
    struct suggestions reply = {.suggestions = list, .degraded = degraded};
    size_t shares[KINDS] = {0};

    drop_terms(self);
    const struct view_suggestion *from[KINDS] = {[KIND_TITLE] = self->found.titles,
                                                 [KIND_TERM] = self->terms,
                                                 [KIND_WORD] = self->found.words};
    const size_t there[KINDS] = {[KIND_TITLE] = self->found.title_count,
                                 [KIND_TERM] = self->term_count,
                                 [KIND_WORD] = self->found.word_count};
    share(there, self->asked.limit, shares);
    for (size_t o = 0; o < SH_COUNT(order); o++)
        for (size_t i = 0; i < shares[order[o]]; i++)
            list[reply.suggestions_count++] =
                (struct suggestion){.text = from[order[o]][i].text,
                                    .kind = order[o],
                                    .id = from[order[o]][i].id};
    if (self->view == NULL) {
        degraded[reply.degraded_count++] = titles;
        degraded[reply.degraded_count++] = words;
    }
    if (self->no_terms)
        degraded[reply.degraded_count++] = terms;
    sh_rpc_reply(self->call, suggestions_desc(), &reply);
    release(self);
}

static void arrived(struct suggesting *self)
{
    if (--self->awaited > 0)
        return;
    if (self->outcome == SH_OK) {
        answer(self);
        return;
    }
    sh_rpc_fail(self->call, self->outcome, NULL, NULL, "%s", sh_err_text(self->outcome));
    release(self);
}

/* --- titles and words ------------------------------------------------------------- */

static void run_view(struct sh_work *work)
{
    struct suggesting *self = SH_CONTAINER_OF(work, struct suggesting, work);

    self->outcome =
        sh_left_ms(self->asked.deadline_ms) == 0
            ? SH_TIMEOUT
            : view_suggest(self->view->view, &self->asked, &self->arena, &self->found);
}

static void view_asked(struct sh_work *work, enum sh_err err)
{
    struct suggesting *self = SH_CONTAINER_OF(work, struct suggesting, work);

    if (err != SH_OK)
        self->outcome = err;
    arrived(self);
}

static enum sh_err ask_view(struct suggesting *self)
{
    const struct documents *documents = self->suggester->documents;

    if (documents->immediate)
        return SH_OK;
    if (documents->feed == NULL || !feed_loaded(documents->feed))
        return SH_DRAINING; /* nothing is loaded: another replica may know more */
    self->view = feed_hold(documents->feed);
    self->work = (struct sh_work){.run = run_view, .done = view_asked};
    enum sh_err err = sh_workers_submit(self->suggester->workers, &self->work);
    if (err == SH_OK)
        self->awaited++;
    return err;
}

/* --- terms ------------------------------------------------------------------------ */

/* The same term of another language is told once. */
static enum sh_err take_term(struct suggesting *self, const PGresult *rows, int row)
{
    struct sh_bytes text = sh_pg_text(rows, row, 1);

    if (is_term(self, text))
        return SH_OK;
    struct sh_arena *arena = sh_rpc_call_arena(self->call);
    struct view_suggestion term = {sh_arena_copy(arena, text),
                                   sh_arena_copy(arena, sh_pg_text(rows, row, 0))};
    if (term.text.data == NULL || term.id.data == NULL)
        return SH_NOMEM;
    self->terms[self->term_count++] = term;
    return SH_OK;
}

static void on_terms(void *arg, const struct sh_pg_reply *reply)
{
    struct suggesting *self = arg;
    int count = reply->err == SH_OK ? PQntuples(reply->results[0]) : 0;

    self->no_terms = reply->err != SH_OK;
    for (int row = 0; row < count && self->term_count < self->asked.limit; row++)
        if (take_term(self, reply->results[0], row) != SH_OK)
            self->no_terms = true;
    arrived(self);
}

static void ask_terms(struct suggesting *self)
{
    struct sh_pg_param params[2 + RECORD_RIGHTS] = {{.value = self->query.query}};
    struct sh_pg_step step = {&terms_suggest, params, SH_COUNT(params), false};
    struct sh_pg_call call = {.steps = &step,
                              .count = 1,
                              .read_only = true,
                              .deadline_ms = record_deadline(self->call, TERMS_MS),
                              .trace = sh_rpc_call_trace(self->call)};
    char limit[12];

    if (!self->query.terms)
        return;
    (void)snprintf(limit, sizeof limit, "%d", (int)ROWS);
    params[1 + RECORD_RIGHTS].value = sh_bytes_of(limit);
    enum sh_err err = record_rights(self->call, params + 1);
    if (err == SH_OK)
        err = sh_pg_run(self->suggester->documents->pg, &call, on_terms, self);
    self->no_terms = err != SH_OK;
    if (err == SH_OK)
        self->awaited++;
}

/* --- the beginning ---------------------------------------------------------------- */

void suggest_handle(void *arg, struct sh_rpc_call *call)
{
    struct suggesting *self = sh_alloc(sizeof *self);

    if (self == NULL) {
        record_no_memory(call);
        return;
    }
    self->suggester = arg;
    self->call = call;
    if (sh_rpc_call_decode(call, suggest_query_desc(), &self->query) != SH_OK) {
        release(self);
        return;
    }
    self->asked =
        (struct view_suggest){.query = self->query.query,
                              .caller = sh_rpc_call_caller(call),
                              .limit = self->query.limit > 0 ? self->query.limit : LIMIT,
                              .deadline_ms = record_deadline(call, VIEW_MS)};
    self->awaited = 1; /* until both are asked */
    enum sh_err err = ask_view(self);
    if (err == SH_OK)
        ask_terms(self);
    else
        self->outcome = err; /* no worker has it */
    arrived(self);
}
