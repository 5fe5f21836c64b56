#include "services/search/quality/boilerplate.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "services/search/quality/lines.h"

enum {
    EDGE_LINES = 3,
    PAGE_LINES_LEAST = 3, /* of less than that a page is its content */
    PAGES_LEAST = 4,
    CONTENTS_LEAST = 4,
    DIGITS_LEAST = 20,
};

/* A line that may go. */
struct edge {
    uint64_t hash;
    uint32_t page; /* which in the document, not its number */
    uint32_t section;
    struct line line;
};

struct cleaner {
    const struct chunk_section *sections;
    size_t count;
    struct sh_arena *arena;
    struct drops *drops;
    struct edge *edges; /* first candidates, then those that go */
    size_t edge_count;
    size_t capacity;
};

static enum sh_err add_edge(struct cleaner *cleaner, struct edge edge)
{
    if (cleaner->edge_count == cleaner->capacity) {
        size_t capacity = cleaner->capacity > 0 ? 2 * cleaner->capacity : 64;
        struct edge *edges =
            sh_realloc(cleaner->edges, capacity * sizeof(*cleaner->edges));
        if (edges == NULL)
            return SH_NOMEM;
        cleaner->edges = edges;
        cleaner->capacity = capacity;
    }
    cleaner->edges[cleaner->edge_count++] = edge;
    return SH_OK;
}

/* --- the lines at the ends of pages ----------------------------------------------- */

/* The lines of a page, first and last ones, as they are found on one way through it. */
struct page {
    uint32_t number; /* which in the document */
    size_t first;    /* its first candidate */
    size_t seen;
    struct edge last[EDGE_LINES]; /* a ring */
};

static enum sh_err take_line(struct cleaner *cleaner, struct page *page, struct edge edge)
{
    size_t seen = page->seen++;

    if (seen < EDGE_LINES)
        return add_edge(cleaner, edge);
    page->last[seen % EDGE_LINES] = edge;
    return SH_OK;
}

static enum sh_err end_page(struct cleaner *cleaner, const struct page *page)
{
    size_t first = page->seen > 2 * (size_t)EDGE_LINES ? page->seen - EDGE_LINES
                                                       : (size_t)EDGE_LINES;
    enum sh_err err = SH_OK;

    if (page->seen < PAGE_LINES_LEAST)
        cleaner->edge_count = page->first;
    for (size_t i = first; err == SH_OK && i < page->seen; i++)
        err = add_edge(cleaner, page->last[i % EDGE_LINES]);
    return err;
}

static enum sh_err read_section(struct cleaner *cleaner, struct page *page,
                                uint32_t section)
{
    struct sh_bytes text = cleaner->sections[section].text;
    enum sh_err err = SH_OK;

    for (uint32_t pos = 0; err == SH_OK && pos < text.len;) {
        struct line line = line_at(text, pos);
        struct edge edge = {0, page->number, section, line};
        if (line.end > line.start)
            err = take_line(cleaner, page, edge);
        pos = line.next;
    }
    return err;
}

/* All that may go, with their hashes. Sections with one page number after another are a
 * page; how many there are. */
static enum sh_err read_pages(struct cleaner *cleaner, uint32_t *pages)
{
    enum sh_err err = SH_OK;
    struct page page = {0};

    *pages = 0;
    for (size_t i = 0; err == SH_OK && i < cleaner->count; i++) {
        uint32_t number = cleaner->sections[i].page_number;
        if (number == 0)
            continue;
        page.number = *pages;
        err = read_section(cleaner, &page, (uint32_t)i);
        bool ends =
            i + 1 == cleaner->count || cleaner->sections[i + 1].page_number != number;
        if (err != SH_OK || !ends)
            continue;
        err = end_page(cleaner, &page);
        page = (struct page){.first = cleaner->edge_count};
        ++*pages;
    }
    for (size_t i = 0; i < cleaner->edge_count; i++) {
        struct edge *edge = &cleaner->edges[i];
        const struct chunk_section *section = &cleaner->sections[edge->section];
        edge->hash =
            line_hash(line_text(section->text, edge->line), section->page_number);
    }
    return err;
}

static int in_reading_order(const void *a_in, const void *b_in)
{
    const struct edge *a = a_in;
    const struct edge *b = b_in;

    if (a->section != b->section)
        return a->section < b->section ? -1 : 1;
    return (a->line.start > b->line.start) - (a->line.start < b->line.start);
}

static int by_hash(const void *a_in, const void *b_in)
{
    const struct edge *a = a_in;
    const struct edge *b = b_in;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return in_reading_order(a, b);
}

/* On how many pages; they are in order. */
static size_t pages_of(const struct edge *edges, size_t count)
{
    size_t pages = 1;

    for (size_t i = 1; i < count; i++)
        pages += edges[i].page != edges[i - 1].page;
    return pages;
}

/* Of lines that look alike, on most pages: which go. Moves them to *kept. */
static enum sh_err judge_alike(struct cleaner *cleaner, const struct edge *alike,
                               size_t count, size_t *kept)
{
    enum sh_err err = SH_OK;

    for (size_t i = 0; err == SH_OK && i < count; i++) {
        const struct chunk_section *section = &cleaner->sections[alike[i].section];
        struct sh_bytes text = line_text(section->text, alike[i].line);
        bool number = line_is_page_number(text);
        if (i == 0 && !number)
            continue; /* once it stays */
        const struct drop drop = {number ? DROP_PAGE_NUMBER : DROP_REPEATED_LINE,
                                  section->title, section->page_number, text, 0};
        err = drops_add(cleaner->drops, cleaner->arena, &drop);
        cleaner->edges[(*kept)++] = alike[i];
    }
    return err;
}

static enum sh_err judge_pages(struct cleaner *cleaner)
{
    uint32_t pages;
    enum sh_err err = read_pages(cleaner, &pages);
    size_t count = cleaner->edge_count;
    size_t kept = 0;

    cleaner->edge_count = 0;
    if (err != SH_OK || pages < PAGES_LEAST || count == 0)
        return err;
    qsort(cleaner->edges, count, sizeof(*cleaner->edges), by_hash);
    for (size_t i = 0, end; err == SH_OK && i < count; i = end) {
        for (end = i + 1;
             end < count && cleaner->edges[end].hash == cleaner->edges[i].hash;)
            end++;
        size_t on = pages_of(&cleaner->edges[i], end - i);
        if (on >= PAGES_LEAST && on * 5 >= (size_t)pages * 3)
            err = judge_alike(cleaner, &cleaner->edges[i], end - i, &kept);
    }
    cleaner->edge_count = kept;
    return err;
}

/* --- tables of contents ----------------------------------------------------------- */

/* The lines from `first` to `end` go. */
static enum sh_err drop_contents(struct cleaner *cleaner, uint32_t index, uint32_t first,
                                 uint32_t end)
{
    const struct chunk_section *section = &cleaner->sections[index];
    enum sh_err err = SH_OK;

    for (uint32_t pos = first; err == SH_OK && pos < end;) {
        struct edge edge = {.section = index, .line = line_at(section->text, pos)};
        const struct drop drop = {DROP_CONTENTS, section->title, section->page_number,
                                  line_text(section->text, edge.line), 0};
        pos = edge.line.next;
        if (edge.line.end == edge.line.start)
            continue;
        err = drops_add(cleaner->drops, cleaner->arena, &drop);
        if (err == SH_OK)
            err = add_edge(cleaner, edge);
    }
    return err;
}

static enum sh_err judge_contents(struct cleaner *cleaner, uint32_t index)
{
    struct sh_bytes text = cleaner->sections[index].text;
    uint32_t first = 0;  /* where the run of such lines began */
    uint32_t lines = 0;  /* in it */
    uint32_t before = 0; /* the page that the last one named */
    enum sh_err err = SH_OK;

    for (uint32_t pos = 0; err == SH_OK && pos < text.len;) {
        struct line line = line_at(text, pos);
        uint32_t page = line_contents_page(line_text(text, line));
        bool blank = line.end == line.start;
        if (!blank && (page == 0 || page < before)) {
            if (lines >= CONTENTS_LEAST)
                err = drop_contents(cleaner, index, first, pos);
            lines = before = 0;
        }
        if (page > 0) {
            first = lines == 0 ? pos : first;
            lines++;
            before = page;
        }
        pos = line.next;
    }
    if (err == SH_OK && lines >= CONTENTS_LEAST)
        err = drop_contents(cleaner, index, first, (uint32_t)text.len);
    return err;
}

static bool has_leader(struct sh_bytes text)
{
    return text.len > 0 && (memmem(text.data, text.len, "....", 4) != NULL ||
                            memmem(text.data, text.len, ". . . .", 7) != NULL);
}

/* --- the rest --------------------------------------------------------------------- */

/* The section without the lines that go, `edges` being the first of those in it. */
static enum sh_err rebuild(struct cleaner *cleaner, struct chunk_section *section,
                           uint32_t index, const struct edge *edges, size_t count)
{
    struct sh_bytes from = section->text;
    char *to = sh_arena_alloc(cleaner->arena, from.len + 1);
    uint32_t pos = 0;
    size_t used = 0;

    if (to == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < count && edges[i].section == index; i++) {
        struct line line = edges[i].line;
        if (line.start < pos) /* twice in the list */
            continue;
        memcpy(to + used, (const char *)from.data + pos, line.start - pos);
        used += line.start - pos;
        pos = line.next;
        /* Half a line end stays a line end. */
        if (used > 0 && to[used - 1] != '\n')
            to[used++] = '\n';
    }
    memcpy(to + used, (const char *)from.data + pos, from.len - pos);
    section->text = (struct sh_bytes){to, used + from.len - pos};
    return SH_OK;
}

static enum sh_err rebuild_all(struct cleaner *cleaner, struct chunk_section *out)
{
    enum sh_err err = SH_OK;

    if (cleaner->edge_count > 0)
        qsort(cleaner->edges, cleaner->edge_count, sizeof(*cleaner->edges),
              in_reading_order);
    for (size_t i = 0; err == SH_OK && i < cleaner->edge_count;) {
        uint32_t section = cleaner->edges[i].section;
        err = rebuild(cleaner, &out[section], section, &cleaner->edges[i],
                      cleaner->edge_count - i);
        while (i < cleaner->edge_count && cleaner->edges[i].section == section)
            i++;
    }
    return err;
}

enum sh_err boilerplate_lines(const struct chunk_section *sections, size_t count,
                              struct sh_arena *arena, struct chunk_section **out,
                              struct drops *drops)
{
    struct cleaner cleaner = {
        .sections = sections, .count = count, .arena = arena, .drops = drops};
    enum sh_err err = SH_NOMEM;

    *out = sh_arena_array(arena, count + 1, sizeof(**out));
    if (*out == NULL)
        return SH_NOMEM;
    if (count > 0)
        memcpy(*out, sections, count * sizeof(**out));
    err = judge_pages(&cleaner);
    for (size_t i = 0; err == SH_OK && i < count; i++)
        if (has_leader(sections[i].text))
            err = judge_contents(&cleaner, (uint32_t)i);
    if (err == SH_OK)
        err = rebuild_all(&cleaner, *out);
    sh_free(cleaner.edges);
    return err;
}

/* --- passages --------------------------------------------------------------------- */

struct content {
    bool letters;
    size_t digits; /* not counted further once there is a letter */
};

static struct content content_of(struct sh_bytes text)
{
    const uint8_t *data = text.data;
    struct content content = {0};

    for (size_t at = 0; at < text.len && !content.letters;) {
        utf8proc_int32_t code = -1;
        utf8proc_ssize_t taken =
            utf8proc_iterate(data + at, (utf8proc_ssize_t)(text.len - at), &code);
        utf8proc_category_t category = taken > 0 ? utf8proc_category(code) : 0;
        content.letters =
            category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
        content.digits +=
            category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
        at += taken > 0 ? (size_t)taken : 1;
    }
    return content;
}

static bool says_something(const struct chunk *chunk)
{
    struct content content = content_of(chunk->text);

    if (content.letters || content.digits >= DIGITS_LEAST)
        return true;
    bool numbered = chunk->page_number > 0 && line_is_page_number(chunk->text);
    return content.digits > 0 && !numbered && content_of(chunk->section_title).letters;
}

enum sh_err boilerplate_passages(struct chunk *chunks, size_t *count,
                                 struct sh_arena *arena, struct drops *drops)
{
    enum sh_err err = SH_OK;
    size_t kept = 0;

    for (size_t i = 0; err == SH_OK && i < *count; i++) {
        struct chunk chunk = chunks[i];
        if (says_something(&chunk)) {
            chunk.ordinal = (uint32_t)kept;
            chunks[kept++] = chunk;
            continue;
        }
        const struct drop drop = {DROP_NO_WORDS, chunk.section_title, chunk.page_number,
                                  chunk.text, 0};
        err = drops_add(drops, arena, &drop);
    }
    *count = kept;
    return err;
}
