/* s3: objects in a bucket of S3, or of what speaks like it (MinIO, Ceph, Spaces), by
 * libcurl, which signs each request (AWS Signature Version 4,
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html).
 * Buckets are named in the path. What failed for the moment (no connection, 429, 5xx, an
 * answer cut off) is tried again with back-off: every operation here may be done twice.
 * Objects over 5 GiB, and those whose upload is to go on where it broke off, are sent in
 * parts. Loop thread only. */
#ifndef SHARED_S3_H
#define SHARED_S3_H

#include <uv.h>

#include "shared/bytes.h"
#include "shared/config.h"
#include "shared/err.h"

#define SH_S3_SETTINGS(S)                                                                \
    S(url, endpoint, "S3_ENDPOINT", "", 0, 1024, SH_HTTP, "",                            \
      "http[s]://host[:port] of the S3 service; empty: AWS, in S3_REGION")               \
    S(str, region, "S3_REGION", "us-east-1", 1, 64, 0, "AWS_REGION",                     \
      "region that requests are signed for")                                             \
    S(str, access_key, "S3_ACCESS_KEY", "", 0, 128, 0,                                   \
      "AWS_ACCESS_KEY_ID|AWS_ACCESS_KEY", "access key of S3")                            \
    S(str, secret_key, "S3_SECRET_KEY", "", 0, 256, SH_SECRET,                           \
      "AWS_SECRET_ACCESS_KEY|AWS_SECRET_KEY", "secret key of S3")                        \
    S(u32, timeout_ms, "S3_TIMEOUT_MS", "60000", 100, 3600000, 0, "",                    \
      "longest time for one request to S3, its repetitions not counted")                 \
    S(u32, slow_bytes, "S3_SLOW_BYTES", "1024", 1, 1000000000, 0, "",                    \
      "a request that moves fewer bytes a second than this, for S3_SLOW_S, is given "    \
      "up and tried again")                                                              \
    S(u32, slow_s, "S3_SLOW_S", "30", 1, 3600, 0, "",                                    \
      "seconds for which a request to S3 may be that slow")                              \
    S(u32, part_mb, "S3_PART_MB", "32", 5, 5000, 0, "",                                  \
      "files of backups that are larger are sent to S3 in parts of this size")           \
    S(u32, attempts, "S3_ATTEMPTS", "4", 1, 10, 0, "",                                   \
      "how often a request to S3 is tried before it has failed")

struct sh_s3_config {
    SH_S3_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings sh_s3_settings(struct sh_s3_config *into);

enum { SH_S3_KEY_MAX = 1024, SH_S3_BUCKET_MAX = 64, SH_S3_LIST_MAX = 1000 };

/* "s3://bucket/some/prefix": the prefix has a slash at its end, or is empty. False: it is
 * not one. */
struct sh_s3_place {
    char bucket[SH_S3_BUCKET_MAX];
    char prefix[SH_S3_KEY_MAX];
};
SH_CHECK bool sh_s3_place_parse(const char *url, struct sh_s3_place *out);

struct sh_s3;
struct sh_s3_call; /* one operation under way */

/* Errors: SH_INVALID (no keys, an endpoint that is no URL; logged), SH_NOMEM. */
SH_CHECK enum sh_err sh_s3_create(uv_loop_t *loop, const struct sh_s3_config *config,
                                  const char *bucket, struct sh_s3 **out);
/* What is under way gets SH_CANCELED before this returns. NULL is fine. */
void sh_s3_close(struct sh_s3 **s3);

struct sh_s3_object {
    const char *key;
    uint64_t size;
    double modified; /* Unix seconds */
};

struct sh_s3_part {
    unsigned number; /* from 1 */
    uint64_t size;
    char etag[72];
    char sha256[48]; /* base64; "" where S3 does not know it */
};

struct sh_s3_upload { /* in parts, not completed */
    const char *key;
    const char *id;
    double begun; /* Unix seconds */
};

struct sh_s3_reply {
    /* SH_NOTFOUND (no such object or bucket), SH_FORBIDDEN (the keys or the signature
     * were refused), SH_INVALID (otherwise refused), SH_UNAVAILABLE, SH_TIMEOUT,
     * SH_UPSTREAM (no S3 there), SH_CANCELED, SH_NOMEM */
    enum sh_err err;
    int status;                         /* of HTTP; 0 without an answer */
    char code[64];                      /* of S3: "NoSuchKey"; or "" */
    const char *why;                    /* libcurl's words without an answer; borrowed */
    uint64_t size;                      /* head: of the object */
    struct sh_bytes body;               /* get: borrowed until `done` returns */
    const struct sh_s3_object *objects; /* list: by key; borrowed */
    size_t count;
    bool more;                          /* a list: there are others behind the last one */
    const char *upload;                 /* upload_begin: its id; borrowed */
    const struct sh_s3_part *parts;     /* parts: by number; borrowed */
    const struct sh_s3_upload *uploads; /* uploads: by key; borrowed */
};
/* Exactly once per accepted call, never from inside it. */
typedef void sh_s3_done_fn(void *arg, const struct sh_s3_reply *reply);

struct sh_s3_put {
    int fd; /* of a file; may be closed when the call has returned */
    uint64_t size;
    const char *sha256; /* in hex; S3 refuses what does not match */
    const char *type;   /* Content-Type; NULL: application/octet-stream */
};

/* Keys: 1 to 1,024 bytes. *call may be NULL. Errors of all five: SH_INVALID, SH_NOMEM,
 * SH_IO (the descriptor), SH_CANCELED when closing; `done` is then never called. */
SH_CHECK enum sh_err sh_s3_put(struct sh_s3 *s3, const char *key,
                               const struct sh_s3_put *put, sh_s3_done_fn *done,
                               void *arg, struct sh_s3_call **call);
struct sh_s3_range {
    uint64_t offset;
    size_t len; /* > 0 */
};
/* Exactly these bytes; SH_UPSTREAM when others came. */
SH_CHECK enum sh_err sh_s3_get(struct sh_s3 *s3, const char *key,
                               const struct sh_s3_range *range, sh_s3_done_fn *done,
                               void *arg, struct sh_s3_call **call);
SH_CHECK enum sh_err sh_s3_head(struct sh_s3 *s3, const char *key, sh_s3_done_fn *done,
                                void *arg, struct sh_s3_call **call);
/* One that is not there is deleted. */
SH_CHECK enum sh_err sh_s3_delete(struct sh_s3 *s3, const char *key, sh_s3_done_fn *done,
                                  void *arg, struct sh_s3_call **call);
struct sh_s3_page {
    const char *prefix; /* of the keys */
    const char *after;  /* only keys behind this one; "": from the first */
    unsigned most;      /* 0: SH_S3_LIST_MAX */
};
SH_CHECK enum sh_err sh_s3_list(struct sh_s3 *s3, const struct sh_s3_page *page,
                                sh_s3_done_fn *done, void *arg, struct sh_s3_call **call);
/* --- uploads in parts. What was sent stays until the upload is completed or aborted, and
 * costs money; it is no object. Parts have 5 MiB at least, but for the last. Repeating
 * begin may leave a second upload behind. */
enum { SH_S3_UPLOAD_MAX = 512, SH_S3_PARTS_MAX = 1000 };

struct sh_s3_piece {
    const char *upload;
    unsigned number; /* from 1 to SH_S3_PARTS_MAX */
    int fd;          /* of a file; may be closed when the call has returned */
    uint64_t offset, size;
    const char *sha256; /* in hex; S3 refuses what does not match */
};
SH_CHECK enum sh_err sh_s3_upload_begin(struct sh_s3 *s3, const char *key,
                                        sh_s3_done_fn *done, void *arg,
                                        struct sh_s3_call **call);
SH_CHECK enum sh_err sh_s3_upload_put(struct sh_s3 *s3, const char *key,
                                      const struct sh_s3_piece *piece,
                                      sh_s3_done_fn *done, void *arg,
                                      struct sh_s3_call **call);
/* reply->parts: the first SH_S3_PARTS_MAX. SH_NOTFOUND: no such upload. */
SH_CHECK enum sh_err sh_s3_upload_parts(struct sh_s3 *s3, const char *key,
                                        const char *upload, sh_s3_done_fn *done,
                                        void *arg, struct sh_s3_call **call);
/* `parts` as sh_s3_upload_parts() told: they become the object. */
struct sh_s3_whole {
    const char *upload;
    const struct sh_s3_part *parts;
    size_t count;
};
SH_CHECK enum sh_err sh_s3_upload_complete(struct sh_s3 *s3, const char *key,
                                           const struct sh_s3_whole *whole,
                                           sh_s3_done_fn *done, void *arg,
                                           struct sh_s3_call **call);
/* One that is not there is aborted. */
SH_CHECK enum sh_err sh_s3_upload_abort(struct sh_s3 *s3, const char *key,
                                        const char *upload, sh_s3_done_fn *done,
                                        void *arg, struct sh_s3_call **call);
/* reply->uploads: the first SH_S3_LIST_MAX below the prefix. */
SH_CHECK enum sh_err sh_s3_uploads(struct sh_s3 *s3, const char *prefix,
                                   sh_s3_done_fn *done, void *arg,
                                   struct sh_s3_call **call);

/* `done` gets SH_CANCELED on a later turn. */
void sh_s3_cancel(struct sh_s3_call *call);

#endif
