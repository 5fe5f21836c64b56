/* GraphML by expat. Flat graphs: <graph> with <node> and <edge>, each with <data>. Labels
 * and types are where APOC (attributes `labels`, `label`) or TinkerPop (keys `labelV`,
 * `labelE`) put them. What XML cannot say, such as a control character, our own export
 * says in <data key="c.exact">: there the whole record is JSON. */
#include <expat.h>

#include "services/gateway/graphs/graphml_keys.h"

enum { DEPTH_MAX = 16 };

enum holder { HOLDER_NONE, HOLDER_NODE, HOLDER_EDGE };

struct graphml {
    struct graph_reader reader;
    XML_Parser parser;
    struct graphml_keys keys;
    unsigned depth;
    unsigned graph_depth;
    unsigned key_depth; /* 0: outside of <key> */
    size_t quiet;       /* bytes since expat last called */
    /* the record in hand */
    enum holder holder;
    struct graph_node_put node;
    struct graph_edge_put edge;
    bool named; /* its labels, or type, were in an attribute */
    json_t *properties;
    const char *bad; /* a key's name */
    struct sh_bytes exact;
    /* the value in hand: of <default> in a key, of <data> in a record */
    unsigned text_depth;           /* of that element; 0: there is none */
    const struct graphml_key *key; /* of <data>; none is added meanwhile. NULL: special */
    char special;                  /* 'l': labels, 't': type, 'x': exact */
    struct sh_buffer text;
};

static void stop(struct graphml *self)
{
    (void)XML_StopParser(self->parser, XML_FALSE);
}

static void broken(struct graphml *self, const char *why)
{
    (void)reader_broken(&self->reader, "line %lu: %s",
                        (unsigned long)XML_GetCurrentLineNumber(self->parser), why);
    stop(self);
}

static void no_memory(struct graphml *self)
{
    (void)reader_no_memory(&self->reader);
    stop(self);
}

static const char *local(const char *name)
{
    const char *colon = strrchr(name, ':');

    return colon != NULL ? colon + 1 : name;
}

/* --- keys ------------------------------------------------------------------------- */

static void add_key(struct graphml *self, const char **list)
{
    if (self->key_depth > 0) {
        broken(self, "keys within keys are not read");
        return;
    }
    self->key_depth = self->depth;
    enum sh_err err = graphml_key_add(&self->keys, list);
    if (err == SH_NOMEM)
        no_memory(self);
    else if (err != SH_OK)
        broken(self, "a key has no id, or an unknown type, or there are too many");
}

static void begin_default(struct graphml *self)
{
    if (self->key_depth > 0 && self->depth == self->key_depth + 1)
        self->text_depth = self->depth;
}

static void end_default(struct graphml *self)
{
    struct graphml_key *key = &self->keys.items[self->keys.count - 1];

    if (key->fallback != NULL)
        return;
    key->fallback = reader_value(sh_buffer_bytes(&self->text), key->type);
    if (key->fallback == NULL)
        broken(self, "a default is not of its key's type");
    else
        self->keys.defaults++;
}

/* --- records ---------------------------------------------------------------------- */

static struct sh_bytes keep(struct graphml *self, const char *text)
{
    struct sh_bytes copy = {0};

    if (text == NULL || *text == '\0')
        return copy;
    copy = sh_arena_copy(&self->reader.arena, sh_bytes_of(text));
    if (copy.data == NULL)
        no_memory(self);
    return copy;
}

/* ":A:B" */
static void take_labels(struct graphml *self, struct sh_bytes text)
{
    const char *data = text.data;

    if (text.len > 0 && *data == ':')
        text = (struct sh_bytes){data + 1, text.len - 1};
    if (text.len > 0)
        self->node.labels =
            reader_split(&self->reader, text, ':', 0, &self->node.labels_count);
}

static void take_access(struct graphml *self, const char **list)
{
    const char *level = graphml_attribute(list, "c:clearance");
    const char *department = graphml_attribute(list, "c:department");
    uint32_t number = 0;

    if (level != NULL && level[0] >= '1' && level[0] <= '5' && level[1] == '\0')
        number = (uint32_t)(level[0] - '0');
    else if (level != NULL)
        self->bad = "c:clearance";
    self->node.clearance_level = self->edge.clearance_level = number;
    self->node.department_said = self->edge.department_said = department != NULL;
    self->node.department = self->edge.department = keep(self, department);
}

static void begin_record(struct graphml *self, enum holder holder, const char **list)
{
    const char *labels =
        graphml_attribute(list, holder == HOLDER_NODE ? "labels" : "label");
    uint64_t line = XML_GetCurrentLineNumber(self->parser);

    if (self->holder != HOLDER_NONE || self->depth != self->graph_depth + 1) {
        broken(self, "graphs within graphs are not read");
        return;
    }
    self->holder = holder;
    self->node = (struct graph_node_put){.line = line};
    self->edge = (struct graph_edge_put){.line = line};
    self->bad = NULL;
    self->exact = (struct sh_bytes){0};
    self->named = labels != NULL;
    self->properties = json_object();
    if (self->properties == NULL)
        no_memory(self);
    take_access(self, list);
    if (holder == HOLDER_NODE) {
        self->node.id = keep(self, graphml_attribute(list, "id"));
        take_labels(self, keep(self, labels));
        return;
    }
    self->edge.id = keep(self, graphml_attribute(list, "id"));
    self->edge.from = keep(self, graphml_attribute(list, "source"));
    self->edge.to = keep(self, graphml_attribute(list, "target"));
    self->edge.type = keep(self, labels);
}

static void add_defaults(struct graphml *self)
{
    for (size_t i = 0; self->keys.defaults > 0 && i < self->keys.count; i++) {
        const struct graphml_key *key = &self->keys.items[i];
        bool wanted = self->holder == HOLDER_NODE ? key->of_nodes : key->of_edges;
        if (key->fallback != NULL && wanted &&
            json_object_get(self->properties, key->name) == NULL &&
            json_object_set(self->properties, key->name, key->fallback) != 0)
            no_memory(self);
    }
}

static void end_record(struct graphml *self)
{
    struct graph_reader *reader = &self->reader;
    uint64_t line = self->node.line;

    add_defaults(self);
    if (self->edge.type.len == 0)
        self->edge.type = sh_bytes_of("RELATED_TO"); /* GraphML itself has none */
    if (reader->err != SH_OK)
        ;
    else if (self->exact.len > 0)
        reader_json(reader, self->exact, line);
    else if (self->bad != NULL)
        reader_fault(reader, line, self->bad, "%.64s is not what its key says",
                     self->bad);
    else if (self->holder == HOLDER_NODE)
        reader_node(reader, &self->node, self->properties);
    else
        reader_edge(reader, &self->edge, self->properties);
    json_decref(self->properties);
    self->properties = NULL;
    self->holder = HOLDER_NONE;
    sh_arena_free(&reader->arena);
}

/* --- values ----------------------------------------------------------------------- */

static void begin_data(struct graphml *self, const char **list)
{
    const char *id = graphml_attribute(list, "key");
    bool node = self->holder == HOLDER_NODE;

    if (self->holder == HOLDER_NONE || id == NULL)
        return; /* of the graph itself */
    if (self->text_depth > 0) {
        broken(self, "values within values are not read");
        return;
    }
    self->text_depth = self->depth;
    self->special = '\0';
    self->key = NULL;
    if (strcmp(id, "c.exact") == 0)
        self->special = 'x';
    else if (node && (strcmp(id, "labels") == 0 || strcmp(id, "labelV") == 0))
        self->special = 'l';
    else if (!node && (strcmp(id, "label") == 0 || strcmp(id, "labelE") == 0))
        self->special = 't';
    else if ((self->key = graphml_key_find(&self->keys, id)) == NULL)
        broken(self, "a value names a key that is not declared");
}

static void take_special(struct graphml *self, struct sh_bytes text)
{
    struct sh_bytes copy = {0};

    if (text.len > 0)
        copy = sh_arena_copy(&self->reader.arena, text);
    if (text.len > 0 && copy.data == NULL)
        no_memory(self);
    else if (self->special == 'x')
        self->exact = copy;
    else if (self->special == 'l' && !self->named)
        take_labels(self, copy);
    else if (self->special == 't' && !self->named)
        self->edge.type = copy;
}

static void end_data(struct graphml *self)
{
    struct sh_bytes text = sh_buffer_bytes(&self->text);

    if (self->text.err != SH_OK)
        no_memory(self);
    else if (self->special != '\0')
        take_special(self, text);
    else if (self->key != NULL &&
             json_object_set_new(self->properties, self->key->name,
                                 reader_value(text, self->key->type)) != 0)
        self->bad = self->key->name;
}

static void end_text(struct graphml *self)
{
    if (self->holder == HOLDER_NONE)
        end_default(self);
    else
        end_data(self);
    self->text_depth = 0;
}

/* --- expat ------------------------------------------------------------------------ */

static void on_start(void *arg, const char *name, const char **list)
{
    struct graphml *self = arg;

    self->quiet = 0;
    name = local(name);
    if (++self->depth > DEPTH_MAX)
        broken(self, "elements are nested too deep");
    else if (self->depth == 1 && strcmp(name, "graphml") != 0)
        broken(self, "this is not GraphML");
    else if (strcmp(name, "key") == 0 && self->holder == HOLDER_NONE)
        add_key(self, list);
    else if (strcmp(name, "default") == 0)
        begin_default(self);
    else if (strcmp(name, "graph") == 0 && self->holder == HOLDER_NONE)
        self->graph_depth = self->depth;
    else if (strcmp(name, "node") == 0)
        begin_record(self, HOLDER_NODE, list);
    else if (strcmp(name, "edge") == 0)
        begin_record(self, HOLDER_EDGE, list);
    else if (strcmp(name, "data") == 0)
        begin_data(self, list);
    else if (strcmp(name, "hyperedge") == 0)
        broken(self, "hyperedges are not read");
    sh_buffer_clear(&self->text);
}

static void on_end(void *arg, const char *name)
{
    struct graphml *self = arg;
    unsigned depth = self->depth--;

    (void)name;
    self->quiet = 0;
    if (depth == self->text_depth)
        end_text(self);
    else if (depth == self->key_depth)
        self->key_depth = 0;
    else if (self->holder != HOLDER_NONE && self->depth == self->graph_depth)
        end_record(self);
}

static void on_text(void *arg, const char *text, int len)
{
    struct graphml *self = arg;

    self->quiet = 0;
    if (self->text_depth == 0)
        return;
    if (self->text.len + (size_t)len > READER_RECORD_MAX)
        broken(self, "a value is too long");
    else
        sh_buffer_append(&self->text, text, (size_t)len);
}

static void on_other(void *arg, const char *text, int len)
{
    (void)text;
    (void)len;
    ((struct graphml *)arg)->quiet = 0;
}

static void on_doctype(void *arg, const char *name, const char *system, const char *id,
                       int internal)
{
    (void)name;
    (void)system;
    (void)id;
    (void)internal;
    broken(arg, "a document type is not read");
}

/* --- the stream ------------------------------------------------------------------- */

static void close_reader(struct graph_reader *reader)
{
    struct graphml *self = (struct graphml *)reader;

    if (self->parser != NULL)
        XML_ParserFree(self->parser);
    graphml_keys_free(&self->keys);
    json_decref(self->properties);
    sh_buffer_free(&self->text);
}

static enum sh_err open_reader(struct graph_reader *reader)
{
    struct graphml *self = (struct graphml *)reader;

    self->parser = XML_ParserCreate("UTF-8");
    self->keys.places = json_object();
    if (self->parser == NULL || self->keys.places == NULL) {
        close_reader(reader);
        return SH_NOMEM;
    }
    XML_SetUserData(self->parser, self);
    XML_SetElementHandler(self->parser, on_start, on_end);
    XML_SetCharacterDataHandler(self->parser, on_text);
    XML_SetDoctypeDeclHandler(self->parser, on_doctype, NULL);
    XML_SetDefaultHandler(self->parser, on_other);
    return SH_OK;
}

static enum sh_err parse(struct graphml *self, struct sh_bytes piece, bool last)
{
    enum XML_Status status =
        XML_Parse(self->parser, piece.len > 0 ? piece.data : "", (int)piece.len, last);

    if (status == XML_STATUS_OK || self->reader.err != SH_OK)
        return self->reader.err;
    if (XML_GetErrorCode(self->parser) == XML_ERROR_NO_MEMORY)
        return reader_no_memory(&self->reader);
    return reader_broken(&self->reader, "line %lu: %s",
                         (unsigned long)XML_GetCurrentLineNumber(self->parser),
                         XML_ErrorString(XML_GetErrorCode(self->parser)));
}

static enum sh_err feed(struct graph_reader *reader, struct sh_bytes piece)
{
    struct graphml *self = (struct graphml *)reader;

    while (piece.len > 0 && reader->err == SH_OK) {
        size_t len = piece.len < READER_TEXT_MAX ? piece.len : READER_TEXT_MAX;
        self->quiet += len;
        enum sh_err err = parse(self, (struct sh_bytes){piece.data, len}, false);
        if (err == SH_OK && self->quiet > READER_RECORD_MAX)
            return reader_broken(reader, "a tag is too long");
        if (err != SH_OK)
            return err;
        piece = (struct sh_bytes){(const char *)piece.data + len, piece.len - len};
    }
    return reader->err;
}

static enum sh_err end(struct graph_reader *reader)
{
    return parse((struct graphml *)reader, (struct sh_bytes){0}, true);
}

const struct graph_reader_kind graphml_reader = {.size = sizeof(struct graphml),
                                                 .open = open_reader,
                                                 .feed = feed,
                                                 .end = end,
                                                 .close = close_reader};
