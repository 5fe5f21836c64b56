#include "services/search/filter/campus.h"

static const struct {
    const char *key;
    const char *name;
    double bonus;
} campuses[] = {
#define CAMPUS_ROW(key, name, bonus) {#key, name, bonus},
    CAMPUSES(CAMPUS_ROW)
#undef CAMPUS_ROW
};

enum campus campus_find(struct sh_bytes key_or_name)
{
    for (int i = 0; i < CAMPUS_COUNT; i++) {
        if (sh_bytes_is(key_or_name, campuses[i].key) ||
            sh_bytes_is(key_or_name, campuses[i].name))
            return (enum campus)i;
    }
    return CAMPUS_COUNT;
}

const char *campus_key(enum campus campus)
{
    return campuses[campus].key;
}

const char *campus_name(enum campus campus)
{
    return campuses[campus].name;
}

double campus_default_bonus(enum campus campus)
{
    return campus < CAMPUS_COUNT ? campuses[campus].bonus : 0;
}

bool campus_same(struct sh_bytes a, struct sh_bytes b)
{
    if (a.len == 0 || b.len == 0)
        return false;
    if (sh_bytes_equal(a, b))
        return true;
    enum campus known = campus_find(a);
    return known != CAMPUS_COUNT && known == campus_find(b);
}
