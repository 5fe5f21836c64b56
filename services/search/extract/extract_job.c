#include "services/search/extract/extract_internal.h"
#include "shared/log.h"

static void unlink_job(struct extract_job *job)
{
    struct extract_job **at = &job->extractor->started;

    while (*at != NULL && *at != job)
        at = &(*at)->next;
    if (*at == job)
        *at = job->next;
}

static void on_piece(void *arg, struct sh_bytes piece)
{
    struct extract_job *job = arg;

    if (extract_pipe_feed(&job->frames, piece) != SH_OK)
        extract_child_kill(job->child, EXTRACT_NONSENSE);
}

static void on_ended(void *arg, const struct extract_exit *exit)
{
    struct extract_job *job = arg;
    struct extractor *extractor = job->extractor;
    const struct extract_end *end = &job->frames.end;
    struct extract_verdict verdict = extract_judge(job, exit);
    struct extracted found = {
        .err = verdict.err, .code = verdict.code, .message = verdict.message};

    if (verdict.err == SH_OK) {
        found.type = end->type;
        found.title = end->title;
        found.language = end->language;
        found.created = end->created;
        found.pages = end->pages;
        found.sections = job->frames.sections;
        found.count = job->frames.count;
    }
    unlink_job(job);
    extractor->running--;
    job->done(job->arg, &found);
    extract_pipe_free(&job->frames);
    sh_free(job);
    extractor_next(extractor);
}

const struct extract_child_events extract_job_events = {on_piece, on_ended};

static enum sh_err run(struct extract_job *job)
{
    const struct extractor_options *options = &job->extractor->options;

    return extract_child_run(job->child, &(struct extract_child_order){
                                             .program = job->extractor->program,
                                             .name = job->name,
                                             .type = job->declared,
                                             .fd = job->order.fd,
                                             .pages = options->pages,
                                             .characters = options->characters,
                                             .nesting = options->nesting,
                                             .ratio = options->ratio,
                                             .memory_mb = options->memory_mb,
                                             .cpu_s = options->timeout_s,
                                             .wall_s = options->timeout_s,
                                         });
}

void extract_job_begin(struct extract_job *job)
{
    struct extractor *extractor = job->extractor;

    job->next = extractor->started;
    extractor->started = job;
    extractor->running++;
    if (job->canceled) {
        extract_child_kill(job->child, EXTRACT_CANCELED);
        return;
    }
    job->start = run(job);
    if (job->start == SH_OK)
        return;
    sh_error(job->order.trace, "%s cannot be started: %s", extractor->program,
             sh_err_text(job->start));
    extract_child_kill(job->child, EXTRACT_NONSENSE);
}
