/* apply: a page of rows from the record into the view. Runs on the one thread that may
 * change the view; knows nothing of connections. */
#ifndef SEARCH_APPLY_H
#define SEARCH_APPLY_H

#include <libpq-fe.h>

#include "services/search/feed/changed.h"
#include "services/search/view/view.h"

struct apply_outcome {
    size_t documents; /* in the page */
    size_t refused;   /* that the view did not take */
    char sample[257]; /* a title, "" when none had one */
};

/* Whether no document of what was asked for stands behind the page: of all, or of some
 * that changed. `after` becomes the last one; it stays when the page is empty. */
bool apply_is_last(const PGresult *page, bool of_all, char after[257]);
/* Rows as services/search/store/statements.h says. `changed` NULL: everything is loaded.
 * `unseen`: nobody searches the view yet, so that its vectors may go in on several
 * threads. Errors: SH_NOMEM (some of the page may be in the view; repeat it), SH_IO (the
 * same; the file of the vectors' rows cannot be written). */
SH_CHECK enum sh_err apply_page(struct view *view, uint32_t dimension,
                                const PGresult *page, struct changed_ids *changed,
                                bool unseen, struct apply_outcome *outcome);
/* Remove those that no page had. */
void apply_removals(struct view *view, const struct changed_ids *changed);

#endif
