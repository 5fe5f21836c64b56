/* An object a line. */
#include "services/gateway/graphs/reader_internal.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_in.h"
#include "shared/lines.h"

struct ndjson {
    struct graph_reader reader;
    struct sh_lines lines;
};

/* --- one record ------------------------------------------------------------------- */

/* What APOC writes, as ours: "label" is the type, "start" and "end" are objects. */
static bool adapt(json_t *object)
{
    const char *const ends[][2] = {{"start", "from"}, {"end", "to"}};

    for (size_t i = 0; i < SH_COUNT(ends); i++) {
        json_t *id = json_object_get(json_object_get(object, ends[i][0]), "id");
        if (!json_is_string(id) || json_object_set(object, ends[i][1], id) != 0)
            return false;
    }
    return json_object_set(object, "type", json_object_get(object, "label")) == 0;
}

static bool is_edge(json_t *object)
{
    json_t *kind = json_object_get(object, "kind");

    if (json_is_string(kind))
        return strcmp(json_string_value(kind), "node") != 0;
    if (json_is_object(json_object_get(object, "start")))
        return true;
    return json_object_get(object, "from") != NULL &&
           json_object_get(object, "to") != NULL;
}

static void read_edge(struct graph_reader *reader, json_t *object, uint64_t line)
{
    struct graph_edge_body body;
    struct graph_edge_put edge;
    struct schema_fault fault;

    if (json_is_object(json_object_get(object, "start")) && !adapt(object)) {
        reader_fault(reader, line, "start",
                     "start and end must have an id, and label "
                     "must be there");
        return;
    }
    if (schema_read(&graph_edge_schema, object, &reader->arena, &body, &fault) != SH_OK ||
        !graph_edge_fill(&body, &reader->arena, &edge, &fault)) {
        reader_fault(reader, line, fault.field, "%s", fault.error);
        return;
    }
    edge.line = line;
    reader_edge(reader, &edge, NULL);
}

static void read_node(struct graph_reader *reader, json_t *object, uint64_t line)
{
    struct graph_node_body body;
    struct graph_node_put node;
    struct schema_fault fault;

    if (schema_read(&graph_node_schema, object, &reader->arena, &body, &fault) != SH_OK ||
        !graph_node_fill(&body, &reader->arena, &node, &fault)) {
        reader_fault(reader, line, fault.field, "%s", fault.error);
        return;
    }
    node.line = line;
    reader_node(reader, &node, NULL);
}

void reader_json(struct graph_reader *reader, struct sh_bytes text, uint64_t line)
{
    char why[256];
    json_t *object = NULL;

    enum sh_err err = json_in(text, &object, why, sizeof(why));
    if (err == SH_NOMEM)
        (void)reader_no_memory(reader);
    else if (err != SH_OK)
        reader_malformed(reader, line, why);
    else if (!json_is_object(object))
        reader_fault(reader, line, "", "a record must be a JSON object");
    else if (is_edge(object))
        read_edge(reader, object, line);
    else
        read_node(reader, object, line);
    json_decref(object);
}

/* --- the stream ------------------------------------------------------------------- */

static enum sh_err open_reader(struct graph_reader *reader)
{
    sh_lines_open(&((struct ndjson *)reader)->lines, READER_RECORD_MAX);
    return SH_OK;
}

static enum sh_err read_lines(struct graph_reader *reader)
{
    struct ndjson *self = (struct ndjson *)reader;
    struct sh_line line;

    while (reader->err == SH_OK && sh_lines_next(&self->lines, &line)) {
        struct sh_bytes text = line.text;
        if (line.number == 1 && text.len >= 3 &&
            memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
            text = (struct sh_bytes){(const char *)text.data + 3, text.len - 3};
        text = search_trim(text);
        if (line.too_long)
            reader_fault(reader, line.number, "", "the line is too long");
        else if (text.len > 0)
            reader_json(reader, text, line.number);
    }
    return reader->err;
}

static enum sh_err feed(struct graph_reader *reader, struct sh_bytes piece)
{
    enum sh_err err = sh_lines_feed(&((struct ndjson *)reader)->lines, piece);

    return err == SH_OK ? read_lines(reader) : err;
}

static enum sh_err end(struct graph_reader *reader)
{
    sh_lines_end(&((struct ndjson *)reader)->lines);
    return read_lines(reader);
}

static void close_reader(struct graph_reader *reader)
{
    sh_lines_close(&((struct ndjson *)reader)->lines);
}

const struct graph_reader_kind ndjson_reader = {.size = sizeof(struct ndjson),
                                                .open = open_reader,
                                                .feed = feed,
                                                .end = end,
                                                .close = close_reader};
