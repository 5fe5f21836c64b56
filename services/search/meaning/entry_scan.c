/* The exact scan of a set. */
#include <math.h>
#include <stdlib.h>

#include "proto/access.h"
#include "services/search/meaning/entry_set_internal.h"

/* Places whose codes are asked for before they are needed: they do not lie in lines of
 * the cache, so the processor's own guess is late at every page. Four were measured best
 * of 0, 4, 8 and 16. */
enum { AHEAD = 4, CACHE_LINE = 64 };

struct scan {
    bool unlimited;
    bool every_department;
    uint32_t clearance;
    uint32_t department;
    uint32_t language;
    uint32_t domain;
    uint32_t status;
    struct entry_hit *hits; /* a heap, the worst first */
    size_t most;
    size_t count;
};

/* As proto/readable.h says. */
static bool may_see(const struct scan *scan, const struct entry_place *place)
{
    return scan->unlimited ||
           (place->clearance <= scan->clearance &&
            (place->clearance <= ACCESS_PUBLIC_LEVEL || scan->every_department ||
             (scan->department != 0 && place->department == scan->department)));
}

static bool wanted(const struct scan *scan, const struct entry_place *place)
{
    return !atomic_load_explicit(&place->dead, memory_order_relaxed) &&
           (scan->language == 0 || scan->language == place->language) &&
           (scan->domain == 0 || scan->domain == place->domain) &&
           (scan->status == 0 || scan->status == place->status) && may_see(scan, place);
}

/* The better first; of equals in the order of ids. */
static int order(const struct entry_hit *a, const struct entry_hit *b)
{
    size_t least = a->id.len < b->id.len ? a->id.len : b->id.len;
    int ids;

    if (a->score > b->score || a->score < b->score)
        return a->score > b->score ? -1 : 1;
    ids = memcmp(a->id.data, b->id.data, least);
    return ids != 0 ? ids : (a->id.len > b->id.len) - (a->id.len < b->id.len);
}

static int by_score(const void *a, const void *b)
{
    return order(a, b);
}

static void sift_down(struct scan *scan)
{
    struct entry_hit *hits = scan->hits;
    size_t at = 0;

    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < scan->count;
             child++)
            if (order(&hits[child], &hits[worst]) > 0)
                worst = child;
        if (worst == at)
            return;
        struct entry_hit moved = hits[at];
        hits[at] = hits[worst];
        hits[worst] = moved;
        at = worst;
    }
}

static void sift_up(struct scan *scan)
{
    struct entry_hit *hits = scan->hits;

    for (size_t at = scan->count - 1; at > 0; at = (at - 1) / 2) {
        size_t parent = (at - 1) / 2;
        if (order(&hits[at], &hits[parent]) <= 0)
            return;
        struct entry_hit moved = hits[at];
        hits[at] = hits[parent];
        hits[parent] = moved;
    }
}

static void take_hit(struct scan *scan, struct entry_hit hit)
{
    if (scan->count < scan->most) {
        scan->hits[scan->count++] = hit;
        sift_up(scan);
    } else if (order(&hit, &scan->hits[0]) < 0) {
        scan->hits[0] = hit;
        sift_down(scan);
    }
}

/* Half of the code tells, with a bound, whether it can be among the best. */
static bool may_enter(const struct entry_set *self, const struct scan *scan,
                      const struct code_query *query, uint32_t at)
{
    float error;
    float rough = coder_rough(&self->coder, query, entry_head_at(self, at), &error);

    return (double)rough + (double)error >= scan->hits[0].score;
}

/* As coder_product(), of a code in two. */
static double product(const struct entry_set *self, const struct code_query *query,
                      uint32_t at)
{
    const struct code_middle *middle = code_middle(&self->coder, entry_head_at(self, at));
    int32_t sum = self->coder.kernel->int8(query->data, entry_head_at(self, at),
                                           entry_rest_at(self, at), self->coder.padded);

    return (double)((float)(sum - query->offset) * (query->scale * middle->scale));
}

/* Always inline: a function that only asks for memory does nothing, as gcc sees it, and
 * its call is left out. */
__attribute__((always_inline)) static inline void expect(const struct entry_set *self,
                                                         uint32_t at)
{
    const unsigned char *head = entry_head_at(self, at);

    for (size_t i = 0; i < self->head; i += CACHE_LINE)
        __builtin_prefetch(head + i);
}

static void scan_all(const struct entry_set *self, struct scan *scan,
                     const struct code_query *query, size_t *seen)
{
    uint32_t end = atomic_load_explicit(&self->end, memory_order_acquire);

    for (uint32_t at = 0; at < end; at++) {
        const struct entry_place *place = entry_place_at(self, at);
        double score;
        if (at + AHEAD < end)
            expect(self, at + AHEAD);
        if (!wanted(scan, place))
            continue;
        ++*seen;
        if (scan->count == scan->most && !may_enter(self, scan, query, at))
            continue;
        score = product(self, query, at);
        if (scan->count < scan->most || score >= scan->hits[0].score)
            take_hit(scan, (struct entry_hit){entry_id_at(self, at), score});
    }
}

enum sh_err entry_set_search(const struct entry_set *self,
                             const struct entry_query *query, struct entry_hit *out,
                             size_t *count, size_t *seen)
{
    const struct caller *caller = query->caller;
    struct scan scan = {.unlimited = caller->role.len == 0,
                        .every_department = caller->all_departments,
                        .clearance = caller->clearance,
                        .department = entry_hash(caller->department),
                        .language = entry_hash(query->language),
                        .domain = entry_hash(query->domain),
                        .status = entry_hash(query->status),
                        .hits = out,
                        .most = query->most};
    struct code_query asked = {0};
    size_t room = coder_query_bytes(&self->coder) + CODE_ALIGN;
    float *unit = sh_alloc_array(self->coder.padded, sizeof(*unit));
    double sum = 0;

    *count = *seen = 0;
    asked.data = aligned_alloc(CODE_ALIGN, room / CODE_ALIGN * CODE_ALIGN);
    if (asked.data == NULL || unit == NULL) {
        free(asked.data);
        sh_free(unit);
        return SH_NOMEM;
    }
    for (uint32_t i = 0; i < self->coder.dimension; i++)
        sum += (double)query->vector[i] * (double)query->vector[i];
    for (uint32_t i = 0; sum > 1e-20 && i < self->coder.dimension; i++)
        unit[i] = (float)((double)query->vector[i] / sqrt(sum));
    coder_query(&self->coder, unit, &asked);
    if (query->most > 0 && sum > 1e-20)
        scan_all(self, &scan, &asked, seen);
    qsort(out, scan.count, sizeof(*out), by_score);
    *count = scan.count;
    free(asked.data);
    sh_free(unit);
    return SH_OK;
}
