#include <roaring/roaring.h>

#include "services/graph/snapshot/read.h"

enum { ID_MAX = 256 };

/* Texts of a section, one after the other. */
struct texts {
    const char *at;
    size_t left;
};

static bool take(struct texts *texts, size_t len, struct sh_bytes *out)
{
    if (len > texts->left)
        return false;
    *out = (struct sh_bytes){texts->at, len};
    texts->at += len;
    texts->left -= len;
    return true;
}

static struct sh_bytes place_text(char *at, struct sh_bytes text)
{
    if (text.len > 0)
        memcpy(at, text.data, text.len);
    return (struct sh_bytes){at, text.len};
}

/* An id, and properties that are what they should be. */
static bool take_texts(const struct reader *reader, struct texts *texts, uint32_t id_len,
                       uint32_t properties_len, struct sh_bytes *id,
                       struct sh_bytes *properties)
{
    return id_len > 0 && id_len <= ID_MAX && take(texts, id_len, id) &&
           take(texts, properties_len, properties) &&
           values_valid(*properties, reader->key_count);
}

/* --- tables ----------------------------------------------------------------------- */

enum { AHEAD = 16 };

struct filed {
    uint64_t hash; /* of the id */
    uint64_t number;
    uint32_t place;
};

/* Puts things into the tables some time after it was told to: where they belong there has
 * then come from memory, which takes longer than all the rest. */
struct filing {
    struct lookup *ids;
    struct numbers *numbers;
    struct filed waiting[AHEAD];
    uint32_t count; /* told so far */
};

static void file_now(const struct filing *filing, const struct filed *filed)
{
    lookup_add(filing->ids, filed->hash, filed->place);
    if (filed->number != 0)
        numbers_add(filing->numbers, filed->number, filed->place);
}

static void file(struct filing *filing, struct sh_bytes id, uint64_t number)
{
    struct filed *filed = &filing->waiting[filing->count % AHEAD];
    if (filing->count >= AHEAD)
        file_now(filing, filed);
    *filed = (struct filed){lookup_hash(id), number, filing->count++};
    lookup_expect(filing->ids, filed->hash);
    numbers_expect(filing->numbers, number);
}

static void file_rest(const struct filing *filing)
{
    uint32_t left = filing->count < AHEAD ? filing->count : AHEAD;
    for (uint32_t i = filing->count - left; i < filing->count; i++)
        file_now(filing, &filing->waiting[i % AHEAD]);
}

/* --- nodes ------------------------------------------------------------------------ */

static bool read_labels(const struct reader *reader, const uint32_t *labels,
                        struct node_body *body)
{
    for (uint32_t i = 0; i < body->label_count; i++) {
        if (labels[i] >= reader->label_count || (i > 0 && labels[i] <= labels[i - 1]))
            return false;
        body->labels[i] = labels[i];
    }
    return true;
}

static enum sh_err file_labels(const struct reader *reader, const struct node_body *body,
                               uint32_t place)
{
    for (uint32_t i = 0; i < body->label_count; i++) {
        roaring_bitmap_t **places = kept_item(&reader->version->labels, body->labels[i]);
        if (*places == NULL)
            *places = roaring_bitmap_create();
        if (*places == NULL)
            return SH_NOMEM;
        roaring_bitmap_add(*places, place);
    }
    return SH_OK;
}

static enum sh_err read_node(const struct reader *reader, const struct kept_node *kept,
                             const uint32_t *labels, struct texts *texts,
                             struct node *node)
{
    struct sh_bytes id;
    struct sh_bytes properties;
    if (kept->access >= reader->class_count ||
        !take_texts(reader, texts, kept->id, kept->properties, &id, &properties))
        return SH_MALFORMED;
    size_t label_bytes = kept->label_count * sizeof(uint32_t);
    struct node_body *body =
        sh_alloc(sizeof(*body) + label_bytes + id.len + properties.len);
    if (body == NULL)
        return SH_NOMEM;
    char *end = (char *)(body + 1) + label_bytes;
    body->number = kept->number;
    body->properties = place_text(end, properties);
    body->id = place_text(end + properties.len, id);
    body->label_count = kept->label_count;
    node->body = body; /* the graph's from now on */
    node->access = kept->access;
    return read_labels(reader, labels, body) ? SH_OK : SH_MALFORMED;
}

static enum sh_err make_tables(uint32_t count, struct lookup **ids,
                               struct numbers **numbers)
{
    struct lookup *larger_ids = lookup_create(count + 1);
    struct numbers *larger_numbers = numbers_create(count + 1);
    if (larger_ids == NULL || larger_numbers == NULL) {
        sh_free(larger_ids);
        sh_free(larger_numbers);
        return SH_NOMEM;
    }
    sh_free(*ids);
    sh_free(*numbers);
    *ids = larger_ids;
    *numbers = larger_numbers;
    return SH_OK;
}

enum sh_err kept_read_nodes(struct reader *reader)
{
    struct graph_version *version = reader->version;
    const struct kept_node *kept = reader->sections[KEPT_NODES].data;
    uint32_t count = reader->node_count;
    const uint32_t *labels = reader->sections[KEPT_NODE_LABELS].data;
    size_t labels_left = reader->sections[KEPT_NODE_LABELS].len / sizeof(*labels);
    struct sh_bytes section = reader->sections[KEPT_NODE_TEXTS];
    struct texts texts = {section.data, section.len};
    enum sh_err err = make_tables(count, &version->node_ids, &version->node_numbers);
    if (err != SH_OK || !kept_make_pages(&version->nodes, count) ||
        !kept_make_pages(&version->labels, reader->label_count))
        return SH_NOMEM;
    struct filing filing = {version->node_ids, version->node_numbers, {{0}}, 0};
    version->node_end = version->node_count = count;
    for (uint32_t i = 0; i < count && err == SH_OK; i++) {
        struct node *node = kept_item(&version->nodes, i);
        if (kept[i].label_count > labels_left)
            return SH_MALFORMED;
        err = read_node(reader, &kept[i], labels, &texts, node);
        if (err != SH_OK)
            break;
        labels += kept[i].label_count;
        labels_left -= kept[i].label_count;
        file(&filing, node->body->id, kept[i].number);
        err = file_labels(reader, node->body, i);
    }
    file_rest(&filing);
    return err == SH_OK && (labels_left > 0 || texts.left > 0) ? SH_MALFORMED : err;
}

/* --- edges ------------------------------------------------------------------------ */

static enum sh_err read_edge(const struct reader *reader, const struct kept_edge *kept,
                             struct texts *texts, struct edge *edge)
{
    struct sh_bytes id;
    struct sh_bytes properties;
    uint32_t nodes = reader->node_count;
    if (kept->access >= reader->class_count || kept->type >= reader->type_count ||
        kept->from >= nodes || kept->to >= nodes ||
        !take_texts(reader, texts, kept->id, kept->properties, &id, &properties))
        return SH_MALFORMED;
    struct edge_body *body = sh_alloc(sizeof(*body) + id.len + properties.len);
    if (body == NULL)
        return SH_NOMEM;
    char *end = (char *)(body + 1);
    *body = (struct edge_body){
        .number = kept->number, .type = kept->type, .from = kept->from, .to = kept->to};
    body->properties = place_text(end, properties);
    body->id = place_text(end + properties.len, id);
    *edge = (struct edge){body, kept->access};
    return SH_OK;
}

enum sh_err kept_read_edges(struct reader *reader)
{
    struct graph_version *version = reader->version;
    const struct kept_edge *kept = reader->sections[KEPT_EDGES].data;
    uint32_t count = reader->edge_count;
    struct sh_bytes section = reader->sections[KEPT_EDGE_TEXTS];
    struct texts texts = {section.data, section.len};
    enum sh_err err = make_tables(count, &version->edge_ids, &version->edge_numbers);
    if (err != SH_OK || !kept_make_pages(&version->edges, count))
        return SH_NOMEM;
    struct filing filing = {version->edge_ids, version->edge_numbers, {{0}}, 0};
    version->edge_end = version->edge_count = count;
    for (uint32_t i = 0; i < count && err == SH_OK; i++) {
        struct edge *edge = kept_item(&version->edges, i);
        err = read_edge(reader, &kept[i], &texts, edge);
        if (err != SH_OK)
            break;
        file(&filing, edge->body->id, kept[i].number);
    }
    file_rest(&filing);
    return err == SH_OK && texts.left > 0 ? SH_MALFORMED : err;
}
