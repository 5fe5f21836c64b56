#include "services/search/feed/held.h"

#include "shared/sched.h"

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

/* --- on a thread of its own ------------------------------------------------------- */

static void bury(void *arg)
{
    struct held_view *held = arg;

    sh_sched_background();
    view_free(&held->view);
    uv_async_send(&held->gone); /* cannot fail for a handle that is open */
}

/* --- on the loop's ---------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void on_gone(uv_async_t *gone)
{
    struct held_view *held = gone->data;

    uv_thread_join(&held->undertaker);
    uv_close((uv_handle_t *)gone, on_closed);
}

static void free_aside(struct held_view *held)
{
    held->gone.data = held;
    if (uv_async_init(held->loop, &held->gone, on_gone) != 0) {
        view_free(&held->view);
        sh_free(held);
    } else if (uv_thread_create(&held->undertaker, bury, held) != 0) {
        view_free(&held->view);
        uv_close((uv_handle_t *)&held->gone, on_closed);
    }
}

void held_release(struct held_view *held)
{
    if (held == NULL || --held->users > 0)
        return;
    if (held->loop != NULL) {
        free_aside(held);
        return;
    }
    view_free(&held->view);
    sh_free(held);
}

void held_retire(struct held_view *held, uv_loop_t *loop)
{
    if (held == NULL)
        return;
    held->loop = loop;
    held_release(held);
}
