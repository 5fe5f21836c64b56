#include "services/search/jobs/ingest.h"

#include "shared/clock.h"

enum { PUT_MS = 300000 /* an embedder that is slow is waited for */ };

struct ingest {
    struct sh_job_item *item;
    struct sh_arena arena;
    struct caller caller; /* the creator */
};

static bool passes(enum sh_err err)
{
    return err == SH_BUSY || err == SH_UNAVAILABLE || err == SH_DRAINING ||
           err == SH_TIMEOUT || err == SH_CANCELED || err == SH_NOMEM ||
           err == SH_INTERNAL || err == SH_REJECTED;
}

static void on_put(void *arg, const struct put_outcome *outcome)
{
    struct ingest *self = arg;
    struct sh_job_item *item = self->item;
    char text[512];

    if (outcome->err == SH_OK) {
        sh_job_item_done(item);
    } else {
        (void)snprintf(text, sizeof(text), "%s%s%s",
                       outcome->field != NULL ? outcome->field : "",
                       outcome->field != NULL ? ": " : "", outcome->message);
        sh_job_item_fail(item, sh_err_code(outcome->err), text, passes(outcome->err));
    }
    sh_arena_free(&self->arena);
    sh_free(self);
}

static void on_item(void *arg, struct sh_job_item *item)
{
    struct put_order order = {.payload = item->payload,
                              .quiet = true, /* counting it is not */
                              .deadline_ms = sh_now_ms() + PUT_MS};
    struct ingest *self = sh_alloc(sizeof(*self));
    enum sh_err err = SH_NOMEM;

    if (self != NULL) {
        self->item = item;
        err = msg_decode(caller_desc(), item->caller, &self->arena, &self->caller);
    }
    if (err == SH_OK) {
        order.caller = &self->caller;
        err = putter_put(arg, &order, on_put, self);
    }
    if (err == SH_OK)
        return;
    sh_job_item_fail(item, sh_err_code(err), sh_err_text(err), passes(err));
    if (self != NULL)
        sh_arena_free(&self->arena);
    sh_free(self);
}

struct sh_job_kind ingest_kind(struct putter *putter, unsigned at_once)
{
    return (struct sh_job_kind){.name = INGEST_KIND,
                                .style = SH_JOB_ITEMS,
                                .at_once = at_once,
                                .item = on_item,
                                .arg = putter};
}
