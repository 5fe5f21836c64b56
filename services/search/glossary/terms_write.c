/* Storing and deleting terms. In one transaction: the row is locked and looked at, then
 * changed if its status allows it; which of the two failed tells what to answer. */
#include <stdio.h>

#include "proto/access.h"
#include "services/search/glossary/terms.h"
#include "services/search/glossary/terms_rules.h"
#include "services/search/glossary/terms_sql.h"
#include "services/search/ingest/record.h"
#include "services/search/query/record_call.h"

enum { WRITE_MS = 2000, COLUMNS = 11, RIGHTS_END = 1 + RECORD_RIGHTS };

struct writing { /* in the call's arena */
    struct sh_rpc_call *call;
    struct sh_pg *pg;
    struct glossary_put put;
    struct glossary_term term;
    uint64_t xid;
};

static bool run(struct writing *self, const struct sh_pg_step *steps, size_t count,
                sh_pg_done_fn *done)
{
    struct sh_pg_call work = {.steps = steps,
                              .count = count,
                              .deadline_ms = record_deadline(self->call, WRITE_MS),
                              .trace = sh_rpc_call_trace(self->call)};
    enum sh_err err = sh_pg_run(self->pg, &work, done, self);

    if (err != SH_OK)
        sh_rpc_fail(self->call, err, NULL, NULL, "%s", sh_err_text(err));
    return err == SH_OK;
}

static struct writing *begin(struct terms *terms, struct sh_rpc_call *call)
{
    struct writing *self = sh_arena_alloc(sh_rpc_call_arena(call), sizeof(*self));

    if (self == NULL) {
        record_no_memory(call);
        return NULL;
    }
    self->call = call;
    self->pg = terms->pg;
    return self;
}

static void no_such_term(struct sh_rpc_call *call)
{
    sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such term");
}

/* term, definition, language, domain, part_of_speech, source, status, sense, clearance,
 * department, metadata. `clearance` must last as long as the parameters. */
static void set_columns(const struct glossary_term *term, char clearance[12],
                        struct sh_pg_param out[static COLUMNS])
{
    (void)snprintf(clearance, 12, "%u", (unsigned)term->clearance_level);
    out[0] = terms_text(term->term);
    out[1] = terms_text(term->definition);
    out[2] = terms_text(term->language);
    out[3] = terms_text_or_null(term->domain);
    out[4] = terms_text_or_null(term->part_of_speech);
    out[5] = terms_text_or_null(term->source);
    out[6] = terms_text(term->status);
    out[7] = terms_text(term->sense);
    out[8] = terms_text(sh_bytes_of(clearance));
    out[9] = terms_text_or_null(term->department);
    out[10] = terms_text(term->metadata);
}

/* --- it is stored ----------------------------------------------------------------- */

static void answer_stored(struct writing *self, const PGresult *rows, uint64_t xid)
{
    struct glossary_term term;
    struct glossary_stored stored = {.term = &term, .term_count = 1, .xid = xid};

    if (PQntuples(rows) == 0) {
        no_such_term(self->call); /* deleted in the same moment */
        return;
    }
    terms_read(rows, 0, false, &term);
    sh_rpc_reply(self->call, glossary_stored_desc(), &stored);
}

static void on_read_back(void *arg, const struct sh_pg_reply *reply)
{
    struct writing *self = arg;

    if (!record_failed(self->call, reply))
        answer_stored(self, reply->results[0], self->xid);
}

/* --- creating --------------------------------------------------------------------- */

static void on_same(void *arg, const struct sh_pg_reply *reply)
{
    struct writing *self = arg;
    struct sh_bytes id;

    if (record_failed(self->call, reply))
        return;
    if (PQntuples(reply->results[0]) == 0) {
        sh_rpc_fail(self->call, SH_CONFLICT, "duplicate_term", NULL,
                    "the glossary has this term, or this id, already");
        return;
    }
    id = sh_pg_text(reply->results[0], 0, 0);
    sh_rpc_fail(self->call, SH_CONFLICT, "duplicate_term", NULL,
                "the glossary has this already: the term of id %.*s", (int)id.len,
                (const char *)id.data);
}

/* Which one is in the way? */
static void look_for_same(struct writing *self)
{
    struct sh_pg_param params[RIGHTS_END + 4] = {0};
    struct sh_pg_step step = {&terms_same, params, SH_COUNT(params), false};

    params[0] = terms_text(self->term.term);
    params[RIGHTS_END] = terms_text(self->term.language);
    params[RIGHTS_END + 1] = terms_text_or_null(self->term.domain);
    params[RIGHTS_END + 2] = terms_text(self->term.sense);
    params[RIGHTS_END + 3] = terms_text_or_null(self->term.id);
    if (record_rights(self->call, params + 1) != SH_OK)
        record_no_memory(self->call);
    else
        (void)run(self, &step, 1, on_same);
}

static void on_inserted(void *arg, const struct sh_pg_reply *reply)
{
    struct writing *self = arg;
    struct sh_pg_param params[RIGHTS_END] = {0};
    struct sh_pg_step step = {&terms_get, params, SH_COUNT(params), false};

    if (record_failed(self->call, reply))
        return;
    if (PQntuples(reply->results[0]) == 0) {
        look_for_same(self);
        return;
    }
    self->xid = sh_pg_u64(reply->results[1], 0, 0);
    params[0].value = sh_pg_text(reply->results[0], 0, 0);
    if (record_rights(self->call, params + 1) != SH_OK)
        record_no_memory(self->call);
    else
        (void)run(self, &step, 1, on_read_back);
}

static void create(struct writing *self)
{
    struct sh_pg_param params[1 + COLUMNS];
    struct sh_pg_step steps[] = {{&terms_insert, params, SH_COUNT(params), false},
                                 {&terms_xid, NULL, 0, false}};
    char clearance[12];

    if (strcmp(terms_from(self->term.status, self->put.may_validate), "{}") == 0) {
        sh_rpc_fail(self->call, SH_FORBIDDEN, NULL, "status",
                    "only a draft: validating takes the permission validate_glossary");
        return;
    }
    params[0] = terms_text_or_null(self->term.id);
    set_columns(&self->term, clearance, params + 1);
    (void)run(self, steps, SH_COUNT(steps), on_inserted);
}

/* --- changing --------------------------------------------------------------------- */

/* The term is there, but not in a status that allows it. */
static void refuse_status(struct writing *self, struct sh_bytes now, struct sh_bytes to)
{
    bool others_may = strstr(terms_from(to, true), now.data) != NULL;

    if (others_may)
        sh_rpc_fail(self->call, SH_FORBIDDEN, NULL, "status",
                    "the term is %.*s: that takes the permission validate_glossary",
                    (int)now.len, (const char *)now.data);
    else
        sh_rpc_fail(self->call, SH_CONFLICT, "status_conflict", "status",
                    "a term that is %.*s cannot become %.*s", (int)now.len,
                    (const char *)now.data, (int)to.len, (const char *)to.data);
}

static void on_updated(void *arg, const struct sh_pg_reply *reply)
{
    struct writing *self = arg;

    if (reply->err == SH_CONFLICT && strcmp(reply->sqlstate, "23505") == 0)
        look_for_same(self);
    else if (record_failed(self->call, reply))
        return;
    else if (PQntuples(reply->results[0]) == 0)
        no_such_term(self->call);
    else if (PQntuples(reply->results[1]) == 0)
        refuse_status(self, sh_pg_text(reply->results[0], 0, 0), self->term.status);
    else
        answer_stored(self, reply->results[2], sh_pg_u64(reply->results[3], 0, 0));
}

static void change(struct writing *self)
{
    struct sh_pg_param params[RIGHTS_END + COLUMNS + 1] = {0};
    struct sh_pg_step steps[] = {{&terms_lock, params, RIGHTS_END, false},
                                 {&terms_update, params, SH_COUNT(params), false},
                                 {&terms_get, params, RIGHTS_END, false},
                                 {&terms_xid, NULL, 0, false}};
    char clearance[12];

    params[0] = terms_text(self->term.id);
    set_columns(&self->term, clearance, params + RIGHTS_END);
    params[RIGHTS_END + COLUMNS] =
        terms_text(sh_bytes_of(terms_from(self->term.status, self->put.may_validate)));
    if (record_rights(self->call, params + 1) != SH_OK)
        record_no_memory(self->call);
    else
        (void)run(self, steps, SH_COUNT(steps), on_updated);
}

/* False: answered. */
static bool may_write(struct writing *self)
{
    struct sh_rpc_call *call = self->call;
    const char *field = NULL;
    const char *wrong = terms_check(&self->term, &field);

    if (wrong != NULL)
        sh_rpc_fail(call, SH_INVALID, NULL, field, "%s", wrong);
    else if (self->term.id.len > 0 && !record_id_ok(self->term.id))
        sh_rpc_fail(call, self->put.create ? SH_INVALID : SH_NOTFOUND, NULL, "id",
                    "an id has 1 to 256 bytes and no control characters");
    else if (!access_judge(sh_rpc_call_caller(call), self->term.clearance_level,
                           self->term.department)
                  .readable)
        sh_rpc_fail(call, SH_FORBIDDEN, NULL, "clearance_level",
                    "a term's clearance_level and department must be within one's own");
    else
        return true;
    return false;
}

void terms_put_handle(void *arg, struct sh_rpc_call *call)
{
    struct writing *self = begin(arg, call);

    if (self == NULL ||
        sh_rpc_call_decode(call, glossary_put_desc(), &self->put) != SH_OK)
        return;
    if (self->put.term_count != 1) {
        sh_rpc_fail(call, SH_INVALID, NULL, NULL, "one term is wanted");
        return;
    }
    self->term = self->put.term[0];
    if (!may_write(self))
        return;
    if (self->put.create)
        create(self);
    else
        change(self);
}

/* --- deleting --------------------------------------------------------------------- */

static void on_deleted(void *arg, const struct sh_pg_reply *reply)
{
    struct writing *self = arg;
    struct glossary_gone gone = {.deleted = true};

    if (record_failed(self->call, reply))
        return;
    if (PQntuples(reply->results[0]) == 0) {
        no_such_term(self->call);
        return;
    }
    if (PQntuples(reply->results[1]) == 0) {
        refuse_status(self, sh_pg_text(reply->results[0], 0, 0), (struct sh_bytes){0});
        return;
    }
    gone.xid = sh_pg_u64(reply->results[2], 0, 0);
    sh_rpc_reply(self->call, glossary_gone_desc(), &gone);
}

void terms_delete_handle(void *arg, struct sh_rpc_call *call)
{
    struct sh_pg_param params[RIGHTS_END + 1] = {0};
    struct sh_pg_step steps[] = {{&terms_lock, params, RIGHTS_END, false},
                                 {&terms_delete, params, SH_COUNT(params), false},
                                 {&terms_xid, NULL, 0, false}};
    struct writing *self = begin(arg, call);
    struct glossary_ref ref;

    if (self == NULL || sh_rpc_call_decode(call, glossary_ref_desc(), &ref) != SH_OK)
        return;
    if (!record_id_ok(ref.id)) {
        no_such_term(call);
        return;
    }
    params[0] = terms_text(ref.id);
    params[RIGHTS_END] =
        terms_text(sh_bytes_of(terms_from((struct sh_bytes){0}, ref.may_validate)));
    if (record_rights(call, params + 1) != SH_OK)
        record_no_memory(call);
    else
        (void)run(self, steps, SH_COUNT(steps), on_deleted);
}
