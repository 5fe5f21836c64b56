#include "shared/codel.h"

/* An interval in which nobody came says that there is no queue. */
static void judge(struct sh_codel *codel, bool recent)
{
    uint64_t most_us = codel->standing ? codel->target_us / 4 : codel->target_us;

    codel->standing = recent && codel->seen > 0 && codel->least_us > most_us;
    codel->before = recent ? codel->seen : 0;
}

void sh_codel_note(struct sh_codel *codel, uint64_t now_us, uint64_t wait_us)
{
    if (codel->target_us == 0)
        return;
    if (now_us >= codel->ends_us) {
        judge(codel, now_us < codel->ends_us + codel->interval_us);
        codel->ends_us = now_us + codel->interval_us;
        codel->seen = 0;
    }
    if (codel->seen++ == 0 || wait_us < codel->least_us)
        codel->least_us = wait_us;
}

bool sh_codel_refuses(const struct sh_codel *codel, uint64_t wait_us)
{
    return codel->standing && wait_us > 2 * codel->target_us;
}

uint32_t sh_codel_room(const struct sh_codel *codel)
{
    if (!codel->standing)
        return UINT32_MAX;
    uint64_t room = codel->before * codel->target_us / codel->interval_us;
    return room > 1 ? (uint32_t)room : 1;
}
