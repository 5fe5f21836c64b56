#include "services/search/query/shadow.h"

#include "services/search/view/view_recall.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"
#include "shared/sched.h"

enum { DEADLINE_MS = 10000, SHARE = 100 };

static const double buckets[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 0};

static struct sh_family recall_ratio = {
    .kind = SH_HISTOGRAM,
    .name = "cairn_search_recall_ratio",
    .help =
        "Of the best ten vectors, the share that a live search found, by strategy and "
        "by the decade of the share of vectors that its filter lets through.",
    .labels = {"strategy", "selectivity"},
    .buckets = buckets,
};

/* A search to repeat, with all it points to. */
struct check {
    struct shadow *shadow;
    struct sh_arena arena;
    struct sh_buffer query_bytes;
    struct sh_buffer caller_bytes;
    struct search_query query;
    struct caller caller;
    struct view_query ask;
    struct held_view *view;
    struct sh_work work;
    struct view_recall recall;
    uint64_t took_us;
    enum sh_err err;
};

/* --- the check -------------------------------------------------------------------- */

static void check_free(struct check *check)
{
    held_release(check->view);
    sh_buffer_free(&check->query_bytes);
    sh_buffer_free(&check->caller_bytes);
    sh_arena_free(&check->arena);
    sh_free(check);
}

static void run_check(struct sh_work *work)
{
    struct check *check = SH_CONTAINER_OF(work, struct check, work);
    uint64_t start = sh_now_us();

    sh_sched_patient();
    check->err = view_recall(check->view->view, &check->ask, 0, &check->shadow->stopped,
                             &check->recall);
    check->took_us = sh_now_us() - start;
}

static const char *decade_of(double selectivity)
{
    static const char *const names[] = {"1", "0.1", "0.01", "0.001", "0.0001"};
    double bound = 0.1;
    size_t i = 0;

    for (; i + 1 < SH_COUNT(names) && selectivity <= bound; i++)
        bound /= 10;
    return names[i];
}

static void checked(struct sh_work *work, enum sh_err err)
{
    struct check *check = SH_CONTAINER_OF(work, struct check, work);
    const struct view_recall *recall = &check->recall;

    check->shadow->running = false;
    check->shadow->next_us = sh_now_us() + check->took_us * (SHARE - 1);
    if (err == SH_OK && check->err == SH_OK) {
        const char *labels[] = {recall->strategy, decade_of(recall->selectivity)};
        sh_series_observe(sh_series(&recall_ratio, labels), recall->ratio);
        recent_recall_add(&check->shadow->recent, sh_now_us(), recall->ratio);
    }
    check_free(check);
}

/* --- offers ----------------------------------------------------------------------- */

/* xorshift64* (Vigna 2016), 0 to 1. */
static double draw(struct shadow *self)
{
    if (self->random == 0)
        self->random = sh_now_us() | 1;
    self->random ^= self->random >> 12;
    self->random ^= self->random << 25;
    self->random ^= self->random >> 27;
    return (double)((self->random * UINT64_C(0x2545f4914f6cdd1d)) >> 11) /
           (double)(UINT64_C(1) << 53);
}

static bool has_room(const struct shadow *self)
{
    return !self->running && sh_workers_queued(self->searchers) == 0 &&
           sh_now_us() >= self->next_us;
}

/* By way of their encodings, so that nothing that they point to is forgotten. */
static enum sh_err copy(struct check *check, const struct view_query *ask)
{
    enum sh_err err = msg_encode(search_query_desc(), ask->query, &check->query_bytes);
    size_t size = ask->dimension * sizeof(float);
    float *vector = sh_arena_alloc(&check->arena, size);

    if (err == SH_OK)
        err = msg_encode(caller_desc(), ask->caller, &check->caller_bytes);
    if (err == SH_OK)
        err = msg_decode(search_query_desc(), sh_buffer_bytes(&check->query_bytes),
                         &check->arena, &check->query);
    if (err == SH_OK)
        err = msg_decode(caller_desc(), sh_buffer_bytes(&check->caller_bytes),
                         &check->arena, &check->caller);
    struct sh_bytes fingerprint = sh_arena_copy(&check->arena, ask->fingerprint);
    if (err == SH_OK && (vector == NULL || fingerprint.data == NULL))
        err = SH_NOMEM;
    if (err != SH_OK)
        return err;
    memcpy(vector, ask->vector, size);
    check->query.require_complete = false;
    check->query.facets = false;
    check->ask = (struct view_query){.query = &check->query,
                                     .caller = &check->caller,
                                     .vector = vector,
                                     .dimension = ask->dimension,
                                     .fingerprint = fingerprint,
                                     .deadline_ms = sh_now_ms() + DEADLINE_MS};
    return SH_OK;
}

void shadow_offer(struct shadow *self, const struct view_query *ask)
{
    struct check *check;
    enum sh_err err;

    if (ask->vector == NULL || ask->dimension == 0 || self->rate <= 0 ||
        draw(self) >= self->rate || !has_room(self))
        return;
    check = sh_alloc(sizeof(*check));
    if (check == NULL)
        return;
    check->shadow = self;
    check->view = feed_hold(self->feed);
    check->work = (struct sh_work){.run = run_check, .done = checked};
    err = copy(check, ask);
    if (err == SH_OK)
        err = sh_workers_submit(self->checker, &check->work);
    if (err == SH_OK)
        self->running = true;
    else
        check_free(check);
}
