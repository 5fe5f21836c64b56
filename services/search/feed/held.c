#include "services/search/feed/held.h"

enum sh_err held_new(const struct view_options *options, struct held_view **out)
{
    struct held_view *held = sh_alloc(sizeof(*held));
    enum sh_err err = held ? view_create(options, &held->view) : SH_NOMEM;

    if (err != SH_OK) {
        sh_free(held);
        return err;
    }
    held->users = 1;
    *out = held;
    return SH_OK;
}

void held_release(struct held_view *held)
{
    if (held == NULL || --held->users > 0)
        return;
    view_free(&held->view);
    sh_free(held);
}
