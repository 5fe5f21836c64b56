#include "services/gateway/graphs/reader_internal.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/wire.h"

enum sh_err graph_reader_open(enum graph_format format, const struct graph_sink *sink,
                              struct graph_reader **out)
{
    static const struct graph_reader_kind *const kinds[] = {
        [GRAPH_NDJSON] = &ndjson_reader,
        [GRAPH_CSV] = &csv_reader,
        [GRAPH_GRAPHML] = &graphml_reader};
    const struct graph_reader_kind *kind = kinds[format];
    struct graph_reader *reader = sh_alloc(kind->size);

    if (reader == NULL)
        return SH_NOMEM;
    reader->kind = kind;
    reader->sink = *sink;
    enum sh_err err = kind->open(reader);
    if (err != SH_OK)
        sh_free(reader);
    else
        *out = reader;
    return err;
}

enum sh_err graph_reader_feed(struct graph_reader *reader, struct sh_bytes piece)
{
    if (reader->err == SH_OK && piece.len > 0) {
        enum sh_err err = reader->kind->feed(reader, piece);
        if (reader->err == SH_OK)
            reader->err = err;
    }
    return reader->err;
}

enum sh_err graph_reader_end(struct graph_reader *reader)
{
    if (reader->err == SH_OK) {
        enum sh_err err = reader->kind->end(reader);
        if (reader->err == SH_OK)
            reader->err = err;
    }
    return reader->err;
}

const char *graph_reader_why(const struct graph_reader *reader)
{
    return reader->why;
}

void graph_reader_close(struct graph_reader **reader_in)
{
    struct graph_reader *reader = *reader_in;

    *reader_in = NULL;
    if (reader == NULL)
        return;
    reader->kind->close(reader);
    sh_arena_free(&reader->arena);
    sh_free(reader);
}

/* --- what goes wrong -------------------------------------------------------------- */

static void tell(struct graph_reader *reader, uint64_t line, struct schema_fault *fault)
{
    if (fault->err == SH_NOMEM)
        (void)reader_no_memory(reader);
    else
        reader->sink.fault(reader->sink.arg, line, fault);
}

void reader_fault(struct graph_reader *reader, uint64_t line, const char *field,
                  const char *format, ...)
{
    struct schema_fault fault = {.err = SH_INVALID};
    va_list args;

    (void)snprintf(fault.field, sizeof(fault.field), "%s", field);
    va_start(args, format);
    (void)vsnprintf(fault.error, sizeof(fault.error), format, args);
    va_end(args);
    tell(reader, line, &fault);
    sh_arena_free(&reader->arena);
}

void reader_malformed(struct graph_reader *reader, uint64_t line, const char *why)
{
    struct schema_fault fault = {.err = SH_MALFORMED};

    (void)snprintf(fault.error, sizeof(fault.error), "%s", why);
    tell(reader, line, &fault);
    sh_arena_free(&reader->arena);
}

enum sh_err reader_broken(struct graph_reader *reader, const char *format, ...)
{
    va_list args;

    if (reader->err != SH_OK)
        return reader->err;
    va_start(args, format);
    (void)vsnprintf(reader->why, sizeof(reader->why), format, args);
    va_end(args);
    reader->err = SH_MALFORMED;
    return SH_MALFORMED;
}

enum sh_err reader_no_memory(struct graph_reader *reader)
{
    reader->err = SH_NOMEM;
    return SH_NOMEM;
}

/* --- records ---------------------------------------------------------------------- */

static bool is_text(struct sh_bytes text)
{
    return text.len == 0 || (memchr(text.data, 0, text.len) == NULL && wire_utf8(text));
}

static bool are_texts(const struct sh_bytes *texts, size_t count, const char *field,
                      struct schema_fault *fault)
{
    for (size_t i = 0; i < count; i++)
        if (!is_text(texts[i])) {
            *fault = (struct schema_fault){.err = SH_INVALID};
            (void)snprintf(fault->field, sizeof(fault->field), "%s", field);
            (void)snprintf(fault->error, sizeof(fault->error),
                           "%s is not UTF-8, or has a NUL", field);
            return false;
        }
    return true;
}

void reader_node(struct graph_reader *reader, struct graph_node_put *node,
                 json_t *properties)
{
    struct schema_fault fault = {.err = SH_OK};
    bool good =
        are_texts(&node->id, 1, "id", &fault) &&
        are_texts(node->labels, node->labels_count, "labels", &fault) &&
        are_texts(&node->department, 1, "department", &fault) &&
        (node->properties.len > 0 ||
         graph_properties(properties, &reader->arena, &node->properties, &fault)) &&
        graph_node_check(node, &fault);

    if (good && node->id.len == 0) {
        reader_fault(reader, node->line, "id", "a node must have an id");
        return;
    }
    if (good)
        reader->sink.node(reader->sink.arg, node);
    else
        tell(reader, node->line, &fault);
    sh_arena_free(&reader->arena);
}

void reader_edge(struct graph_reader *reader, struct graph_edge_put *edge,
                 json_t *properties)
{
    struct schema_fault fault = {.err = SH_OK};
    bool good =
        are_texts(&edge->id, 1, "id", &fault) &&
        are_texts(&edge->type, 1, "type", &fault) &&
        are_texts(&edge->from, 1, "from", &fault) &&
        are_texts(&edge->to, 1, "to", &fault) &&
        are_texts(&edge->department, 1, "department", &fault) &&
        (edge->properties.len > 0 ||
         graph_properties(properties, &reader->arena, &edge->properties, &fault)) &&
        graph_edge_check(edge, &fault);

    if (good && (edge->type.len == 0 || edge->from.len == 0 || edge->to.len == 0)) {
        reader_fault(reader, edge->line, "",
                     "a relationship must have type, from and to");
        return;
    }
    if (good)
        reader->sink.edge(reader->sink.arg, edge);
    else
        tell(reader, edge->line, &fault);
    sh_arena_free(&reader->arena);
}
