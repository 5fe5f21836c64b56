/* view_snapshot: a view as files in a directory: `view` (documents, slots, the model),
 * `text` (the text index) and what the vector index keeps. The texts of documents stay
 * where they are in the mapped file. Versioned, each section with its XXH3; what is torn,
 * changed, of another version or does not fit together is refused. */
#ifndef SEARCH_VIEW_SNAPSHOT_H
#define SEARCH_VIEW_SNAPSHOT_H

#include "services/search/view/view.h"

/* Of the file; to be raised, too, when a view holds something else of a document than
 * before. */
enum { VIEW_SNAPSHOT_VERSION = 2, VIEW_SNAPSHOT_NOTE = 512 };

struct view_snapshot_about {
    char note[VIEW_SNAPSHOT_NOTE + 1]; /* as it was given */
    char fingerprint[65];              /* of the model */
    uint32_t dimension;
    size_t documents;
    size_t chunks;
};

/* By the writer of the view, while searches go on; `dir` is there and empty. What is
 * written is on the disk when this returns, but for the entry of `dir` itself. `note`
 * (VIEW_SNAPSHOT_NOTE bytes at most): what state of the record the view shows. Errors:
 * SH_IO, SH_NOMEM, SH_TOOBIG, SH_INVALID (the vectors' rows are in memory); what `dir`
 * holds is then of no use. */
SH_CHECK enum sh_err view_snapshot_save(const struct view *view, const char *note,
                                        const char *dir);

/* What a snapshot says of itself; only that much of it is read and checked. Errors:
 * SH_NOTFOUND, SH_MALFORMED, SH_IO. */
SH_CHECK enum sh_err view_snapshot_peek(const char *dir, struct view_snapshot_about *out);

struct view_model {
    const char *fingerprint;
    uint32_t dimension; /* 0: there is none */
    double alpha;
};

/* Into a view that is empty and has no model yet: it has this one afterwards. The files
 * may be removed, but not changed, while the view is there. Errors: SH_NOTFOUND,
 * SH_MALFORMED (set it aside), SH_CONFLICT (another model, other options of the vectors
 * or another file of their rows), SH_IO, SH_NOMEM, SH_INVALID (the model); the view is
 * then good for nothing but view_free(). */
SH_CHECK enum sh_err view_snapshot_load(struct view *view, const struct view_model *model,
                                        const char *dir);

#endif
