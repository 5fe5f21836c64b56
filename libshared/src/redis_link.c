#include "redis_link.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>

#include "shared/mem.h"

/* --- hiredis on libuv ------------------------------------------------------------- */

struct adapter { /* freed when its handle is closed */
    uv_poll_t poll;
    redisAsyncContext *context; /* NULL once hiredis has let go */
    int events;
};

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct adapter *self = poll->data;

    /* On an error hiredis reads, fails and says why. */
    if (self->context && (status < 0 || (events & UV_READABLE)))
        redisAsyncHandleRead(self->context);
    if (self->context && status >= 0 && (events & UV_WRITABLE))
        redisAsyncHandleWrite(self->context);
}

static void watch(struct adapter *self, int events)
{
    if (events == self->events || !self->context)
        return;
    self->events = events;
    if (events)
        (void)uv_poll_start(&self->poll, events, on_poll); /* fails when closing only */
    else
        (void)uv_poll_stop(&self->poll);
}

static void add_read(void *data)
{
    struct adapter *self = data;

    watch(self, self->events | UV_READABLE);
}

static void del_read(void *data)
{
    struct adapter *self = data;

    watch(self, self->events & ~UV_READABLE);
}

static void add_write(void *data)
{
    struct adapter *self = data;

    watch(self, self->events | UV_WRITABLE);
}

static void del_write(void *data)
{
    struct adapter *self = data;

    watch(self, self->events & ~UV_WRITABLE);
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void cleanup(void *data)
{
    struct adapter *self = data;

    self->context->ev.data = NULL;
    self->context = NULL;
    uv_close((uv_handle_t *)&self->poll, on_closed);
}

static enum sh_err attach(uv_loop_t *loop, redisAsyncContext *context)
{
    struct adapter *self = sh_alloc(sizeof(*self));

    if (!self)
        return SH_NOMEM;
    if (uv_poll_init(loop, &self->poll, context->c.fd) != 0) {
        sh_free(self);
        return SH_IO;
    }
    self->poll.data = self;
    self->context = context;
    context->ev.data = self;
    context->ev.addRead = add_read;
    context->ev.delRead = del_read;
    context->ev.addWrite = add_write;
    context->ev.delWrite = del_write;
    context->ev.cleanup = cleanup;
    return SH_OK;
}

/* --- connection ------------------------------------------------------------------- */

static void lost(const redisAsyncContext *context, const char *fallback)
{
    struct redis_link *link = context->data;
    const char *why = context->errstr && *context->errstr ? context->errstr : fallback;

    if (!link)
        return;
    link->context = NULL; /* hiredis frees it when this returns */
    link->down(link->arg, why);
}

static void on_connect(const redisAsyncContext *context, int status)
{
    struct redis_link *link = context->data;

    if (status != REDIS_OK)
        lost(context, "connection failed");
    else if (link)
        link->up(link->arg);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
    (void)status;
    lost(context, "the connection was lost");
}

static enum sh_err start(struct redis_link *link, const char *address)
{
    redisAsyncContext *context = address ? redisAsyncConnect(address, link->address->port)
                                         : redisAsyncConnectUnix(link->address->path);
    enum sh_err err = context ? SH_UNAVAILABLE : SH_NOMEM;

    if (context && !context->err)
        err = attach(link->loop, context);
    if (err != SH_OK) {
        (void)snprintf(link->why, sizeof(link->why), "%s",
                       context && context->err ? context->errstr : sh_err_text(err));
        if (context)
            redisAsyncFree(context);
        return err;
    }
    context->data = link;
    link->context = context;
    redisAsyncSetConnectCallback(context, on_connect);
    redisAsyncSetDisconnectCallback(context, on_disconnect);
    return SH_OK;
}

/* --- names: hiredis would block while it resolves them ---------------------------- */

struct redis_lookup {
    uv_getaddrinfo_t request;
    struct redis_link *link; /* NULL once nobody wants it */
};

static bool nth_address(const struct addrinfo *list, unsigned n,
                        char out[static INET6_ADDRSTRLEN])
{
    const struct addrinfo *a = list;
    unsigned count = 0;
    int bad;

    for (; a; a = a->ai_next)
        count++;
    if (count == 0)
        return false;
    for (a = list, n %= count; n > 0; n--)
        a = a->ai_next;
    bad = a->ai_family == AF_INET6
              ? uv_ip6_name((const void *)a->ai_addr, out, INET6_ADDRSTRLEN)
              : uv_ip4_name((const void *)a->ai_addr, out, INET6_ADDRSTRLEN);
    return bad == 0;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct redis_lookup *lookup = request->data;
    struct redis_link *link = lookup->link;
    char address[INET6_ADDRSTRLEN];
    bool found = link && status == 0 && nth_address(list, link->attempt, address);

    sh_free(lookup);
    uv_freeaddrinfo(list);
    if (!link)
        return;
    link->lookup = NULL;
    if (!found)
        link->down(link->arg, status < 0 ? uv_strerror(status) : "no address");
    else if (start(link, address) != SH_OK)
        link->down(link->arg, link->why);
}

static enum sh_err look_up(struct redis_link *link)
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                          .ai_socktype = SOCK_STREAM};
    struct redis_lookup *lookup = sh_alloc(sizeof(*lookup));

    if (!lookup)
        return SH_NOMEM;
    lookup->link = link;
    lookup->request.data = lookup;
    if (uv_getaddrinfo(link->loop, &lookup->request, on_resolved, link->address->host,
                       NULL, &hints) != 0) {
        sh_free(lookup);
        return SH_UNAVAILABLE;
    }
    link->lookup = lookup;
    return SH_OK;
}

enum sh_err redis_link_open(struct redis_link *link)
{
    struct in6_addr scratch;
    const char *host = link->address->host;

    link->attempt++;
    (void)snprintf(link->why, sizeof(link->why), "the host name cannot be looked up");
    if (link->address->path)
        return start(link, NULL);
    if (uv_inet_pton(AF_INET, host, &scratch) == 0 ||
        uv_inet_pton(AF_INET6, host, &scratch) == 0)
        return start(link, host);
    return look_up(link);
}

void redis_link_close(struct redis_link *link)
{
    redisAsyncContext *context = link->context;

    if (link->lookup) {
        link->lookup->link = NULL;
        (void)uv_cancel((uv_req_t *)&link->lookup->request); /* else it ends by itself */
        link->lookup = NULL;
    }
    link->context = NULL;
    if (context) {
        context->data = NULL;
        redisAsyncFree(context);
    }
}
