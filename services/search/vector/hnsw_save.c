#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#include "services/search/vector/hnsw_file.h"
#include "services/search/vector/hnsw_internal.h"

uint32_t file_chunks(uint64_t bytes)
{
    return (uint32_t)((bytes + FILE_CHUNK - 1) / FILE_CHUNK);
}

uint64_t file_sum(const void *data, size_t bytes)
{
    return XXH3_64bits(data, bytes);
}

static uint64_t next_page(uint64_t bytes)
{
    return (bytes + REGION_PAGE - 1) / REGION_PAGE * REGION_PAGE;
}

bool file_layout(struct file_header *header, size_t stride)
{
    const uint64_t sizes[FILE_SECTIONS] = {
        (uint64_t)header->node_count * stride,
        (uint64_t)header->upper_words * sizeof(uint32_t),
        (uint64_t)header->node_count * sizeof(uint32_t),
        (uint64_t)header->slot_count * sizeof(uint32_t),
    };
    uint64_t chunks = 0;
    for (int i = 0; i < FILE_SECTIONS; i++)
        chunks += file_chunks(sizes[i]);
    if (chunks > UINT32_MAX / sizeof(uint64_t))
        return false;
    header->chunk_count = (uint32_t)chunks;
    uint64_t offset = next_page(sizeof(*header) + chunks * sizeof(uint64_t));
    for (int i = 0; i < FILE_SECTIONS; i++) {
        header->sections[i] = (struct file_section){offset, sizes[i]};
        offset = next_page(offset + sizes[i]);
    }
    return true;
}

struct writer {
    int fd;
    uint64_t *checksums;
    uint32_t chunk;
};

static enum sh_err write_at(int fd, const void *data, size_t bytes, uint64_t offset)
{
    const char *at = data;
    while (bytes > 0) {
        ssize_t written = pwrite(fd, at, bytes, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return SH_IO;
        at += written;
        offset += (uint64_t)written;
        bytes -= (size_t)written;
    }
    return SH_OK;
}

static enum sh_err write_section(struct writer *writer,
                                 const struct file_section *section, const char *data)
{
    enum sh_err err = SH_OK;
    for (uint64_t at = 0; err == SH_OK && at < section->bytes; at += FILE_CHUNK) {
        uint64_t left = section->bytes - at;
        size_t bytes = left < FILE_CHUNK ? (size_t)left : FILE_CHUNK;
        writer->checksums[writer->chunk++] = file_sum(data + at, bytes);
        err = write_at(writer->fd, data + at, bytes, section->offset + at);
    }
    return err;
}

static enum sh_err write_file(const struct hnsw *self, int fd)
{
    struct file_header header = {
        .magic = FILE_MAGIC,
        .version = FILE_VERSION,
        .order = FILE_ORDER,
        .dimension = self->options.dimension,
        .links = self->options.links,
        .ef_construction = self->options.ef_construction,
        .kind = self->options.kind,
        .node_count = atomic_load(&self->node_count),
        .slot_count = atomic_load(&self->slot_count),
        .upper_words = self->upper_words,
        .entry = atomic_load(&self->entry),
    };
    const char *const data[FILE_SECTIONS] = {self->nodes.base, self->upper.base,
                                             self->slots.base, self->mapping.base};
    if (!file_layout(&header, self->stride))
        return SH_IO;
    struct writer writer = {.fd = fd};
    writer.checksums =
        sh_alloc_array(header.chunk_count + (size_t)1, sizeof(*writer.checksums));
    enum sh_err err = writer.checksums ? SH_OK : SH_NOMEM;
    for (int i = 0; err == SH_OK && i < FILE_SECTIONS; i++)
        err = write_section(&writer, &header.sections[i], data[i]);
    size_t bytes = header.chunk_count * sizeof(uint64_t);
    if (err == SH_OK)
        err = write_at(fd, writer.checksums, bytes, sizeof(header));
    if (err == SH_OK) {
        const struct file_section *last = &header.sections[FILE_SECTIONS - 1];
        uint64_t end = next_page(last->offset + last->bytes);
        header.checksums = file_sum(writer.checksums, bytes);
        header.checksum = file_sum(&header, offsetof(struct file_header, checksum));
        err = ftruncate(fd, (off_t)end) == 0 ? SH_OK : SH_IO;
    }
    if (err == SH_OK)
        err = write_at(fd, &header, sizeof(header), 0);
    sh_free(writer.checksums);
    return err;
}

static enum sh_err sync_parent(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *parent = slash ? sh_strndup(path, (size_t)(slash - path) + 1) : sh_strdup(".");
    if (!parent)
        return SH_NOMEM;
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum sh_err err = fd >= 0 && fsync(fd) == 0 ? SH_OK : SH_IO;
    if (fd >= 0)
        close(fd);
    sh_free(parent);
    return err;
}

/* What is written is what was there at one moment. */
static enum sh_err write_still(struct hnsw *self, int fd)
{
    pthread_mutex_lock(&self->compacting);
    pthread_rwlock_wrlock(&self->saving);
    enum sh_err err = write_file(self, fd);
    pthread_rwlock_unlock(&self->saving);
    pthread_mutex_unlock(&self->compacting);
    return err;
}

static enum sh_err save_as(struct hnsw *self, const char *path, const char *aside)
{
    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return SH_IO;
    enum sh_err err = write_still(self, fd);
    if (err == SH_OK && fsync(fd) != 0)
        err = SH_IO;
    if (close(fd) != 0 && err == SH_OK)
        err = SH_IO;
    if (err == SH_OK && rename(aside, path) != 0)
        err = SH_IO;
    if (err != SH_OK) {
        (void)unlink(aside); /* what failed before is what is told */
        return err;
    }
    return sync_parent(path);
}

enum sh_err hnsw_save(struct hnsw *self, const char *path)
{
    size_t room = strlen(path) + sizeof(".new");
    char *aside = sh_alloc(room);
    if (!aside)
        return SH_NOMEM;
    (void)snprintf(aside, room, "%s.new", path);
    enum sh_err err = save_as(self, path, aside);
    sh_free(aside);
    return err;
}
