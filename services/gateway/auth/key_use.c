#include "services/gateway/auth/key_use.h"

#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { USED_MAX = 256, WRITE_EVERY_MS = 10000, WRITE_MS = 5000 };

struct used {
    char id[KEY_ID];
    double at; /* Unix seconds */
};

struct key_use {
    struct sh_pg *pg;
    uv_timer_t timer; /* runs while something waits */
    size_t count;
    struct used used[USED_MAX];
};

static const struct sh_pg_statement update_used = {
    "api_keys_used",
    "UPDATE api_keys k SET last_used_at = greatest(k.last_used_at, to_timestamp(u.at)) "
    "FROM unnest($1::text[], $2::float8[]) AS u(id, at) WHERE k.id = u.id"};

static void on_written(void *arg, const struct sh_pg_reply *reply)
{
    (void)arg; /* the pool may outlive what asked it */
    if (reply->err != SH_OK && reply->err != SH_CANCELED)
        sh_warning(NULL, "the last use of API keys was not written: %s", reply->message);
}

void key_use_flush(struct key_use *self)
{
    struct sh_buffer ids = {0}, times = {0};

    if (self->count == 0)
        return;
    for (size_t i = 0; i < self->count; i++) {
        const char *mark = i == 0 ? "{" : ",";
        sh_buffer_printf(&ids, "%s%.*s", mark, KEY_ID, self->used[i].id);
        sh_buffer_printf(&times, "%s%.3f", mark, self->used[i].at);
    }
    sh_buffer_text(&ids, "}");
    sh_buffer_text(&times, "}");
    const struct sh_pg_param params[] = {{.value = sh_buffer_bytes(&ids)},
                                         {.value = sh_buffer_bytes(&times)}};
    const struct sh_pg_step step = {&update_used, params, 2, false};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + WRITE_MS};
    enum sh_err err = ids.err != SH_OK ? ids.err : times.err;
    if (err == SH_OK)
        err = sh_pg_run(self->pg, &call, on_written, NULL);
    if (err != SH_OK)
        sh_warning(NULL, "the last use of API keys was not written: %s",
                   sh_err_text(err));
    self->count = 0;
    sh_buffer_free(&ids);
    sh_buffer_free(&times);
}

static void on_timer(uv_timer_t *timer)
{
    key_use_flush(timer->data);
}

void key_use_note(struct key_use *self, const char id[KEY_ID])
{
    double now = sh_wall_time();

    for (size_t i = 0; i < self->count; i++)
        if (memcmp(self->used[i].id, id, KEY_ID) == 0) {
            self->used[i].at = now;
            return;
        }
    if (self->count == USED_MAX)
        key_use_flush(self);
    if (self->count == 0) /* fails without a callback only */
        (void)uv_timer_start(&self->timer, on_timer, WRITE_EVERY_MS, 0);
    memcpy(self->used[self->count].id, id, KEY_ID);
    self->used[self->count++].at = now;
}

enum sh_err key_use_open(uv_loop_t *loop, struct sh_pg *pg, struct key_use **out)
{
    struct key_use *self = sh_alloc(sizeof *self);

    *out = self;
    if (self == NULL)
        return SH_NOMEM;
    self->pg = pg;
    (void)uv_timer_init(loop, &self->timer); /* cannot fail */
    self->timer.data = self;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void key_use_close(struct key_use **self)
{
    if (*self != NULL)
        uv_close((uv_handle_t *)&(*self)->timer, on_closed);
    *self = NULL;
}
