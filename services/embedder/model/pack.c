#include "services/embedder/model/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/embedder/model/pack_format.h"
#include "shared/mem.h"

struct pack {
    uint8_t *map; /* read only; not const, since munmap() takes it back */
    size_t bytes;
    const struct pack_header *header;
    const struct pack_entry *entries;
};

size_t pack_tensor_bytes(enum pack_kind kind, size_t rows, size_t columns)
{
    if (rows > UINT32_MAX || columns > UINT32_MAX || rows * columns > SIZE_MAX / 16)
        return 0;
    switch (kind) {
    case PACK_RAW:
        return rows * columns;
    case PACK_F32:
        return rows * columns * sizeof(float);
    case PACK_F64:
        return rows * columns * sizeof(double);
    case PACK_Q16:
        return rows % 64 == 0 && columns % 32 == 0 ? q16_bytes(rows, columns) : 0;
    case PACK_ROWS:
        return rows * columns * sizeof(int16_t) + rows * sizeof(float);
    }
    return 0;
}

/* By read() rather than through the map: hashing must not make every page resident. */
static bool digest_matches(int fd, const struct pack_header *header, size_t bytes)
{
    enum { PIECE = 64 << 10 };
    bool same = false;
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint8_t *piece = sh_alloc(PIECE);
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (!piece || !hash || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
        goto out;
    size_t at = sizeof(*header);
    while (at < bytes) {
        ssize_t got = pread(fd, piece, PIECE, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || EVP_DigestUpdate(hash, piece, (size_t)got) != 1)
            goto out;
        at += (size_t)got;
    }
    same = at == bytes && EVP_DigestFinal_ex(hash, digest, NULL) == 1 &&
           memcmp(digest, header->digest, PACK_DIGEST_BYTES) == 0;
out:
    EVP_MD_CTX_free(hash);
    sh_free(piece);
    return same;
}

static bool entry_ok(const struct pack_entry *entry, size_t bytes)
{
    size_t need =
        pack_tensor_bytes((enum pack_kind)entry->kind, entry->rows, entry->columns);
    return memchr(entry->name, '\0', sizeof(entry->name)) && need > 0 &&
           entry->bytes == need && entry->offset % PACK_ALIGN == 0 &&
           entry->offset <= bytes && need <= bytes - entry->offset;
}

static const char *fault(const struct pack *pack, int fd)
{
    const struct pack_header *header = pack->header;
    if (memcmp(header->magic, PACK_MAGIC, sizeof(header->magic)) != 0)
        return "not a model pack";
    if (header->version != PACK_VERSION)
        return "made by another version: run scripts/fetch-model.sh again";
    if (header->bytes != pack->bytes)
        return "cut off";
    size_t room = (pack->bytes - sizeof(*header)) / sizeof(struct pack_entry);
    if (header->tensors > PACK_TENSORS_MAX || header->tensors > room)
        return "its table of tensors does not fit";
    for (size_t i = 0; i < header->tensors; i++) {
        if (!entry_ok(&pack->entries[i], pack->bytes))
            return "a tensor lies outside the file";
    }
    return digest_matches(fd, header, pack->bytes) ? NULL : "its checksum is wrong";
}

static enum sh_err map_file(int fd, struct pack *pack, const char **why)
{
    struct stat about;
    if (fstat(fd, &about) != 0)
        return SH_IO;
    *why = "too small";
    if (!S_ISREG(about.st_mode) || about.st_size < (off_t)sizeof(struct pack_header))
        return SH_MALFORMED;
    pack->bytes = (size_t)about.st_size;
    void *map = mmap(NULL, pack->bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    *why = "cannot be mapped";
    if (map == MAP_FAILED)
        return SH_IO;
    pack->map = map;
    pack->header = map;
    pack->entries =
        (const struct pack_entry *)(const void *)(pack->map + sizeof(*pack->header));
    *why = fault(pack, fd);
    return *why ? SH_MALFORMED : SH_OK;
}

enum sh_err pack_open(const char *path, struct pack **out, const char **why)
{
    const char *words = "out of memory";
    enum sh_err err = SH_NOMEM;
    int fd = -1;
    struct pack *pack = sh_alloc(sizeof(*pack));
    if (!pack)
        goto out;
    words = "cannot be opened";
    fd = open(path, O_RDONLY | O_CLOEXEC);
    err = fd < 0 ? sh_err_from_errno(errno) : map_file(fd, pack, &words);
out:
    if (fd >= 0)
        close(fd);
    if (err != SH_OK)
        pack_close(&pack);
    if (why)
        *why = words;
    *out = pack;
    return err;
}

void pack_close(struct pack **pack)
{
    if (!*pack)
        return;
    if ((*pack)->map)
        munmap((*pack)->map, (*pack)->bytes);
    sh_free(*pack);
    *pack = NULL;
}

static const struct pack_entry *find(const struct pack *pack, const char *name)
{
    for (size_t i = 0; i < pack->header->tensors; i++) {
        if (strcmp(pack->entries[i].name, name) == 0)
            return &pack->entries[i];
    }
    return NULL;
}

const void *pack_tensor(const struct pack *pack, const char *name, enum pack_kind kind,
                        size_t rows, size_t columns)
{
    const struct pack_entry *entry = find(pack, name);
    if (!entry || entry->kind != kind || (rows != 0 && entry->rows != rows) ||
        (columns != 0 && entry->columns != columns))
        return NULL;
    return pack->map + entry->offset;
}

size_t pack_rows(const struct pack *pack, const char *name)
{
    const struct pack_entry *entry = find(pack, name);
    return entry ? entry->rows : 0;
}

size_t pack_columns(const struct pack *pack, const char *name)
{
    const struct pack_entry *entry = find(pack, name);
    return entry ? entry->columns : 0;
}

const uint8_t *pack_digest(const struct pack *pack)
{
    return pack->header->digest;
}

const uint8_t *pack_source(const struct pack *pack)
{
    return pack->header->source;
}

size_t pack_file_bytes(const struct pack *pack)
{
    return pack->bytes;
}

void pack_rest(const struct pack *pack)
{
    /* advice: if it fails the pages stay, which costs memory only */
    (void)madvise(pack->map, pack->bytes, MADV_DONTNEED);
}
