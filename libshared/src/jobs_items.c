/* Items are claimed, handed to their kind, and answered. */
#include <stdlib.h>

#include "jobs_internal.h"
#include "shared/log.h"

enum { BYTES_MAX = 16 << 20 }; /* in hand, unless the kind says otherwise */

static size_t most(const struct jobs_kind *kind)
{
    return kind->kind.at_once > 0 ? kind->kind.at_once : 1;
}

static size_t most_bytes(const struct jobs_kind *kind)
{
    return kind->kind.bytes_max > 0 ? kind->kind.bytes_max : BYTES_MAX;
}

/* --- what was claimed ------------------------------------------------------------- */

static void fill_item(struct jobs_item *item, int row)
{
    const PGresult *rows = item->claim->rows;

    item->seq = PQgetvalue(rows, row, CLAIM_ITEM_SEQ);
    item->bytes = (size_t)PQgetlength(rows, row, CLAIM_ITEM_PAYLOAD);
    item->item = (struct sh_job_item){
        .job_id = PQgetvalue(rows, row, CLAIM_ITEM_JOB),
        .caller = sh_pg_text(rows, row, CLAIM_ITEM_CALLER),
        .label = sh_pg_text(rows, row, CLAIM_ITEM_LABEL),
        .payload = sh_pg_text(rows, row, CLAIM_ITEM_PAYLOAD),
        .attempt = (unsigned)sh_pg_u64(rows, row, CLAIM_ITEM_ATTEMPTS)};
}

/* NULL when out of memory. */
static struct jobs_claim *keep_claim(struct jobs_kind *kind, const PGresult *rows)
{
    size_t count = (size_t)PQntuples(rows);
    struct jobs_claim *claim = sh_alloc(sizeof(*claim));

    if (claim == NULL)
        return NULL;
    claim->rows = PQcopyResult(rows, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    claim->items = sh_alloc_array(count, sizeof(*claim->items));
    if (claim->rows == NULL || claim->items == NULL) {
        PQclear(claim->rows);
        sh_free(claim->items);
        sh_free(claim);
        return NULL;
    }
    claim->left = count;
    for (size_t i = 0; i < count; i++) {
        struct jobs_item *item = &claim->items[i];
        item->kind = kind;
        item->claim = claim;
        item->worker = kind->claimer;
        fill_item(item, (int)i);
    }
    return claim;
}

/* All are counted as in hand before the first is handed over: the kind may answer, and
 * more be claimed, from inside. */
static void hand_over(struct jobs_kind *kind, struct jobs_claim *claim)
{
    size_t count = claim->left;

    for (size_t i = 0; i < count; i++) {
        kind->in_hand++;
        kind->bytes_in_hand += claim->items[i].bytes;
        kind->jobs->refs++;
    }
    for (size_t i = 0; i < count; i++) {
        struct jobs_item *item = &claim->items[i];
        if (item->item.attempt > JOBS_ITEM_ATTEMPTS)
            sh_job_item_fail(&item->item, "GAVE_UP",
                             "whoever worked on it never came to an end", false);
        else
            kind->kind.item(kind->kind.arg, &item->item);
    }
}

/* --- claiming --------------------------------------------------------------------- */

static void on_claimed(void *arg, const struct sh_pg_reply *reply)
{
    struct jobs_kind *kind = arg;
    struct sh_jobs *jobs = kind->jobs;
    struct jobs_claim *claim = NULL;

    kind->claiming = false;
    if (reply->err != SH_OK) {
        if (reply->maybe_done)
            jobs_new_worker(jobs);
    } else if (PQntuples(reply->results[0]) == 0) {
        ; /* whoever adds something wakes it */
    } else if (jobs->closing || (claim = keep_claim(kind, reply->results[0])) == NULL) {
        jobs_new_worker(jobs); /* nobody here will work on these */
    } else {
        kind->woken = true;
        hand_over(kind, claim);
        jobs_claim_more(kind);
    }
    jobs_release(jobs);
}

void jobs_claim_more(struct jobs_kind *kind)
{
    struct sh_jobs *jobs = kind->jobs;
    size_t room = most(kind) - (kind->in_hand < most(kind) ? kind->in_hand : most(kind));
    size_t bytes = kind->bytes_in_hand < most_bytes(kind)
                       ? most_bytes(kind) - kind->bytes_in_hand
                       : 0;
    char texts[3][24];

    /* Not for each that was answered: by half of what may be in hand. */
    if (!jobs_open(jobs) || kind->claiming || !kind->woken || room * 2 < most(kind) ||
        (bytes * 2 < most_bytes(kind) && kind->in_hand > 0))
        return;
    struct sh_pg_param params[] = {jobs_number(jobs->worker, texts[0]),
                                   {sh_bytes_of(kind->kind.name), false},
                                   jobs_number(room, texts[1]),
                                   jobs_number(bytes, texts[2])};
    struct sh_pg_step step = {&jobs_claim_items, params, 4, .binary_result = true};
    kind->woken = false;
    kind->claimer = jobs->worker;
    kind->claiming = jobs_run(jobs, &step, 1, on_claimed, kind) == SH_OK;
    if (!kind->claiming)
        kind->woken = true; /* the next tick tries again */
}

/* --- answers ---------------------------------------------------------------------- */

static void answered(struct jobs_item *item)
{
    struct jobs_kind *kind = item->kind;

    kind->in_hand--;
    kind->bytes_in_hand -= item->bytes;
    jobs_report(item);
    jobs_claim_more(kind);
    jobs_settled(kind->jobs);
    jobs_release(kind->jobs);
}

void sh_job_item_done(struct sh_job_item *item)
{
    struct jobs_item *self = (struct jobs_item *)item;

    self->report = REPORT_DONE;
    answered(self);
}

/* Only whole characters, so that PostgreSQL takes it. */
static char *cut(const char *message)
{
    size_t len = strlen(message);

    if (len > JOBS_TEXT_MAX) {
        len = JOBS_TEXT_MAX;
        while (len > 0 && ((unsigned char)message[len] & 0xc0) == 0x80)
            len--;
    }
    return sh_strndup(message, len);
}

void sh_job_item_fail(struct sh_job_item *item, const char *code, const char *message,
                      bool again)
{
    struct jobs_item *self = (struct jobs_item *)item;
    bool later = again && item->attempt < JOBS_ITEM_ATTEMPTS;

    self->report = later ? REPORT_LATER : REPORT_FAILED;
    (void)snprintf(self->code, sizeof(self->code), "%s", code);
    self->message = cut(message); /* NULL when out of memory: the code must do */
    answered(self);
}
