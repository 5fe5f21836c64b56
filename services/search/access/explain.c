#include "services/search/access/explain.h"

#include "proto/access.h"
#include "proto/readable.h"
#include "services/search/ingest/record.h"
#include "services/search/query/record_call.h"
#include "shared/log.h"

enum { READ_MS = 5000 };
enum { ATTRIBUTE_CLEARANCE, ATTRIBUTE_DEPARTMENT }; /* columns */

static const struct sh_pg_statement attributes = {
    "access_attributes",
    "SELECT d.clearance_level, d.department FROM documents d WHERE d.id = $1 "
    "AND " STORE_READABLE("d.clearance_level", "d.department")};

struct question { /* in the call's arena */
    struct sh_rpc_call *call;
    struct access_query query; /* its texts are the call's */
};

static struct caller caller_of(const struct access_subject *subject,
                               struct sh_bytes department)
{
    return (struct caller){.role = subject->role,
                           .clearance = subject->clearance,
                           .all_departments = subject->all_departments,
                           .department =
                               subject->of_document ? department : subject->department};
}

static struct access_verdict verdict_of(const struct access_subject *subject,
                                        uint64_t clearance_level,
                                        struct sh_bytes department)
{
    const struct caller caller = caller_of(subject, department);
    struct access access = access_judge(&caller, clearance_level, department);

    return (struct access_verdict){.readable = access.readable,
                                   .clearance_ok = access.clearance_ok,
                                   .department_ok = access.department_ok,
                                   .department = access.department};
}

static void answer(struct question *self, const PGresult *row, bool found)
{
    const struct access_query *query = &self->query;
    struct access_reply reply = {.document_id = query->document_id,
                                 .clearance_level =
                                     (uint32_t)sh_pg_u64(row, 0, ATTRIBUTE_CLEARANCE),
                                 .department = sh_pg_text(row, 0, ATTRIBUTE_DEPARTMENT),
                                 .verdicts_count = query->subjects_count};
    struct access_verdict *verdicts = sh_arena_array(
        sh_rpc_call_arena(self->call), query->subjects_count + 1, sizeof(*verdicts));

    if (verdicts == NULL) {
        record_no_memory(self->call);
        return;
    }
    for (size_t i = 0; i < query->subjects_count; i++)
        verdicts[i] =
            verdict_of(&query->subjects[i], reply.clearance_level, reply.department);
    reply.verdicts = verdicts;
    if (!query->subjects[0].of_document && verdicts[0].readable != found) {
        sh_error(sh_rpc_call_trace(self->call),
                 "the rules of access disagree about a document");
        sh_rpc_fail(self->call, SH_INTERNAL, NULL, NULL, "%s", sh_err_text(SH_INTERNAL));
        return;
    }
    sh_rpc_reply(self->call, access_reply_desc(), &reply);
}

static void on_attributes(void *arg, const struct sh_pg_reply *reply)
{
    struct question *self = arg;

    if (record_failed(self->call, reply))
        return;
    if (PQntuples(reply->results[0]) == 0)
        sh_rpc_fail(self->call, SH_NOTFOUND, NULL, NULL, "no such document");
    else
        answer(self, reply->results[0], PQntuples(reply->results[1]) > 0);
}

/* False: answered. */
static bool read_question(struct question *self)
{
    struct sh_rpc_call *call = self->call;

    if (sh_rpc_call_decode(call, access_query_desc(), &self->query) != SH_OK)
        return false;
    if (!record_id_ok(self->query.document_id))
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such document");
    else if (self->query.subjects_count == 0 || self->query.subjects[0].role.len == 0)
        sh_rpc_fail(call, SH_INVALID, NULL, "subjects", "subjects must name a role");
    else
        return true;
    return false;
}

void access_explain(void *arg, struct sh_rpc_call *call)
{
    struct documents *record = arg;
    struct sh_arena *arena = sh_rpc_call_arena(call);
    struct question *self = sh_arena_alloc(arena, sizeof(*self));
    struct sh_pg_param own[1 + RECORD_RIGHTS] = {0};
    struct sh_pg_param others[1 + RECORD_RIGHTS] = {0};
    const struct sh_pg_step steps[] = {{&attributes, own, SH_COUNT(own), false},
                                       {&attributes, others, SH_COUNT(others), false}};
    struct sh_pg_call work = {.steps = steps,
                              .count = SH_COUNT(steps),
                              .deadline_ms = record_deadline(call, READ_MS),
                              .trace = sh_rpc_call_trace(call)};
    enum sh_err err;

    if (self == NULL) {
        record_no_memory(call);
        return;
    }
    self->call = call;
    if (!read_question(self))
        return;
    own[0].value = others[0].value = self->query.document_id;
    const struct caller subject =
        caller_of(&self->query.subjects[0], (struct sh_bytes){0});
    err = record_rights(call, own + 1);
    if (err == SH_OK)
        err = record_rights_of(&subject, arena, others + 1);
    if (err == SH_OK)
        err = sh_pg_run(record->pg, &work, on_attributes, self);
    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}
