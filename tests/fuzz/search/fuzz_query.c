/* Any bytes as a document and as the query for it: whatever is written in a document
 * finds it, and highlights stay UTF-8 where the text is. */
#include <stdlib.h>

#include <utf8proc.h>

#include "services/search/text/highlight.h"
#include "services/search/view/view.h"
#include "shared/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_utf8(struct sh_bytes text)
{
    utf8proc_int32_t code = 0;
    const uint8_t *data = text.data;
    for (size_t pos = 0; pos < text.len;) {
        utf8proc_ssize_t n =
            utf8proc_iterate(data + pos, (utf8proc_ssize_t)(text.len - pos), &code);
        if (n < 1)
            return false;
        pos += (size_t)n;
    }
    return true;
}

static void search(struct view *view, struct sh_bytes text, struct sh_bytes filters)
{
    struct sh_arena arena = {0};
    struct search_results results;
    struct view_problem problem;
    const struct search_query query = {.query = text,
                                       .filters = filters,
                                       .mode = 2,
                                       .max_results = 5,
                                       .highlight = true,
                                       .explain = true};
    const struct caller caller = {.clearance = 1};
    const struct view_query asked = {
        .query = &query, .caller = &caller, .deadline_ms = SH_NO_DEADLINE};
    enum sh_err err = view_search(view, &asked, &arena, &results, &problem);
    if (err != SH_OK && err != SH_INVALID && err != SH_FORBIDDEN)
        abort();
    for (size_t i = 0; err == SH_OK && i < results.hits_count; i++) {
        if (is_utf8(results.hits[i].text) && !is_utf8(results.hits[i].highlight))
            abort();
    }
    sh_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view *view = NULL;
    if (view_create(NULL, &view) != SH_OK)
        abort();
    const uint8_t *split = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t first = split ? (size_t)(split - data) : size;
    struct sh_bytes text = {data, first};
    struct sh_bytes rest = {data + first, size - first};
    struct view_chunk chunk = {
        .chunk_id = sh_bytes_of("c"), .section_title = rest, .text = text};
    struct view_document document = {.id = sh_bytes_of("d"),
                                     .title = rest,
                                     .clearance_level = 1,
                                     .chunks = &chunk,
                                     .chunk_count = 1};
    if (view_put(view, &document) != SH_OK)
        abort();
    search(view, text, (struct sh_bytes){0});
    search(view, rest, text);
    view_free(&view);
    return 0;
}
