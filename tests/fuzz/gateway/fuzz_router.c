/* "METHOD PATH\nBODY" against every route that there is: what is found answers to that
 * method and path, and a body is refused with a sentence or read by the route's schema.
 */
#include <stdlib.h>

#include "services/gateway/json_in.h"
#include "services/gateway/routes/routes.h"

enum { BODY_STRUCT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct router *all_routes(void)
{
    static struct router *router;
    static struct route *routes; /* as long as the process: the router points into it */
    size_t count = 0;

    if (router)
        return router;
    routes = routes_all(&count);
    if (!routes || router_create(routes, count, &router) != SH_OK)
        abort();
    return router;
}

/* Up to `end`, which is stepped over. */
static struct sh_bytes cut(struct sh_bytes *input, char end)
{
    struct sh_bytes piece = {input->data, 0};
    const char *found = input->len ? memchr(input->data, end, input->len) : NULL;

    piece.len = found ? (size_t)(found - (const char *)input->data) : input->len;
    size_t used = piece.len + (found ? 1 : 0);
    input->data = (const char *)input->data + used;
    input->len -= used;
    return piece;
}

static void check_match(struct router_match match, struct sh_bytes method,
                        struct sh_bytes path)
{
    if (!match.route)
        return;
    if (!match.allow || (!sh_bytes_is(method, "HEAD") &&
                         !sh_bytes_is(method, route_method_name(match.route->method))))
        abort();
    bool open = strchr(match.route->path, '{') != NULL;
    if (open != (match.param.len > 0))
        abort();
    if (open && (memchr(match.param.data, '/', match.param.len) ||
                 (const char *)match.param.data < (const char *)path.data ||
                 (const char *)match.param.data + match.param.len >
                     (const char *)path.data + path.len))
        abort();
}

static void check_body(const struct schema *schema, struct sh_bytes body)
{
    struct sh_arena arena = {0};
    struct schema_fault fault = {0};
    char why[160];
    json_t *json = NULL;

    if (schema->size > BODY_STRUCT_MAX)
        abort();
    if (json_in(body, &json, why, sizeof why) != SH_OK) {
        if (why[0] == '\0')
            abort();
        return;
    }
    void *into = malloc(schema->size); /* its own size, so that writing beyond is seen */
    if (!into)
        abort();
    if (schema_read(schema, json, &arena, into, &fault) != SH_OK &&
        fault.error[0] == '\0')
        abort();
    free(into);
    sh_arena_free(&arena);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sh_bytes input = {data, size};
    struct sh_bytes method = cut(&input, ' ');
    struct sh_bytes path = cut(&input, '\n');
    struct router_match match = router_find(all_routes(), method, path);

    check_match(match, method, path);
    if (match.route && match.route->body)
        check_body(match.route->body, input);
    return 0;
}
