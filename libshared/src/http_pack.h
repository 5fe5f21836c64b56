/* http_pack: which content coding a client wants, and packing an answer into it. Any
 * thread, but for struct http_packer. */
#ifndef SHARED_HTTP_PACK_H
#define SHARED_HTTP_PACK_H

#include <stdbool.h>

#include "shared/buffer.h"

enum http_coding { HTTP_IDENTITY, HTTP_GZIP, HTTP_ZSTD };

/* What one or several Accept-Encoding lines ask for (RFC 9110 12.5.3); {0} before the
 * first. Weights in thousandths, -1: not named. */
struct http_wish {
    int gzip;
    int zstd;
    int identity;
    int any;
    bool said;
};
void http_wish_read(struct http_wish *wish, struct sh_bytes line);
enum http_coding http_wish_best(const struct http_wish *wish);

const char *http_coding_name(enum http_coding coding);
/* Text that is worth packing, by its Content-Type. */
bool http_is_packable(const char *content_type);

/* State to pack with again and again; {0} is one that has packed nothing. */
struct http_packer {
    void *gzip;
    void *zstd;
};
void http_packer_free(struct http_packer *self);
/* At the quickest level, appended to `out`. Errors: SH_NOMEM; SH_TOOBIG: it would not
 * become smaller. */
SH_CHECK enum sh_err http_pack(struct http_packer *self, enum http_coding coding,
                               struct sh_bytes bytes, struct sh_buffer *out);

#endif
