/* s3_call: one operation under way: signed, sent, sent again while what fails may pass,
 * and answered once. Operations (s3_operations.c) make a call, fill in what is their own
 * and start it. Loop thread only. */
#ifndef SHARED_S3_CALL_H
#define SHARED_S3_CALL_H

#include "http_list.h"
#include "s3_internal.h"
#include "shared/buffer.h"
#include "shared/http_client.h"

struct sh_s3 {
    uv_loop_t *loop;
    const struct sh_s3_config *config;
    struct sh_http_client *client;
    struct http_link calls;
    char scope[96];
    char base[1200]; /* "https://host/bucket" */
};

enum s3_operation {
    S3_PUT,
    S3_GET,
    S3_HEAD,
    S3_DELETE,
    S3_LIST,
    S3_BEGIN,
    S3_PARTS,
    S3_COMPLETE,
    S3_UPLOADS
};

struct sh_s3_call {
    struct http_link link;
    struct sh_s3 *s3;
    enum s3_operation operation;
    char *url;
    int fd; /* PUT */
    uint64_t offset, size;
    struct sh_buffer body; /* COMPLETE */
    size_t len;            /* GET */
    char hash_line[96];
    char type_line[160];
    char extra_line[96]; /* a range, a checksum */
    unsigned tries;
    bool canceled;
    struct sh_http_call *http; /* NULL: waits for its next try */
    uv_timer_t timer;
    sh_s3_done_fn *done;
    void *arg;
};

/* SHA-256 of nothing, in hex. */
#define S3_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* "https://host/bucket/key" into `url`, with `query` ("" or "?…") behind it. */
struct sh_s3_call *s3_call_make_key(struct sh_s3 *s3, enum s3_operation operation,
                                    const char *key, const char *query);
/* Takes what `url` has. NULL: no memory. The caller ends it with s3_call_start() or
 * s3_call_drop(). */
struct sh_s3_call *s3_call_make(struct sh_s3 *s3, enum s3_operation operation,
                                struct sh_buffer *url);
/* Never started. */
void s3_call_drop(struct sh_s3_call *call);
/* Takes `call`; NULL is SH_NOMEM. Errors: as sh_s3_put(). */
SH_CHECK enum sh_err s3_call_start(struct sh_s3_call *call, sh_s3_done_fn *done,
                                   void *arg, struct sh_s3_call **out);

#endif
