#include "services/search/quality/report.h"

#include "services/search/quality/quality_sql.h"
#include "services/search/query/record_call.h"

enum { READ_MS = 5000 };

/* --- what is kept ----------------------------------------------------------------- */

static json_t *inherited_json(unsigned bits)
{
    static const struct {
        enum inherited bit;
        const char *name;
    } all[] = {{INHERITED_LANGUAGE, "language"},
               {INHERITED_CLEARANCE, "clearance_level"},
               {INHERITED_DEPARTMENT, "department"},
               {INHERITED_CAMPUS, "campus"},
               {INHERITED_PRIORITY, "priority"}};
    json_t *names = json_array();

    for (size_t i = 0; names != NULL && i < SH_COUNT(all); i++)
        if (bits & all[i].bit)
            (void)json_array_append_new(names, json_string(all[i].name));
    return names;
}

enum sh_err report_write(const struct record *record, const struct drops *drops,
                         struct sh_arena *arena, struct sh_bytes *out)
{
    *out = (struct sh_bytes){0};
    if (drops->total == 0 && !drops->kept_all && record->inherited == 0)
        return SH_OK;

    json_t *report =
        json_pack("{s:o, s:I, s:b, s:o}", "dropped", drops_json(drops), "dropped_total",
                  (json_int_t)drops->total, "kept_all", drops->kept_all, "inherited",
                  inherited_json(record->inherited));
    size_t len = report != NULL ? json_dumpb(report, NULL, 0, JSON_COMPACT) : 0;
    char *text = len > 0 ? sh_arena_alloc(arena, len) : NULL;
    enum sh_err err = SH_NOMEM;

    if (text != NULL && json_dumpb(report, text, len, JSON_COMPACT) == len) {
        *out = (struct sh_bytes){text, len};
        err = SH_OK;
    }
    json_decref(report);
    return err;
}

/* --- what is told ----------------------------------------------------------------- */

static void on_report(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = arg;
    struct document_report report;

    if (record_failed(call, reply))
        return;
    if (PQntuples(reply->results[0]) == 0) {
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such document");
        return;
    }
    report.report = sh_pg_text(reply->results[0], 0, 0);
    sh_rpc_reply(call, document_report_desc(), &report);
}

void report_get(void *arg, struct sh_rpc_call *call)
{
    struct documents *record = arg;
    struct sh_pg_param params[1 + RECORD_RIGHTS] = {0};
    const struct sh_pg_step step = {&quality_report, params, SH_COUNT(params), false};
    struct sh_pg_call work = {.steps = &step,
                              .count = 1,
                              .deadline_ms = record_deadline(call, READ_MS),
                              .trace = sh_rpc_call_trace(call)};
    struct document_ref ref;
    enum sh_err err;

    if (sh_rpc_call_decode(call, document_ref_desc(), &ref) != SH_OK)
        return;
    if (!record_id_ok(ref.id)) {
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such document");
        return;
    }
    params[0].value = ref.id;
    err = record_rights(call, params + 1);
    if (err == SH_OK)
        err = sh_pg_run(record->pg, &work, on_report, call);
    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}
