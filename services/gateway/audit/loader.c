#include "services/gateway/audit/loader.h"

#include <ctype.h>

#include "services/gateway/audit/record.h"
#include "services/gateway/audit/store.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum {
    BATCH_BYTES = 1 << 20,
    BATCH_MS = 11000, /* more than PostgreSQL gives a statement of AUDIT_ADD */
    SOON_BYTES = 256 << 10,
    SOON_MS = 100,
    RETRY_MS = 1000,
    LOOK_MS = 60000
};

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

/* How a batch is sent; each after the one before was refused. */
enum way { COPIED, MERGED, SINGLE }; /* of others: merged at once */

struct loader {
    struct sh_pg_copy *pg;
    struct journal *own;
    struct journal left; /* by another process; open while it is loaded */
    struct loader_events events;
    uv_timer_t retry;
    uv_timer_t soon;
    unsigned timers;       /* not yet closed */
    struct journal *from;  /* of the batch under way; NULL: none is */
    struct journal *was;   /* that of the batch before */
    struct sh_buffer rows; /* that batch */
    size_t taken;          /* bytes of the journal that are in it, or put aside */
    struct sh_buffer add;  /* the statements for it */
    uint64_t look_ms;      /* when to look for left journals again */
    enum way way;
    bool failing;
};

static void on_timer_closed(uv_handle_t *handle)
{
    struct loader *loader = handle->data;

    if (--loader->timers == 0)
        sh_free(loader);
}

/* --- outcomes --------------------------------------------------------------------- */

static size_t lines_of(struct sh_bytes rows)
{
    const char *at = rows.data, *end = at + rows.len;
    size_t count = 0;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        count++;
        at++;
    }
    return count;
}

static void take_as_stored(struct loader *loader)
{
    size_t records = lines_of(sh_buffer_bytes(&loader->rows));

    sh_series_add(sh_series(&stored_total, NULL), (double)records);
    journal_stored(loader->from, loader->taken);
    loader->failing = false;
    if (loader->way == MERGED && loader->from == loader->own)
        loader->way = COPIED;
}

static void put_aside(struct loader *loader, struct sh_bytes line, const char *message)
{
    sh_error(NULL, "PostgreSQL refuses an audit record: %s", message);
    sh_series_add(sh_series(&refused_total, NULL), 1);
    journal_reject(loader->from, line);
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

    if (!bad) {
        wait_and_retry(loader, message);
    } else if (loader->way == SINGLE) {
        put_aside(loader, sh_buffer_bytes(&loader->rows), message);
        journal_stored(loader->from, loader->taken);
        loader->way = MERGED;
    } else {
        loader->way++;
    }
}

static void on_stored(void *arg, enum sh_err err, const char *message)
{
    struct loader *loader = arg;

    if (err == SH_OK)
        take_as_stored(loader);
    else
        take_failure(loader, err, message);
    loader->from = NULL;
    if (!loader->failing)
        loader_kick(loader);
    if (loader->from == NULL)
        loader->events.settled(loader->events.arg);
}

/* --- batches ---------------------------------------------------------------------- */

static void add_row(const struct audit_record *record, struct sh_buffer *rows)
{
    audit_row(record, false, rows);
    sh_buffer_append(rows, "\t", 1);
    sh_buffer_append(rows, record->hash.data, record->hash.len);
    sh_buffer_append(rows, "\n", 1);
}

/* Of lines of JSON, as journals had them before there were rows. The batch ends before
 * one that is no record; if that is the first it is put aside. */
static enum sh_err make_rows(struct loader *loader)
{
    struct sh_buffer lines = loader->rows, rows = {0};
    const char *at = lines.data, *end = at + lines.len, *newline = NULL;

    loader->taken = 0;
    while (at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        struct audit_record record;
        json_t *json;
        if (!audit_parse((struct sh_bytes){at, (size_t)(newline - at)}, &record, &json))
            break;
        add_row(&record, &rows);
        json_decref(json);
        at = newline + 1;
        loader->taken = (size_t)(at - lines.data);
    }
    if (loader->taken == 0 && newline != NULL) {
        loader->taken = (size_t)(newline + 1 - lines.data);
        put_aside(loader, (struct sh_bytes){lines.data, loader->taken}, "it is none");
    }
    loader->rows = rows;
    sh_buffer_free(&lines);
    return rows.err;
}

/* The rows, or the first alone. */
static enum sh_err read_batch(struct loader *loader, size_t max)
{
    struct sh_buffer *rows = &loader->rows;

    sh_buffer_clear(rows);
    enum sh_err err = journal_read(loader->from, max, rows);
    if (err == SH_OK)
        err = rows->err;
    if (err != SH_OK)
        return err;
    const char *newline = memchr(rows->data, '\n', rows->len);
    if (loader->way == SINGLE && newline != NULL)
        rows->len = (size_t)(newline - rows->data) + 1;
    loader->taken = rows->len;
    return rows->len > 0 && rows->data[0] == '{' ? make_rows(loader) : SH_OK;
}

/* Fit to stand in a statement as it is. */
static bool is_word(const char *from, const char *to, bool digits)
{
    const char *at = from;

    while (at < to && (isdigit((unsigned char)*at) ||
                       (!digits && (isalpha((unsigned char)*at) || *at == '-'))))
        at++;
    return at == to && to > from;
}

/* The table's head moves to the chain, number and hash of the last row. */
static const char *statements_for(struct loader *loader)
{
    const char *rows = loader->rows.data, *end = rows + loader->rows.len - 1;
    const char *newline = memrchr(rows, '\n', (size_t)(end - rows));
    const char *chain = newline != NULL ? newline + 1 : rows;
    const char *tab = memchr(chain, '\t', (size_t)(end - chain));
    const char *seq = tab != NULL ? tab + 1 : end;
    const char *behind = memchr(seq, '\t', (size_t)(end - seq));
    const char *hash = memrchr(chain, '\t', (size_t)(end - chain));

    if (loader->way != COPIED || behind == NULL || !is_word(chain, tab, false) ||
        !is_word(seq, behind, true) || !is_word(hash + 1, end, false))
        return audit_merge;
    sh_buffer_clear(&loader->add);
    sh_buffer_printf(&loader->add, AUDIT_ADD, (int)(tab - chain), chain,
                     (int)(behind - seq), seq, (int)(end - hash - 1), hash + 1);
    sh_buffer_append(&loader->add, "", 1);
    return loader->add.err == SH_OK ? loader->add.data : audit_merge;
}

static enum sh_err send_batch(struct loader *loader)
{
    enum sh_err err = read_batch(loader, BATCH_BYTES);

    if (err != SH_OK)
        return err;
    if (loader->rows.len == 0) { /* none of its lines was a record */
        journal_stored(loader->from, loader->taken);
        return SH_NOTFOUND;
    }
    return sh_pg_copy_run(loader->pg, statements_for(loader),
                          sh_buffer_bytes(&loader->rows), sh_now_ms() + BATCH_MS,
                          on_stored, loader);
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

static void on_timer(uv_timer_t *timer)
{
    loader_kick(timer->data);
}

void loader_kick(struct loader *loader)
{
    enum sh_err err = SH_NOTFOUND;

    while (loader->from == NULL && err == SH_NOTFOUND) {
        struct journal *from = choose(loader);
        sh_series_set(sh_series(&waiting_bytes, NULL),
                      (double)journal_waiting(loader->own));
        if (from == NULL || from != loader->was)
            loader->way = from == loader->own ? COPIED : MERGED;
        loader->was = from;
        if (from == NULL)
            return;
        loader->from = from;
        err = send_batch(loader);
        if (err != SH_OK)
            loader->from = NULL;
    }
    if (err != SH_OK && err != SH_NOTFOUND) /* the timer comes back to it */
        wait_and_retry(loader, sh_err_text(err));
}

void loader_added(struct loader *loader)
{
    if (loader->failing) /* the timer comes back to it */
        return;
    if (journal_waiting(loader->own) >= SOON_BYTES)
        loader_kick(loader);
    else if (!uv_is_active((uv_handle_t *)&loader->soon))
        (void)uv_timer_start(&loader->soon, on_timer, SOON_MS, 0); /* not closing */
}

enum sh_err loader_open(uv_loop_t *loop, const struct sh_pg_config *pg,
                        struct journal *own, const struct loader_events *events,
                        struct loader **out)
{
    struct loader *loader = sh_alloc(sizeof *loader);

    if (loader == NULL)
        return SH_NOMEM;
    *loader = (struct loader){.own = own, .events = *events, .timers = 2};
    loader->left.fd = -1;
    enum sh_err err = sh_pg_copy_open(loop, pg, &loader->pg);
    if (err != SH_OK) {
        sh_free(loader);
        return err;
    }
    (void)uv_timer_init(loop, &loader->retry); /* cannot fail */
    (void)uv_timer_init(loop, &loader->soon);
    loader->retry.data = loader->soon.data = loader;
    /* A look now and then, for what others left; sooner after a failure. */
    (void)uv_timer_start(&loader->retry, on_timer, RETRY_MS, RETRY_MS);
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
    sh_pg_copy_close(&self->pg);
    sh_buffer_free(&self->rows);
    sh_buffer_free(&self->add);
    journal_close(&self->left);
    uv_close((uv_handle_t *)&self->retry, on_timer_closed);
    uv_close((uv_handle_t *)&self->soon, on_timer_closed);
}
