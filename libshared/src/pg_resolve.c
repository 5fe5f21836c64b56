#include "pg_resolve.h"

#include <netdb.h>
#include <netinet/in.h>

#include "shared/mem.h"

enum { ADDRESSES_MAX = 16 };

struct pg_resolve {
    uv_getaddrinfo_t request;
    pg_resolved_fn *resolved; /* NULL once cancelled */
    void *arg;
    char *hosts; /* comma-separated, as in the conninfo */
    char *ports;
    const char *next_host; /* into `hosts`; NULL when all are done */
    const char *next_port;
    char host[256]; /* being looked up */
    char port[16];
    struct pg_addresses found;
};

static const char *value(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++) {
        if (strcmp(options->keyword, keyword) == 0)
            return options->val ? options->val : "";
    }
    return "";
}

static bool is_socket(const char *host)
{
    return *host == '\0' || *host == '/' || *host == '@';
}

static bool is_address(const char *host)
{
    struct in6_addr scratch;

    return uv_inet_pton(AF_INET, host, &scratch) == 0 ||
           uv_inet_pton(AF_INET6, host, &scratch) == 0;
}

/* The entry up to the next comma; *cursor goes behind it, NULL after the last. False when
 * it does not fit. */
static bool take(const char **cursor, char *out, size_t size)
{
    const char *end = strchrnul(*cursor, ',');
    size_t len = (size_t)(end - *cursor);

    if (len >= size)
        return false;
    memcpy(out, *cursor, len);
    out[len] = '\0';
    *cursor = *end ? end + 1 : NULL;
    return true;
}

bool pg_resolve_needed(const PQconninfoOption *options)
{
    const char *cursor = value(options, "host");
    char host[256];

    if (*value(options, "hostaddr"))
        return false;
    while (cursor) {
        if (!take(&cursor, host, sizeof(host)) || !(is_socket(host) || is_address(host)))
            return true;
    }
    return false;
}

static void found(struct pg_resolve *resolve, const char *address)
{
    struct pg_addresses *list = &resolve->found;
    const char *comma = list->count > 0 ? "," : "";

    if (list->count == ADDRESSES_MAX)
        return;
    sh_buffer_printf(&list->hosts, "%s%s", comma, resolve->host);
    sh_buffer_printf(&list->addresses, "%s%s", comma, address);
    sh_buffer_printf(&list->ports, "%s%s", comma, resolve->port);
    list->count++;
}

static void destroy(struct pg_resolve *resolve)
{
    sh_buffer_free(&resolve->found.hosts);
    sh_buffer_free(&resolve->found.addresses);
    sh_buffer_free(&resolve->found.ports);
    sh_free(resolve->hosts);
    sh_free(resolve->ports);
    sh_free(resolve);
}

static void finish(struct pg_resolve *resolve)
{
    struct pg_addresses *list = &resolve->found;
    enum sh_err err = list->count > 0 ? SH_OK : SH_UNAVAILABLE;

    sh_buffer_append(&list->hosts, "", 1);
    sh_buffer_append(&list->addresses, "", 1);
    sh_buffer_append(&list->ports, "", 1);
    if (list->hosts.err || list->addresses.err || list->ports.err)
        err = SH_NOMEM;
    if (resolve->resolved)
        resolve->resolved(resolve->arg, err, err == SH_OK ? list : NULL);
    destroy(resolve);
}

static enum sh_err look_up_next(struct pg_resolve *resolve);

static void on_addresses(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct pg_resolve *resolve = request->data;
    char address[INET6_ADDRSTRLEN];

    for (struct addrinfo *a = status == 0 ? list : NULL; a; a = a->ai_next) {
        int bad = a->ai_family == AF_INET6
                      ? uv_ip6_name((const void *)a->ai_addr, address, sizeof(address))
                      : uv_ip4_name((const void *)a->ai_addr, address, sizeof(address));
        if (bad == 0)
            found(resolve, address);
    }
    uv_freeaddrinfo(list);
    /* A name that is unknown must not hide the others. */
    while (resolve->resolved && resolve->next_host) {
        if (look_up_next(resolve) == SH_OK)
            return;
    }
    finish(resolve);
}

/* Starts the look-up of the next entry that is a name; errors leave it skipped. */
static enum sh_err look_up_next(struct pg_resolve *resolve)
{
    static const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                          .ai_socktype = SOCK_STREAM};

    if (!take(&resolve->next_host, resolve->host, sizeof(resolve->host))) {
        resolve->next_host = NULL;
        return SH_INVALID;
    }
    /* Fewer ports than hosts: the last one holds for the rest. */
    if (resolve->next_port &&
        !take(&resolve->next_port, resolve->port, sizeof(resolve->port)))
        return SH_INVALID;
    if (is_socket(resolve->host)) {
        found(resolve, "");
        return SH_NOTFOUND;
    }
    resolve->request.data = resolve;
    return sh_err_from_uv(uv_getaddrinfo(resolve->request.loop, &resolve->request,
                                         on_addresses, resolve->host, NULL, &hints));
}

enum sh_err pg_resolve_start(uv_loop_t *loop, const PQconninfoOption *options,
                             pg_resolved_fn *resolved, void *arg, struct pg_resolve **out)
{
    struct pg_resolve *self = sh_alloc(sizeof(*self));

    if (!self)
        return SH_NOMEM;
    self->resolved = resolved;
    self->arg = arg;
    self->request.loop = loop;
    self->hosts = sh_strdup(value(options, "host"));
    self->ports = sh_strdup(value(options, "port"));
    if (!self->hosts || !self->ports) {
        destroy(self);
        return SH_NOMEM;
    }
    self->next_host = self->hosts;
    self->next_port = self->ports;
    while (self->next_host) {
        if (look_up_next(self) == SH_OK) {
            *out = self;
            return SH_OK;
        }
    }
    destroy(self);
    return SH_UNAVAILABLE;
}

void pg_resolve_cancel(struct pg_resolve **resolve)
{
    if (!*resolve)
        return;
    (*resolve)->resolved = NULL;
    (void)uv_cancel(
        (uv_req_t *)&(*resolve)->request); /* may be running: it ends itself */
    *resolve = NULL;
}
