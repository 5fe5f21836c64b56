/* pack: a model in one file that is mapped, not read: a header, a table of tensors and
 * the tensors, each at a multiple of 64 bytes. Only pages that are used take memory, and
 * several processes share them. The file's SHA-256 is checked when it is opened; a torn
 * or foreign file is refused. Little-endian; made by pack_write() in
 * `cairn-embedder --pack-model`. */
#ifndef EMBEDDER_PACK_H
#define EMBEDDER_PACK_H

#include "services/embedder/model/q16.h"
#include "shared/buffer.h"
#include "shared/bytes.h"
#include "shared/err.h"

enum pack_kind {
    PACK_RAW = 1, /* rows × columns bytes */
    PACK_F32 = 2,
    PACK_F64 = 3,
    PACK_Q16 = 4,  /* q16.h; rows and columns are the padded ones */
    PACK_ROWS = 5, /* int16 rows × columns, after it one float scale per row */
};

enum { PACK_DIGEST_BYTES = 32, PACK_NAME_MAX = 31, PACK_ALIGN = 64 };

struct pack;

/* *why (may be NULL) says in words what is wrong with the file, static. Errors:
 * SH_NOTFOUND, SH_MALFORMED, SH_IO, SH_NOMEM. */
SH_CHECK enum sh_err pack_open(const char *path, struct pack **out, const char **why);
void pack_close(struct pack **pack);

/* NULL unless there is a tensor of this name, kind and shape (0: any). Valid until
 * pack_close(). */
const void *pack_tensor(const struct pack *pack, const char *name, enum pack_kind kind,
                        size_t rows, size_t columns);
size_t pack_rows(const struct pack *pack, const char *name);
size_t pack_columns(const struct pack *pack, const char *name);
/* SHA-256 of the weights that the pack was made from. */
const uint8_t *pack_source(const struct pack *pack);
/* SHA-256 of all that follows the header, as it was checked. */
const uint8_t *pack_digest(const struct pack *pack);
size_t pack_file_bytes(const struct pack *pack);
/* Nobody computes just now: give the pages back to the page cache. */
void pack_rest(const struct pack *pack);

/* What a tensor of this kind and shape takes; 0 when that overflows or is no kind. */
size_t pack_tensor_bytes(enum pack_kind kind, size_t rows, size_t columns);

struct pack_tensor {
    const char *name; /* at most PACK_NAME_MAX bytes */
    enum pack_kind kind;
    size_t rows;
    size_t columns;
    const void *data;
};

/* The file's bytes, behind what the buffer holds. Errors: SH_INVALID, SH_NOMEM,
 * SH_INTERNAL. */
SH_CHECK enum sh_err pack_make(const uint8_t source[PACK_DIGEST_BYTES],
                               const struct pack_tensor *tensors, size_t count,
                               struct sh_buffer *file);
/* Such bytes as a file: written beside `path` and moved there when complete. Errors:
 * SH_INVALID (a path too long), SH_IO. */
SH_CHECK enum sh_err pack_store(const char *path, struct sh_bytes bytes);
/* Both. Written beside `path` and moved there when complete. Errors: SH_INVALID, SH_IO,
 * SH_NOMEM. */
SH_CHECK enum sh_err pack_write(const char *path, const uint8_t source[PACK_DIGEST_BYTES],
                                const struct pack_tensor *tensors, size_t count);

#endif
