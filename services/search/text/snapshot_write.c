#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <unistd.h>

#include "services/search/text/snapshot_format.h"
#include "services/search/text/text_internal.h"
#include "services/search/text/text_snapshot.h"
#include "shared/mem.h"

static const size_t units[SNAPSHOT_SECTIONS] = {
    [SNAPSHOT_NOTE] = 1,
    [SNAPSHOT_BODIES] = sizeof(uint32_t),
    [SNAPSHOT_SLOTS] = sizeof(uint32_t),
    [SNAPSHOT_TERMS] = sizeof(struct snapshot_term),
    [SNAPSHOT_POOL] = 1,
    [SNAPSHOT_POSTINGS] = 1,
    [SNAPSHOT_BLOCKS] = sizeof(struct postings_block),
    [SNAPSHOT_LEXICON] = sizeof(uint32_t),
};
const struct sh_sections_kind snapshot_kind = {
    .magic = "CairnTxt",
    .version = TEXT_SNAPSHOT_VERSION,
    .foot = sizeof(struct snapshot_foot),
    .sections = offsetof(struct snapshot_foot, sections),
    .count = SNAPSHOT_SECTIONS,
    .units = units,
    .most = UINT32_MAX / 2};

struct writer {
    const struct text_index *index;
    struct sh_sections out;
    struct snapshot_foot foot;
};

static void put(struct writer *writer, const void *data, size_t len)
{
    sh_section_put(&writer->out, data, len);
}

static void begin(struct writer *writer, enum snapshot_section_id id)
{
    sh_section_begin(&writer->out, &writer->foot.sections[id]);
}

static void end(struct writer *writer, enum snapshot_section_id id)
{
    sh_section_end(&writer->out, &writer->foot.sections[id]);
}

static void put_section(struct writer *writer, enum snapshot_section_id id,
                        const void *data, size_t len)
{
    begin(writer, id);
    put(writer, data, len);
    end(writer, id);
}

static void put_terms(struct writer *writer)
{
    const struct terms *terms = &writer->index->terms;
    begin(writer, SNAPSHOT_TERMS);
    for (uint32_t i = 0; i < terms->count; i++) {
        const struct term *term = &terms->items[i];
        const struct snapshot_term kept = {term->passages, term->postings.count,
                                           term->postings.last, term->postings.len};
        put(writer, &kept, sizeof(kept));
    }
    end(writer, SNAPSHOT_TERMS);
    put_section(writer, SNAPSHOT_POOL, terms->pool, terms->pool_len);
}

static void put_postings(struct writer *writer)
{
    const struct terms *terms = &writer->index->terms;
    begin(writer, SNAPSHOT_POSTINGS);
    for (uint32_t i = 0; i < terms->count; i++) {
        const struct postings *list = &terms->items[i].postings;
        put(writer, postings_data(list), list->len);
    }
    end(writer, SNAPSHOT_POSTINGS);
    begin(writer, SNAPSHOT_BLOCKS);
    for (uint32_t i = 0; i < terms->count; i++) {
        const struct postings *list = &terms->items[i].postings;
        put(writer, list->blocks, postings_blocks(list) * sizeof(*list->blocks));
    }
    end(writer, SNAPSHOT_BLOCKS);
}

enum sh_err text_snapshot_save(const struct text_index *index, struct sh_bytes note,
                               FILE *file)
{
    struct writer writer = {.index = index};
    const struct lexicon *lexicon = &index->lexicon;
    size_t passages = (size_t)index->count * sizeof(uint32_t);
    if (note.len > TEXT_SNAPSHOT_NOTE)
        return SH_TOOBIG;
    enum sh_err err = sh_sections_open(file, &writer.out);
    if (err != SH_OK)
        return err;
    put_section(&writer, SNAPSHOT_NOTE, note.data, note.len);
    put_section(&writer, SNAPSHOT_BODIES, index->bodies, passages);
    put_section(&writer, SNAPSHOT_SLOTS, index->slots, passages);
    put_terms(&writer);
    put_postings(&writer);
    put_section(&writer, SNAPSHOT_LEXICON, lexicon->order,
                lexicon->count * sizeof(*lexicon->order));
    return sh_sections_close(&writer.out, &snapshot_kind, &writer.foot);
}

static void sync_directory(char *path)
{
    int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

static enum sh_err save_to(const struct text_index *index, struct sh_bytes note,
                           const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!file) {
        if (fd >= 0)
            (void)close(fd);
        return SH_IO;
    }
    enum sh_err err = text_snapshot_save(index, note, file);
    if (err == SH_OK && fsync(fd) != 0)
        err = SH_IO;
    if (fclose(file) != 0 && err == SH_OK)
        err = SH_IO;
    return err;
}

enum sh_err text_snapshot_write(const struct text_index *index, struct sh_bytes note,
                                const char *path)
{
    size_t len = strlen(path);
    char *temporary = sh_alloc(len + sizeof(".new"));
    if (!temporary)
        return SH_NOMEM;
    memcpy(temporary, path, len);
    memcpy(temporary + len, ".new", sizeof(".new"));
    enum sh_err err = save_to(index, note, temporary);
    if (err == SH_OK && rename(temporary, path) != 0)
        err = SH_IO;
    if (err == SH_OK)
        sync_directory(temporary);
    else
        (void)unlink(temporary);
    sh_free(temporary);
    return err;
}
