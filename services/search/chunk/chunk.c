#include "services/search/chunk/chunk.h"

#include "services/search/chunk/units.h"

enum { DEFAULT_TOKENS = 400, DEFAULT_OVERLAP = 15, LEAST_TOKENS = 8 };

struct cutter {
    uint32_t aim;
    uint32_t overlap;
    struct sh_bytes title;
    struct sh_arena *arena;
    struct chunk *chunks;
    size_t count;
    size_t capacity;
};

/* A passage: units [first, end) of a section. */
struct span {
    size_t first;
    size_t end;
    uint32_t tokens;
};

static struct sh_bytes slice(const struct chunk_section *section,
                             const struct units *units, struct span span)
{
    uint32_t start = units->items[span.first].start;
    uint32_t end = units->items[span.end - 1].end;
    return (struct sh_bytes){(const char *)section->text.data + start, end - start};
}

static char *append(char *at, struct sh_bytes bytes)
{
    if (bytes.len > 0)
        memcpy(at, bytes.data, bytes.len);
    return at + bytes.len;
}

/* Title, headings and passage, one below the other; what is empty takes no line. */
static struct sh_bytes embed_text(struct cutter *cutter, struct sh_bytes heading,
                                  struct sh_bytes text)
{
    size_t len = cutter->title.len + heading.len + text.len + 2;
    char *data = sh_arena_alloc(cutter->arena, len + 1);
    char *at = data;
    if (!data)
        return (struct sh_bytes){0};
    at = append(at, cutter->title);
    if (cutter->title.len > 0)
        *at++ = '\n';
    if (!sh_bytes_equal(heading, cutter->title)) {
        at = append(at, heading);
        if (heading.len > 0)
            *at++ = '\n';
    }
    at = append(at, text);
    return (struct sh_bytes){data, (size_t)(at - data)};
}

static enum sh_err grow(struct cutter *cutter)
{
    if (cutter->count < cutter->capacity)
        return SH_OK;
    size_t capacity = cutter->capacity ? cutter->capacity * 2 : 16;
    struct chunk *chunks = sh_arena_array(cutter->arena, capacity, sizeof(*chunks));
    if (!chunks)
        return SH_NOMEM;
    if (cutter->count > 0)
        memcpy(chunks, cutter->chunks, cutter->count * sizeof(*chunks));
    cutter->chunks = chunks;
    cutter->capacity = capacity;
    return SH_OK;
}

static enum sh_err emit(struct cutter *cutter, const struct chunk_section *section,
                        const struct units *units, struct span span)
{
    if (cutter->count >= UINT32_MAX || grow(cutter) != SH_OK)
        return SH_NOMEM;
    struct sh_bytes text = slice(section, units, span);
    struct sh_bytes embed = embed_text(cutter, section->title, text);
    if (!embed.data)
        return SH_NOMEM;
    cutter->chunks[cutter->count] = (struct chunk){
        .section_title = section->title,
        .text = text,
        .embed_text = embed,
        .page_number = section->page_number,
        .ordinal = (uint32_t)cutter->count,
        .tokens = span.tokens,
    };
    cutter->count++;
    return SH_OK;
}

/* As many units as fit the aim, one that no passage covers yet at least; all of the rest
 * where little would remain. */
static struct span fill(const struct cutter *cutter, const struct units *units,
                        size_t first, size_t covered, uint64_t left)
{
    struct span span = {first, first, 0};
    if (left <= cutter->aim + cutter->aim / 5)
        return (struct span){first, units->count, (uint32_t)left};
    while (span.end < units->count) {
        uint32_t tokens = units->items[span.end].tokens;
        if (span.end > covered && span.tokens + tokens > cutter->aim)
            break;
        span.tokens += tokens;
        span.end++;
    }
    return span;
}

/* Where a paragraph begins in the last part of a passage, the passage ends before it:
 * whole paragraphs are worth a somewhat shorter passage. */
static struct span end_at_paragraph(const struct cutter *cutter,
                                    const struct units *units, struct span span,
                                    size_t covered)
{
    uint32_t tokens = span.tokens;
    if (span.end >= units->count || units->items[span.end].paragraph)
        return span;
    for (size_t i = span.end - 1; i > span.first && i > covered; i--) {
        tokens -= units->items[i].tokens;
        if (tokens < cutter->aim / 5 * 3)
            break;
        if (units->items[i].paragraph)
            return (struct span){span.first, i, tokens};
    }
    return span;
}

/* The first unit of the next passage: as many of the last ones again as make the overlap.
 * One sentence of up to twice that is taken rather than none. */
static size_t step_back(const struct cutter *cutter, const struct units *units,
                        struct span span)
{
    uint32_t shared = 0;
    size_t first = span.end;
    if (cutter->overlap == 0)
        return first;
    while (first > span.first + 1) {
        uint32_t tokens = units->items[first - 1].tokens;
        uint32_t most = shared == 0 ? 2 * cutter->overlap : cutter->overlap;
        if (shared + tokens > most)
            break;
        shared += tokens;
        first--;
    }
    return first;
}

static enum sh_err cut_units(struct cutter *cutter, const struct chunk_section *section,
                             const struct units *units)
{
    enum sh_err err = SH_OK;
    uint64_t left = 0; /* tokens from `first` on */
    size_t covered = 0;

    for (size_t i = 0; i < units->count; i++)
        left += units->items[i].tokens;
    for (size_t first = 0; err == SH_OK && covered < units->count;) {
        struct span span = fill(cutter, units, first, covered, left);
        span = end_at_paragraph(cutter, units, span, covered);
        err = emit(cutter, section, units, span);
        covered = span.end;
        size_t next = covered < units->count ? step_back(cutter, units, span) : covered;
        for (; first < next; first++)
            left -= units->items[first].tokens;
    }
    return err;
}

/* A passage never spans a great gap: it would be mostly blanks. */
static enum sh_err cut_section(struct cutter *cutter, const struct chunk_section *section)
{
    struct units units;
    enum sh_err err = units_split(section->text, cutter->aim / 4, cutter->arena, &units);
    for (size_t first = 0; err == SH_OK && first < units.count;) {
        size_t end = first + 1;
        while (end < units.count && !units.items[end].apart)
            end++;
        struct units part = {units.items + first, end - first, 0};
        err = cut_units(cutter, section, &part);
        first = end;
    }
    return err;
}

/* NOLINTNEXTLINE(readability-function-size): pointers and their counts */
enum sh_err chunk_document(struct sh_bytes title, const struct chunk_section *sections,
                           size_t count, const struct chunk_options *options,
                           struct sh_arena *arena, struct chunk **chunks,
                           size_t *chunk_count)
{
    uint32_t aim = options && options->tokens ? options->tokens : DEFAULT_TOKENS;
    uint32_t percent = options && options->overlap_percent != UINT32_MAX
                           ? options->overlap_percent
                           : DEFAULT_OVERLAP;
    enum sh_err err = SH_OK;

    aim = aim < LEAST_TOKENS ? LEAST_TOKENS : aim > 100000 ? 100000 : aim;
    percent = percent > 50 ? 50 : percent;
    struct cutter cutter = {.aim = aim,
                            .overlap = (uint32_t)((uint64_t)aim * percent / 100),
                            .title = title,
                            .arena = arena};
    *chunks = NULL;
    *chunk_count = 0;
    for (size_t i = 0; err == SH_OK && i < count; i++)
        err = cut_section(&cutter, &sections[i]);
    if (err != SH_OK)
        return err;
    *chunks = cutter.chunks;
    *chunk_count = cutter.count;
    return SH_OK;
}
