#include "libshared/src/service_internal.h"

#include <malloc.h>

enum { PERIOD_MS = 60000 };

/* What a burst took and gave back lies between what is still in use. The C library keeps
 * those pages, so that a service would stay as large as it ever was, here and there. */
static void on_tick(uv_timer_t *timer)
{
    (void)timer;
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

enum sh_err sh_memory_start(uv_timer_t *timer)
{
    return sh_err_from_uv(uv_timer_start(timer, on_tick, PERIOD_MS, PERIOD_MS));
}
