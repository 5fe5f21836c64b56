#include "libshared/src/log_limit.h"

#include <pthread.h>

enum { LINES_MAX = 20, WINDOW_MS = 10000, PLACES = 512, PROBES = 8 };

static struct place {
    const struct sh_log_site *site;
    uint64_t until_ms; /* end of the window */
    enum sh_log_level level;
    unsigned seen; /* in the window */
} places[PLACES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned held_back(const struct place *place)
{
    return place->seen > LINES_MAX ? place->seen - LINES_MAX : 0;
}

static struct place *find(const struct sh_log_site *site, uint64_t now_ms)
{
    struct place *room = NULL;
    size_t start = ((uintptr_t)site >> 3) * 2654435761u % PLACES;

    for (size_t i = 0; i < PROBES; i++) {
        struct place *place = &places[(start + i) % PLACES];
        if (place->site == site)
            return place;
        bool over = place->until_ms <= now_ms && held_back(place) == 0;
        if (!room && (!place->site || over))
            room = place;
    }
    if (room)
        *room = (struct place){.site = site};
    return room;
}

/* End the window and say what it held back. */
static void settle(struct place *place, struct sh_log_repeats *owed)
{
    *owed = (struct sh_log_repeats){place->site, place->level, held_back(place)};
    place->seen = 0;
}

bool sh_log_limit_pass(const struct sh_log_site *site, enum sh_log_level level,
                       uint64_t now_ms, struct sh_log_repeats *owed)
{
    bool pass = true;
    *owed = (struct sh_log_repeats){0};
    pthread_mutex_lock(&lock);
    struct place *place = find(site, now_ms);
    if (place) {
        if (place->until_ms <= now_ms) {
            settle(place, owed);
            place->until_ms = now_ms + WINDOW_MS;
        }
        place->level = level;
        pass = ++place->seen <= LINES_MAX;
    }
    pthread_mutex_unlock(&lock);
    return pass;
}

bool sh_log_limit_take(uint64_t now_ms, bool all, struct sh_log_repeats *owed)
{
    bool found = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < PLACES && !found; i++) {
        struct place *place = &places[i];
        found = held_back(place) > 0 && (all || place->until_ms <= now_ms);
        if (found)
            settle(place, owed);
    }
    pthread_mutex_unlock(&lock);
    return found;
}
