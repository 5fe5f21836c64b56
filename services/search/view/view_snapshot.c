#include "services/search/view/view_snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/search/text/text_snapshot.h"
#include "services/search/view/view_snapshot_format.h"
#include "shared/trace.h"

enum { PATH_ROOM = 4096, BUFFER = 1 << 20 };

static enum sh_err path_of(const char *dir, const char *name, char path[PATH_ROOM])
{
    int len = snprintf(path, PATH_ROOM, "%s/%s", dir, name);
    return len > 0 && len < PATH_ROOM ? SH_OK : SH_TOOBIG;
}

/* --- saving ----------------------------------------------------------------------- */

static void make_tag(char tag[KEPT_TAG])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t raw[KEPT_TAG / 2];
    sh_random(raw, sizeof(raw));
    for (size_t i = 0; i < KEPT_TAG; i++)
        tag[i] = digits[raw[i / 2] >> (i % 2 * 4) & 15];
}

static enum sh_err save_file(const struct view *view, const char *note, const char *tag,
                             const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!file) {
        if (fd >= 0)
            (void)close(fd);
        return SH_IO;
    }
    (void)setvbuf(file, NULL, _IOFBF, BUFFER); /* slower without */
    enum sh_err err = kept_write(view, note, tag, file);
    if (err == SH_OK && fsync(fd) != 0)
        err = SH_IO;
    if (fclose(file) != 0 && err == SH_OK)
        err = SH_IO;
    return err;
}

static enum sh_err save_text(const struct view *view, const char *tag, const char *dir)
{
    char path[PATH_ROOM];
    enum sh_err err = path_of(dir, "text", path);
    if (err == SH_OK)
        err = text_snapshot_write(view->text, (struct sh_bytes){tag, KEPT_TAG}, path);
    return err;
}

enum sh_err view_snapshot_save(const struct view *view, const char *note, const char *dir)
{
    char path[PATH_ROOM];
    char tag[KEPT_TAG];
    if (strlen(note) > VIEW_SNAPSHOT_NOTE)
        return SH_TOOBIG;
    make_tag(tag);
    enum sh_err err = path_of(dir, "view", path);
    if (err == SH_OK)
        err = save_file(view, note, tag, path);
    if (err == SH_OK)
        err = save_text(view, tag, dir);
    if (err == SH_OK && view->vectors)
        err = vector_index_save(view->vectors, dir);
    return err;
}

/* --- loading ---------------------------------------------------------------------- */

static enum sh_err open_file(const char *dir, int *fd, size_t *len)
{
    char path[PATH_ROOM];
    struct stat status;
    enum sh_err err = path_of(dir, "view", path);
    if (err != SH_OK)
        return err;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return errno == ENOENT ? SH_NOTFOUND : SH_IO;
    if (fstat(*fd, &status) != 0)
        err = SH_IO;
    else if (status.st_size <= 0)
        err = SH_MALFORMED;
    else
        *len = (size_t)status.st_size;
    if (err != SH_OK)
        (void)close(*fd);
    return err;
}

enum sh_err view_snapshot_peek(const char *dir, struct view_snapshot_about *out)
{
    struct kept_foot foot;
    size_t len = 0;
    int fd = -1;
    enum sh_err err = open_file(dir, &fd, &len);
    if (err != SH_OK)
        return err;
    ssize_t got = len < sizeof(foot)
                      ? 0
                      : pread(fd, &foot, sizeof(foot), (off_t)(len - sizeof(foot)));
    (void)close(fd);
    if (got != (ssize_t)sizeof(foot))
        return got < 0 ? SH_IO : SH_MALFORMED;
    err = kept_read_foot((struct sh_bytes){&foot, sizeof(foot)}, &foot);
    if (err != SH_OK)
        return err;
    *out = (struct view_snapshot_about){
        .dimension = foot.dimension,
        .documents = foot.sections[KEPT_DOCUMENTS].len / sizeof(struct kept_document),
        .chunks = foot.sections[KEPT_CHUNKS].len / sizeof(struct kept_chunk),
    };
    memcpy(out->note, foot.note, sizeof(out->note));
    memcpy(out->fingerprint, foot.fingerprint, sizeof(out->fingerprint));
    return SH_OK;
}

static enum sh_err map(const char *dir, struct view *view)
{
    size_t len = 0;
    int fd = -1;
    enum sh_err err = open_file(dir, &fd, &len);
    if (err != SH_OK)
        return err;
    void *data = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (data == MAP_FAILED)
        return SH_IO;
    view->mapped = data;
    view->mapped_len = len;
    return SH_OK;
}

/* The text index is of the same snapshot, and of these passages. */
static bool text_fits(const struct view *view, const struct text_index *text,
                      struct sh_bytes tag, const struct kept_foot *foot)
{
    if (!sh_bytes_equal(tag, (struct sh_bytes){foot->tag, KEPT_TAG}) ||
        text_index_passages(text) != view->chunk_count)
        return false;
    for (uint32_t slot = 0; slot < view->slot_count; slot++)
        if (view->slots[slot].document && !text_index_has(text, slot))
            return false;
    return true;
}

static enum sh_err load_text(struct view *view, const struct kept_foot *foot,
                             const char *dir)
{
    const struct text_options options = text_defaults();
    struct text_index *text = NULL;
    struct sh_arena arena = {0};
    struct sh_bytes tag = {0};
    char path[PATH_ROOM];
    enum sh_err err = path_of(dir, "text", path);
    if (err == SH_OK)
        err = text_snapshot_open(path, &options, &arena, &text, &tag);
    if (err == SH_OK && !text_fits(view, text, tag, foot))
        err = SH_MALFORMED;
    if (err == SH_OK) {
        text_index_free(&view->text);
        view->text = text;
        text = NULL;
    }
    text_index_free(&text);
    sh_arena_free(&arena);
    return err == SH_NOTFOUND ? SH_MALFORMED : err;
}

/* No vector is of a slot that is free: nobody would ever take it out. */
static bool vectors_fit(const struct view *view, const struct vector_index *vectors,
                        const struct kept_foot *foot)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < view->slot_count; slot++)
        if (view->slots[slot].document && vector_index_has(vectors, slot))
            count++;
    return count == vector_index_count(vectors) && count == foot->vectors;
}

static enum sh_err load_vectors(struct view *view, const struct kept_foot *foot,
                                const char *dir)
{
    struct vector_index *vectors = NULL;
    if (foot->dimension == 0)
        return SH_OK;
    enum sh_err err =
        vector_index_open(dir, foot->dimension, &view->options.vectors, &vectors);
    if (err == SH_OK && !vectors_fit(view, vectors, foot))
        err = SH_MALFORMED;
    if (err == SH_OK)
        view->vectors = vectors;
    else
        vector_index_free(&vectors);
    return err == SH_NOTFOUND ? SH_MALFORMED : err;
}

static bool same_model(const struct view_model *model, const struct kept_foot *foot)
{
    return model->dimension == foot->dimension &&
           strcmp(model->fingerprint, foot->fingerprint) == 0;
}

enum sh_err view_snapshot_load(struct view *view, const struct view_model *model,
                               const char *dir)
{
    struct kept_foot foot;
    enum sh_err err = map(dir, view);
    if (err != SH_OK)
        return err;
    const struct sh_bytes bytes = {view->mapped, view->mapped_len};
    err = kept_read_foot(bytes, &foot);
    if (err == SH_OK && !same_model(model, &foot))
        return SH_CONFLICT;
    if (err == SH_OK)
        err = kept_read(bytes, view);
    if (err == SH_OK)
        err = load_text(view, &foot, dir);
    if (err == SH_OK)
        err = load_vectors(view, &foot, dir);
    if (err != SH_OK)
        return err;
    memcpy(view->fingerprint, foot.fingerprint, sizeof(view->fingerprint));
    return view_set_model(view, model->fingerprint, model->dimension, model->alpha);
}
