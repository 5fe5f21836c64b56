/* held: a view that stays until the last one who uses it lets it go. Loop thread only. */
#ifndef SEARCH_HELD_H
#define SEARCH_HELD_H

#include <uv.h>

#include "services/search/view/view.h"

struct held_view {
    struct view *view;
    size_t users;
    uv_loop_t *loop; /* NULL: what nobody uses goes at once */
    uv_async_t gone;
    uv_thread_t undertaker;
};

/* With one user; `options` as in view_create(). Errors: SH_NOMEM. */
SH_CHECK enum sh_err held_new(const struct view_options *options, struct held_view **out);
/* NULL is fine. The last one frees the view, here and now. */
void held_release(struct held_view *held);
/* As held_release(), for a view that others may still search: whoever is last, it is a
 * thread of its own that frees it, because that takes a second for a million passages.
 * The loop stays alive until then. */
void held_retire(struct held_view *held, uv_loop_t *loop);

#endif
