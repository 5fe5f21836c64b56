#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "services/search/vector/rows_internal.h"

enum {
    FILE_VERSION = 1,
    FILE_ORDER = 0x01020304,
    GROW_LEAST = 1 << 20, /* bytes that a file grows by */
};

#define FILE_MAGIC "CAIRNROW"
#define FILE_NAME  "rows-"

struct file_head {
    char magic[8];
    uint32_t version;
    uint32_t order;
    uint32_t dimension;
    uint32_t record;
    uint64_t identity;
    uint64_t checksum; /* XXH3 of what is above */
};

/* Maps what the file has beyond `usable`, up to `bytes` (a multiple of REGION_PAGE). */
static enum sh_err map_file(struct rows *self, size_t bytes)
{
    struct region *region = &self->region;
    if (bytes <= region->usable)
        return SH_OK;
    void *at = mmap(region->base + region->usable, bytes - region->usable,
                    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, self->fd,
                    (off_t)region->usable);
    if (at == MAP_FAILED)
        return SH_NOMEM;
    region->usable = bytes;
    return SH_OK;
}

/* The blocks are taken now: without them a full disk would end the process later. */
enum sh_err rows_grow_file(struct rows *self, size_t needed)
{
    size_t usable = self->region.usable;
    size_t more = usable / 8 > GROW_LEAST ? usable / 8 : GROW_LEAST;
    size_t bytes = needed > usable + more ? needed : usable + more;
    bytes = (bytes + REGION_PAGE - 1) / REGION_PAGE * REGION_PAGE;
    if (bytes > self->region.most)
        bytes = self->region.most;
    int status = EINTR;
    while (status == EINTR)
        status = posix_fallocate(self->fd, (off_t)usable, (off_t)(bytes - usable));
    return status == 0 ? map_file(self, bytes) : SH_IO;
}

static uint64_t head_checksum(const struct file_head *head)
{
    return XXH3_64bits(head, offsetof(struct file_head, checksum));
}

static enum sh_err choose_path(struct rows *self, const char *dir)
{
    size_t room = strlen(dir) + sizeof("/" FILE_NAME) + 16;
    self->path = sh_alloc(room);
    if (!self->path)
        return SH_NOMEM;
    (void)snprintf(self->path, room, "%s/" FILE_NAME "%016llx", dir,
                   (unsigned long long)self->identity);
    return SH_OK;
}

enum sh_err rows_new_file(struct rows *self, const char *dir)
{
    if (getrandom(&self->identity, sizeof(self->identity), 0) !=
        (ssize_t)sizeof(self->identity))
        return SH_IO;
    self->identity |= 1; /* never 0 */
    enum sh_err err = choose_path(self, dir);
    if (err != SH_OK)
        return err;
    self->fd = open(self->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (self->fd < 0)
        return SH_IO;
    err = rows_grow_file(self, REGION_PAGE);
    if (err != SH_OK)
        return err;
    struct file_head head = {.magic = FILE_MAGIC,
                             .version = FILE_VERSION,
                             .order = FILE_ORDER,
                             .dimension = self->dimension,
                             .record = (uint32_t)self->record,
                             .identity = self->identity};
    head.checksum = head_checksum(&head);
    memcpy(self->region.base, &head, sizeof(head));
    return SH_OK;
}

static enum sh_err check_head(struct rows *self, uint64_t identity)
{
    struct file_head head;
    if (self->region.usable < REGION_PAGE)
        return SH_MALFORMED;
    memcpy(&head, self->region.base, sizeof(head));
    if (memcmp(head.magic, FILE_MAGIC, sizeof(head.magic)) != 0 ||
        head.checksum != head_checksum(&head) || head.version != FILE_VERSION ||
        head.order != FILE_ORDER)
        return SH_MALFORMED;
    self->identity = head.identity;
    bool same = head.identity == identity && head.dimension == self->dimension &&
                head.record == self->record;
    return same ? SH_OK : SH_CONFLICT;
}

static enum sh_err open_file(struct rows *self, const char *path, uint64_t identity)
{
    struct stat status;
    self->fd = open(path, O_RDWR | O_CLOEXEC);
    if (self->fd < 0)
        return errno == ENOENT ? SH_NOTFOUND : SH_IO;
    if (fstat(self->fd, &status) != 0 || !S_ISREG(status.st_mode))
        return SH_IO;
    size_t bytes = (size_t)status.st_size / REGION_PAGE * REGION_PAGE;
    if (bytes > self->region.most)
        bytes = self->region.most;
    enum sh_err err = map_file(self, bytes);
    if (err == SH_OK)
        err = check_head(self, identity);
    if (err != SH_OK)
        return err;
    self->filed = rows_in(self, bytes);
    err = region_grow(&self->states, self->filed);
    if (err == SH_OK)
        atomic_store(&self->slots, self->filed);
    return err;
}

/* `to` is another name for the file at `from`. */
static enum sh_err give_name(const char *from, const char *to)
{
    if (unlink(to) != 0 && errno != ENOENT)
        return SH_IO;
    return link(from, to) == 0 ? SH_OK : SH_IO;
}

enum sh_err rows_open(const struct rows_options *options, const char *path,
                      uint64_t identity, struct rows **out)
{
    *out = NULL;
    enum sh_err err = options->dir ? rows_make(options, out) : SH_INVALID;
    if (err == SH_OK)
        err = open_file(*out, path, identity);
    if (err == SH_OK)
        err = choose_path(*out, options->dir);
    if (err == SH_OK)
        err = give_name(path, (*out)->path);
    if (err != SH_OK)
        rows_free(out);
    return err;
}

enum sh_err rows_link(const struct rows *self, const char *path)
{
    return self->path ? give_name(self->path, path) : SH_INVALID;
}

void rows_clean(const char *dir)
{
    DIR *entries = opendir(dir);
    if (!entries)
        return;
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        const char *name = entry->d_name;
        size_t prefix = strlen(FILE_NAME);
        if (strncmp(name, FILE_NAME, prefix) == 0 && strlen(name) == prefix + 16 &&
            strspn(name + prefix, "0123456789abcdef") == 16)
            (void)unlinkat(dirfd(entries), name, 0); /* the next start tries again */
    }
    closedir(entries);
}
