#include "services/gateway/tables.h"

#include "services/gateway/openapi.h"
#include "services/gateway/routes/routes.h"

enum sh_err tables_open(struct gateway *gateway)
{
    struct route *routes = routes_all(&gateway->route_count);
    size_t count = gateway->route_count;

    gateway->routes = routes;
    if (routes == NULL)
        return SH_NOMEM;
    enum sh_err err = router_create(routes, count, &gateway->router);
    if (err == SH_OK)
        err = board_create(&gateway->board);
    if (err == SH_OK)
        err = openapi_write(routes, count, &gateway->openapi);
    if (err == SH_OK)
        err = openapi_page(routes, count, &gateway->docs);
    if (err == SH_OK)
        err = openapi_policy(&gateway->docs_policy);
    return err;
}

void tables_close(struct gateway *gateway)
{
    router_free(&gateway->router);
    board_free(&gateway->board);
    sh_buffer_free(&gateway->openapi);
    sh_buffer_free(&gateway->docs);
    sh_buffer_free(&gateway->docs_policy);
    shell_close(&gateway->shell);
    web_files_free(&gateway->pages);
    sh_free(gateway->routes);
    gateway->routes = NULL;
}
