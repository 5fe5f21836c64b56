/* hnsw_file: the layout of a snapshot, for its writer, its reader and their tests. A file
 * is [header, checksums][nodes][upper][slots][mapping], each part from a multiple of
 * REGION_PAGE on, as it stands in memory: a machine of another byte order refuses it. */
#ifndef SEARCH_HNSW_FILE_H
#define SEARCH_HNSW_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FILE_VERSION = 3,
    FILE_ORDER = 0x01020304,
    FILE_SECTIONS = 4,
    /* bytes that share a checksum, and fit the cache; a section starts a new one */
    FILE_CHUNK = 1 << 20,
};

#define FILE_MAGIC "CAIRNHNS"

struct file_section {
    uint64_t offset;
    uint64_t bytes;
};

struct file_header {
    char magic[8];
    uint32_t version;
    uint32_t order;
    uint32_t dimension;
    uint32_t links;
    uint32_t ef_construction;
    uint32_t kind;
    uint32_t node_count;
    uint32_t slot_count;
    uint32_t upper_words;
    uint32_t chunk_count; /* checksums that follow the header */
    uint64_t entry;
    struct file_section sections[FILE_SECTIONS];
    uint64_t checksums; /* of them */
    uint64_t checksum;  /* of what is above */
};

/* Where everything lies, from the counts; false when they cannot be. */
bool file_layout(struct file_header *header, size_t stride);
uint32_t file_chunks(uint64_t bytes);
/* XXH3 of 64 bits, as fast as the memory: a file of a gigabyte is checked at every start.
 */
uint64_t file_sum(const void *data, size_t bytes);

#endif
