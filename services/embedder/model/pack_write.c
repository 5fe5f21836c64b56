#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "services/embedder/model/pack.h"
#include "services/embedder/model/pack_format.h"
#include "shared/mem.h"

static size_t aligned(size_t bytes)
{
    return (bytes + PACK_ALIGN - 1) / PACK_ALIGN * PACK_ALIGN;
}

static enum sh_err fill_table(struct pack_entry *entries,
                              const struct pack_tensor *tensors, size_t count,
                              size_t *end)
{
    size_t at = aligned(sizeof(struct pack_header) + count * sizeof(*entries));
    for (size_t i = 0; i < count; i++) {
        const struct pack_tensor *t = &tensors[i];
        size_t bytes = pack_tensor_bytes(t->kind, t->rows, t->columns);
        if (bytes == 0 || strlen(t->name) > PACK_NAME_MAX)
            return SH_INVALID;
        entries[i] = (struct pack_entry){
            .kind = t->kind,
            .rows = (uint32_t)t->rows,
            .columns = (uint32_t)t->columns,
            .offset = at,
            .bytes = bytes,
        };
        (void)snprintf(entries[i].name, sizeof(entries[i].name), "%s", t->name);
        at = aligned(at + bytes);
    }
    *end = at;
    return SH_OK;
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        data += put;
        len -= (size_t)put;
    }
    return true;
}

enum sh_err pack_store(const char *path, struct sh_bytes bytes)
{
    char temporary[4096];
    int length = snprintf(temporary, sizeof(temporary), "%s.%d.tmp", path, (int)getpid());
    if (length < 0 || (size_t)length >= sizeof(temporary))
        return SH_INVALID;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return SH_IO;
    bool ok = write_all(fd, bytes.data, bytes.len) && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    if (ok && rename(temporary, path) == 0)
        return SH_OK;
    unlink(temporary);
    return SH_IO;
}

enum sh_err pack_make(const uint8_t source[PACK_DIGEST_BYTES],
                      const struct pack_tensor *tensors, size_t count,
                      struct sh_buffer *file)
{
    struct pack_entry entries[PACK_TENSORS_MAX];
    size_t bytes = 0;
    if (count > PACK_TENSORS_MAX)
        return SH_INVALID;
    enum sh_err err = fill_table(entries, tensors, count, &bytes);
    if (err != SH_OK)
        return err;
    char *data = sh_buffer_reserve(file, bytes);
    if (!data)
        return SH_NOMEM;
    struct pack_header header = {
        .magic = PACK_MAGIC, /* without its NUL */
        .version = PACK_VERSION,
        .tensors = (uint32_t)count,
        .bytes = bytes,
    };
    memset(data, 0, bytes);
    memcpy(header.source, source, PACK_DIGEST_BYTES);
    memcpy(data + sizeof(header), entries, count * sizeof(entries[0]));
    for (size_t i = 0; i < count; i++)
        memcpy(data + entries[i].offset, tensors[i].data, entries[i].bytes);
    if (EVP_Digest(data + sizeof(header), bytes - sizeof(header), header.digest, NULL,
                   EVP_sha256(), NULL) != 1)
        return SH_INTERNAL;
    memcpy(data, &header, sizeof(header));
    file->len += bytes;
    return SH_OK;
}

enum sh_err pack_write(const char *path, const uint8_t source[PACK_DIGEST_BYTES],
                       const struct pack_tensor *tensors, size_t count)
{
    struct sh_buffer file = {0};
    enum sh_err err = pack_make(source, tensors, count, &file);
    if (err == SH_OK)
        err = pack_store(path, sh_buffer_bytes(&file));
    sh_buffer_free(&file);
    return err;
}
