#include "services/embedder/shelf.h"
#include "shared/clock.h"
#include "shared/mem.h"

/* A model takes a moment to be fetched; who asks for it meanwhile waits here, as long as
 * his request may take. */

enum { LOOK_MS = 50 };

struct shelf_waiting {
    uv_timer_t timer;
    struct shelf_waiter *first;
};

static struct shelf_waiting *waiting_of(const struct shelf_waiter *waiter)
{
    return waiter->model->shelf->waiting;
}

void shelf_unwait(struct shelf_waiter *waiter)
{
    struct shelf_waiting *self = waiting_of(waiter);
    *(waiter->prev ? &waiter->prev->next : &self->first) = waiter->next;
    if (waiter->next)
        waiter->next->prev = waiter->prev;
    waiter->next = NULL;
    waiter->prev = NULL;
    if (!self->first)
        uv_timer_stop(&self->timer);
}

/* `go` may add and remove others: from the front again after each. */
static void wake(struct shelf_waiting *self, const struct shelf_model *model,
                 uint64_t now_ms)
{
    struct shelf_waiter *waiter = self->first;
    while (waiter) {
        struct shelf_waiter *next = waiter->next;
        if (waiter->model == model || waiter->deadline_ms <= now_ms) {
            shelf_unwait(waiter);
            waiter->go(waiter);
            next = self->first;
        }
        waiter = next;
    }
}

static void on_timer(uv_timer_t *timer)
{
    wake(timer->data, NULL, sh_now_ms());
}

void shelf_wake(struct shelf_model *model)
{
    if (model->shelf->waiting)
        wake(model->shelf->waiting, model, 0);
}

void shelf_wait(struct shelf_model *model, struct shelf_waiter *waiter)
{
    struct shelf_waiting *self = model->shelf->waiting;
    waiter->model = model;
    waiter->prev = NULL;
    waiter->next = self->first;
    if (waiter->next)
        waiter->next->prev = waiter;
    self->first = waiter;
    if (!uv_is_active((uv_handle_t *)&self->timer))
        uv_timer_start(&self->timer, on_timer, LOOK_MS, LOOK_MS);
}

enum sh_err shelf_waiting_open(struct shelf *self)
{
    self->waiting = sh_alloc(sizeof(*self->waiting));
    if (!self->waiting)
        return SH_NOMEM;
    (void)uv_timer_init(self->loop, &self->waiting->timer); /* cannot fail in libuv */
    self->waiting->timer.data = self->waiting;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void shelf_waiting_close(struct shelf *self)
{
    if (self->waiting)
        uv_close((uv_handle_t *)&self->waiting->timer, on_closed);
    self->waiting = NULL;
}
