/* files: what a directory of web pages holds, read whole into memory when the gateway
 * starts. Names are looked up in that table alone: a path in a request never reaches the
 * file system. Read only after web_files_read(): any thread. */
#ifndef GATEWAY_WEB_FILES_H
#define GATEWAY_WEB_FILES_H

#include "shared/bytes.h"
#include "shared/err.h"

enum {
    WEB_FILES_MAX = 512,
    WEB_FILE_BYTES = 8 << 20,
    WEB_BYTES = 32 << 20, /* of all */
    WEB_NAME_MAX = 192,
    WEB_TAG = 19, /* letters of an ETag with its quotes and a NUL */
};

struct web_file {
    char path[WEB_NAME_MAX]; /* "/assets/index-5f2c9a1b.js" */
    const char *type;
    struct sh_bytes plain;  /* owned by the table */
    struct sh_bytes packed; /* gzip; empty where it would not be smaller */
    char tag[WEB_TAG];      /* of the plain bytes */
    char packed_tag[WEB_TAG];
    bool hashed; /* the name changes with the contents */
};

struct web_files;

/* Regular files with an ending that pages are made of; others, hidden ones and symbolic
 * links are left out. Errors: SH_NOTFOUND (no index.html there), SH_TOOBIG, SH_IO,
 * SH_NOMEM; `why` has a sentence. Blocks: for the start only. */
SH_CHECK enum sh_err web_files_read(const char *dir, struct web_files **out, char *why,
                                    size_t size);
/* The same for WEB_DIR: what is wrong is logged, and the API does without pages. NULL:
 * there are none, or `dir` is empty. */
struct web_files *web_files_open(const char *dir);
void web_files_free(struct web_files **self);

size_t web_files_count(const struct web_files *self);
/* NULL: there is no such file. */
const struct web_file *web_files_find(const struct web_files *self, struct sh_bytes path);

#endif
