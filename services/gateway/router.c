#include "services/gateway/router.h"

#include <stdio.h>

static const char api[] = "/api/";
static const char api_v1[] = "/api/v1/";

enum { NAME_MAX_BYTES = 128, ALLOW_MAX = 48 };

/* One path with whatever methods it has. */
struct place {
    char path[NAME_MAX_BYTES]; /* up to the parameter */
    size_t len;                /* 0: an empty slot of the hash */
    bool param;                /* one more segment follows */
    const char *tail;          /* and this behind it, which may be "" */
    const struct route *routes[ROUTE_METHODS];
    char allow[ALLOW_MAX];
    unsigned flags; /* of the first of its routes */
};

struct router {
    struct place *fixed; /* open addressing; a power of two, at most half full */
    size_t mask;
    struct place *open; /* those with a parameter */
    size_t open_count;
};

const char *route_method_name(enum route_method method)
{
    static const char *const names[] = {"GET", "POST", "PUT", "DELETE"};
    return names[method];
}

#define PERMISSION_NAME(name, text) [PERMIT_##name] = (text),
const char *permission_name(enum permission permission)
{
    static const char *const names[PERMIT_COUNT] = {PERMISSIONS(PERMISSION_NAME)};
    return permission < PERMIT_COUNT ? names[permission] : "";
}

static uint32_t hash(const char *path, size_t len)
{
    uint32_t value = 2166136261u;
    for (size_t i = 0; i < len; i++)
        value = (value ^ (unsigned char)path[i]) * 16777619u;
    return value;
}

static bool is_at(const struct place *place, const char *path, size_t len)
{
    return place->len == len && memcmp(place->path, path, len) == 0;
}

/* The slot of the path, or the empty one where it belongs. */
static struct place *fixed_slot(const struct router *router, const char *path, size_t len)
{
    size_t i = hash(path, len) & router->mask;
    while (router->fixed[i].len > 0 && !is_at(&router->fixed[i], path, len))
        i = (i + 1) & router->mask;
    return &router->fixed[i];
}

static struct place *open_slot(struct router *router, const char *path, size_t len,
                               const char *tail)
{
    for (size_t i = 0; i < router->open_count; i++)
        if (is_at(&router->open[i], path, len) && strcmp(router->open[i].tail, tail) == 0)
            return &router->open[i];
    return &router->open[router->open_count++];
}

static void describe_allow(struct place *place)
{
    size_t used = 0;

    for (int m = 0; m < ROUTE_METHODS; m++) {
        if (place->routes[m] == NULL)
            continue;
        used += (size_t)snprintf(
            place->allow + used, ALLOW_MAX - used, "%s, ",
            m == ROUTE_GET ? "GET, HEAD" : route_method_name((enum route_method)m));
    }
    (void)snprintf(place->allow + used, ALLOW_MAX - used, "OPTIONS");
}

static enum sh_err add(struct router *router, const struct route *route, const char *path)
{
    const char *brace = strchr(path, '{');
    const char *end = brace != NULL ? strchr(brace, '}') : NULL;
    size_t len = brace != NULL ? (size_t)(brace - path) : strlen(path);
    if ((brace != NULL && end == NULL) || len == 0 || len >= NAME_MAX_BYTES ||
        permission_name(route->permission)[0] == 0)
        return SH_INVALID;

    struct place *place = brace != NULL ? open_slot(router, path, len, end + 1)
                                        : fixed_slot(router, path, len);
    memcpy(place->path, path, len);
    place->len = len;
    place->param = brace != NULL;
    /* of the route's own text, which stays: `path` may be a copy of it */
    place->tail = brace != NULL ? strchr(route->path, '}') + 1 : "";
    if (place->routes[route->method] != NULL)
        return SH_INVALID;
    if (place->allow[0] == '\0')
        place->flags = route->flags;
    place->routes[route->method] = route;
    describe_allow(place);
    return SH_OK;
}

static enum sh_err add_both(struct router *router, const struct route *route)
{
    char versioned[NAME_MAX_BYTES];
    enum sh_err err = add(router, route, route->path);

    if (err != SH_OK || strncmp(route->path, api, sizeof api - 1) != 0)
        return err;
    (void)snprintf(versioned, sizeof versioned, "%s%s", api_v1,
                   route->path + sizeof api - 1);
    return add(router, route, versioned);
}

enum sh_err router_create(const struct route *routes, size_t count, struct router **out)
{
    struct router *router = sh_alloc(sizeof *router);
    enum sh_err err = SH_NOMEM;
    size_t slots = 16;

    *out = NULL;
    if (router == NULL)
        return SH_NOMEM;
    while (slots < count * 4) /* two names each, half full */
        slots *= 2;
    router->mask = slots - 1;
    router->fixed = sh_alloc_array(slots, sizeof *router->fixed);
    router->open = sh_alloc_array(count * 2 + 1, sizeof *router->open);
    if (router->fixed != NULL && router->open != NULL)
        err = SH_OK;
    for (size_t i = 0; i < count && err == SH_OK; i++)
        err = add_both(router, &routes[i]);
    *out = router;
    if (err != SH_OK)
        router_free(out);
    return err;
}

void router_free(struct router **router)
{
    if (*router == NULL)
        return;
    sh_free((*router)->fixed);
    sh_free((*router)->open);
    sh_free(*router);
    *router = NULL;
}

/* What stands for the parameter; empty when the path is another one. It is one segment.
 */
static struct sh_bytes open_param(const struct place *place, struct sh_bytes path)
{
    const char *data = path.data;
    size_t tail = strlen(place->tail);
    struct sh_bytes none = {0};

    if (path.len <= place->len + tail || memcmp(data, place->path, place->len) != 0 ||
        memcmp(data + path.len - tail, place->tail, tail) != 0)
        return none;
    struct sh_bytes param = {data + place->len, path.len - place->len - tail};
    return memchr(param.data, '/', param.len) == NULL ? param : none;
}

static const struct place *find_place(const struct router *router, struct sh_bytes path)
{
    const struct place *fixed = fixed_slot(router, path.data, path.len);
    if (fixed->len > 0)
        return fixed;
    for (size_t i = 0; i < router->open_count; i++)
        if (open_param(&router->open[i], path).len > 0)
            return &router->open[i];
    return NULL;
}

static const struct route *find_method(const struct place *place, struct sh_bytes method)
{
    if (sh_bytes_is(method, "HEAD"))
        return place->routes[ROUTE_GET];
    for (int m = 0; m < ROUTE_METHODS; m++)
        if (sh_bytes_is(method, route_method_name((enum route_method)m)))
            return place->routes[m];
    return NULL;
}

struct router_match router_find(const struct router *router, struct sh_bytes method,
                                struct sh_bytes path)
{
    struct router_match match = {0};
    if (path.len == 0 || path.len > 4096)
        return match;
    const struct place *place = find_place(router, path);
    if (place == NULL)
        return match;
    match.route = find_method(place, method);
    match.allow = place->allow;
    match.flags = match.route != NULL ? match.route->flags : place->flags;
    if (place->param)
        match.param = open_param(place, path);
    return match;
}
