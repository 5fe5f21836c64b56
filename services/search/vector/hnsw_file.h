/* hnsw_file: the layout of a snapshot, for its writer, its reader and their tests. A file
 * is [header, checksums][nodes][upper][slots][mapping], each part from a multiple of
 * REGION_PAGE on, as it stands in memory: a machine of another byte order refuses it. */
#ifndef SEARCH_HNSW_FILE_H
#define SEARCH_HNSW_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FILE_VERSION = 1,
    FILE_ORDER = 0x01020304,
    FILE_SECTIONS = 4,
    FILE_CHUNK = 8 << 20, /* bytes that share a checksum; a section starts a new one */
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
    uint32_t chunk_count; /* CRC-32s that follow the header */
    uint64_t entry;
    struct file_section sections[FILE_SECTIONS];
    uint32_t checksums; /* CRC-32 of them */
    uint32_t checksum;  /* CRC-32 of what is above */
};

/* Where everything lies, from the counts; false when they cannot be. */
bool file_layout(struct file_header *header, size_t stride);
uint32_t file_chunks(uint64_t bytes);
/* CRC-32 of a piece of memory of any length. */
uint32_t file_crc(const void *data, size_t bytes);

#endif
