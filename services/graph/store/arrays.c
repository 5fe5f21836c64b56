#include "services/graph/store/arrays.h"

void arrays_text(struct sh_buffer *out, const struct sh_bytes *texts, size_t count)
{
    sh_buffer_text(out, "{");
    for (size_t i = 0; i < count; i++) {
        const char *text = texts[i].data;
        sh_buffer_text(out, i > 0 ? ",\"" : "\"");
        for (size_t j = 0; j < texts[i].len; j++) {
            if (text[j] == '"' || text[j] == '\\')
                sh_buffer_append(out, "\\", 1);
            sh_buffer_append(out, &text[j], 1);
        }
        sh_buffer_text(out, "\"");
    }
    sh_buffer_text(out, "}");
}

static void begin(struct arrays *arrays, const enum sh_pg_array_type *types,
                  size_t columns, size_t rows)
{
    *arrays = (struct arrays){.count = columns};
    for (size_t i = 0; i < columns; i++)
        sh_pg_array_begin(&arrays->columns[i], types[i], rows);
}

static void add_text(struct sh_buffer *column, struct sh_bytes text, const char *absent)
{
    sh_pg_array_bytes(column, text.len > 0 ? text : sh_bytes_of(absent));
}

/* The last three columns of both kinds. */
static void add_access(struct sh_buffer *columns, uint32_t level,
                       struct sh_bytes department, bool said)
{
    sh_pg_array_int(&columns[0], level);
    add_text(&columns[1], department, "");
    sh_pg_array_flag(&columns[2], said);
}

static enum sh_err outcome(const struct arrays *arrays)
{
    for (size_t i = 0; i < arrays->count; i++)
        if (arrays->columns[i].err != SH_OK)
            return arrays->columns[i].err;
    return SH_OK;
}

enum sh_err arrays_of_nodes(const struct graph_node_put *nodes, size_t count,
                            struct arrays *out)
{
    static const enum sh_pg_array_type types[] = {SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT,
                                                  SH_PG_ARRAY_TEXT, SH_PG_ARRAY_INT,
                                                  SH_PG_ARRAY_TEXT, SH_PG_ARRAY_FLAG};
    struct sh_buffer labels = {0};

    begin(out, types, SH_COUNT(types), count);
    for (size_t i = 0; i < count; i++) {
        const struct graph_node_put *node = &nodes[i];
        sh_buffer_clear(&labels);
        arrays_text(&labels, node->labels, node->labels_count);
        if (labels.err != SH_OK)
            break;
        add_text(&out->columns[0], node->id, "");
        sh_pg_array_bytes(&out->columns[1], sh_buffer_bytes(&labels));
        add_text(&out->columns[2], node->properties, "{}");
        add_access(&out->columns[3], node->clearance_level, node->department,
                   node->department_said);
    }
    enum sh_err err = labels.err == SH_OK ? outcome(out) : labels.err;
    sh_buffer_free(&labels);
    return err;
}

enum sh_err arrays_of_edges(const struct graph_edge_put *edges, size_t count,
                            struct arrays *out)
{
    static const enum sh_pg_array_type types[] = {
        SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT, SH_PG_ARRAY_TEXT,
        SH_PG_ARRAY_TEXT, SH_PG_ARRAY_INT,  SH_PG_ARRAY_TEXT, SH_PG_ARRAY_FLAG};

    begin(out, types, SH_COUNT(types), count);
    for (size_t i = 0; i < count; i++) {
        const struct graph_edge_put *edge = &edges[i];
        add_text(&out->columns[0], edge->id, "");
        add_text(&out->columns[1], edge->type, "");
        add_text(&out->columns[2], edge->from, "");
        add_text(&out->columns[3], edge->to, "");
        add_text(&out->columns[4], edge->properties, "{}");
        add_access(&out->columns[5], edge->clearance_level, edge->department,
                   edge->department_said);
    }
    return outcome(out);
}

void arrays_free(struct arrays *arrays)
{
    for (size_t i = 0; i < arrays->count; i++)
        sh_buffer_free(&arrays->columns[i]);
    arrays->count = 0;
}
