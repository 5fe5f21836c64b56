/* multipart: multipart/form-data (RFC 7578 over RFC 2046), taken apart as it arrives.
 * What is held of it is the head of the part under way and at most a delimiter's
 * beginning; a file is never whole in memory. Senders that two parsers could read in two
 * ways are refused: bare LF in a part's head, folded lines, a boundary followed by
 * anything else, repeated parameters, transfer encodings. One thread at a time. */
#ifndef SHARED_MULTIPART_H
#define SHARED_MULTIPART_H

#include <stdint.h>

#include "shared/bytes.h"
#include "shared/err.h"

enum {
    SH_MULTIPART_NAME_MAX = 256, /* bytes, with the NUL */
    SH_MULTIPART_FILENAME_MAX = 512,
    SH_MULTIPART_TYPE_MAX = 128,
};

/* What a part says of itself: UTF-8 without control characters, so never trusted further
 * than that. */
struct sh_multipart_part {
    char name[SH_MULTIPART_NAME_MAX];
    /* The last segment of the path that was sent, never "." or ".."; `filename*` (RFC
     * 8187) counts more than `filename`. */
    char filename[SH_MULTIPART_FILENAME_MAX];
    char type[SH_MULTIPART_TYPE_MAX]; /* as sent, "text/plain" when nothing was */
    bool is_file;                     /* a file name was given, maybe an empty one */
};

/* Called from within sh_multipart_feed(). Anything but SH_OK stops: feed returns it, and
 * nothing more is called. */
struct sh_multipart_events {
    enum sh_err (*begin)(void *arg, const struct sh_multipart_part *part);
    /* Never empty; borrowed until it returns. */
    enum sh_err (*data)(void *arg, struct sh_bytes piece);
    enum sh_err (*end)(void *arg);
};

struct sh_multipart_limits { /* 0 takes the default in brackets */
    size_t parts;            /* [64] → SH_TOOBIG */
    size_t head_bytes;       /* of the headers of one part [4096] → SH_TOOBIG */
    uint64_t part_bytes;     /* of the data of one part [no limit] → SH_TOOBIG */
};

struct sh_multipart;

/* `content_type` is the request's header. Errors: SH_INVALID (it is not
 * multipart/form-data with one good boundary), SH_NOMEM. The caller ends *out with
 * sh_multipart_free(). */
SH_CHECK enum sh_err sh_multipart_create(struct sh_bytes content_type,
                                         const struct sh_multipart_limits *limits,
                                         const struct sh_multipart_events *events,
                                         void *arg, struct sh_multipart **out);
/* The next bytes of the body, cut anywhere. Errors, which stick: SH_MALFORMED, SH_TOOBIG,
 * or what an event returned. */
SH_CHECK enum sh_err sh_multipart_feed(struct sh_multipart *self, struct sh_bytes bytes);
/* The body is over. Errors: SH_MALFORMED when its last delimiter has not come. */
SH_CHECK enum sh_err sh_multipart_end(struct sh_multipart *self);
/* One sentence about the error, for people. */
const char *sh_multipart_why(const struct sh_multipart *self);
/* NULL is fine; *self becomes NULL. */
void sh_multipart_free(struct sh_multipart **self);

#endif
