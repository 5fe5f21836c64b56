#include "services/backup/retain/retain.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400, WEEK = 7, MONDAY = 3 /* 1970 began on a Thursday */ };

typedef long period_fn(double at);

static long day_of(double at)
{
    return (long)floor(at / DAY_S);
}

static long week_of(double at)
{
    return (long)floor((double)(day_of(at) + MONDAY) / WEEK);
}

static long month_of(double at)
{
    time_t seconds = (time_t)at;
    struct tm tm;

    return gmtime_r(&seconds, &tm) ? tm.tm_year * 12L + tm.tm_mon : 0;
}

/* The newest of each of the `most` newest periods that have one. */
static void keep_periods(struct retain_set *sets, size_t count, const char *kind,
                         period_fn *period, unsigned most, const char *reason)
{
    unsigned kept = 0;
    long last = 0;

    for (size_t i = 0; i < count && kept < most; i++) {
        if (strcmp(sets[i].kind, kind) != 0)
            continue;
        long is = period(sets[i].created_at);
        if (kept > 0 && is == last)
            continue;
        last = is;
        kept++;
        if (sets[i].reason == NULL)
            sets[i].reason = reason;
    }
}

static void keep_always(struct retain_set *sets, size_t count, const char *kind)
{
    bool newest = false;
    bool verified = false;
    bool restored = false;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(sets[i].kind, kind) != 0)
            continue;
        bool proven = sets[i].verified && sets[i].restored;
        if (!restored && proven)
            sets[i].reason = "the newest restored one";
        if (!verified && sets[i].verified)
            sets[i].reason = "the newest verified one";
        if (!newest)
            sets[i].reason = "the newest one";
        newest = true;
        verified = verified || sets[i].verified;
        restored = restored || proven;
    }
}

static void keep_by_age(const struct retain_rules *rules, double now,
                        struct retain_set *sets, size_t count, const char *kind)
{
    unsigned at = 0;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(sets[i].kind, kind) != 0)
            continue;
        if (sets[i].reason == NULL && rules->days > 0 &&
            now - sets[i].created_at <= (double)rules->days * DAY_S)
            sets[i].reason = "its age";
        if (sets[i].reason == NULL && at < rules->count)
            sets[i].reason = "among the newest";
        at++;
    }
}

static void judge_kind(const struct retain_rules *rules, double now,
                       struct retain_set *sets, size_t count, const char *kind)
{
    keep_always(sets, count, kind);
    keep_by_age(rules, now, sets, count, kind);
    keep_periods(sets, count, kind, day_of, rules->daily, "daily");
    keep_periods(sets, count, kind, week_of, rules->weekly, "weekly");
    keep_periods(sets, count, kind, month_of, rules->monthly, "monthly");
}

void retain_judge(const struct retain_rules *rules, double now, struct retain_set *sets,
                  size_t count)
{
    bool all = rules->days == 0 && rules->count == 0 && rules->daily == 0 &&
               rules->weekly == 0 && rules->monthly == 0;

    for (size_t i = 0; i < count; i++)
        sets[i].reason = all ? "nothing is ever removed" : NULL;
    for (size_t i = 0; i < count && !all; i++) {
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = strcmp(sets[i].kind, sets[j].kind) != 0;
        if (first)
            judge_kind(rules, now, sets, count, sets[i].kind);
    }
}
