#include "changefeed_trim.h"

#include <inttypes.h>
#include <stdio.h>

#include "shared/clock.h"

enum { ASK_MS = 10000, FIRST_MS = 60 * 1000, EVERY_MS = 10 * 60 * 1000 };

static void look_whether_closed(struct changefeed_trim *trim)
{
    if (trim->timer_closed && !trim->asking)
        trim->closed(trim->arg);
}

static void on_trimmed(void *arg, const struct sh_pg_reply *reply)
{
    struct changefeed_trim *trim = arg;

    trim->asking = false;
    if (reply->err == SH_OK && sh_pg_u64(reply->results[0], 0, 0) > 0)
        changefeed_trim_now(trim); /* it removes some at a time */
    look_whether_closed(trim);
}

void changefeed_trim_now(struct changefeed_trim *trim)
{
    char texts[2][24];
    struct sh_pg_param params[2] = {0};
    const struct sh_pg_step step = {&trim->sql->trim, params, 2, false};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + ASK_MS};

    if (trim->asking || trim->closing)
        return;
    (void)snprintf(texts[0], sizeof(texts[0]), "%u", trim->keep_s);
    (void)snprintf(texts[1], sizeof(texts[1]), "%" PRIu64, trim->keep_rows);
    for (size_t i = 0; i < SH_COUNT(params); i++)
        params[i].value = sh_bytes_of(texts[i]);
    /* What fails is done the next time. */
    trim->asking = sh_pg_run(trim->pg, &call, on_trimmed, trim) == SH_OK;
}

static void on_timer(uv_timer_t *timer)
{
    changefeed_trim_now(timer->data);
}

void changefeed_trim_start(struct changefeed_trim *trim, uv_loop_t *loop)
{
    trim->timer.data = trim;
    (void)uv_timer_init(loop, &trim->timer); /* these two cannot fail */
    (void)uv_timer_start(&trim->timer, on_timer, FIRST_MS, EVERY_MS);
}

static void on_closed(uv_handle_t *handle)
{
    struct changefeed_trim *trim = handle->data;

    trim->timer_closed = true;
    look_whether_closed(trim);
}

void changefeed_trim_close(struct changefeed_trim *trim)
{
    trim->closing = true;
    uv_close((uv_handle_t *)&trim->timer, on_closed);
}
