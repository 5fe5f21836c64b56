/* The index says where to look, words.c says what is found there: what an index knows and
 * what changed since are judged by the same rules. */
#include "services/graph/find/finder.h"

#include <stdlib.h>

#include "services/graph/find/name_index.h"
#include "services/graph/find/shelf.h"

enum { NAMES_MAX = 1024, DEGREE_MAX = 1000, LOOK = 1024 };

struct finder {
    struct shelf *shelf;
    char names[NAMES_MAX];
};

struct search {
    const struct graph_reader *reader;
    const struct find_question *question;
    const _Atomic bool *cancelled;
    const struct name_index *index;
    const roaring_bitmap_t *label; /* NULL: any */
    struct words words;
    struct words_keys keys;
    struct sh_buffer scratch;
    struct find_hit *heap; /* the worst of the best first */
    size_t room;
    size_t count;
    uint64_t total;
    uint32_t looked;
    enum sh_err err;
};

static enum sh_err build_names(const struct graph_version *version, const void *about,
                               void **out)
{
    struct name_index *index = NULL;
    enum sh_err err = name_index_build(version, about, &index);
    *out = index;
    return err;
}

static void free_names(void *index)
{
    struct name_index *names = index;
    name_index_free(&names);
}

static const struct shelf_kind names_kind = {build_names, free_names};

enum sh_err finder_create(const char *names, struct finder **out)
{
    struct finder *finder = sh_alloc(sizeof(*finder));
    *out = NULL;
    if (finder == NULL)
        return SH_NOMEM;
    size_t len = strlen(names);
    memcpy(finder->names, names, len < NAMES_MAX ? len : NAMES_MAX - 1);
    enum sh_err err = shelf_create(&names_kind, &finder->shelf);
    if (err != SH_OK)
        sh_free(finder);
    else
        *out = finder;
    return err;
}

void finder_free(struct finder **finder_p)
{
    struct finder *finder = *finder_p;
    *finder_p = NULL;
    if (finder == NULL)
        return;
    shelf_free(&finder->shelf);
    sh_free(finder);
}

/* --- ranking ---------------------------------------------------------------------- */

/* Whether `a` is a better hit. */
static bool better(const struct find_hit *a, const struct find_hit *b)
{
    if (a->match != b->match)
        return a->match < b->match;
    if (a->degree != b->degree)
        return a->degree > b->degree;
    return a->place < b->place;
}

static int compare_hits(const void *left, const void *right)
{
    const struct find_hit *a = left;
    const struct find_hit *b = right;
    return better(a, b) ? -1 : better(b, a);
}

static void sink(struct find_hit *heap, size_t count, size_t at)
{
    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (better(&heap[worst], &heap[child]))
                worst = child;
        if (worst == at)
            return;
        struct find_hit hit = heap[at];
        heap[at] = heap[worst];
        heap[worst] = hit;
        at = worst;
    }
}

static void keep(struct search *search, const struct find_hit *hit)
{
    search->total++;
    if (search->count < search->room) {
        search->heap[search->count++] = *hit;
        if (search->count == search->room)
            for (size_t i = search->room / 2 + 1; i-- > 0;)
                sink(search->heap, search->count, i);
    } else if (search->room > 0 && better(hit, &search->heap[0])) {
        search->heap[0] = *hit;
        sink(search->heap, search->count, 0);
    }
}

static uint64_t followed(const struct graph_reader *reader, const struct links *links,
                         uint64_t already)
{
    uint64_t count = 0;
    for (uint32_t i = 0;
         links != NULL && i < links->count && already + count < DEGREE_MAX; i++)
        count += graph_follows(reader, &links->links[i]);
    return count;
}

static uint64_t degree_of(const struct graph_reader *reader, const struct node *node)
{
    uint64_t out = followed(reader, node->out, 0);
    return out + followed(reader, node->in, out);
}

/* --- looking ---------------------------------------------------------------------- */

static void look(struct search *search, uint32_t place)
{
    const struct node *node = graph_node(search->reader, place);
    if (node == NULL ||
        (search->label != NULL && !roaring_bitmap_contains(search->label, place)))
        return;
    if (++search->looked % LOOK == 0 && search->cancelled != NULL &&
        atomic_load(search->cancelled))
        search->err = SH_CANCELED;
    enum words_match match =
        words_match_node(&search->words, &search->keys, node->body, &search->scratch);
    if (match == MATCH_NONE || search->err != SH_OK)
        return;
    keep(search, &(struct find_hit){match, degree_of(search->reader, node), place});
}

static bool look_at_candidate(uint32_t place, void *arg)
{
    struct search *search = arg;
    if (seen_place(&search->index->seen, search->reader->version, place))
        look(search, place);
    return search->err == SH_OK;
}

static void look_at_changed(struct search *search)
{
    const struct graph_version *version = search->reader->version;
    for (uint32_t page = 0; page < version->nodes.page_count; page++) {
        if (seen_page(&search->index->seen, version, page))
            continue;
        uint32_t first = page << PAGE_BITS;
        for (uint32_t i = 0; i < PAGE_ITEMS && search->err == SH_OK; i++)
            look(search, first + i);
    }
}

static enum sh_err run(struct search *search)
{
    roaring_bitmap_t *candidates = name_index_candidates(search->index, &search->words);
    if (candidates == NULL)
        return SH_NOMEM;
    if (search->label != NULL)
        roaring_bitmap_and_inplace(candidates, search->label);
    (void)roaring_iterate(candidates, look_at_candidate, search);
    roaring_bitmap_free(candidates);
    look_at_changed(search);
    return search->err == SH_OK ? search->scratch.err : search->err;
}

/* --- the question ----------------------------------------------------------------- */

static void add_key(const struct symbols *symbols, struct sh_bytes name,
                    struct words_keys *keys)
{
    if (keys->count < WORDS_KEYS && name.len > 0 &&
        symbols_find(symbols, name, &keys->keys[keys->count]))
        keys->count++;
}

static void read_keys(const struct finder *finder, const struct graph_reader *reader,
                      struct sh_bytes property, struct words_keys *keys)
{
    const struct symbols *symbols = graph_keys(reader->graph);
    if (property.len > 0) {
        add_key(symbols, property, keys);
        return;
    }
    for (const char *at = finder->names; *at != '\0';) {
        size_t len = strcspn(at, ",");
        struct sh_bytes name = {at, len};
        while (name.len > 0 && *(const char *)name.data == ' ')
            name = (struct sh_bytes){(const char *)name.data + 1, name.len - 1};
        while (name.len > 0 && ((const char *)name.data)[name.len - 1] == ' ')
            name.len--;
        add_key(symbols, name, keys);
        at += len + (at[len] == ',');
    }
}

/* False: nothing has that label. */
static bool read_label(struct search *search)
{
    const struct graph_reader *reader = search->reader;
    struct sh_bytes label = search->question->label;
    uint32_t number;
    if (label.len == 0)
        return true;
    if (!symbols_find(graph_labels(reader->graph), label, &number))
        return false;
    const roaring_bitmap_t *const *places = pages_at(&reader->version->labels, number);
    search->label = places ? *places : NULL;
    return search->label != NULL;
}

static void take_hits(struct search *search, struct find_hits *out)
{
    uint32_t first = search->question->first;
    if (search->count > 1)
        qsort(search->heap, search->count, sizeof(*search->heap), compare_hits);
    out->total = search->total;
    if (search->count > first)
        *out = (struct find_hits){search->heap + first, search->count - first,
                                  search->total};
}

static enum sh_err find(struct finder *finder, struct search *search)
{
    struct shelved *shelved;
    enum sh_err err = shelf_take(finder->shelf, search->reader->version,
                                 search->question->property, &search->keys, &shelved);
    if (err != SH_OK)
        return err;
    search->index = shelf_index(shelved);
    err = run(search);
    shelf_give_back(finder->shelf, shelved);
    return err;
}

enum sh_err finder_find(struct finder *finder, const struct graph_reader *reader,
                        const struct find_question *question,
                        const _Atomic bool *cancelled, struct sh_arena *arena,
                        struct find_hits *out)
{
    struct search search = {
        .reader = reader, .question = question, .cancelled = cancelled};
    struct sh_buffer folded = {0};
    *out = (struct find_hits){0};
    search.room = (size_t)question->first + question->limit;
    search.heap = sh_arena_array(arena, search.room + 1, sizeof(*search.heap));
    fold_text(question->text, &folded);
    enum sh_err err = search.heap ? folded.err : SH_NOMEM;
    words_read(sh_buffer_bytes(&folded), &search.words);
    read_keys(finder, reader, question->property, &search.keys);
    if (err == SH_OK && search.words.count > 0 && search.keys.count > 0 &&
        read_label(&search))
        err = find(finder, &search);
    if (err == SH_OK)
        take_hits(&search, out);
    sh_buffer_free(&folded);
    sh_buffer_free(&search.scratch);
    return err;
}

/* --- what is there ---------------------------------------------------------------- */

struct telling {
    finder_each_fn *each;
    void *arg;
};

static void tell(void *arg, struct sh_bytes property, const void *index)
{
    const struct telling *telling = arg;
    const struct name_index *names = index;
    telling->each(telling->arg, property, name_index_bytes(names), names->term_count);
}

void finder_each(struct finder *finder, finder_each_fn *each, void *arg)
{
    struct telling telling = {each, arg};
    shelf_each(finder->shelf, tell, &telling);
}
