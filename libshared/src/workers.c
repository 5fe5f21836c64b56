#include "shared/workers.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/codel.h"
#include "shared/mem.h"
#include "shared/metrics.h"
#include "shared/sched.h"

enum {
    NAME_MAX_BYTES = 10,
    THREADS_MAX = 256,
    WAIT_TARGET_US = 100 * 1000,
    WAIT_INTERVAL_US = 250 * 1000,
};

/* Work waiting to run, or to be reported; oldest first. */
struct list {
    struct sh_work *first;
    struct sh_work *last;
};

struct sh_workers {
    uv_poll_t poll; /* of `finished` */
    int finished;   /* eventfd: something is in `done` */
    char name[NAME_MAX_BYTES + 1];
    pthread_t *threads;
    unsigned thread_count; /* started */
    size_t queue_max;
    struct sh_series *depth;
    struct sh_codel waits; /* the loop's */

    pthread_mutex_t lock; /* of what is below */
    pthread_cond_t wake;
    struct list queue;
    atomic_size_t queued; /* written under the lock, read without */
    struct list done;
    bool closing;
};

static struct sh_family queue_depth = {
    .kind = SH_GAUGE,
    .name = "cairn_workers_queue_depth",
    .help = "Work waiting for a worker thread.",
    .labels = {"pool"},
};

static void push(struct list *list, struct sh_work *work)
{
    work->next = NULL;
    if (list->last)
        list->last->next = work;
    else
        list->first = work;
    list->last = work;
}

static struct sh_work *pop(struct list *list)
{
    struct sh_work *work = list->first;
    if (!work)
        return NULL;
    list->first = work->next;
    if (!list->first)
        list->last = NULL;
    work->next = NULL;
    return work;
}

/* --- on the workers --------------------------------------------------------------- */

/* Under the lock. NULL when the pool closes. */
static struct sh_work *wait_for_work(struct sh_workers *workers)
{
    while (!workers->queue.first && !workers->closing)
        pthread_cond_wait(&workers->wake, &workers->lock);
    if (workers->closing)
        return NULL;
    sh_series_set(workers->depth, (double)--workers->queued);
    return pop(&workers->queue);
}

/* The descriptor lives as long as the threads: they are joined before it is closed. With
 * uv_async_t the loop would wait, busily, for a thread that lost its core to the loop
 * between waking it and noting so. */
static void hand_back(struct sh_workers *workers, struct sh_work *work)
{
    pthread_mutex_lock(&workers->lock);
    bool told = workers->done.first != NULL;
    push(&workers->done, work);
    pthread_mutex_unlock(&workers->lock);
    if (!told)
        (void)eventfd_write(workers->finished, 1); /* fails at 2^64 - 1 only */
}

static void *work_loop(void *arg)
{
    struct sh_workers *workers = arg;
    struct sh_work *work;

    sh_sched_usual();
    pthread_mutex_lock(&workers->lock);
    while ((work = wait_for_work(workers)) != NULL) {
        pthread_mutex_unlock(&workers->lock);
        work->queued_us = sh_now_us() - work->queued_us;
        work->run(work);
        hand_back(workers, work);
        pthread_mutex_lock(&workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

/* --- on the loop ------------------------------------------------------------------ */

static struct sh_work *take(struct sh_workers *workers, struct list *list)
{
    pthread_mutex_lock(&workers->lock);
    struct sh_work *work = pop(list);
    pthread_mutex_unlock(&workers->lock);
    return work;
}

/* One by one: `done` may submit more, or close the pool, which reports the rest. */
static void report(struct sh_workers *workers, struct list *list, enum sh_err err)
{
    struct sh_work *work;
    while ((work = take(workers, list)) != NULL) {
        if (err == SH_OK)
            sh_codel_note(&workers->waits, sh_now_us(), work->queued_us);
        work->done(work, err);
    }
}

static void on_finished(uv_poll_t *poll, int status, int events)
{
    struct sh_workers *workers = poll->data;
    eventfd_t count;
    (void)status;
    (void)events;
    (void)eventfd_read(workers->finished, &count); /* before the list: see hand_back() */
    report(workers, &workers->done, SH_OK);
}

static void on_closed(uv_handle_t *handle)
{
    struct sh_workers *workers = handle->data;
    close(workers->finished);
    pthread_mutex_destroy(&workers->lock);
    pthread_cond_destroy(&workers->wake);
    sh_free(workers->threads);
    sh_free(workers);
}

/* Signals are the main thread's. */
static int start_thread(struct sh_workers *workers, unsigned n)
{
    char name[16];
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&workers->threads[n], NULL, work_loop, workers);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return failed;
    (void)snprintf(name, sizeof(name), "%s-%u", workers->name, n % 10000);
    pthread_setname_np(workers->threads[n], name);
    return 0;
}

static enum sh_err start_threads(struct sh_workers *workers, unsigned threads)
{
    for (unsigned n = 0; n < threads; n++) {
        if (start_thread(workers, n) != 0)
            return SH_IO;
        workers->thread_count++;
    }
    return SH_OK;
}

static unsigned cores(void)
{
    unsigned count = uv_available_parallelism();
    return count < THREADS_MAX ? count : THREADS_MAX;
}

static enum sh_err init(uv_loop_t *loop, const char *name, unsigned threads,
                        struct sh_workers *workers)
{
    (void)snprintf(workers->name, sizeof(workers->name), "%s", name);
    workers->depth = sh_series(&queue_depth, (const char *[]){workers->name});
    workers->finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (workers->finished < 0)
        return SH_IO;
    workers->threads = sh_alloc_array(threads, sizeof(pthread_t));
    enum sh_err err =
        workers->threads
            ? sh_err_from_uv(uv_poll_init(loop, &workers->poll, workers->finished))
            : SH_NOMEM;
    if (err != SH_OK) {
        sh_free(workers->threads);
        close(workers->finished);
        return err;
    }
    workers->poll.data = workers;
    /* cannot fail: the handle is open and the event one there is */
    (void)uv_poll_start(&workers->poll, UV_READABLE, on_finished);
    return SH_OK;
}

enum sh_err sh_workers_create(uv_loop_t *loop, const char *name, unsigned threads,
                              size_t queue_max, struct sh_workers **out)
{
    if (threads == 0)
        threads = cores();
    if (threads > THREADS_MAX || queue_max == 0 || strlen(name) > NAME_MAX_BYTES)
        return SH_INVALID;
    struct sh_workers *workers = sh_alloc(sizeof(*workers));
    if (!workers)
        return SH_NOMEM;
    enum sh_err err = init(loop, name, threads, workers);
    if (err != SH_OK) {
        sh_free(workers);
        return err;
    }
    workers->queue_max = queue_max;
    workers->waits =
        (struct sh_codel){.target_us = WAIT_TARGET_US, .interval_us = WAIT_INTERVAL_US};
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->wake, NULL);
    err = start_threads(workers, threads);
    if (err != SH_OK)
        sh_workers_close(&workers);
    *out = workers;
    return err;
}

enum sh_err sh_workers_submit(struct sh_workers *workers, struct sh_work *work)
{
    enum sh_err err = SH_OK;
    work->queued_us = sh_now_us();
    pthread_mutex_lock(&workers->lock);
    if (workers->closing) {
        err = SH_CANCELED;
    } else if (workers->queued >= workers->queue_max) {
        err = SH_BUSY;
    } else {
        push(&workers->queue, work);
        sh_series_set(workers->depth, (double)++workers->queued);
        pthread_cond_signal(&workers->wake);
    }
    pthread_mutex_unlock(&workers->lock);
    return err;
}

uint32_t sh_workers_room(const struct sh_workers *workers)
{
    uint32_t room = sh_codel_room(&workers->waits);
    return room < workers->thread_count ? workers->thread_count : room;
}

size_t sh_workers_queued(const struct sh_workers *workers)
{
    return atomic_load_explicit(&workers->queued, memory_order_relaxed);
}

/* Joined here rather than later: what runs is CPU work that ends soon, and afterwards
 * nothing else can touch the lists. */
void sh_workers_close(struct sh_workers **self)
{
    struct sh_workers *workers = *self;
    if (!workers)
        return;
    *self = NULL;
    pthread_mutex_lock(&workers->lock);
    workers->closing = true;
    pthread_cond_broadcast(&workers->wake);
    pthread_mutex_unlock(&workers->lock);
    for (unsigned n = 0; n < workers->thread_count; n++)
        pthread_join(workers->threads[n], NULL);

    sh_series_set(workers->depth, 0);
    report(workers, &workers->done, SH_OK);
    report(workers, &workers->queue, SH_CANCELED);
    uv_close((uv_handle_t *)&workers->poll, on_closed);
}
