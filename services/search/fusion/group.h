/* group: makes results of passages in order: neighbours of one document become one
 * result, and a document has so many results at most. Pure: any thread.
 *
 * Only the first GROUP_POOL passages are merged, with each other, however many results
 * are asked for: so asking for more changes neither a result nor its place. A result
 * stands where its best passage stood. */
#ifndef SEARCH_GROUP_H
#define SEARCH_GROUP_H

#include "services/search/fusion/fusion.h"

enum {
    GROUP_POOL = 64,
    GROUP_MOST = 8,           /* passages of a result */
    GROUP_BYTES = 128 * 1024, /* of their texts */
};

struct group_passage {
    const void *document; /* what tells documents apart */
    uint32_t ordinal;     /* within it */
    size_t bytes;         /* of its text */
};

struct group_options {
    bool merge;
    uint32_t per_document; /* most results of a document; 0: any number */
    struct group_passage (*passage)(const void *arg, uint32_t slot);
    const void *arg;
};

struct group {
    const struct fusion_hit *hit; /* the best passage */
    const uint32_t *slots;        /* of all passages, in reading order */
    uint32_t count;
};

struct groups { /* in the arena, best first */
    struct group *items;
    size_t count;
};

/* The first `most` results of the order that `fused` is in, fewer where it has no more.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err groups_make(const struct fusion_result *fused,
                                 const struct group_options *options, size_t most,
                                 struct sh_arena *arena, struct groups *out);

/* How many bytes of `below` repeat the end of `above`: at least GROUP_REPEATED, from the
 * beginning of a word on. Errors: SH_NOMEM. */
enum { GROUP_REPEATED = 8 };
SH_CHECK enum sh_err group_repeated(struct sh_bytes above, struct sh_bytes below,
                                    struct sh_arena *arena, size_t *bytes);

/* The texts one after the other, without what is repeated. Errors: SH_NOMEM. */
SH_CHECK enum sh_err group_join(const struct sh_bytes *texts, size_t count,
                                struct sh_arena *arena, struct sh_bytes *joined);

#endif
