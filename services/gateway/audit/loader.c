#include "services/gateway/audit/loader.h"

#include "services/gateway/audit/store.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum { BATCH_BYTES = 1 << 20, BATCH_MS = 10000, RETRY_MS = 1000, LOOK_MS = 60000 };

static struct sh_family stored_total = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_audit_stored_total",
    .help = "Audit records stored in PostgreSQL",
};
static struct sh_family refused_total = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_audit_refused_total",
    .help = "Audit records that PostgreSQL refused and that were put aside",
};
static struct sh_family waiting_bytes = {
    .kind = SH_GAUGE,
    .name = "cairn_gateway_audit_waiting_bytes",
    .help = "Audit records in the journal that wait for PostgreSQL",
};

struct loader {
    struct sh_pg *pg;
    struct journal *own;
    struct journal left; /* by another process; open while it is loaded */
    struct loader_events events;
    uv_timer_t retry;
    struct journal *from;   /* of the batch under way; NULL: none is */
    struct sh_buffer array; /* that batch: "[", then a line for each member, whose newline
                               is the comma behind it, or the "]" */
    size_t records;         /* in it */
    uint64_t look_ms;       /* when to look for left journals again */
    bool failing;
    bool single; /* line by line */
    bool closed;
};

static void on_timer_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

/* Frees it when neither a batch nor the timer needs it any more. */
static void end(struct loader *loader)
{
    sh_buffer_free(&loader->array);
    journal_close(&loader->left);
    uv_close((uv_handle_t *)&loader->retry, on_timer_closed);
}

static void take_as_stored(struct loader *loader)
{
    sh_series_add(sh_series(&stored_total, NULL), (double)loader->records);
    journal_stored(loader->from, loader->array.len - 1);
    loader->failing = false;
}

static void put_aside(struct loader *loader, const char *message)
{
    sh_error(NULL, "PostgreSQL refuses an audit record: %s", message);
    sh_series_add(sh_series(&refused_total, NULL), 1);
    struct sh_bytes line = {loader->array.data + 1, loader->array.len - 1};
    loader->array.data[line.len] = '\n';
    journal_reject(loader->from, line);
    journal_stored(loader->from, line.len);
    loader->single = false;
}

static void wait_and_retry(struct loader *loader, const char *message)
{
    if (!loader->failing)
        sh_warning(NULL, "audit records wait: PostgreSQL does not take them: %s",
                   message);
    loader->failing = true;
}

/* Some errors would come again, whenever it is sent: the record is bad. */
static void take_failure(struct loader *loader, enum sh_err err, const char *message)
{
    bool bad = err == SH_INVALID || err == SH_CONFLICT;

    if (bad && loader->single)
        put_aside(loader, message);
    else if (bad)
        loader->single = true;
    else
        wait_and_retry(loader, message);
}

static void on_stored(void *arg, const struct sh_pg_reply *reply)
{
    struct loader *loader = arg;

    if (loader->closed) {
        if (reply->err == SH_OK)
            take_as_stored(loader);
        end(loader);
        return;
    }
    if (reply->err == SH_OK)
        take_as_stored(loader);
    else
        take_failure(loader, reply->err, reply->message);
    loader->from = NULL;
    if (!loader->failing)
        loader_kick(loader);
    if (loader->from == NULL)
        loader->events.settled(loader->events.arg);
}

/* Of the lines that were read, or of the first alone. */
static void make_array(struct loader *loader)
{
    struct sh_buffer *array = &loader->array;
    char *end = array->data + array->len;
    char *newline = array->data;

    loader->records = 0;
    while (newline < end && (newline = memchr(newline, '\n', (size_t)(end - newline)))) {
        loader->records++;
        *newline++ = ',';
        if (loader->single)
            end = newline;
    }
    array->len = (size_t)(end - array->data);
    array->data[array->len - 1] = ']';
}

static enum sh_err send_batch(struct loader *loader, struct journal *from)
{
    sh_buffer_clear(&loader->array);
    sh_buffer_append(&loader->array, "[", 1);
    enum sh_err err = journal_read(from, BATCH_BYTES, &loader->array);
    if (err == SH_OK)
        err = loader->array.err;
    if (err != SH_OK)
        return err;
    make_array(loader);
    const struct sh_pg_param param = {sh_buffer_bytes(&loader->array), false};
    const struct sh_pg_step step = {
        .statement = &audit_store_lines, .params = &param, .count = 1};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + BATCH_MS};
    return sh_pg_run(loader->pg, &call, on_stored, loader);
}

/* The next journal that another process left; now and then only. */
static void look_for_left(struct loader *loader)
{
    if (!loader->left.open && sh_left_ms(loader->look_ms) > 0)
        return;
    journal_close(&loader->left);
    loader->look_ms = sh_now_ms() + LOOK_MS;
    if (journal_adopt(&loader->left, loader->own->dir) == SH_OK &&
        journal_waiting(&loader->left) > 0)
        sh_info(NULL, "loading audit records that were left in %s", loader->left.path);
}

static bool waits(const struct journal *journal)
{
    return journal->open && journal_waiting(journal) > 0;
}

/* What to load next; NULL: nothing. */
static struct journal *choose(struct loader *loader)
{
    if (waits(loader->own))
        return loader->own;
    if (!waits(&loader->left))
        look_for_left(loader);
    return waits(&loader->left) ? &loader->left : NULL;
}

void loader_kick(struct loader *loader)
{
    if (loader->from != NULL || loader->closed)
        return;
    struct journal *from = choose(loader);
    sh_series_set(sh_series(&waiting_bytes, NULL), (double)journal_waiting(loader->own));
    loader->single = loader->single && from != NULL;
    if (from == NULL)
        return;
    loader->from = from;
    enum sh_err err = send_batch(loader, from);
    if (err == SH_OK)
        return;
    take_failure(loader, err, sh_err_text(err)); /* the timer comes back to it */
    loader->from = NULL;
}

static void on_retry(uv_timer_t *timer)
{
    loader_kick(timer->data);
}

enum sh_err loader_open(uv_loop_t *loop, struct sh_pg *pg, struct journal *own,
                        const struct loader_events *events, struct loader **out)
{
    struct loader *loader = sh_alloc(sizeof *loader);

    if (loader == NULL)
        return SH_NOMEM;
    *loader = (struct loader){.pg = pg, .own = own, .events = *events};
    loader->left.fd = -1;
    if (uv_timer_init(loop, &loader->retry) != 0) {
        sh_free(loader);
        return SH_IO;
    }
    loader->retry.data = loader;
    /* A look now and then, for what others left; sooner after a failure. */
    (void)uv_timer_start(&loader->retry, on_retry, RETRY_MS, RETRY_MS);
    *out = loader;
    return SH_OK;
}

bool loader_idle(const struct loader *loader)
{
    return loader->from == NULL && journal_waiting(loader->own) == 0;
}

bool loader_failing(const struct loader *loader)
{
    return loader->failing && loader->from == NULL;
}

void loader_close(struct loader **loader)
{
    struct loader *self = *loader;

    if (self == NULL)
        return;
    *loader = NULL;
    self->closed = true;
    if (self->from == NULL)
        end(self);
}
