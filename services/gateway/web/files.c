#include "services/gateway/web/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>

#include "shared/log.h"
#include "shared/mem.h"

enum { DEPTH_MAX = 4 };

struct web_files {
    struct web_file *files; /* by path */
    size_t count;
    size_t bytes;
};

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
};

static const char *type_of(const char *name)
{
    const char *ending = strrchr(name, '.');

    for (size_t i = 0; ending != NULL && i < SH_COUNT(types); i++)
        if (strcmp(ending, types[i].ending) == 0)
            return types[i].type;
    return NULL;
}

/* --- one file --------------------------------------------------------------------- */

static bool read_whole(int fd, char *into, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, into, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        into += n;
        len -= (size_t)n;
    }
    return true;
}

static enum sh_err read_file(int fd, size_t len, struct sh_bytes *out)
{
    char *data = sh_alloc(len + 1);

    if (data == NULL)
        return SH_NOMEM;
    if (!read_whole(fd, data, len)) {
        sh_free(data);
        return SH_IO;
    }
    *out = (struct sh_bytes){data, len};
    return SH_OK;
}

/* gzip, as small as it gets: it is done once. */
static enum sh_err pack(struct web_file *file)
{
    z_stream stream = {0};
    uInt len = (uInt)file->plain.len;

    if (len < 256 || deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9,
                                  Z_DEFAULT_STRATEGY) != Z_OK)
        return SH_OK; /* plain will do */
    unsigned char *data = sh_alloc(len);
    if (data == NULL) {
        (void)deflateEnd(&stream);
        return SH_NOMEM;
    }
    stream.next_in = sh_unconst(file->plain.data);
    stream.avail_in = len;
    stream.next_out = data;
    stream.avail_out = len;
    bool smaller = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    if (smaller)
        file->packed = (struct sh_bytes){data, len - stream.avail_out};
    else
        sh_free(data);
    (void)deflateEnd(&stream);
    return SH_OK;
}

static void set_tags(struct web_file *file)
{
    XXH64_hash_t hash = XXH3_64bits(file->plain.data, file->plain.len);

    (void)snprintf(file->tag, sizeof file->tag, "\"%016llx\"", (unsigned long long)hash);
    hash ^= 1; /* other bytes, another tag */
    (void)snprintf(file->packed_tag, sizeof file->packed_tag, "\"%016llx\"",
                   (unsigned long long)hash);
}

/* --- the directory ---------------------------------------------------------------- */

struct reading {
    struct web_files *files;
    char *why;
    size_t size;
};

static enum sh_err fail(const struct reading *reading, enum sh_err err, const char *path,
                        const char *what)
{
    (void)snprintf(reading->why, reading->size, "%s: %s", path, what);
    return err;
}

static enum sh_err add(struct reading *reading, int fd, const char *path, size_t len)
{
    struct web_files *files = reading->files;
    struct web_file *file = &files->files[files->count];

    if (len > WEB_FILE_BYTES || files->bytes + len > WEB_BYTES)
        return fail(reading, SH_TOOBIG, path, "is too large for a page");
    *file = (struct web_file){.type = type_of(path),
                              .hashed = strncmp(path, "/assets/", 8) == 0};
    (void)snprintf(file->path, sizeof file->path, "%s", path);
    enum sh_err err = read_file(fd, len, &file->plain);
    if (err != SH_OK)
        return fail(reading, err, path, "cannot be read");
    files->count++;
    files->bytes += len;
    set_tags(file);
    return pack(file);
}

static enum sh_err read_dir(struct reading *reading, int fd, const char *path, int depth);

/* A symbolic link is left out, as it may lead anywhere. */
static enum sh_err read_entry(struct reading *reading, int dir, const char *path,
                              int depth)
{
    int fd = openat(dir, strrchr(path, '/') + 1, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0)
        return errno == ELOOP ? SH_OK : fail(reading, SH_IO, path, strerror(errno));
    enum sh_err err = SH_OK;
    if (fstat(fd, &st) != 0)
        err = fail(reading, SH_IO, path, strerror(errno));
    else if (S_ISDIR(st.st_mode))
        return read_dir(reading, fd, path, depth + 1); /* which closes it */
    else if (S_ISREG(st.st_mode) && type_of(path) != NULL)
        err = reading->files->count < WEB_FILES_MAX
                  ? add(reading, fd, path, (size_t)st.st_size)
                  : fail(reading, SH_TOOBIG, path, "is a file too many");
    close(fd);
    return err;
}

/* Takes `fd`. */
static enum sh_err read_dir(struct reading *reading, int fd, const char *path, int depth)
{
    DIR *dir = depth <= DEPTH_MAX ? fdopendir(fd) : NULL;
    enum sh_err err = SH_OK;
    char name[WEB_NAME_MAX];

    if (dir == NULL) {
        close(fd);
        return fail(reading, SH_TOOBIG, path, "cannot be read, or lies too deep");
    }
    for (const struct dirent *entry; err == SH_OK && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        int n = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (n < 0 || (size_t)n >= sizeof name)
            err = fail(reading, SH_TOOBIG, path, "has a name that is too long");
        else
            err = read_entry(reading, dirfd(dir), name, depth);
    }
    closedir(dir);
    return err;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct web_file *)a)->path, ((const struct web_file *)b)->path);
}

enum sh_err web_files_read(const char *dir, struct web_files **out, char *why,
                           size_t size)
{
    struct web_files *files = sh_alloc(sizeof *files);
    struct reading reading = {files, why, size};

    *out = files;
    (void)snprintf(why, size, "out of memory");
    if (files == NULL)
        return SH_NOMEM;
    files->files = sh_alloc_array(WEB_FILES_MAX, sizeof *files->files);
    int fd = open(dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    enum sh_err err = files->files == NULL ? SH_NOMEM : SH_OK;
    if (fd < 0 && err == SH_OK)
        err = fail(&reading, errno == ENOENT ? SH_NOTFOUND : SH_IO, dir, strerror(errno));
    if (fd >= 0 && err == SH_OK)
        err = read_dir(&reading, fd, "", 0);
    else if (fd >= 0)
        close(fd);
    if (err == SH_OK) {
        qsort(files->files, files->count, sizeof *files->files, by_path);
        if (web_files_find(files, sh_bytes_of("/index.html")) == NULL)
            err = fail(&reading, SH_NOTFOUND, dir, "there is no index.html");
    }
    if (err != SH_OK)
        web_files_free(out);
    return err;
}

struct web_files *web_files_open(const char *dir)
{
    struct web_files *files = NULL;
    char why[512];

    if (dir[0] == '\0')
        return NULL;
    if (web_files_read(dir, &files, why, sizeof why) == SH_OK)
        sh_info(NULL, "%zu files of web pages", files->count);
    else
        sh_warning(NULL, "no web pages are served (WEB_DIR): %s", why);
    return files;
}

void web_files_free(struct web_files **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < (*self)->count; i++) {
        sh_free(sh_unconst((*self)->files[i].plain.data));
        sh_free(sh_unconst((*self)->files[i].packed.data));
    }
    sh_free((*self)->files);
    sh_free(*self);
    *self = NULL;
}

size_t web_files_count(const struct web_files *self)
{
    return self->count;
}

static int compare(struct sh_bytes path, const char *name)
{
    size_t len = strlen(name);
    int order = memcmp(path.data, name, path.len < len ? path.len : len);

    return order != 0 ? order : (path.len > len) - (path.len < len);
}

const struct web_file *web_files_find(const struct web_files *self, struct sh_bytes path)
{
    size_t low = 0, high = self->count;

    while (path.len > 0 && low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(path, self->files[middle].path);
        if (order == 0)
            return &self->files[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
