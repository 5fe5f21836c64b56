#include "shared/errors.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "libshared/src/log_line.h"
#include "shared/bytes.h"
#include "shared/metrics.h"

static struct sh_family errors_total = {
    .kind = SH_COUNTER,
    .name = "cairn_errors_total",
    .help = "Lines logged at WARNING and above, and 5xx answers, by type",
    .labels = {"level", "type"},
};

enum { LEVELS = SH_CRITICAL + 1 };

struct place {
    struct sh_error_count sum;
    uint64_t levels[LEVELS];
    uint64_t shown[LEVELS]; /* of these, in the metrics */
};

/* Open addressing; the last place is for what finds none. Counting needs no memory, so
 * that running out of it can be logged: the metrics follow when they are asked for. */
static struct {
    pthread_mutex_t lock;
    uint64_t levels[LEVELS];
    struct place types[SH_ERROR_TYPES];
    size_t used;
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint32_t hash(const char *text)
{
    uint32_t value = 2166136261u;
    for (; *text != '\0'; text++)
        value = (value ^ (unsigned char)*text) * 16777619u;
    return value;
}

/* With the lock held. */
static struct place *find(const char *type)
{
    size_t places = SH_ERROR_TYPES - 1;
    size_t at = hash(type) % places;

    for (size_t i = 0; i < places; i++, at = (at + 1) % places) {
        struct place *place = &seen.types[at];
        if (place->sum.count > 0 && strcmp(place->sum.type, type) == 0)
            return place;
        if (place->sum.count > 0)
            continue;
        if (seen.used >= places * 3 / 4)
            break;
        seen.used++;
        (void)snprintf(place->sum.type, SH_ERROR_TYPE, "%s", type);
        return place;
    }
    struct place *other = &seen.types[places];
    (void)snprintf(other->sum.type, SH_ERROR_TYPE, "other");
    return other;
}

void sh_errors_add(enum sh_log_level level, const char *type)
{
    char cut[SH_ERROR_TYPE];

    if (level < SH_WARNING || level > SH_CRITICAL)
        return;
    size_t len = strnlen(type, sizeof cut - 1);
    memcpy(cut, type, len);
    cut[len] = '\0';
    pthread_mutex_lock(&seen.lock);
    struct place *place = find(cut);
    place->sum.count++;
    place->levels[level]++;
    seen.levels[level]++;
    pthread_mutex_unlock(&seen.lock);
}

/* How many were not shown yet, and now are. */
static uint64_t take_new(size_t at, size_t level, char type[static SH_ERROR_TYPE])
{
    struct place *place = &seen.types[at];

    pthread_mutex_lock(&seen.lock);
    uint64_t fresh = place->levels[level] - place->shown[level];
    place->shown[level] = place->levels[level];
    memcpy(type, place->sum.type, SH_ERROR_TYPE);
    pthread_mutex_unlock(&seen.lock);
    return fresh;
}

void sh_errors_show(void *unused)
{
    char type[SH_ERROR_TYPE];

    (void)unused;
    for (size_t at = 0; at < SH_ERROR_TYPES; at++)
        for (size_t level = SH_WARNING; level < LEVELS; level++) {
            uint64_t fresh = take_new(at, level, type);
            const char *labels[] = {sh_log_level_text((enum sh_log_level)level), type};
            if (fresh > 0)
                sh_series_add(sh_series(&errors_total, labels), (double)fresh);
        }
}

void sh_errors_add_site(enum sh_log_level level, const struct sh_log_site *site)
{
    char type[160]; /* is cut when it is added */
    char module[64];

    if (level < SH_WARNING)
        return;
    sh_log_module(site->file, module);
    (void)snprintf(type, sizeof type, "%s.%s", module, site->function);
    sh_errors_add(level, type);
}

uint64_t sh_errors_of_level(enum sh_log_level level)
{
    pthread_mutex_lock(&seen.lock);
    uint64_t count = (unsigned)level < SH_COUNT(seen.levels) ? seen.levels[level] : 0;
    pthread_mutex_unlock(&seen.lock);
    return count;
}

size_t sh_errors_types(struct sh_error_count *out, size_t max)
{
    size_t count = 0;

    pthread_mutex_lock(&seen.lock);
    for (size_t i = 0; i < SH_ERROR_TYPES && count < max; i++)
        if (seen.types[i].sum.count > 0)
            out[count++] = seen.types[i].sum;
    pthread_mutex_unlock(&seen.lock);
    return count;
}

void sh_errors_reset(void)
{
    pthread_mutex_lock(&seen.lock);
    memset(seen.levels, 0, sizeof seen.levels);
    memset(seen.types, 0, sizeof seen.types);
    seen.used = 0;
    pthread_mutex_unlock(&seen.lock);
}
