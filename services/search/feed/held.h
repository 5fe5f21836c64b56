/* held: a view that stays until the last one who uses it lets it go. Loop thread only. */
#ifndef SEARCH_HELD_H
#define SEARCH_HELD_H

#include "services/search/view/view.h"

struct held_view {
    struct view *view;
    size_t users;
};

/* With one user; `options` as in view_create(). Errors: SH_NOMEM. */
SH_CHECK enum sh_err held_new(const struct view_options *options, struct held_view **out);
/* NULL is fine. */
void held_release(struct held_view *held);

#endif
