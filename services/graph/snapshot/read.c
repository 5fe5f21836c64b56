#include "services/graph/snapshot/read.h"

#include <pthread.h>

enum { ALONE = 1 << 20 }; /* bytes of edges: below, another thread is not worth it */

/* --- the frame -------------------------------------------------------------------- */

enum sh_err kept_read_foot(struct sh_bytes bytes, struct kept_foot *foot)
{
    bool known = sh_sections_foot(&kept_kind, bytes, foot) &&
                 memchr(foot->note, '\0', SNAPSHOT_NOTE + 1) != NULL;
    return known ? SH_OK : SH_MALFORMED;
}

static enum sh_err read_sections(struct reader *reader, struct sh_bytes bytes)
{
    struct kept_foot foot;
    enum sh_err err = kept_read_foot(bytes, &foot);
    if (err == SH_OK && !sh_sections_read(&kept_kind, bytes, &foot, reader->sections))
        err = SH_MALFORMED;
    if (err != SH_OK)
        return err;
    reader->node_count =
        (uint32_t)(reader->sections[KEPT_NODES].len / sizeof(struct kept_node));
    reader->edge_count =
        (uint32_t)(reader->sections[KEPT_EDGES].len / sizeof(struct kept_edge));
    return SH_OK;
}

/* --- symbols ---------------------------------------------------------------------- */

static enum sh_err read_symbols(struct sh_bytes section, struct symbols *symbols,
                                size_t least, size_t most, uint32_t *count)
{
    const char *at = section.data;
    size_t left = section.len;
    enum sh_err err = SH_OK;
    for (*count = 0; left > 0 && err == SH_OK; (*count)++) {
        uint32_t len;
        uint32_t number;
        if (left < sizeof(len))
            return SH_MALFORMED;
        memcpy(&len, at, sizeof(len));
        at += sizeof(len);
        left -= sizeof(len);
        if (len > left || len < least || len > most)
            return SH_MALFORMED;
        err = symbols_add(symbols, (struct sh_bytes){at, len}, &number);
        if (err == SH_OK && number != *count)
            return SH_MALFORMED; /* it is there already */
        at += len;
        left -= len;
    }
    return err;
}

static enum sh_err read_all_symbols(struct reader *reader)
{
    struct graph *graph = reader->graph;
    const struct sh_bytes *sections = reader->sections;
    enum sh_err err = read_symbols(sections[KEPT_LABELS], graph->labels, 0, UINT32_MAX,
                                   &reader->label_count);
    if (err == SH_OK)
        err = read_symbols(sections[KEPT_TYPES], graph->types, 0, UINT32_MAX,
                           &reader->type_count);
    if (err == SH_OK)
        err = read_symbols(sections[KEPT_KEYS], graph->keys, 0, UINT32_MAX,
                           &reader->key_count);
    if (err == SH_OK)
        err = read_symbols(sections[KEPT_CLASSES], graph->classes, 1, KEPT_CLASS_MAX,
                           &reader->class_count);
    return err;
}

/* --- counts ----------------------------------------------------------------------- */

static bool is_count(const struct reader *reader, const struct kept_count *kept)
{
    const uint32_t *what = kept->key.what;
    uint32_t limits[][TALLY_WHAT] = {
        [TALLY_NODES] = {1, 1, 1},
        [TALLY_LABEL] = {reader->label_count, 1, 1},
        [TALLY_PROPERTY] = {reader->label_count, reader->key_count, VALUE_MAP + 1},
        [TALLY_EDGES] = {reader->type_count, 1, 1},
        [TALLY_JOIN] = {reader->type_count, reader->label_count, reader->label_count},
    };
    if (kept->key.kind >= SH_COUNT(limits) || kept->count <= 0)
        return false;
    for (size_t i = 0; i < TALLY_WHAT; i++)
        if (what[i] >= limits[kept->key.kind][i])
            return false;
    for (size_t i = 0; i < TALLY_CLASSES; i++)
        if (kept->key.access[i] >= reader->class_count)
            return false;
    return true;
}

/* They are put in order anew: what the bytes say of it does not count. */
static enum sh_err read_tally(struct reader *reader)
{
    struct sh_bytes section = reader->sections[KEPT_TALLY];
    const struct kept_count *kept = section.data;
    struct tally tally = {0};
    enum sh_err err = SH_OK;
    for (size_t i = 0; i < section.len / sizeof(*kept) && err == SH_OK; i++)
        err = is_count(reader, &kept[i]) ? tally_add(&tally, &kept[i].key, kept[i].count)
                                         : SH_MALFORMED;
    if (err == SH_OK) {
        reader->version->tally = tally_list(NULL, &tally);
        err = reader->version->tally ? SH_OK : SH_NOMEM;
    }
    tally_clear(&tally);
    return err;
}

/* --- the whole -------------------------------------------------------------------- */

bool kept_make_pages(struct pages *pages, uint32_t count)
{
    uint32_t wanted = (count + PAGE_ITEMS - 1) / PAGE_ITEMS;
    if (wanted == 0)
        return true;
    pages->page = sh_alloc_array(wanted, sizeof(struct page *));
    if (pages->page == NULL)
        return false;
    pages->page_room = wanted;
    pages->version = 1;
    for (; pages->page_count < wanted; pages->page_count++) {
        struct page *page = sh_alloc(sizeof(*page) + (size_t)PAGE_ITEMS * pages->item);
        if (page == NULL)
            return false;
        page->version = 1;
        pages->page[pages->page_count] = page;
    }
    return true;
}

struct half {
    struct reader *reader;
    kept_step *step;
    enum sh_err err;
};

static void *run_half(void *arg)
{
    struct half *half = arg;
    half->err = half->step(half->reader);
    return NULL;
}

/* Two steps that write nothing that the other one looks at, at the same time. */
static enum sh_err side_by_side(struct reader *reader, kept_step *here, kept_step *there)
{
    struct half half = {reader, there, SH_OK};
    pthread_t thread;
    bool started = reader->sections[KEPT_EDGES].len >= ALONE &&
                   pthread_create(&thread, NULL, run_half, &half) == 0;
    enum sh_err err = here(reader);
    if (started)
        (void)pthread_join(thread, NULL);
    else if (err == SH_OK)
        half.err = there(reader);
    return err == SH_OK ? half.err : err;
}

enum sh_err snapshot_read(struct graph *graph, struct sh_bytes bytes)
{
    struct reader reader = {.graph = graph, .version = atomic_load(&graph->current)};
    enum sh_err err = read_sections(&reader, bytes);
    if (err == SH_OK)
        err = read_all_symbols(&reader);
    if (err == SH_OK)
        err = side_by_side(&reader, kept_read_nodes, kept_read_edges);
    if (err == SH_OK)
        err = side_by_side(&reader, kept_read_links_out, kept_read_links_in);
    return err == SH_OK ? read_tally(&reader) : err;
}
