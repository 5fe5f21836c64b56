/* Happy path: audit_write() puts a record into the queue and, when the thread sleeps,
 * wakes it; a timer later the thread takes all there are, adds them to the chain, writes
 * lines to the log and rows to the journal, and the loader copies the journal's rows to
 * PostgreSQL. Failure modes: PostgreSQL is away: rows stay in the journal. The journal
 * cannot be written: rows stay in memory, then the queue fills, then records are lost
 * and counted. On close: a last flush, the end of the chain, one more round of loading.
 */
#include "services/gateway/audit/audit_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "shared/log.h"
#include "shared/mem.h"

enum { STOP_MS = 5000, MB = 1 << 20 };

SH_SETTINGS_DEFINE(audit, "Audit", AUDIT_SETTINGS)

static void on_tick(uv_timer_t *timer);

static void arm(struct audit *audit)
{
    if (!uv_is_active((uv_handle_t *)&audit->tick)) /* the callback is set */
        (void)uv_timer_start(&audit->tick, on_tick, audit->options.config->flush_ms, 0);
}

static void on_tick(uv_timer_t *timer)
{
    struct audit *audit = timer->data;

    bool more = audit_flush(audit);
    if (more) /* while there is work to do, nobody needs to say so */
        audit_queue_stay(&audit->queue);
    if (more || audit->pending.len > 0)
        arm(audit);
}

/* --- stopping --------------------------------------------------------------------- */

/* When nothing is left to load, or it cannot be loaded. */
static void end_if_done(struct audit *audit)
{
    if (audit->stopping && (loader_idle(audit->loader) || loader_failing(audit->loader)))
        uv_stop(&audit->loop);
}

static void on_patience(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void begin_stop(struct audit *audit)
{
    if (audit->stopping)
        return;
    audit->stopping = true;
    keeper_close(&audit->keeper);
    (void)audit_flush(audit); /* it is the last time */
    audit_add_own(audit, "audit.stop", (struct sh_bytes){0});
    audit_to_journal(audit);
    loader_kick(audit->loader);
    audit_say_head(audit);
    (void)uv_timer_start(&audit->patience, on_patience, STOP_MS, 0); /* callback is set */
    end_if_done(audit);
}

static void on_settled(void *arg)
{
    struct audit *audit = arg;

    if (audit->keeper != NULL)
        keeper_stored(audit->keeper);
    end_if_done(audit);
}

static void on_wake(uv_async_t *async)
{
    struct audit *audit = async->data;

    if (atomic_exchange(&audit->reopen, false))
        audit_sink_reopen(&audit->sink);
    if (atomic_load(&audit->stop))
        begin_stop(audit);
    else if (atomic_exchange(&audit->hurry, false))
        on_tick(&audit->tick);
    else
        arm(audit);
}

/* --- the thread ------------------------------------------------------------------- */

static bool all_stored(void *arg)
{
    struct audit *audit = arg;
    return audit->pending.len == 0 && loader_idle(audit->loader);
}

static void add_from_keeper(void *arg, const struct audit_record *record)
{
    struct audit *audit = arg;

    audit_add(audit, record);
    audit_say_head(audit);
    arm(audit);
}

static enum sh_err open_files(struct audit *audit)
{
    const struct audit_config *config = audit->options.config;
    enum sh_err err = audit_sink_open(&audit->sink, config->log, audit->options.log_dir);

    if (err != SH_OK) {
        sh_error(NULL, "cannot write the audit log %s", audit->sink.path);
        return err;
    }
    err = journal_open(&audit->journal, config->dir, audit->chain.id,
                       (uint64_t)config->dir_max_mb * MB);
    if (err != SH_OK)
        sh_error(NULL, "cannot write to AUDIT_DIR %s", config->dir);
    return err;
}

/* One connection for the batches and one for the keeper's questions. */
static enum sh_err open_database(struct audit *audit)
{
    const struct loader_events events = {on_settled, audit};
    const struct keeper_options keeper = {
        .pg = NULL,
        .chain = audit->chain.id,
        .days = audit->options.config->retention_days,
        .add = add_from_keeper,
        .stored = all_stored,
        .arg = audit,
    };
    struct keeper_options with_pg = keeper;

    audit->pg_config = *audit->options.pg;
    audit->pg_config.pool_min = audit->pg_config.pool_max = 1;
    audit->pg_config.read_hosts = "";
    enum sh_err err = sh_pg_create(&audit->loop, &audit->pg_config, NULL, &audit->pg);
    if (err == SH_OK)
        err = loader_open(&audit->loop, &audit->pg_config, &audit->journal, &events,
                          &audit->loader);
    with_pg.pg = audit->pg;
    if (err == SH_OK)
        err = keeper_open(&audit->loop, &with_pg, &audit->keeper);
    return err;
}

static enum sh_err open_all(struct audit *audit)
{
    audit_chain_open(&audit->chain, audit->options.chain, audit->options.config->key);
    enum sh_err err = open_files(audit);
    if (err == SH_OK)
        err = open_database(audit);
    return err;
}

static void close_all(struct audit *audit)
{
    keeper_close(&audit->keeper);
    loader_close(&audit->loader);
    if (audit->pg != NULL)
        sh_pg_close(&audit->pg);
    uv_close((uv_handle_t *)&audit->tick, NULL);
    uv_close((uv_handle_t *)&audit->patience, NULL);
    uv_close((uv_handle_t *)&audit->wake, NULL);
    uv_run(&audit->loop, UV_RUN_DEFAULT);
    if (journal_waiting(&audit->journal) > 0)
        sh_warning(NULL, "%llu bytes of audit records %s",
                   (unsigned long long)journal_waiting(&audit->journal),
                   audit->journal.path[0] != '\0' ? "wait in AUDIT_DIR"
                                                  : "are lost: AUDIT_DIR is not set");
    journal_close(&audit->journal);
    audit_sink_close(&audit->sink);
    audit_chain_close(&audit->chain);
    sh_buffer_free(&audit->pending);
    sh_buffer_free(&audit->lines);
    sh_buffer_free(&audit->clean);
}

static void say_start(struct audit *audit)
{
    char detail[160], host[64] = "";

    (void)gethostname(host, sizeof host - 1); /* only for people */
    (void)snprintf(detail, sizeof detail,
                   "{\"version\":\"%s\",\"host\":\"%.63s\",\"pid\":%d}", CAIRN_VERSION,
                   host, (int)getpid());
    audit_add_own(audit, "audit.start", sh_bytes_of(detail));
    audit_to_journal(audit);
}

static void thread_main(void *arg)
{
    struct audit *audit = arg;

    (void)pthread_setname_np(pthread_self(), "audit"); /* only for people */
    audit->start_err = open_all(audit);
    bool good = audit->start_err == SH_OK;
    if (good)
        say_start(audit);
    uv_sem_post(&audit->started);
    if (good)
        uv_run(&audit->loop, UV_RUN_DEFAULT);
    close_all(audit);
    if (uv_loop_close(&audit->loop) != 0)
        sh_warning(NULL, "the audit's loop ended with open handles");
}

/* --- for other threads ------------------------------------------------------------ */

static enum sh_err start_thread(struct audit *audit)
{
    int failed = uv_loop_init(&audit->loop);
    if (failed == 0)
        failed = uv_async_init(&audit->loop, &audit->wake, on_wake);
    if (failed == 0)
        failed = uv_timer_init(&audit->loop, &audit->tick);
    if (failed == 0)
        failed = uv_timer_init(&audit->loop, &audit->patience);
    if (failed == 0)
        failed = uv_sem_init(&audit->started, 0);
    audit->wake.data = audit->tick.data = audit->patience.data = audit;
    if (failed == 0)
        failed = uv_thread_create(&audit->thread, thread_main, audit);
    if (failed != 0)
        return sh_err_from_uv(failed); /* the process ends */
    uv_sem_wait(&audit->started);
    uv_sem_destroy(&audit->started);
    if (audit->start_err != SH_OK)
        (void)uv_thread_join(&audit->thread); /* fails only when misused */
    return audit->start_err;
}

static void free_all(struct audit *audit)
{
    audit_queue_close(&audit->queue);
    sh_free(audit);
}

enum sh_err audit_open(const struct audit_options *options, struct audit **out)
{
    struct audit *audit = sh_alloc(sizeof *audit);

    *out = NULL;
    if (audit == NULL)
        return SH_NOMEM;
    audit->options = *options;
    audit_queue_open(&audit->queue, options->config->queue);
    audit->sink.fd = audit->journal.fd = -1;
    enum sh_err err = start_thread(audit);
    if (err != SH_OK)
        free_all(audit);
    else
        *out = audit;
    return err;
}

void audit_write(struct audit *audit, const struct audit_record *record)
{
    if (audit == NULL)
        return;
    atomic_fetch_add(&audit->unwritten, 1);
    enum audit_put put = audit_queue_put(&audit->queue, record);
    if (put == AUDIT_PUT_LOST)
        atomic_fetch_sub(&audit->unwritten, 1);
    if (put == AUDIT_PUT_MANY)
        atomic_store(&audit->hurry, true);
    if (put != AUDIT_PUT_BEHIND)
        (void)uv_async_send(&audit->wake); /* fails only when it is closing */
}

void audit_reopen(struct audit *audit)
{
    atomic_store(&audit->reopen, true);
    (void)uv_async_send(&audit->wake); /* fails only when it is closing */
}

size_t audit_waiting(const struct audit *audit)
{
    return atomic_load(&audit->unwritten);
}

void audit_close(struct audit **audit)
{
    struct audit *self = *audit;

    if (self == NULL)
        return;
    *audit = NULL;
    atomic_store(&self->stop, true);
    (void)uv_async_send(&self->wake);    /* fails only when it is closing */
    (void)uv_thread_join(&self->thread); /* fails only when misused */
    free_all(self);
}
