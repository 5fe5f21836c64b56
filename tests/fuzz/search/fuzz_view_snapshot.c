/* The file `view` of a snapshot with any bytes of it changed, its sums set right again:
 * whatever it says, reading it, and changing the view afterwards, stays within its
 * memory. Input: how many changes, and five bytes each (spoilt.h). */
#include <stdlib.h>

#include "services/search/view/view_snapshot_format.h"
#include "shared/clock.h"
#include "tests/fuzz/spoilt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DOCUMENTS = 24 };

static char *original;
static size_t original_len;

static void put(struct view *view, unsigned n)
{
    char id[16], text[64];
    struct view_chunk chunks[3] = {0};
    (void)snprintf(id, sizeof(id), "d%u", n);
    (void)snprintf(text, sizeof(text), "bee honey number%u", n);
    for (unsigned i = 0; i < 3; i++)
        chunks[i] = (struct view_chunk){.chunk_id = sh_bytes_of(id),
                                        .section_title = sh_bytes_of(i < 2 ? "A" : "B"),
                                        .text = sh_bytes_of(text),
                                        .ordinal = i};
    const struct view_document document = {
        .id = sh_bytes_of(id),
        .title = sh_bytes_of("Title"),
        .collection = sh_bytes_of("default"),
        .campus = sh_bytes_of("Central"),
        .priority = n % 6,
        .clearance_level = 1 + n % 5,
        .metadata = sh_bytes_of("{\"year\":2004,\"tags\":[\"a\",\"b\"]}"),
        .chunks = chunks,
        .chunk_count = n % 4};
    enum sh_err err = view_put(view, &document);
    if (err != SH_OK && err != SH_TOOBIG)
        abort();
}

static void make_original(void)
{
    struct view *view = NULL;
    FILE *file = open_memstream(&original, &original_len);
    if (!file || view_create(NULL, &view) != SH_OK)
        abort();
    for (unsigned n = 0; n < DOCUMENTS; n++)
        put(view, n);
    if (view_remove(view, sh_bytes_of("d7")) != SH_OK ||
        kept_write(view, "note", "0123456789abcdef0123456789abcdef", file) != SH_OK ||
        fclose(file) != 0)
        abort();
    view_free(&view);
}

static void search(struct view *view)
{
    const struct search_query query = {.query = sh_bytes_of("honey number3 bee"),
                                       .mode = 2,
                                       .max_results = 10,
                                       .vector_weight = -1,
                                       .filters =
                                           sh_bytes_of("{\"campus\":\"Central\"}")};
    const struct caller caller = {.clearance = 5, .all_departments = true};
    const struct view_query asked = {
        .query = &query, .caller = &caller, .deadline_ms = sh_now_ms() + 10000};
    struct sh_arena arena = {0};
    struct search_results results = {0};
    struct view_problem problem = {0};
    (void)!view_search(view, &asked, &arena, &results, &problem);
    sh_arena_free(&arena);
}

/* The text index knows none of it: removing what it does not have is passed over. */
static void live_on(struct view *view)
{
    char *again = NULL;
    size_t again_len = 0;
    search(view);
    for (unsigned n = 0; n < DOCUMENTS; n += 3)
        put(view, n);
    while (view->document_count > 5)
        if (view_remove(view, view->documents[0]->row.id) != SH_OK)
            abort();
    put(view, 3);
    search(view);
    FILE *file = open_memstream(&again, &again_len);
    if (!file)
        abort();
    enum sh_err err = kept_write(view, "", "0123456789abcdef0123456789abcdef", file);
    if ((err != SH_OK && err != SH_TOOBIG) || fclose(file) != 0)
        abort();
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view *view = NULL;
    if (!original)
        make_original();
    struct sh_bytes input = {data, size};
    char *bytes =
        spoilt_copy(&kept_kind, (struct sh_bytes){original, original_len}, &input);
    if (view_create(NULL, &view) != SH_OK)
        abort();
    if (kept_read((struct sh_bytes){bytes, original_len}, view) == SH_OK)
        live_on(view);
    view_free(&view);
    free(bytes);
    return 0;
}
