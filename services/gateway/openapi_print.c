#include <stdio.h>
#include <stdlib.h>

#include "services/gateway/openapi.h"
#include "services/gateway/routes/routes.h"

int openapi_print(void)
{
    struct sh_buffer out = {0};
    size_t count = 0;
    struct route *routes = routes_all(&count);
    bool good = routes != NULL && openapi_write(routes, count, &out) == SH_OK &&
                fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0;

    sh_free(routes);
    sh_buffer_free(&out);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
