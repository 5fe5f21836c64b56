#include "services/search/fusion/boost.h"

struct boosts boosts_default(void)
{
    struct boosts boosts = {.score = 0.8, .priority = 0.01};
    for (int i = 0; i < CAMPUS_COUNT; i++)
        boosts.campus[i] = campus_default_bonus((enum campus)i);
    return boosts;
}

double boosts_priority(const struct boosts *boosts, uint32_t priority)
{
    return boosts->priority * priority;
}

double boosts_campus(const struct boosts *boosts, struct sh_bytes own,
                     struct sh_bytes documents)
{
    if (!campus_same(own, documents))
        return 0;
    enum campus campus = campus_find(own);
    return campus < CAMPUS_COUNT ? boosts->campus[campus] : 0;
}
