/* s3_internal: what S3 takes for a name, and what it says in XML. Pure; any thread. */
#ifndef SHARED_S3_INTERNAL_H
#define SHARED_S3_INTERNAL_H

#include "shared/buffer.h"
#include "shared/s3.h"

bool s3_bucket_ok(const char *name, size_t len);
/* False: what lies between its slashes would make another path of it. */
bool s3_key_ok(const char *key);
/* As AWS wants it signed: all but unreserved characters and `keep`, in capital hex. */
void s3_escape(struct sh_buffer *out, const char *text, const char *keep);

struct s3_listing {
    union { /* what it is a list of */
        struct sh_s3_object objects[SH_S3_LIST_MAX];
        struct sh_s3_part parts[SH_S3_PARTS_MAX];
        struct sh_s3_upload uploads[SH_S3_LIST_MAX];
    };
    char *texts[2 * SH_S3_LIST_MAX]; /* what keys and ids point to; owned */
    size_t text_count;
    size_t count;
    bool more;
    char upload[SH_S3_UPLOAD_MAX]; /* of one that was begun */
};

/* An answer whose outermost element is `root`: a list of objects, parts or uploads, or
 * what tells of an upload. Errors: SH_UPSTREAM (it is something else), SH_NOMEM. The
 * caller ends *out with s3_listing_free() in every case. */
SH_CHECK enum sh_err s3_listing_read(struct sh_bytes xml, const char *root,
                                     struct s3_listing *out);
void s3_listing_free(struct s3_listing *listing);
/* The code of an error; "" when there is none. */
void s3_error_read(struct sh_bytes xml, char *code, size_t size);

#endif
