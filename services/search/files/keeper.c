#include "services/search/files/keeper.h"

#include <stdio.h>
#include <stdlib.h>

#include "services/search/files/files_sql.h"
#include "shared/buffer.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum {
    BATCH = 32,
    LEASE_S = 300, /* well above what a removal may take */
    AGAIN_S = 60,  /* a removal that failed is tried again */
    POLL_MS = 1000,
    SWEEP_POLL_MS = 60000, /* how often it is asked whether it is time */
    SQL_MS = 15000,
    PAGE = 500,
};

/* IDLE → COLLECTING → REMOVING → IDLE, or IDLE → SWEEPING → IDLE. */
enum state { IDLE, COLLECTING, REMOVING, SWEEPING };

struct removal {
    struct file_keeper *keeper;
    char hash[SH_FILE_HASH_TEXT];
    char lease[64];
};

struct file_keeper {
    struct file_keeper_options options;
    enum state state;
    bool woken; /* look again at once when IDLE */
    bool closing;
    uint64_t sweep_ms; /* when it is asked next whether it is time */
    size_t removing;   /* of the batch, not ended yet */
    size_t found;      /* by the sweep under way */
    char after[SH_FILE_HASH_TEXT];
    struct removal batch[BATCH];
    uv_timer_t timer;
};

static struct sh_family removed_total = {
    .kind = SH_COUNTER,
    .name = "cairn_search_files_removed_total",
    .help = "Originals that no document referred to any more, by what became of them.",
    .labels = {"result"},
};

static void step(struct file_keeper *self);

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void on_timer(uv_timer_t *timer)
{
    step(timer->data);
}

/* What was under way has ended. */
static void rest(struct file_keeper *self)
{
    self->state = IDLE;
    if (self->closing)
        uv_close((uv_handle_t *)&self->timer, on_closed);
    else /* cannot fail: the callback is set */
        (void)uv_timer_start(&self->timer, on_timer, self->woken ? 0 : POLL_MS, 0);
}

static enum sh_err run(struct file_keeper *self, const struct sh_pg_statement *statement,
                       const struct sh_pg_param *params, unsigned count,
                       sh_pg_done_fn *done, void *arg)
{
    struct sh_pg_step one = {statement, params, count, false};
    struct sh_pg_call call = {
        .steps = &one, .count = 1, .deadline_ms = sh_now_ms() + SQL_MS};

    return sh_pg_run(self->options.pg, &call, done, arg);
}

static struct sh_bytes number(char out[static 16], uint32_t value)
{
    (void)snprintf(out, 16, "%u", value);
    return sh_bytes_of(out);
}

/* --- removing
 * --------------------------------------------------------------------------- */

static void end_removal(struct file_keeper *self)
{
    if (--self->removing == 0)
        rest(self);
}

static void on_struck_off(void *arg, const struct sh_pg_reply *reply)
{
    struct removal *removal = arg;

    if (reply->err !=
        SH_OK) /* the lease runs out by itself, and it is removed once more */
        sh_warning(NULL, "a removed file cannot be struck off: %s", reply->message);
    end_removal(removal->keeper);
}

static void on_removed(void *arg, enum sh_err err)
{
    struct removal *removal = arg;
    struct file_keeper *self = removal->keeper;
    char again[16];
    struct sh_pg_param params[] = {{sh_bytes_of(removal->hash), false},
                                   {sh_bytes_of(removal->lease), false},
                                   {{0}, false}};

    sh_series_add(
        sh_series(&removed_total, (const char *[]){err == SH_OK ? "removed" : "failed"}),
        1);
    if (err != SH_OK) {
        sh_warning(NULL, "file %s cannot be removed now: %s", removal->hash,
                   sh_err_text(err));
        params[2].value = number(again, AGAIN_S);
    }
    if (run(self, &files_removed, params, 3, on_struck_off, removal) != SH_OK)
        end_removal(self);
}

static void remove_one(struct file_keeper *self, struct removal *removal)
{
    enum sh_err err = sh_file_remove(self->options.store, sh_bytes_of(removal->hash),
                                     on_removed, removal);

    if (err != SH_OK)
        end_removal(self); /* when the lease has run out */
}

static void on_collected(void *arg, const struct sh_pg_reply *reply)
{
    struct file_keeper *self = arg;
    size_t count = 0;

    if (reply->err == SH_OK && !self->closing)
        count = (size_t)PQntuples(reply->results[0]);
    if (count > BATCH)
        count = BATCH;
    self->woken = self->woken || count == BATCH;
    self->state = REMOVING;
    self->removing = count + 1; /* one for this function */
    for (size_t i = 0; i < count; i++) {
        const PGresult *rows = reply->results[0];
        struct removal *removal = &self->batch[i];
        removal->keeper = self;
        (void)snprintf(removal->hash, sizeof(removal->hash), "%s",
                       PQgetvalue(rows, (int)i, 0));
        (void)snprintf(removal->lease, sizeof(removal->lease), "%s",
                       PQgetvalue(rows, (int)i, 1));
        remove_one(self, removal);
    }
    end_removal(self);
}

static void collect(struct file_keeper *self)
{
    char most[16];
    char lease[16];
    struct sh_pg_param params[] = {{number(most, BATCH), false},
                                   {number(lease, LEASE_S), false}};

    self->woken = false;
    self->state = COLLECTING;
    if (run(self, &files_collect, params, 2, on_collected, self) != SH_OK)
        rest(self);
}

/* --- looking through the store
 * ---------------------------------------------------------- */

static void list_page(struct file_keeper *self);

static void end_sweep(struct file_keeper *self, const char *why)
{
    if (why != NULL)
        sh_warning(NULL, "the file store was not looked through to its end: %s", why);
    else if (self->found > 0)
        sh_info(NULL, "%zu files are old, and nothing refers to them", self->found);
    self->woken = self->woken || self->found > 0;
    rest(self);
}

static void on_unknown(void *arg, const struct sh_pg_reply *reply)
{
    struct file_keeper *self = arg;

    if (reply->err != SH_OK || self->closing) {
        end_sweep(self, reply->err != SH_OK ? reply->message : NULL);
        return;
    }
    self->found += strtoul(PQcmdTuples(reply->results[0]), NULL, 10);
    list_page(self);
}

static enum sh_err ask_of(struct file_keeper *self, const struct sh_file_entry *entries,
                          size_t count)
{
    double latest = sh_wall_time() - self->options.orphan_age_s;
    struct sh_buffer array = {0};
    const char *between = "{";

    for (size_t i = 0; i < count; i++) {
        if (entries[i].modified > latest)
            continue;
        sh_buffer_text(&array, between);
        sh_buffer_text(&array, entries[i].hash);
        between = ",";
    }
    sh_buffer_text(&array, array.len > 0 ? "}" : "{}");
    struct sh_pg_param param = {sh_buffer_bytes(&array), false};
    enum sh_err err = array.err;
    if (err == SH_OK)
        err = run(self, &files_unknown, &param, 1, on_unknown, self);
    sh_buffer_free(&array);
    return err;
}

static void on_page(void *arg, enum sh_err err, const struct sh_file_entry *entries,
                    size_t count)
{
    struct file_keeper *self = arg;

    if (err == SH_OK && count > 0 && !self->closing) {
        memcpy(self->after, entries[count - 1].hash, sizeof(self->after));
        err = ask_of(self, entries, count);
        if (err == SH_OK)
            return;
    }
    end_sweep(self, err != SH_OK ? sh_err_text(err) : NULL);
}

static void list_page(struct file_keeper *self)
{
    enum sh_err err = sh_file_list(self->options.store, self->after, PAGE, on_page, self);

    if (err != SH_OK)
        end_sweep(self, sh_err_text(err));
}

static void on_expired(void *arg, const struct sh_pg_reply *reply)
{
    struct file_keeper *self = arg;

    self->after[0] = '\0';
    self->found = 0;
    if (reply->err == SH_OK && !self->closing)
        list_page(self);
    else
        end_sweep(self, reply->err != SH_OK ? reply->message : NULL);
}

static void on_turn(void *arg, const struct sh_pg_reply *reply)
{
    struct file_keeper *self = arg;
    char age[16];
    struct sh_pg_param param = {number(age, self->options.orphan_age_s), false};

    if (reply->err != SH_OK || self->closing || PQntuples(reply->results[0]) == 0 ||
        run(self, &files_expire, &param, 1, on_expired, self) != SH_OK)
        rest(self); /* somebody else's, or not yet */
}

static void sweep(struct file_keeper *self)
{
    char next[16];
    struct sh_pg_param param = {number(next, self->options.sweep_s), false};

    uint64_t interval_ms = (uint64_t)self->options.sweep_s * 1000;
    self->sweep_ms =
        sh_now_ms() + (interval_ms < SWEEP_POLL_MS ? interval_ms : SWEEP_POLL_MS);
    self->state = SWEEPING;
    if (run(self, &files_sweep_begin, &param, 1, on_turn, self) != SH_OK)
        rest(self);
}

/* --- all of it
 * -------------------------------------------------------------------------- */

static void step(struct file_keeper *self)
{
    if (self->state != IDLE || self->closing)
        return;
    if (!self->woken && sh_now_ms() >= self->sweep_ms)
        sweep(self);
    else
        collect(self);
}

void file_keeper_wake(struct file_keeper *self)
{
    if (self == NULL || self->closing)
        return;
    self->woken = true;
    if (self->state == IDLE)
        (void)uv_timer_start(&self->timer, on_timer, 0, 0); /* the callback is set */
}

enum sh_err file_keeper_create(uv_loop_t *loop, const struct file_keeper_options *options,
                               struct file_keeper **out)
{
    struct file_keeper *self = sh_alloc(sizeof(*self));

    *out = NULL;
    if (self == NULL)
        return SH_NOMEM;
    self->options = *options;
    enum sh_err err = sh_err_from_uv(uv_timer_init(loop, &self->timer));
    if (err != SH_OK) {
        sh_free(self);
        return err;
    }
    self->timer.data = self;
    *out = self;
    rest(self);
    return SH_OK;
}

void file_keeper_close(struct file_keeper **self_p)
{
    struct file_keeper *self = *self_p;

    if (self == NULL)
        return;
    *self_p = NULL;
    self->closing = true;
    if (self->state == IDLE)
        uv_close((uv_handle_t *)&self->timer, on_closed);
}
