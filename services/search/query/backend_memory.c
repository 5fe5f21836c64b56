#include "services/search/query/backend_memory.h"

#include "shared/clock.h"

static struct search_job *job_of(struct sh_work *work)
{
    return SH_CONTAINER_OF(work, struct search_job, work);
}

static void run_search(struct sh_work *work)
{
    struct search_job *job = job_of(work);

    if (atomic_load(&job->canceled))
        job->outcome = SH_CANCELED;
    else if (sh_left_ms(job->ask.deadline_ms) == 0)
        job->outcome = SH_TIMEOUT;
    else
        job->outcome = view_search(job->view->view, &job->ask, &job->arena, &job->results,
                                   &job->problem);
}

static void searched(struct sh_work *work, enum sh_err err)
{
    struct search_job *job = job_of(work);

    held_release(job->view);
    job->view = NULL;
    job->done(job, err == SH_OK ? job->outcome : err);
}

static enum sh_err start(void *arg, struct search_job *job)
{
    struct backend_memory *self = arg;
    enum sh_err err;

    if (!feed_loaded(self->feed))
        return SH_DRAINING; /* an empty answer would not be true */
    job->view = feed_hold(self->feed);
    job->work = (struct sh_work){.run = run_search, .done = searched};
    err = sh_workers_submit(self->workers, &job->work);
    if (err != SH_OK) {
        held_release(job->view);
        job->view = NULL;
    }
    return err;
}

struct search_backend backend_memory(struct backend_memory *self)
{
    return (struct search_backend){start, self};
}
