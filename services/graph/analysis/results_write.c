#include "services/graph/analysis/results_write.h"

#include <stdio.h>

#include "proto/readable.h"

#define SEEN STORE_READABLE("g.clearance_level", "g.department")

/* Locked in the order of ids, as everybody does. */
static const struct sh_pg_statement write_results = {
    "graph_analysis_write",
    "WITH held AS MATERIALIZED (SELECT g.id FROM graph_nodes g "
    "WHERE g.id = ANY ($6::text[]) AND " SEEN " ORDER BY g.id FOR NO KEY UPDATE) "
    "UPDATE graph_nodes g SET version = nextval('graph_versions'), properties = "
    "jsonb_set(g.properties, ARRAY[$1::text], to_jsonb(i.value)) "
    "FROM held JOIN unnest($6::text[], $7::float8[]) AS i (id, value) USING (id) "
    "WHERE g.id = held.id "
    "AND g.properties -> $1::text IS DISTINCT FROM to_jsonb(i.value)"};

static struct sh_pg_param flag(bool value)
{
    return (struct sh_pg_param){sh_bytes_of(value ? "t" : "f"), false};
}

static struct sh_pg_param text(struct sh_bytes value)
{
    return (struct sh_pg_param){value.data ? value : sh_bytes_of(""), false};
}

enum sh_err results_step_make(const struct analysis *analysis,
                              const struct caller *caller, uint32_t first,
                              struct results_step *out)
{
    uint32_t left = analysis->graph.count - first;
    uint32_t count = left < RESULTS_AT_ONCE ? left : RESULTS_AT_ONCE;
    *out = (struct results_step){.ids = {0}};
    sh_pg_array_begin(&out->ids, SH_PG_ARRAY_TEXT, count);
    sh_pg_array_begin(&out->values, SH_PG_ARRAY_DOUBLE, count);
    for (uint32_t i = first; i < first + count; i++) {
        sh_pg_array_bytes(&out->ids, analysis->graph.ids[i]);
        sh_pg_array_double(&out->values, analysis_value(analysis, i));
    }
    (void)snprintf(out->clearance, sizeof(out->clearance), "%u",
                   (unsigned)caller->clearance);
    out->params[0] = text(sh_bytes_of(analysis->order.property));
    out->params[1] = flag(caller->role.len == 0); /* a service itself */
    out->params[2] = text(sh_bytes_of(out->clearance));
    out->params[3] = flag(caller->all_departments);
    out->params[4] = text(caller->department);
    out->params[5] = sh_pg_array_param(&out->ids);
    out->params[6] = sh_pg_array_param(&out->values);
    out->step = (struct sh_pg_step){
        .statement = &write_results, .params = out->params, .count = RESULTS_PARAMS};
    return out->ids.err != SH_OK ? out->ids.err : out->values.err;
}

void results_step_free(struct results_step *step)
{
    sh_buffer_free(&step->ids);
    sh_buffer_free(&step->values);
}
