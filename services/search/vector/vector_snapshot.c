#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <xxhash.h>

#include "services/search/vector/vector_internal.h"

enum { FILE_VERSION = 1, FILE_ORDER = 0x01020304 };

#define FILE_MAGIC "CAIRNVEC"

struct note { /* what `graph` and the rows' file must be like */
    char magic[8];
    uint32_t version;
    uint32_t order;
    uint32_t dimension;
    uint32_t codes;
    uint32_t links;
    uint32_t count;
    uint64_t rows;
    uint64_t checksum; /* XXH3 of what is above */
};

static uint64_t note_checksum(const struct note *note)
{
    return XXH3_64bits(note, offsetof(struct note, checksum));
}

static char *path_in(const char *dir, const char *name)
{
    size_t room = strlen(dir) + strlen(name) + 2;
    char *path = sh_alloc(room);
    if (path)
        (void)snprintf(path, room, "%s/%s", dir, name);
    return path;
}

static enum sh_err write_note(const char *path, const struct note *note)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return SH_IO;
    enum sh_err err =
        write(fd, note, sizeof(*note)) == (ssize_t)sizeof(*note) ? SH_OK : SH_IO;
    if (err == SH_OK && fsync(fd) != 0)
        err = SH_IO;
    if (close(fd) != 0)
        err = SH_IO;
    return err;
}

static enum sh_err read_note(const char *path, struct note *note)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? SH_NOTFOUND : SH_IO;
    ssize_t bytes = read(fd, note, sizeof(*note));
    close(fd);
    if (bytes < 0)
        return SH_IO;
    if (bytes != (ssize_t)sizeof(*note) ||
        memcmp(note->magic, FILE_MAGIC, sizeof(note->magic)) != 0 ||
        note->checksum != note_checksum(note) || note->version != FILE_VERSION ||
        note->order != FILE_ORDER)
        return SH_MALFORMED;
    return SH_OK;
}

static struct note note_of(const struct vector_options *options, uint32_t dimension)
{
    return (struct note){.magic = FILE_MAGIC,
                         .version = FILE_VERSION,
                         .order = FILE_ORDER,
                         .dimension = dimension,
                         .codes = options->codes,
                         .links = options->links};
}

struct paths {
    char *graph;
    char *note;
    char *rows;
};

static enum sh_err make_paths(const char *dir, struct paths *paths)
{
    *paths = (struct paths){path_in(dir, "graph"), path_in(dir, "vectors"),
                            path_in(dir, "rows")};
    return paths->graph && paths->note && paths->rows ? SH_OK : SH_NOMEM;
}

static void free_paths(struct paths *paths)
{
    sh_free(paths->graph);
    sh_free(paths->note);
    sh_free(paths->rows);
}

enum sh_err vector_index_save(struct vector_index *self, const char *dir)
{
    struct note note = note_of(&self->options, vector_index_dimension(self));
    struct paths paths;
    enum sh_err err = make_paths(dir, &paths);
    if (err == SH_OK)
        err = rows_link(self->rows, paths.rows);
    if (err == SH_OK)
        err = rows_sync(self->rows);
    if (err == SH_OK)
        err = hnsw_save(self->graph, paths.graph);
    note.rows = rows_identity(self->rows);
    note.count = vector_index_count(self);
    note.checksum = note_checksum(&note);
    if (err == SH_OK)
        err = write_note(paths.note, &note);
    free_paths(&paths);
    return err;
}

static enum sh_err open_parts(const struct note *note, const struct paths *paths,
                              uint32_t dimension, const struct vector_options *options,
                              struct vector_index **out)
{
    const struct rows_options rows_options = {dimension, options->most, options->rows};
    struct hnsw *graph = NULL;
    struct rows *rows = NULL;
    if (note->dimension != dimension || note->codes != options->codes ||
        note->links != options->links)
        return SH_CONFLICT;
    enum sh_err err = rows_open(&rows_options, paths->rows, note->rows, &rows);
    if (err == SH_CONFLICT)
        err = SH_MALFORMED; /* the note told of other rows */
    if (err == SH_OK)
        err = hnsw_load(paths->graph, options->most, &graph);
    if (err == SH_OK &&
        (hnsw_dimension(graph) != dimension || hnsw_count(graph) != note->count))
        err = SH_MALFORMED;
    if (err == SH_OK)
        return vector_index_of(options, graph, rows, out);
    hnsw_free(&graph);
    rows_free(&rows);
    return err;
}

enum sh_err vector_index_open(const char *dir, uint32_t dimension,
                              const struct vector_options *options,
                              struct vector_index **out)
{
    struct paths paths;
    struct note note;
    *out = NULL;
    enum sh_err err = make_paths(dir, &paths);
    if (err == SH_OK)
        err = read_note(paths.note, &note);
    if (err == SH_OK)
        err = open_parts(&note, &paths, dimension, options, out);
    free_paths(&paths);
    return err;
}

void vector_index_clean(const char *rows)
{
    rows_clean(rows);
}
