#include "pg_link.h"

#include <stdio.h>
#include <string.h>

#include "pg_resolve.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { KEYWORDS_MAX = 64 };

/* What libpq is started with: the conninfo's words, ours over or under them. */
struct words {
    const char *keys[KEYWORDS_MAX + 1];
    const char *values[KEYWORDS_MAX + 1];
    size_t count;
};

static void set(struct words *words, const char *key, const char *value)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->keys[i], key) == 0) {
            words->values[i] = value;
            return;
        }
    }
    if (words->count == KEYWORDS_MAX)
        return;
    words->keys[words->count] = key;
    words->values[words->count++] = value;
}

void pg_link_error(const struct pg_link *link, char *out, size_t size)
{
    (void)snprintf(out, size, "%s", link->conn ? PQerrorMessage(link->conn) : "");
    for (char *c = out; *c; c++) {
        if (*c == '\n')
            *c = c[1] ? ' ' : '\0';
    }
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle);
}

static void drop_poll(struct pg_link *link)
{
    if (link->poll) {
        link->poll->data = NULL;
        uv_close((uv_handle_t *)link->poll, on_closed);
    }
    link->poll = NULL;
    link->watched = 0;
}

void pg_link_close(struct pg_link *link)
{
    pg_resolve_cancel(&link->resolve);
    drop_poll(link); /* before its descriptor goes */
    PQfinish(link->conn);
    link->conn = NULL;
    PQconninfoFree(link->conninfo);
    link->conninfo = NULL;
    sh_free(link->options);
    link->options = NULL;
    link->state = PG_LINK_CLOSED;
}

static void fail(struct pg_link *link, const char *fallback)
{
    char why[512];

    pg_link_error(link, why, sizeof(why));
    pg_link_close(link);
    link->events->down(link->arg, *why ? why : fallback);
}

static void step(struct pg_link *link);

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct pg_link *link = poll->data;

    (void)events;
    if (!link)
        return;
    if (status < 0 && link->state == PG_LINK_UP)
        fail(link, uv_strerror(status));
    else if (link->state == PG_LINK_UP)
        link->events->ready(link->arg);
    else
        step(link); /* on an error libpq finds out what it is, and tries the next host */
}

void pg_link_watch(struct pg_link *link, int events)
{
    if (link->watched == events || !link->poll)
        return;
    link->watched = events;
    (void)uv_poll_start(link->poll, events, on_poll); /* fails on closed handles only */
}

/* libpq may have closed its socket and opened another under the same number, so a new
 * handle is made after each step. */
static enum sh_err new_poll(struct pg_link *link, int events)
{
    uv_poll_t *poll = sh_alloc(sizeof(*poll));
    int status;

    if (!poll)
        return SH_NOMEM;
    status = uv_poll_init(link->loop, poll, PQsocket(link->conn));
    if (status < 0) {
        sh_free(poll);
        return sh_err_from_uv(status);
    }
    poll->data = link;
    link->poll = poll;
    pg_link_watch(link, events);
    return SH_OK;
}

static void on_notice(void *arg, const char *message)
{
    (void)arg;
    sh_debug(NULL, "postgresql: %.*s", (int)strcspn(message, "\n"), message);
}

static void connected(struct pg_link *link)
{
    if (PQsetnonblocking(link->conn, 1) != 0 || new_poll(link, UV_READABLE) != SH_OK) {
        fail(link, "out of memory");
        return;
    }
    link->state = PG_LINK_UP;
    link->events->up(link->arg);
}

static void step(struct pg_link *link)
{
    PostgresPollingStatusType status;
    enum sh_err err = SH_OK;

    drop_poll(link);
    status = PQconnectPoll(link->conn);
    if (status == PGRES_POLLING_OK)
        connected(link);
    else if (status == PGRES_POLLING_READING)
        err = new_poll(link, UV_READABLE);
    else if (status == PGRES_POLLING_WRITING)
        err = new_poll(link, UV_WRITABLE);
    else
        fail(link, "connection failed");
    if (err != SH_OK)
        fail(link, sh_err_text(err));
}

static enum sh_err start(struct pg_link *link, const struct pg_addresses *addresses)
{
    /* Kerberos would be asked for tickets while the loop waits; a peer that vanished
     * without a word is found out in about a minute. The conninfo may say otherwise. */
    struct words words = {
        .keys = {"gssencmode", "fallback_application_name", "client_encoding",
                 "keepalives_idle", "keepalives_interval", "keepalives_count",
                 "tcp_user_timeout"},
        .values = {"disable", "cairn", "UTF8", "30", "10", "3", "60000"},
        .count = 7,
    };

    for (const PQconninfoOption *o = link->conninfo; o->keyword; o++) {
        if (o->val)
            set(&words, o->keyword, o->val);
    }
    if (link->options)
        set(&words, "options", link->options);
    if (addresses) {
        set(&words, "host", addresses->hosts.data);
        set(&words, "hostaddr", addresses->addresses.data);
        set(&words, "port", addresses->ports.data);
    }
    link->conn = PQconnectStartParams(words.keys, words.values, 0);
    if (!link->conn)
        return SH_NOMEM;
    PQsetNoticeProcessor(link->conn, on_notice, NULL);
    if (PQstatus(link->conn) == CONNECTION_BAD)
        return SH_UNAVAILABLE;
    link->state = PG_LINK_CONNECTING;
    return new_poll(link, UV_WRITABLE);
}

static void on_resolved(void *arg, enum sh_err err, const struct pg_addresses *addresses)
{
    struct pg_link *link = arg;

    link->resolve = NULL;
    if (err == SH_OK)
        err = start(link, addresses);
    if (err != SH_OK)
        fail(link, link->conn ? sh_err_text(err) : "the host name cannot be resolved");
}

/* Ours first: what the conninfo says wins. */
static char *join_options(const char *ours, const PQconninfoOption *conninfo)
{
    struct sh_buffer out = {0};

    if (ours)
        sh_buffer_text(&out, ours);
    for (; conninfo->keyword; conninfo++) {
        if (strcmp(conninfo->keyword, "options") == 0 && conninfo->val)
            sh_buffer_printf(&out, " %s", conninfo->val);
    }
    sh_buffer_append(&out, "", 1);
    if (out.err != SH_OK)
        sh_buffer_free(&out);
    return out.data;
}

enum sh_err pg_link_open(struct pg_link *link, const char *conninfo, const char *options)
{
    enum sh_err err;

    link->conninfo = PQconninfoParse(conninfo, NULL);
    if (!link->conninfo)
        return SH_INVALID;
    link->options = join_options(options, link->conninfo);
    if (!link->options) {
        err = SH_NOMEM;
    } else if (pg_resolve_needed(link->conninfo)) {
        link->state = PG_LINK_RESOLVING;
        err = pg_resolve_start(link->loop, link->conninfo, on_resolved, link,
                               &link->resolve);
    } else {
        err = start(link, NULL);
    }
    if (err != SH_OK) {
        pg_link_error(link, link->why, sizeof(link->why));
        if (!*link->why)
            (void)snprintf(link->why, sizeof(link->why), "%s", sh_err_text(err));
        pg_link_close(link);
    }
    return err;
}

bool pg_link_flush(struct pg_link *link)
{
    int left = PQflush(link->conn);

    if (left < 0 || PQstatus(link->conn) != CONNECTION_OK)
        return false;
    pg_link_watch(link, left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE);
    return true;
}
