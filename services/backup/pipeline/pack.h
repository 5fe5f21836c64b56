/* pack: compressing and unpacking by zstd or zlib, a piece at a time. One thread. */
#ifndef BACKUP_PACK_H
#define BACKUP_PACK_H

#include "shared/bytes.h"
#include "shared/err.h"

enum pack_method { PACK_NONE, PACK_ZSTD, PACK_GZIP };

/* False: no such name. */
SH_CHECK bool pack_method_parse(const char *name, enum pack_method *out);

struct pack;

/* Gets what came out; an error of its ends the call with it. */
typedef enum sh_err pack_out_fn(void *arg, struct sh_bytes bytes);

struct pack_options {
    enum pack_method method;
    int level;
    unsigned threads;
    pack_out_fn *out;
    void *arg;
};
/* `unpack`: the other way; level and threads are then not looked at. Errors: SH_NOMEM. */
SH_CHECK enum sh_err pack_open(const struct pack_options *options, bool unpack,
                               struct pack **out);
/* `last`: nothing follows. Errors: SH_MALFORMED (unpacking: damaged, or cut off), those
 * of `out`. */
SH_CHECK enum sh_err pack_add(struct pack *pack, struct sh_bytes bytes, bool last);
void pack_close(struct pack **at);

#endif
