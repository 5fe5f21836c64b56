#include "libshared/src/rpc_resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>

#include "shared/mem.h"

enum { INTERVAL_MS = 1000 };

struct source {
    struct rpc_resolve *resolve;
    size_t index;
    char host[256];
    char port[8];
    uv_timer_t timer;
    uv_getaddrinfo_t lookup;
    struct source *next;
};

struct rpc_resolve {
    uv_loop_t *loop;
    rpc_resolve_fn *found; /* NULL: closed */
    void *arg;
    struct rpc_random random;
    struct source *sources; /* of names only */
    size_t handles;         /* timers and lookups under way */
};

static void release(struct rpc_resolve *resolve)
{
    if (resolve->handles > 0)
        return;
    while (resolve->sources) {
        struct source *source = resolve->sources;
        resolve->sources = source->next;
        sh_free(source);
    }
    sh_free(resolve);
}

static void on_handle_closed(uv_handle_t *timer)
{
    struct source *source = timer->data;
    struct rpc_resolve *resolve = source->resolve;
    resolve->handles--;
    release(resolve);
}

static void on_timer(uv_timer_t *timer);

static void again(struct source *source)
{
    uint64_t jitter = rpc_random_below(&source->resolve->random, INTERVAL_MS * 2 / 5 + 1);
    uv_timer_start(&source->timer, on_timer, INTERVAL_MS * 4 / 5 + jitter, 0);
}

static bool print_endpoint(const struct sockaddr *address, const char *port,
                           struct rpc_endpoint *out)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;
        inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
        (void)snprintf(out->text, sizeof(out->text), "tcp://%s:%s", text, port);
        return true;
    }
    if (address->sa_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *in = (const void *)address;
    inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof(text));
    (void)snprintf(out->text, sizeof(out->text), "tcp://[%s]:%s", text, port);
    return true;
}

static struct source *source_of(const struct rpc_resolve *resolve, size_t index)
{
    struct source *source = resolve->sources;
    while (source && source->index != index)
        source = source->next;
    return source;
}

void rpc_resolve_answer(struct rpc_resolve *resolve, size_t index, int status,
                        const struct addrinfo *list)
{
    struct rpc_endpoint endpoints[RPC_ADDRESSES_MAX];
    size_t count = 0;
    const struct source *source = source_of(resolve, index);
    if (!source || status != 0 || !resolve->found)
        return;
    for (; list && count < RPC_ADDRESSES_MAX; list = list->ai_next) {
        if (print_endpoint(list->ai_addr, source->port, &endpoints[count]))
            count++;
    }
    if (count > 0)
        resolve->found(resolve->arg, index, endpoints, count);
}

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *list)
{
    struct source *source = lookup->data;
    struct rpc_resolve *resolve = source->resolve;
    rpc_resolve_answer(resolve, source->index, status, list);
    uv_freeaddrinfo(list);
    resolve->handles--;
    if (resolve->found)
        again(source);
    else
        release(resolve);
}

static void on_timer(uv_timer_t *timer)
{
    struct source *source = timer->data;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    source->lookup.data = source;
    if (uv_getaddrinfo(source->resolve->loop, &source->lookup, on_lookup, source->host,
                       source->port, &hints) == 0)
        source->resolve->handles++;
    else
        again(source);
}

static enum sh_err follow(struct rpc_resolve *resolve, size_t index, const char *host,
                          size_t host_len, const char *port)
{
    struct source *source = sh_alloc(sizeof(*source));
    if (!source)
        return SH_NOMEM;
    *source = (struct source){.resolve = resolve, .index = index};
    (void)snprintf(source->host, sizeof(source->host), "%.*s", (int)host_len, host);
    (void)snprintf(source->port, sizeof(source->port), "%s", port);
    source->next = resolve->sources;
    resolve->sources = source;
    uv_timer_init(resolve->loop, &source->timer);
    source->timer.data = source;
    resolve->handles++;
    uv_timer_start(&source->timer, on_timer, 0, 0);
    return SH_OK;
}

static bool is_port(const char *text)
{
    size_t len = strspn(text, "0123456789");
    return len > 0 && len <= 5 && text[len] == 0;
}

static bool is_address(const char *host, size_t len)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr address;
    if (len > 0 && host[0] == '[')
        return true;
    (void)snprintf(text, sizeof(text), "%.*s", (int)len, host);
    return len < sizeof(text) && inet_pton(AF_INET, text, &address) == 1;
}

static enum sh_err add(struct rpc_resolve *resolve, size_t index,
                       const struct rpc_endpoint *endpoint)
{
    const char *text = endpoint->text;
    if (strncmp(text, "ipc://", 6) == 0 && text[6] != 0) {
        resolve->found(resolve->arg, index, endpoint, 1);
        return SH_OK;
    }
    const char *host = text + 6;
    const char *colon = strrchr(text, ':');
    if (strncmp(text, "tcp://", 6) != 0 || colon <= host || !is_port(colon + 1) ||
        colon - host > 253)
        return SH_INVALID;
    if (!is_address(host, (size_t)(colon - host)))
        return follow(resolve, index, host, (size_t)(colon - host), colon + 1);
    resolve->found(resolve->arg, index, endpoint, 1);
    return SH_OK;
}

static enum sh_err add_all(struct rpc_resolve *resolve, const char *list)
{
    for (size_t index = 0;; index++) {
        struct rpc_endpoint endpoint = {0};
        list += strspn(list, " ");
        size_t len = strcspn(list, ", ");
        if (len == 0 || len >= sizeof(endpoint.text))
            return SH_INVALID;
        memcpy(endpoint.text, list, len);
        enum sh_err err = add(resolve, index, &endpoint);
        list += len;
        list += strspn(list, " ");
        if (err != SH_OK || *list == 0)
            return err;
        if (*list++ != ',')
            return SH_INVALID;
    }
}

enum sh_err rpc_resolve_create(uv_loop_t *loop, const char *endpoints,
                               rpc_resolve_fn *found, void *arg, struct rpc_resolve **out)
{
    struct rpc_resolve *resolve = sh_alloc(sizeof(*resolve));
    if (!resolve)
        return SH_NOMEM;
    *resolve = (struct rpc_resolve){
        .loop = loop,
        .found = found,
        .arg = arg,
        .random = rpc_random_seed(),
    };
    enum sh_err err = add_all(resolve, endpoints);
    if (err != SH_OK) {
        rpc_resolve_close(&resolve);
        return err;
    }
    *out = resolve;
    return SH_OK;
}

void rpc_resolve_close(struct rpc_resolve **resolve_p)
{
    struct rpc_resolve *resolve = *resolve_p;
    if (!resolve)
        return;
    *resolve_p = NULL;
    resolve->found = NULL;
    for (struct source *source = resolve->sources; source; source = source->next) {
        (void)uv_cancel((uv_req_t *)&source->lookup); /* else it ends by itself */
        uv_close((uv_handle_t *)&source->timer, on_handle_closed);
    }
    release(resolve);
}
