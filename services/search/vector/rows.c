#include "services/search/vector/rows.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "services/search/vector/region.h"
#include "shared/mem.h"

/* A file is [head, up to REGION_PAGE][record]…, a record is [floats][checksum], as it
 * stands in memory: a machine of another byte order refuses it. */

enum {
    ROW_ALIGN = 64,
    FILE_VERSION = 1,
    FILE_ORDER = 0x01020304,
    GROW_LEAST = 1 << 20, /* bytes that a file grows by */
    PREFETCHED = 1024,    /* bytes; the rest of a row follows by itself */
};

enum row_state { ROW_UNKNOWN, ROW_SOUND, ROW_DAMAGED };

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

struct rows {
    uint32_t dimension;
    uint32_t most;
    size_t record;
    struct region region;   /* from the head on */
    struct region states;   /* one _Atomic uint8_t a slot */
    _Atomic uint32_t slots; /* that there is room for */
    uint64_t identity;
    int fd;         /* -1: in memory */
    char *path;     /* of the file, ours */
    uint32_t filed; /* slots that the file had when it was opened */
    pthread_mutex_t growing;
};

static char *record_at(const struct rows *self, uint32_t slot)
{
    return self->region.base + REGION_PAGE + slot * self->record;
}

static _Atomic uint8_t *state_of(const struct rows *self, uint32_t slot)
{
    void *states = self->states.base;
    return (_Atomic uint8_t *)states + slot;
}

static uint32_t checksum_of(const struct rows *self, uint32_t slot)
{
    size_t bytes = self->dimension * sizeof(float);
    return (uint32_t)XXH3_64bits_withSeed(record_at(self, slot), bytes, slot);
}

static uint32_t *checksum_at(const struct rows *self, uint32_t slot)
{
    void *at = record_at(self, slot) + self->dimension * sizeof(float);
    return at;
}

/* --- room ----------------------------------------------------------------------------
 */

static uint32_t slots_in(const struct rows *self, size_t bytes)
{
    size_t slots = bytes <= REGION_PAGE ? 0 : (bytes - REGION_PAGE) / self->record;
    return slots < self->most ? (uint32_t)slots : self->most;
}

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
static enum sh_err grow_file(struct rows *self, size_t needed)
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

static enum sh_err grow(struct rows *self, uint32_t slot)
{
    size_t needed = REGION_PAGE + (slot + (size_t)1) * self->record;
    enum sh_err err = SH_OK;
    if (needed > self->region.usable)
        err =
            self->fd >= 0 ? grow_file(self, needed) : region_grow(&self->region, needed);
    uint32_t slots = slots_in(self, self->region.usable);
    if (err == SH_OK)
        err = region_grow(&self->states, slots);
    if (err == SH_OK)
        atomic_store_explicit(&self->slots, slots, memory_order_release);
    return err;
}

/* --- life ----------------------------------------------------------------------------
 */

static enum sh_err make(const struct rows_options *options, struct rows **out)
{
    *out = NULL;
    if (options->dimension == 0 || options->dimension > 65536 || options->most == 0)
        return SH_INVALID;
    struct rows *self = sh_alloc(sizeof(*self));
    if (!self)
        return SH_NOMEM;
    size_t record = options->dimension * sizeof(float) + sizeof(uint32_t);
    self->dimension = options->dimension;
    self->most = options->most;
    self->record = (record + ROW_ALIGN - 1) / ROW_ALIGN * ROW_ALIGN;
    self->fd = -1;
    pthread_mutex_init(&self->growing, NULL);
    enum sh_err err =
        region_open(2 * REGION_PAGE + self->most * self->record, &self->region);
    if (err == SH_OK)
        err = region_open(self->most, &self->states);
    if (err != SH_OK)
        rows_free(&self);
    *out = self;
    return err;
}

void rows_free(struct rows **rows)
{
    struct rows *self = *rows;
    if (!self)
        return;
    region_close(&self->region);
    region_close(&self->states);
    if (self->fd >= 0)
        close(self->fd);
    if (self->path)
        (void)unlink(self->path); /* or never was there */
    sh_free(self->path);
    pthread_mutex_destroy(&self->growing);
    sh_free(self);
    *rows = NULL;
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

static enum sh_err new_file(struct rows *self, const char *dir)
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
    err = grow_file(self, REGION_PAGE);
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

enum sh_err rows_create(const struct rows_options *options, struct rows **out)
{
    enum sh_err err = make(options, out);
    if (err == SH_OK && options->dir)
        err = new_file(*out, options->dir);
    if (err != SH_OK)
        rows_free(out);
    return err;
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
    self->filed = slots_in(self, bytes);
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
    enum sh_err err = options->dir ? make(options, out) : SH_INVALID;
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

/* --- rows ----------------------------------------------------------------------------
 */

static enum sh_err reserve(struct rows *self, uint32_t slot)
{
    enum sh_err err = SH_OK;
    if (slot >= self->most)
        return SH_TOOBIG;
    if (slot < atomic_load_explicit(&self->slots, memory_order_acquire))
        return SH_OK;
    pthread_mutex_lock(&self->growing);
    if (slot >= atomic_load(&self->slots))
        err = grow(self, slot);
    pthread_mutex_unlock(&self->growing);
    return err;
}

enum sh_err rows_set(struct rows *self, uint32_t slot, const float *vector)
{
    enum sh_err err = reserve(self, slot);
    if (err != SH_OK)
        return err;
    memcpy(record_at(self, slot), vector, self->dimension * sizeof(float));
    *checksum_at(self, slot) = checksum_of(self, slot);
    atomic_store_explicit(state_of(self, slot), ROW_SOUND, memory_order_release);
    return SH_OK;
}

/* Of the file, when it is read for the first time. */
static bool check_row(const struct rows *self, uint32_t slot)
{
    if (slot >= self->filed)
        return false;
    bool sound = *checksum_at(self, slot) == checksum_of(self, slot);
    atomic_store_explicit(state_of(self, slot), sound ? ROW_SOUND : ROW_DAMAGED,
                          memory_order_release);
    return sound;
}

const float *rows_get(const struct rows *self, uint32_t slot)
{
    if (slot >= atomic_load_explicit(&self->slots, memory_order_acquire))
        return NULL;
    uint8_t state = atomic_load_explicit(state_of(self, slot), memory_order_acquire);
    if (state == ROW_DAMAGED || (state == ROW_UNKNOWN && !check_row(self, slot)))
        return NULL;
    const void *row = record_at(self, slot);
    return row;
}

void rows_prefetch(const struct rows *self, uint32_t slot)
{
    if (slot >= atomic_load_explicit(&self->slots, memory_order_relaxed))
        return;
    const char *row = record_at(self, slot);
    size_t bytes = self->record < PREFETCHED ? self->record : PREFETCHED;
    __builtin_prefetch(state_of(self, slot));
    for (size_t i = 0; i < bytes; i += ROW_ALIGN)
        __builtin_prefetch(row + i);
}

enum sh_err rows_sync(struct rows *self)
{
    if (self->fd < 0)
        return SH_OK;
    pthread_mutex_lock(&self->growing);
    bool good = msync(self->region.base, self->region.usable, MS_SYNC) == 0 &&
                fsync(self->fd) == 0;
    pthread_mutex_unlock(&self->growing);
    return good ? SH_OK : SH_IO;
}

uint64_t rows_identity(const struct rows *self)
{
    return self->identity;
}

uint32_t rows_damaged(const struct rows *self)
{
    uint32_t damaged = 0;
    for (uint32_t slot = 0; slot < self->filed; slot++)
        damaged += atomic_load(state_of(self, slot)) == ROW_DAMAGED;
    return damaged;
}

size_t rows_bytes(const struct rows *self)
{
    return REGION_PAGE +
           atomic_load_explicit(&self->slots, memory_order_acquire) * self->record;
}
