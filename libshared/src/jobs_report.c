/* What became of items is stored: those that were answered while the last reports were
 * being stored go together. Reports wait for the database as long as it takes; when the
 * worker was removed meanwhile, they are of no effect. */
#include "jobs_internal.h"
#include "shared/log.h"
#include "shared/pg_array.h"

enum { REPORTS_MAX = 512 /* at a time */ };

static void free_item(struct jobs_item *item)
{
    struct jobs_claim *claim = item->claim;

    sh_free(item->message);
    if (--claim->left > 0)
        return;
    PQclear(claim->rows);
    sh_free(claim->items);
    sh_free(claim);
}

static void free_list(struct jobs_item *item)
{
    while (item != NULL) {
        struct jobs_item *next = item->next;
        free_item(item);
        item = next;
    }
}

void jobs_drop_reports(struct jobs_kind *kind)
{
    free_list(kind->reports);
    kind->reports = NULL;
    kind->reports_end = &kind->reports;
}

/* Back to the front of the queue. */
static void put_back(struct jobs_kind *kind, struct jobs_item *list)
{
    struct jobs_item *last = list;

    while (last->next != NULL)
        last = last->next;
    last->next = kind->reports;
    if (kind->reports == NULL)
        kind->reports_end = &last->next;
    kind->reports = list;
}

/* Those that can go together with the first: one transaction counts for one job. */
static struct jobs_item *take(struct jobs_kind *kind)
{
    struct jobs_item *first = kind->reports;
    struct jobs_item *taken = NULL;
    struct jobs_item **end = &taken;
    struct jobs_item **link = &kind->reports;
    size_t count = 0;

    while (*link != NULL && count < REPORTS_MAX) {
        struct jobs_item *item = *link;
        if (item->worker != first->worker ||
            strcmp(item->item.job_id, first->item.job_id) != 0) {
            link = &item->next;
            continue;
        }
        *link = item->next;
        item->next = NULL;
        *end = item;
        end = &item->next;
        count++;
    }
    for (link = &kind->reports; *link != NULL;)
        link = &(*link)->next;
    kind->reports_end = link;
    return taken;
}

/* --- the statements --------------------------------------------------------------- */

struct columns {
    struct sh_buffer seqs; /* "{1,2,3}" */
    struct sh_buffer codes;
    struct sh_buffer messages;
    size_t count;
    struct sh_pg_param params[5];
};

static enum sh_err collect(const struct jobs_item *list, enum jobs_report report,
                           struct columns *out)
{
    for (const struct jobs_item *item = list; item != NULL; item = item->next)
        out->count += item->report == report;
    sh_pg_array_begin(&out->codes, SH_PG_ARRAY_TEXT, out->count);
    sh_pg_array_begin(&out->messages, SH_PG_ARRAY_TEXT, out->count);
    sh_buffer_text(&out->seqs, "{");
    for (const struct jobs_item *item = list; item != NULL; item = item->next) {
        if (item->report != report)
            continue;
        sh_buffer_printf(&out->seqs, out->seqs.len > 1 ? ",%s" : "%s", item->seq);
        sh_pg_array_bytes(&out->codes, sh_bytes_of(item->code));
        sh_pg_array_bytes(&out->messages,
                          sh_bytes_of(item->message ? item->message : item->code));
    }
    sh_buffer_text(&out->seqs, "}");
    if (out->seqs.err != SH_OK)
        return out->seqs.err;
    return out->codes.err != SH_OK ? out->codes.err : out->messages.err;
}

static void free_columns(struct columns *columns)
{
    for (int i = 0; i < REPORT_KINDS; i++) {
        sh_buffer_free(&columns[i].seqs);
        sh_buffer_free(&columns[i].codes);
        sh_buffer_free(&columns[i].messages);
    }
}

static void on_stored(void *arg, const struct sh_pg_reply *reply);

static enum sh_err store(struct jobs_kind *kind, const struct jobs_item *list)
{
    static const struct sh_pg_statement *const statements[] = {
        [REPORT_DONE] = &jobs_items_done,
        [REPORT_FAILED] = &jobs_items_failed,
        [REPORT_LATER] = &jobs_items_later};
    struct columns columns[REPORT_KINDS] = {0};
    struct sh_pg_step steps[REPORT_KINDS];
    size_t count = 0;
    char worker[24];
    enum sh_err err = SH_OK;

    for (unsigned i = 0; i < REPORT_KINDS && err == SH_OK; i++) {
        struct columns *c = &columns[i];
        err = collect(list, (enum jobs_report)i, c);
        if (c->count == 0)
            continue;
        c->params[0] = jobs_number(list->worker, worker);
        c->params[1] = (struct sh_pg_param){sh_bytes_of(list->item.job_id), false};
        c->params[2] = (struct sh_pg_param){sh_buffer_bytes(&c->seqs), false};
        c->params[3] = sh_pg_array_param(&c->codes);
        c->params[4] = sh_pg_array_param(&c->messages);
        steps[count++] = (struct sh_pg_step){statements[i], c->params,
                                             i == REPORT_DONE ? 3 : 5, false};
    }
    if (err == SH_OK)
        err = jobs_run(kind->jobs, steps, count, on_stored, kind);
    free_columns(columns);
    return err;
}

/* --- one at a time ---------------------------------------------------------------- */

static void on_stored(void *arg, const struct sh_pg_reply *reply)
{
    struct jobs_kind *kind = arg;
    struct sh_jobs *jobs = kind->jobs;
    struct jobs_item *list = kind->storing;

    kind->storing = NULL;
    if (reply->err == SH_OK || jobs->closing || jobs->draining) {
        free_list(list);
    } else if (reply->err == SH_INVALID || reply->err == SH_INTERNAL) {
        /* Never, unless the schema is another one; their lease brings them back. */
        sh_error(NULL, "outcomes of items cannot be stored: %s", reply->message);
        free_list(list);
        jobs_new_worker(jobs);
    } else {
        put_back(kind, list); /* the next tick tries again */
    }
    if (reply->err == SH_OK) {
        jobs_store_reports(kind);
        kind->woken = true; /* items of the same turn may follow now */
        jobs_claim_more(kind);
    }
    jobs_settled(jobs);
    jobs_release(jobs);
}

void jobs_store_reports(struct jobs_kind *kind)
{
    struct jobs_item *list;

    if (kind->storing != NULL || kind->reports == NULL || kind->jobs->closing)
        return;
    list = take(kind);
    if (store(kind, list) == SH_OK)
        kind->storing = list;
    else
        put_back(kind, list);
}

void jobs_report(struct jobs_item *item)
{
    struct jobs_kind *kind = item->kind;

    if (kind->jobs->closing) {
        free_item(item);
        return;
    }
    item->next = NULL;
    *kind->reports_end = item;
    kind->reports_end = &item->next;
    jobs_store_reports(kind);
}
