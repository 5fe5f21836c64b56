#include "services/search/vector/region.h"

#include <stdint.h>
#include <sys/mman.h>

enum { STEP = 2 << 20 };

static size_t round_up(size_t bytes, size_t step)
{
    return bytes > SIZE_MAX - step ? SIZE_MAX : (bytes + step - 1) / step * step;
}

enum sh_err region_open(size_t most, struct region *region)
{
    *region = (struct region){0};
    most = round_up(most, STEP);
    if (most >= SIZE_MAX / 2)
        return SH_NOMEM;
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *base = mmap(NULL, most, PROT_NONE, flags, -1, 0);
    if (base == MAP_FAILED)
        return SH_NOMEM;
    *region = (struct region){base, 0, most};
    return SH_OK;
}

void region_close(struct region *region)
{
    if (region->base)
        munmap(region->base, region->most);
    *region = (struct region){0};
}

enum sh_err region_grow(struct region *region, size_t bytes)
{
    if (bytes > region->most)
        return SH_TOOBIG;
    if (bytes <= region->usable)
        return SH_OK;
    size_t wanted = round_up(bytes, bytes >= STEP ? STEP : REGION_PAGE);
    size_t more = wanted - region->usable;
    if (mprotect(region->base + region->usable, more, PROT_READ | PROT_WRITE) != 0)
        return SH_NOMEM;
    /* fewer misses of the address cache; without it all still works */
    (void)madvise(region->base + region->usable, more, MADV_HUGEPAGE);
    region->usable = wanted;
    return SH_OK;
}

enum sh_err region_map(struct region *region, int fd, size_t offset, size_t bytes)
{
    size_t wanted = round_up(bytes, REGION_PAGE);
    if (wanted > region->most)
        return SH_TOOBIG;
    if (bytes == 0)
        return SH_OK;
    void *at = mmap(region->base, wanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
                    fd, (off_t)offset);
    if (at == MAP_FAILED)
        return SH_NOMEM;
    region->usable = wanted;
    return SH_OK;
}
