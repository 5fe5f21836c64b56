#include "services/graph/snapshot/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/graph/snapshot/read.h"

enum { PATH_ROOM = 4096, BUFFER = 1 << 20 };

static enum sh_err path_of(const char *dir, char path[PATH_ROOM])
{
    int len = snprintf(path, PATH_ROOM, "%s/graph", dir);
    return len > 0 && len < PATH_ROOM ? SH_OK : SH_TOOBIG;
}

enum sh_err snapshot_save(const struct graph_reader *reader, const char *note,
                          const char *dir)
{
    char path[PATH_ROOM];
    enum sh_err err = path_of(dir, path);
    if (err != SH_OK)
        return err;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return SH_IO;
    }
    (void)setvbuf(file, NULL, _IOFBF, BUFFER); /* slower without */
    err = snapshot_write(reader, note, file);
    if (err == SH_OK && fsync(fd) != 0)
        err = SH_IO;
    if (fclose(file) != 0 && err == SH_OK)
        err = SH_IO;
    return err;
}

/* The file, and how long it is. On success the caller closes *fd. */
static enum sh_err open_kept(const char *dir, int *fd, size_t *size)
{
    char path[PATH_ROOM];
    struct stat about;
    enum sh_err err = path_of(dir, path);
    if (err != SH_OK)
        return err;
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return errno == ENOENT ? SH_NOTFOUND : SH_IO;
    err = fstat(*fd, &about) == 0 ? SH_OK : SH_IO;
    if (err == SH_OK && (!S_ISREG(about.st_mode) || about.st_size == 0))
        err = SH_MALFORMED;
    if (err == SH_OK)
        *size = (size_t)about.st_size;
    else
        (void)close(*fd);
    return err;
}

/* All of it, mapped: nobody changes it once it is whole. */
static enum sh_err map(const char *dir, struct sh_bytes *out)
{
    int fd;
    size_t size;
    enum sh_err err = open_kept(dir, &fd, &size);
    if (err != SH_OK)
        return err;
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    *out = (struct sh_bytes){bytes, size};
    (void)close(fd);
    return bytes != MAP_FAILED ? SH_OK : SH_IO;
}

static void unmap(struct sh_bytes bytes)
{
    (void)munmap(sh_unconst(bytes.data), bytes.len);
}

enum sh_err snapshot_peek(const char *dir, char note[SNAPSHOT_NOTE + 1])
{
    struct kept_foot foot;
    int fd;
    size_t size;
    enum sh_err err = open_kept(dir, &fd, &size);
    if (err != SH_OK)
        return err;
    ssize_t taken = size < sizeof(foot)
                        ? 0
                        : pread(fd, &foot, sizeof(foot), (off_t)(size - sizeof(foot)));
    (void)close(fd);
    if (taken < 0)
        return SH_IO;
    err = kept_read_foot((struct sh_bytes){&foot, (size_t)taken}, &foot);
    if (err == SH_OK)
        memcpy(note, foot.note, SNAPSHOT_NOTE + 1);
    return err;
}

enum sh_err snapshot_load(struct graph *graph, const char *dir)
{
    struct sh_bytes bytes;
    enum sh_err err = map(dir, &bytes);
    if (err != SH_OK)
        return err;
    err = snapshot_read(graph, bytes);
    unmap(bytes);
    return err;
}
