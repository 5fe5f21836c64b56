#include "services/search/extract/extract.h"

#include <stdio.h>

#include "services/search/extract/extract_internal.h"

enum { BESIDES_BYTES = 32 << 20 /* frames have headings and numbers beside the text */ };

/* --- the queue -------------------------------------------------------------------- */

static void free_if_over(struct extractor *extractor)
{
    if (extractor->closing && extractor->running == 0 && extractor->first == NULL)
        sh_free(extractor);
}

static void take(struct extractor *extractor, struct extract_job *job)
{
    struct extract_job **at = &extractor->first;

    while (*at != job)
        at = &(*at)->next;
    *at = job->next;
    if (extractor->end == &job->next)
        extractor->end = at;
    extractor->waiting--;
    if (extractor->closing)
        job->canceled = true;
    extract_job_begin(job);
}

void extractor_next(struct extractor *extractor)
{
    while (extractor->first != NULL &&
           (extractor->closing || extractor->running < extractor->options.at_once))
        take(extractor, extractor->first);
    free_if_over(extractor);
}

static bool is_waiting(const struct extract_job *job)
{
    for (const struct extract_job *at = job->extractor->first; at != NULL; at = at->next)
        if (at == job)
            return true;
    return false;
}

void extract_cancel(struct extract_job *job)
{
    if (!is_waiting(job)) {
        extract_child_kill(job->child, EXTRACT_CANCELED);
        return;
    }
    job->canceled = true;
    take(job->extractor, job);
}

/* The end of it, where its ending is. */
static void copy_name(struct extract_job *job, struct sh_bytes name)
{
    size_t len = name.len < EXTRACT_NAME_MAX ? name.len : EXTRACT_NAME_MAX;

    if (len > 0)
        memcpy(job->name, (const char *)name.data + name.len - len, len);
}

enum sh_err extractor_start(struct extractor *extractor,
                            const struct extract_order *order, extract_done_fn *done,
                            void *arg, struct extract_job **out)
{
    struct extract_job *job;

    if (extractor->waiting >= extractor->options.queue_max &&
        extractor->running >= extractor->options.at_once)
        return SH_BUSY;
    job = sh_alloc(sizeof(*job));
    if (job == NULL || extract_child_open(extractor->loop, &extract_job_events, job,
                                          &job->child) != SH_OK) {
        sh_free(job);
        return SH_NOMEM;
    }
    job->extractor = extractor;
    job->order = *order;
    if (order->trace != NULL) {
        job->trace = *order->trace;
        job->order.trace = &job->trace;
    }
    job->done = done;
    job->arg = arg;
    copy_name(job, order->name);
    (void)snprintf(job->declared, sizeof(job->declared), "%.*s", (int)order->declared.len,
                   (const char *)order->declared.data);
    job->frames.arena = order->arena;
    job->frames.bytes_max = (size_t)extractor->options.characters * 4 + BESIDES_BYTES;
    *extractor->end = job;
    extractor->end = &job->next;
    extractor->waiting++;
    *out = job;
    extractor_next(extractor);
    return SH_OK;
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err extractor_create(uv_loop_t *loop, const struct extractor_options *options,
                             struct extractor **out)
{
    struct extractor *extractor = sh_alloc(sizeof(*extractor));
    enum sh_err err;

    if (extractor == NULL)
        return SH_NOMEM;
    extractor->loop = loop;
    extractor->options = *options;
    extractor->end = &extractor->first;
    err = extract_find_program(options->program, extractor->program);
    if (err != SH_OK)
        sh_free(extractor);
    else
        *out = extractor;
    return err;
}

void extractor_close(struct extractor **extractor_in)
{
    struct extractor *extractor = *extractor_in;

    *extractor_in = NULL;
    if (extractor == NULL)
        return;
    extractor->closing = true;
    for (struct extract_job *job = extractor->started; job != NULL; job = job->next)
        extract_child_kill(job->child, EXTRACT_CANCELED);
    extractor_next(extractor);
}
