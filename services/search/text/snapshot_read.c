#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/search/text/snapshot_format.h"
#include "services/search/text/text_internal.h"
#include "services/search/text/text_snapshot.h"
#include "shared/mem.h"

struct reader {
    struct sh_bytes bytes;
    struct snapshot_foot foot;
    struct sh_bytes sections[SNAPSHOT_SECTIONS];
    struct text_index *index;
};

/* --- the frame -------------------------------------------------------------------- */

static bool read_frame(struct reader *reader)
{
    if (!sh_sections_foot(&snapshot_kind, reader->bytes, &reader->foot) ||
        !sh_sections_read(&snapshot_kind, reader->bytes, &reader->foot, reader->sections))
        return false;
    return reader->sections[SNAPSHOT_BODIES].len == reader->sections[SNAPSHOT_SLOTS].len;
}

/* --- passages --------------------------------------------------------------------- */

/* Slots are given out from 0 on: far more of them than passages is nonsense. */
static bool read_slot_count(struct sh_bytes section, uint32_t count, uint32_t *most)
{
    const uint32_t *slots = section.data;
    *most = 0;
    for (uint32_t n = 0; n < count; n++) {
        if (slots[n] != UINT32_MAX && slots[n] >= *most)
            *most = slots[n] + 1;
    }
    return *most <= 64 * ((uint64_t)count + 1024) && *most <= UINT32_MAX / 4;
}

static enum sh_err read_passages(struct reader *reader)
{
    struct text_index *index = reader->index;
    struct sh_bytes section = reader->sections[SNAPSHOT_SLOTS];
    const uint32_t *slots = section.data;
    uint32_t count = (uint32_t)(section.len / sizeof(*slots));
    uint32_t most = 0;
    if (!read_slot_count(section, count, &most))
        return SH_MALFORMED;
    enum sh_err err = text_reserve(index, count, most);
    if (err != SH_OK)
        return err;
    if (count > 0)
        memcpy(index->bodies, reader->sections[SNAPSHOT_BODIES].data, section.len);
    for (; index->count < count; index->count++) {
        uint32_t slot = slots[index->count];
        if (slot == UINT32_MAX)
            continue;
        if (index->numbers[slot] != UINT32_MAX)
            return SH_MALFORMED;
        text_link(index, index->count, slot);
        index->live++;
        index->body_total += index->bodies[index->count];
    }
    return SH_OK;
}

/* --- terms ------------------------------------------------------------------------ */

struct place { /* in the sections that go by term */
    uint32_t text;
    uint64_t bytes;
    uint64_t blocks;
};

/* It is copied before the first byte is written. */
static void *borrow(const void *data)
{
    void *same;
    memcpy(&same, &data, sizeof(same));
    return same;
}

static bool blocks_are_sound(const struct postings *list)
{
    uint32_t blocks = postings_blocks(list);
    for (uint32_t i = 0; i < blocks; i++) {
        const struct postings_block *block = &list->blocks[i];
        if (block->end > list->len || block->last >= list->last - 1 ||
            (i > 0 && (block->end < block[-1].end || block->last <= block[-1].last)))
            return false;
    }
    return true;
}

static bool read_list(const struct reader *reader, const struct snapshot_term *from,
                      const struct place *place, struct postings *list)
{
    struct sh_bytes postings = reader->sections[SNAPSHOT_POSTINGS];
    struct sh_bytes blocks = reader->sections[SNAPSHOT_BLOCKS];
    const uint8_t *data = (const uint8_t *)postings.data + place->bytes;
    *list =
        (struct postings){.count = from->count, .last = from->last, .len = from->bytes};
    uint64_t used = (place->blocks + postings_blocks(list)) * sizeof(*list->blocks);
    if (from->count == 0 || from->count > from->last ||
        from->last > reader->index->count || from->passages > from->count ||
        from->bytes > postings.len - place->bytes || used > blocks.len)
        return false;
    if (from->bytes <= POSTINGS_SMALL) {
        if (postings_blocks(list) > 0)
            return false;
        memcpy(list->small, data, from->bytes);
        return true;
    }
    list->data = borrow(data);
    if (postings_blocks(list) > 0)
        list->blocks = (struct postings_block *)borrow(blocks.data) + place->blocks;
    return blocks_are_sound(list);
}

static bool read_term(const struct reader *reader, const struct snapshot_term *from,
                      struct place *place, struct term *term)
{
    struct sh_bytes pool = reader->sections[SNAPSHOT_POOL];
    const uint8_t *text = (const uint8_t *)pool.data + place->text;
    size_t left = pool.len - place->text;
    if (left == 0 || *text == 0 || *text > ANALYZER_TERM_MAX || *text >= left)
        return false;
    *term = (struct term){.text = place->text, .passages = from->passages};
    if (!read_list(reader, from, place, &term->postings)) {
        term->postings = (struct postings){0};
        return false;
    }
    place->text += 1U + *text;
    place->bytes += from->bytes;
    place->blocks += postings_blocks(&term->postings);
    return true;
}

static enum sh_err read_terms(struct reader *reader)
{
    struct sh_bytes section = reader->sections[SNAPSHOT_TERMS];
    const struct snapshot_term *from = section.data;
    uint32_t count = (uint32_t)(section.len / sizeof(*from));
    struct terms *terms = &reader->index->terms;
    struct place place = {0};
    enum sh_err err = terms_reserve(terms, count, reader->sections[SNAPSHOT_POOL]);
    for (; err == SH_OK && terms->count < count; terms->count++) {
        if (!read_term(reader, &from[terms->count], &place, &terms->items[terms->count]))
            return SH_MALFORMED;
    }
    if (err == SH_OK)
        terms_reindex(terms);
    return err;
}

static uint32_t *copy_numbers(struct sh_bytes section, uint32_t *count)
{
    uint32_t *numbers = sh_alloc(section.len + sizeof(uint32_t));
    *count = (uint32_t)(section.len / sizeof(uint32_t));
    if (numbers && section.len > 0)
        memcpy(numbers, section.data, section.len);
    return numbers;
}

static enum sh_err read_lexicon(struct reader *reader)
{
    struct lexicon *lexicon = &reader->index->lexicon;
    struct sh_bytes section = reader->sections[SNAPSHOT_LEXICON];
    if (section.len == 0)
        return SH_OK;
    lexicon->order = copy_numbers(section, &lexicon->count);
    if (!lexicon->order)
        return SH_NOMEM;
    if (lexicon->count > reader->index->terms.count)
        return SH_MALFORMED;
    for (uint32_t i = 0; i < lexicon->count; i++) {
        if (lexicon->order[i] >= lexicon->count)
            return SH_MALFORMED;
    }
    return lexicon_shape(&reader->index->terms, lexicon);
}

/* --- all -------------------------------------------------------------------------- */

enum sh_err text_snapshot_read(struct sh_bytes bytes, const struct text_options *options,
                               struct sh_arena *arena, struct text_index **out,
                               struct sh_bytes *note)
{
    struct reader reader = {.bytes = bytes};
    *out = NULL;
    if (!read_frame(&reader))
        return SH_MALFORMED;
    enum sh_err err = text_index_create(options, &reader.index);
    if (err == SH_OK)
        err = read_passages(&reader);
    if (err == SH_OK)
        err = read_terms(&reader);
    if (err == SH_OK)
        err = read_lexicon(&reader);
    if (err == SH_OK) {
        *note = sh_arena_copy(arena, reader.sections[SNAPSHOT_NOTE]);
        err = note->data ? SH_OK : SH_NOMEM;
    }
    if (err != SH_OK)
        text_index_free(&reader.index);
    *out = reader.index;
    return err;
}

static enum sh_err map(const char *path, void **data, size_t *len)
{
    struct stat status;
    enum sh_err err = SH_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? SH_NOTFOUND : SH_IO;
    if (fstat(fd, &status) != 0)
        err = SH_IO;
    else if (status.st_size <= 0)
        err = SH_MALFORMED;
    if (err == SH_OK) {
        *len = (size_t)status.st_size;
        *data = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
        err = *data == MAP_FAILED ? SH_IO : SH_OK;
    }
    (void)close(fd);
    return err;
}

enum sh_err text_snapshot_open(const char *path, const struct text_options *options,
                               struct sh_arena *arena, struct text_index **out,
                               struct sh_bytes *note)
{
    void *data = NULL;
    size_t len = 0;
    *out = NULL;
    enum sh_err err = map(path, &data, &len);
    if (err != SH_OK)
        return err;
    err = text_snapshot_read((struct sh_bytes){data, len}, options, arena, out, note);
    if (err != SH_OK) {
        (void)munmap(data, len);
        return err;
    }
    (*out)->mapped = data;
    (*out)->mapped_len = len;
    return SH_OK;
}
