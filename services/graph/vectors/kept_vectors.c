/* A head, then the vectors, each its node and its bytes, then the sum of all that.
 * Numbers are in the order of the machine that wrote them; elsewhere the head does not
 * fit. */
#include "services/graph/vectors/kept_vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <math.h>
#include <xxhash.h>

#define KEPT_MAGIC "CairnVec"
enum {
    VERSION = 1,
    ORDER = 0x01020304,
    PATH_ROOM = 4096,
    BUFFER = 1 << 20,
    DIMENSION_MAX = 1 << 16,
};

struct head {
    char magic[8];
    uint32_t version;
    uint32_t order;
    char fingerprint[KEPT_FINGERPRINT + 8]; /* ends with a zero byte */
    uint32_t dimension;
    uint32_t count;
};

struct item { /* its bytes follow, filled up to a multiple of 8 */
    uint64_t number;
    uint64_t hash;
    float scale;
    uint32_t zero;
};

struct kept_vectors {
    struct sh_bytes file;
    struct head head;
    struct numbers *numbers; /* of nodes: which item */
};

_Static_assert(sizeof(struct head) == 96 && sizeof(struct item) == 24, "no padding");

static size_t item_size(size_t dimension)
{
    return sizeof(struct item) + (dimension + 7) / 8 * 8;
}

/* --- reading ---------------------------------------------------------------------- */

static enum sh_err map(const char *path, struct sh_bytes *out)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? SH_NOTFOUND : SH_IO;
    enum sh_err err = fstat(fd, &about) == 0 ? SH_OK : SH_IO;
    if (err == SH_OK && (!S_ISREG(about.st_mode) || about.st_size == 0))
        err = SH_MALFORMED;
    if (err == SH_OK) {
        void *bytes = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        *out = (struct sh_bytes){bytes, (size_t)about.st_size};
        err = bytes != MAP_FAILED ? SH_OK : SH_IO;
    }
    if (err != SH_OK)
        *out = (struct sh_bytes){0};
    (void)close(fd);
    return err;
}

static bool is_whole(struct sh_bytes file, struct head *head)
{
    uint64_t sum;
    if (file.len < sizeof(*head) + sizeof(sum))
        return false;
    memcpy(head, file.data, sizeof(*head));
    memcpy(&sum, (const char *)file.data + (file.len - sizeof(sum)), sizeof(sum));
    return memcmp(head->magic, KEPT_MAGIC, sizeof(head->magic)) == 0 &&
           head->version == VERSION && head->order == ORDER &&
           memchr(head->fingerprint, '\0', KEPT_FINGERPRINT + 1) != NULL &&
           head->dimension > 0 && head->dimension <= DIMENSION_MAX &&
           (file.len - sizeof(*head) - sizeof(sum)) / item_size(head->dimension) ==
               head->count &&
           (file.len - sizeof(*head) - sizeof(sum)) % item_size(head->dimension) == 0 &&
           sum == XXH3_64bits(file.data, file.len - sizeof(sum));
}

static const char *item_at(const struct kept_vectors *self, uint32_t index,
                           struct item *out)
{
    const char *at = (const char *)self->file.data + sizeof(struct head) +
                     index * item_size(self->head.dimension);
    memcpy(out, at, sizeof(*out));
    return at + sizeof(*out);
}

static enum sh_err read_file(struct kept_vectors *self, const char *path)
{
    enum sh_err err = map(path, &self->file);
    if (err != SH_OK)
        return err;
    if (!is_whole(self->file, &self->head))
        return SH_MALFORMED;
    self->numbers = numbers_create(self->head.count + 1);
    if (self->numbers == NULL)
        return SH_NOMEM;
    for (uint32_t i = 0; i < self->head.count; i++) {
        struct item item;
        (void)item_at(self, i, &item);
        numbers_add(self->numbers, item.number, i);
    }
    return SH_OK;
}

enum sh_err kept_vectors_open(const char *path, struct kept_vectors **out)
{
    struct kept_vectors *self = sh_alloc(sizeof(*self));
    enum sh_err err = self ? read_file(self, path) : SH_NOMEM;
    if (err != SH_OK)
        kept_vectors_close(&self);
    *out = self;
    return err;
}

void kept_vectors_close(struct kept_vectors **self)
{
    if (*self == NULL)
        return;
    if ((*self)->file.data != NULL)
        (void)munmap(sh_unconst((*self)->file.data), (*self)->file.len);
    sh_free((*self)->numbers);
    sh_free(*self);
    *self = NULL;
}

const char *kept_vectors_fingerprint(const struct kept_vectors *self)
{
    return self->head.fingerprint;
}

size_t kept_vectors_dimension(const struct kept_vectors *self)
{
    return self->head.dimension;
}

bool kept_vectors_find(const struct kept_vectors *self, uint64_t number, uint64_t hash,
                       struct packed_vector *out)
{
    struct numbers_probe probe = {number, 0};
    uint32_t index;
    while (numbers_next(self->numbers, &probe, &index)) {
        struct item item;
        const char *bytes = item_at(self, index, &item);
        if (item.number != number || item.hash != hash)
            continue;
        *out = (struct packed_vector){number, hash, item.scale, (const int8_t *)bytes};
        return isfinite(item.scale) && item.scale >= 0;
    }
    return false;
}

/* --- writing ---------------------------------------------------------------------- */

struct writer {
    FILE *file;
    XXH3_state_t *sum;
    size_t dimension;
    bool failed;
};

static void put(struct writer *writer, const void *data, size_t len)
{
    if (!writer->failed)
        writer->failed = fwrite(data, 1, len, writer->file) != len ||
                         XXH3_64bits_update(writer->sum, data, len) != XXH_OK;
}

static void put_vector(void *arg, const struct packed_vector *vector)
{
    static const char zeros[8];
    struct writer *writer = arg;
    const struct item item = {vector->number, vector->hash, vector->scale, 0};
    put(writer, &item, sizeof(item));
    put(writer, vector->bytes, writer->dimension);
    put(writer, zeros, (8 - writer->dimension % 8) % 8);
}

static enum sh_err write_file(const struct node_vectors *vectors, const char *fingerprint,
                              FILE *file)
{
    struct writer writer = {.file = file, .sum = XXH3_createState()};
    struct head head = {.version = VERSION, .order = ORDER};
    if (writer.sum == NULL)
        return SH_NOMEM;
    memcpy(head.magic, KEPT_MAGIC, sizeof(head.magic));
    memcpy(head.fingerprint, fingerprint, strlen(fingerprint));
    writer.dimension = node_vectors_dimension(vectors);
    head.dimension = (uint32_t)writer.dimension;
    head.count = (uint32_t)node_vectors_known(vectors);
    writer.failed = XXH3_64bits_reset(writer.sum) != XXH_OK;
    put(&writer, &head, sizeof(head));
    node_vectors_each(vectors, put_vector, &writer);
    uint64_t sum = XXH3_64bits_digest(writer.sum);
    XXH3_freeState(writer.sum);
    return !writer.failed && fwrite(&sum, sizeof(sum), 1, file) == 1 &&
                   fflush(file) == 0 && fsync(fileno(file)) == 0
               ? SH_OK
               : SH_IO;
}

enum sh_err kept_vectors_save(const struct node_vectors *vectors, const char *fingerprint,
                              const char *path)
{
    char tmp[PATH_ROOM];
    int len = snprintf(tmp, sizeof(tmp), "%s.tmp", path);
    if (len < 0 || len >= PATH_ROOM || strlen(fingerprint) > KEPT_FINGERPRINT)
        return SH_TOOBIG;
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return SH_IO;
    }
    (void)setvbuf(file, NULL, _IOFBF, BUFFER);
    enum sh_err err = write_file(vectors, fingerprint, file);
    if (fclose(file) != 0 && err == SH_OK)
        err = SH_IO;
    if (err == SH_OK && rename(tmp, path) != 0)
        err = SH_IO;
    if (err != SH_OK)
        (void)unlink(tmp);
    return err;
}
