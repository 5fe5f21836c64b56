#include "libshared/src/service_internal.h"

#include <malloc.h>

enum { PERIOD_MS = 60000 };

#ifdef __GLIBC__
/* What a burst took and gave back lies between what is still in use. The C library keeps
 * those pages, so that a service would stay as large as it ever was, here and there. What
 * is free lies together afterwards, and is soon counted. */
static void give_back(void)
{
    static struct sh_family used = {
        .kind = SH_GAUGE,
        .name = "cairn_heap_used_bytes",
        .help = "What is allocated, a minute ago at most.",
    };
    static struct sh_family idle = {
        .kind = SH_GAUGE,
        .name = "cairn_heap_free_bytes",
        .help = "What was freed and is kept by the C library, a minute ago at most.",
    };
    malloc_trim(0);
    struct mallinfo2 heap = mallinfo2();
    sh_series_set(sh_series(&used, NULL), (double)(heap.uordblks + heap.hblkhd));
    sh_series_set(sh_series(&idle, NULL), (double)heap.fordblks);
}
#else
static void give_back(void)
{
}
#endif

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    give_back();
}

enum sh_err sh_memory_start(uv_timer_t *timer)
{
    give_back();
    return sh_err_from_uv(uv_timer_start(timer, on_tick, PERIOD_MS, PERIOD_MS));
}
