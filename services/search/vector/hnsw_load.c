#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/search/vector/hnsw_file.h"
#include "services/search/vector/hnsw_internal.h"

enum { CHECKERS = 4 };

struct reader {
    int fd;
    uint64_t size;
    struct file_header header;
    uint64_t *checksums;
    struct hnsw *index;
    _Atomic uint32_t next; /* piece of work: a chunk, then a range of nodes */
    _Atomic uint32_t wrong;
    _Atomic uint32_t live;
    _Atomic uint32_t dead;
    _Atomic uint32_t vacant;
};

static enum sh_err read_at(const struct reader *reader, void *to, size_t bytes,
                           uint64_t offset)
{
    char *at = to;
    while (bytes > 0) {
        ssize_t got = pread(reader->fd, at, bytes, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SH_IO;
        if (got == 0)
            return SH_MALFORMED;
        at += got;
        offset += (uint64_t)got;
        bytes -= (size_t)got;
    }
    return SH_OK;
}

static enum sh_err read_header(struct reader *reader)
{
    struct file_header *header = &reader->header;
    enum sh_err err = read_at(reader, header, sizeof(*header), 0);
    if (err != SH_OK)
        return err;
    bool known =
        memcmp(header->magic, FILE_MAGIC, sizeof(header->magic)) == 0 &&
        header->version == FILE_VERSION && header->order == FILE_ORDER &&
        header->checksum == file_sum(header, offsetof(struct file_header, checksum));
    return known ? SH_OK : SH_MALFORMED;
}

/* The layout follows from the counts: what the file says of it must be the same. */
static enum sh_err check_layout(const struct reader *reader)
{
    const struct file_header *header = &reader->header;
    struct file_header expected = *header;
    if (header->slot_count > HNSW_SLOTS_MOST || header->node_count >= HNSW_SLOTS_MOST ||
        !file_layout(&expected, reader->index->stride))
        return SH_MALFORMED;
    const struct file_section *last = &expected.sections[FILE_SECTIONS - 1];
    if (memcmp(expected.sections, header->sections, sizeof(expected.sections)) != 0 ||
        expected.chunk_count != header->chunk_count ||
        reader->size < last->offset + last->bytes || reader->size % REGION_PAGE != 0)
        return SH_MALFORMED;
    return SH_OK;
}

static enum sh_err read_checksums(struct reader *reader)
{
    size_t bytes = reader->header.chunk_count * sizeof(uint64_t);
    reader->checksums = sh_alloc(bytes + sizeof(uint64_t));
    if (!reader->checksums)
        return SH_NOMEM;
    enum sh_err err =
        read_at(reader, reader->checksums, bytes, sizeof(struct file_header));
    if (err == SH_OK && file_sum(reader->checksums, bytes) != reader->header.checksums)
        err = SH_MALFORMED;
    return err;
}

static enum sh_err make_index(struct reader *reader, uint32_t most)
{
    const struct file_header *header = &reader->header;
    struct hnsw_options options = hnsw_defaults(header->dimension);
    options.links = header->links;
    options.ef_construction = header->ef_construction;
    options.kind = header->kind < CODE_KINDS ? (enum code_kind)header->kind : CODE_KINDS;
    options.most = most;
    options.seed += header->node_count;
    if (header->node_count > most)
        return SH_TOOBIG;
    enum sh_err err = hnsw_make(&options, &reader->index);
    return err == SH_INVALID ? SH_MALFORMED : err;
}

/* Mapped, not read: clearing pages to read into costs more than everything else. */
static enum sh_err map_sections(const struct reader *reader)
{
    struct hnsw *index = reader->index;
    struct region *regions[FILE_SECTIONS] = {&index->nodes, &index->upper, &index->slots,
                                             &index->mapping};
    enum sh_err err = SH_OK;
    for (int i = 0; err == SH_OK && i < FILE_SECTIONS; i++) {
        const struct file_section *section = &reader->header.sections[i];
        err = region_map(regions[i], reader->fd, section->offset, section->bytes);
    }
    return err;
}

/* --- what the checksums cannot tell ----------------------------------------------- */

static bool list_holds(const struct reader *reader, uint32_t node, uint32_t level)
{
    const struct hnsw *index = reader->index;
    const _Atomic uint32_t *links = node_links(index, node, level);
    uint32_t count = links_count(index, node, level);
    if (count > links_most(index, level))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t next = atomic_load_explicit(&links[i], memory_order_relaxed);
        if (next >= reader->header.node_count)
            return false;
        if (level > 0 && node_head(index, next)->level < level)
            return false;
    }
    return true;
}

static bool code_holds(const struct hnsw *index, uint32_t node)
{
    if (index->coder.kind != CODE_INT8)
        return true;
    const struct code_middle *middle = code_middle(&index->coder, node_at(index, node));
    return isfinite(middle->scale) && isfinite(middle->rest);
}

static bool head_holds(const struct reader *reader, uint32_t node)
{
    const struct hnsw *index = reader->index;
    const struct node_head *head = node_head(index, node);
    uint64_t words = (uint64_t)head->level * (index->options.links + 1);
    uint8_t flags = atomic_load(&head->flags);
    return head->level < HNSW_LEVELS && code_holds(index, node) &&
           head->upper + words <= reader->header.upper_words &&
           (flags == 0 || flags == NODE_DEAD || flags == NODE_FREE);
}

static void check_node(struct reader *reader, uint32_t node)
{
    const struct hnsw *index = reader->index;
    const struct node_head *head = node_head(index, node);
    uint32_t slot = atomic_load_explicit(node_slot(index, node), memory_order_relaxed);
    bool holds = head_holds(reader, node) && slot < reader->header.slot_count;
    for (uint32_t level = 0; holds && level <= head->level; level++)
        holds = list_holds(reader, node, level);
    bool in_use = holds && atomic_load(&head->flags) == 0;
    if (!holds || (in_use && atomic_load(slot_node(index, slot)) != node + 1)) {
        atomic_fetch_add(&reader->wrong, 1);
        return;
    }
    if (in_use)
        atomic_fetch_add_explicit(&reader->live, 1, memory_order_relaxed);
    else if (node_is(index, node, NODE_DEAD))
        atomic_fetch_add_explicit(&reader->dead, 1, memory_order_relaxed);
    else
        atomic_fetch_add_explicit(&reader->vacant, 1, memory_order_relaxed);
}

/* Every mapped slot leads to a node of its own: then there are as many as live nodes. */
static bool slots_hold(const struct reader *reader)
{
    uint32_t mapped = 0;
    for (uint32_t slot = 0; slot < reader->header.slot_count; slot++) {
        uint32_t node = atomic_load(slot_node(reader->index, slot));
        if (node == 0)
            continue;
        if (node > reader->header.node_count ||
            node_is(reader->index, node - 1, NODE_DEAD | NODE_FREE) ||
            atomic_load(node_slot(reader->index, node - 1)) != slot)
            return false;
        mapped++;
    }
    return mapped == atomic_load(&reader->live);
}

static bool entry_holds(const struct reader *reader)
{
    uint64_t entry = reader->header.entry;
    uint32_t node = (uint32_t)entry;
    if (entry == 0)
        return atomic_load(&reader->live) == 0;
    return node < reader->header.node_count && entry >> 32 >= 1 &&
           entry_level(entry) <= node_head(reader->index, node)->level &&
           !node_is(reader->index, node, NODE_FREE);
}

/* --- several threads -------------------------------------------------------------- */

static void check_chunk(struct reader *reader, uint32_t chunk)
{
    const struct hnsw *index = reader->index;
    char *const bases[FILE_SECTIONS] = {index->nodes.base, index->upper.base,
                                        index->slots.base, index->mapping.base};
    uint32_t first = 0;
    for (int i = 0; i < FILE_SECTIONS; i++) {
        uint64_t bytes = reader->header.sections[i].bytes;
        uint32_t chunks = file_chunks(bytes);
        if (chunk - first < chunks) {
            uint64_t at = (uint64_t)(chunk - first) * FILE_CHUNK;
            uint64_t left = bytes - at;
            size_t len = left < FILE_CHUNK ? (size_t)left : FILE_CHUNK;
            if (file_sum(bases[i] + at, len) != reader->checksums[chunk])
                atomic_fetch_add(&reader->wrong, 1);
            return;
        }
        first += chunks;
    }
}

static void *check_chunks(void *arg)
{
    struct reader *reader = arg;
    uint32_t chunk = 0;
    while ((chunk = atomic_fetch_add(&reader->next, 1)) < reader->header.chunk_count)
        check_chunk(reader, chunk);
    return NULL;
}

static void *check_nodes(void *arg)
{
    enum { RANGE = 4096 };
    struct reader *reader = arg;
    uint32_t count = reader->header.node_count;
    for (;;) {
        uint64_t node = (uint64_t)atomic_fetch_add(&reader->next, 1) * RANGE;
        if (node >= count)
            return NULL;
        uint64_t end = node + RANGE < count ? node + RANGE : count;
        for (; node < end; node++)
            check_node(reader, (uint32_t)node);
    }
}

/* The calling thread works too: one that cannot be started only makes it slower. */
static enum sh_err check_by_many(struct reader *reader, void *(*work)(void *))
{
    pthread_t threads[CHECKERS - 1];
    int started = 0;
    atomic_store(&reader->next, 0);
    while (started < CHECKERS - 1 &&
           pthread_create(&threads[started], NULL, work, reader) == 0)
        started++;
    work(reader);
    while (started > 0)
        pthread_join(threads[--started], NULL);
    return atomic_load(&reader->wrong) == 0 ? SH_OK : SH_MALFORMED;
}

static enum sh_err adopt(struct reader *reader)
{
    struct hnsw *index = reader->index;
    uint32_t vacant = atomic_load(&reader->vacant);
    index->free_nodes = sh_alloc_array(vacant + (size_t)1, sizeof(uint32_t));
    if (!index->free_nodes)
        return SH_NOMEM;
    for (uint32_t node = 0; vacant > 0 && node < reader->header.node_count; node++) {
        if (node_is(index, node, NODE_FREE))
            index->free_nodes[index->free_count++] = node;
    }
    index->upper_words = reader->header.upper_words;
    atomic_store(&index->node_count, reader->header.node_count);
    atomic_store(&index->slot_count, reader->header.slot_count);
    atomic_store(&index->live, atomic_load(&reader->live));
    atomic_store(&index->dead, atomic_load(&reader->dead));
    atomic_store(&index->entry, reader->header.entry);
    return SH_OK;
}

static enum sh_err read_file(struct reader *reader, uint32_t most)
{
    struct stat info;
    if (fstat(reader->fd, &info) != 0 || info.st_size < 0)
        return SH_IO;
    reader->size = (uint64_t)info.st_size;
    enum sh_err err = read_header(reader);
    if (err == SH_OK)
        err = make_index(reader, most);
    if (err == SH_OK)
        err = check_layout(reader);
    if (err == SH_OK)
        err = read_checksums(reader);
    if (err == SH_OK)
        err = map_sections(reader);
    if (err == SH_OK)
        err = check_by_many(reader, check_chunks);
    if (err == SH_OK)
        err = check_by_many(reader, check_nodes);
    if (err == SH_OK && !(slots_hold(reader) && entry_holds(reader)))
        err = SH_MALFORMED;
    if (err == SH_OK)
        err = adopt(reader);
    return err;
}

enum sh_err hnsw_load(const char *path, uint32_t most, struct hnsw **out)
{
    struct reader reader = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
    *out = NULL;
    if (reader.fd < 0)
        return errno == ENOENT ? SH_NOTFOUND : SH_IO;
    enum sh_err err = read_file(&reader, most);
    close(reader.fd);
    sh_free(reader.checksums);
    if (err != SH_OK)
        hnsw_free(&reader.index);
    *out = reader.index;
    return err;
}
