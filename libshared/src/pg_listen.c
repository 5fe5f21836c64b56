#include <ctype.h>
#include <stdio.h>

#include "backoff.h"
#include "pg_link.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/pg.h"

enum { CONNECT_MS = 5000 };

struct sh_pg_listener {
    struct pg_link link;
    uv_timer_t timer; /* back-off while closed, the connect's limit while connecting */
    char *conninfo;
    char command[80];
    sh_pg_notified_fn *notified;
    void *arg;
    unsigned failures;
    bool listening;
    bool closing;
};

static void reconnect(struct sh_pg_listener *self);

static void on_timer(uv_timer_t *timer)
{
    struct sh_pg_listener *self = timer->data;

    if (self->link.state != PG_LINK_CLOSED)
        self->link.events->down(self, "the connection attempt timed out");
    else
        reconnect(self);
}

static void arm(struct sh_pg_listener *self, uint64_t wait_ms)
{
    (void)uv_timer_start(&self->timer, on_timer, wait_ms, 0); /* not closing */
}

static void on_down(void *arg, const char *why)
{
    struct sh_pg_listener *self = arg;

    sh_warning(NULL, "postgresql listener: %s", why);
    pg_link_close(&self->link);
    self->listening = false;
    arm(self, backoff_ms(self->failures++));
}

static void reconnect(struct sh_pg_listener *self)
{
    enum sh_err err = pg_link_open(&self->link, self->conninfo, NULL);

    if (err == SH_OK)
        arm(self, CONNECT_MS);
    else
        on_down(self, self->link.why);
}

static void lost(struct sh_pg_listener *self)
{
    char why[256];

    pg_link_error(&self->link, why, sizeof(why));
    on_down(self, *why ? why : "the connection was lost");
}

static void on_up(void *arg)
{
    struct sh_pg_listener *self = arg;

    if (!PQsendQuery(self->link.conn, self->command) || !pg_link_flush(&self->link))
        lost(self);
}

/* The answer to LISTEN; false when it was refused. */
static bool take_results(struct sh_pg_listener *self)
{
    PGresult *result;
    bool ok = true;

    while (ok && !self->listening && !PQisBusy(self->link.conn) &&
           PQstatus(self->link.conn) == CONNECTION_OK) {
        result = PQgetResult(self->link.conn);
        if (!result)
            break;
        ok = PQresultStatus(result) == PGRES_COMMAND_OK;
        self->listening = ok;
        PQclear(result);
        if (ok) {
            self->failures = 0;
            (void)uv_timer_stop(&self->timer);
            self->notified(self->arg, NULL);
            ok = !self->closing;
        }
    }
    return ok;
}

static void on_ready(void *arg)
{
    struct sh_pg_listener *self = arg;
    PGnotify *notify;

    if (!PQconsumeInput(self->link.conn) || !pg_link_flush(&self->link)) {
        lost(self);
        return;
    }
    if (!take_results(self)) {
        if (!self->closing)
            lost(self);
        return;
    }
    (void)PQisBusy(self->link.conn); /* parses what has arrived */
    while (!self->closing && (notify = PQnotifies(self->link.conn))) {
        self->notified(self->arg, notify->extra);
        PQfreemem(notify);
    }
    if (!self->closing && PQstatus(self->link.conn) != CONNECTION_OK)
        lost(self);
}

static bool is_name(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) &&
            text[i] != '_')
            return false;
    }
    return len > 0 && len <= 63;
}

static void on_closed(uv_handle_t *handle)
{
    struct sh_pg_listener *self = handle->data;

    sh_free(self->conninfo);
    sh_free(self);
}

/* A pooler in transaction mode passes no notifications on. */
static const char *listen_host(const struct sh_pg_config *config)
{
    return config->listen_host && *config->listen_host ? config->listen_host : NULL;
}

enum sh_err sh_pg_listen(uv_loop_t *loop, const struct sh_pg_config *config,
                         const char *channel, sh_pg_notified_fn *notified, void *arg,
                         struct sh_pg_listener **out)
{
    static const struct pg_link_events events = {on_up, on_ready, on_down};
    struct sh_pg_listener *self;

    if (!is_name(channel))
        return SH_INVALID;
    self = sh_alloc(sizeof(*self));
    if (!self)
        return SH_NOMEM;
    self->conninfo = sh_pg_conninfo(config, listen_host(config));
    if (!self->conninfo) {
        sh_free(self);
        return SH_NOMEM;
    }
    self->link.loop = loop;
    self->link.events = &events;
    self->link.arg = self;
    self->notified = notified;
    self->arg = arg;
    (void)snprintf(self->command, sizeof(self->command), "LISTEN \"%s\"", channel);
    self->timer.data = self;
    (void)uv_timer_init(loop, &self->timer);
    reconnect(self);
    *out = self;
    return SH_OK;
}

void sh_pg_unlisten(struct sh_pg_listener **listener)
{
    struct sh_pg_listener *self = *listener;

    *listener = NULL;
    if (!self || self->closing)
        return;
    self->closing = true;
    pg_link_close(&self->link);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}
