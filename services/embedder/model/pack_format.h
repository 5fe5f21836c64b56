/* pack_format: the bytes of a pack, shared by its reader and its writer. */
#ifndef EMBEDDER_PACK_FORMAT_H
#define EMBEDDER_PACK_FORMAT_H

#include "services/embedder/model/pack.h"

#define PACK_MAGIC   "CAIRNPCK"
#define PACK_VERSION 1u

enum { PACK_TENSORS_MAX = 256 };

struct pack_header {
    char magic[8];
    uint32_t version;
    uint32_t tensors;
    uint64_t bytes; /* of the file */
    uint8_t source[PACK_DIGEST_BYTES];
    uint8_t digest[PACK_DIGEST_BYTES]; /* of all that follows the header */
    uint8_t reserved[40];
};

struct pack_entry {
    char name[PACK_NAME_MAX + 1];
    uint32_t kind;
    uint32_t rows;
    uint32_t columns;
    uint32_t reserved;
    uint64_t offset;
    uint64_t bytes;
};

_Static_assert(sizeof(struct pack_header) == 128, "part of the file format");
_Static_assert(sizeof(struct pack_entry) == 64, "part of the file format");

#endif
