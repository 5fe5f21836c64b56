#include "shared/redis.h"

#include <signal.h>
#include <stdio.h>

#include "backoff.h"
#include "redis_link.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"
#include "shared/timer.h"

/* Replies come in the order of the commands, so one that is late delays all behind it:
 * when the oldest is overdue the connection is given up, and what waits fails. */

enum {
    WAITING_MAX = 10000,
    WAITING_BYTES_MAX = 64 * 1024 * 1024,
    WORDS_MAX = 1024 * 1024,
    BEAT_MS = 5000,
};

enum state { DOWN, CONNECTING, GREETING, READY };

struct command {            /* freed when hiredis lets go of it */
    struct sh_redis *redis; /* NULL once its caller has been told */
    struct command *next;
    sh_redis_done_fn *done;
    void *arg;
    uint64_t sent_ms;
    size_t bytes;
};

struct sh_redis {
    struct redis_address address;
    struct redis_link link;
    enum state state;
    uint32_t timeout_ms;
    struct command *first; /* oldest */
    struct command **end;
    size_t waiting;
    size_t waiting_bytes;
    uv_timer_t timer; /* back-off, the connect's limit, or the oldest command's */
    uv_timer_t beat;
    unsigned timers;
    unsigned failures;
    uint64_t connects;
    struct sh_health_check *check;
    uint64_t pinged_us;
    bool closing;
};

static struct sh_family commands = {.kind = SH_COUNTER,
                                    .name = "cairn_redis_commands_total",
                                    .help = "Redis commands, by outcome",
                                    .labels = {"status"}};
static struct sh_family connected = {.kind = SH_GAUGE,
                                     .name = "cairn_redis_connected",
                                     .help = "1 while Redis can be asked"};

static void report(struct sh_redis *self, enum sh_health_state state, double seconds,
                   const char *message)
{
    if (self->check)
        sh_health_set(self->check, state, seconds, message,
                      state == SH_HEALTHY ? "{\"connection_active\":true}"
                                          : "{\"connection_active\":false}");
}

static void set_state(struct sh_redis *self, enum state state)
{
    if ((state == READY) != (self->state == READY))
        sh_series_add(sh_series(&connected, NULL), state == READY ? 1 : -1);
    self->state = state;
}

/* --- commands --------------------------------------------------------------------- */

static void settle(struct command *command, enum sh_err err, const redisReply *reply)
{
    bool refused = reply && reply->type == REDIS_REPLY_ERROR;
    const char *status = refused ? "error" : sh_err_code(err);

    sh_count(&commands, status);
    command->redis = NULL;
    if (command->done)
        command->done(command->arg, err, reply);
}

/* The oldest is no longer waiting; its memory stays. */
static struct command *take_first(struct sh_redis *self)
{
    struct command *command = self->first;

    if (command) {
        self->first = command->next;
        self->waiting--;
        self->waiting_bytes -= command->bytes;
    }
    return command;
}

static enum sh_err overdue(const struct sh_redis *self, const struct command *command)
{
    return sh_now_ms() - command->sent_ms < self->timeout_ms ? SH_UNAVAILABLE
                                                             : SH_TIMEOUT;
}

static void on_reply(redisAsyncContext *context, void *reply, void *arg)
{
    struct command *command = arg;
    struct sh_redis *self = command->redis;

    (void)context; /* the client's own, or one that it has given up */
    if (self) {
        (void)take_first(self); /* this one: replies are in order */
        settle(command, reply ? SH_OK : overdue(self, command), reply);
    }
    sh_free(command);
}

static void on_timer(uv_timer_t *timer);

static void arm(struct sh_redis *self, uint64_t wait_ms)
{
    if (self->closing)
        return;
    sh_timer_once(&self->timer, on_timer, wait_ms);
}

static enum sh_err hand_over(struct sh_redis *self, size_t count,
                             const struct sh_bytes *words, struct command *command)
{
    const char **argv = sh_alloc_array(count, sizeof(*argv));
    size_t *lengths = sh_alloc_array(count, sizeof(*lengths));
    enum sh_err err = SH_NOMEM;

    for (size_t i = 0; argv && lengths && i < count; i++) {
        argv[i] = words[i].len > 0 ? words[i].data : "";
        lengths[i] = words[i].len;
    }
    if (argv && lengths)
        err = redisAsyncCommandArgv(self->link.context, on_reply, command, (int)count,
                                    argv, lengths) == REDIS_OK
                  ? SH_OK
                  : SH_UNAVAILABLE;
    sh_free(argv);
    sh_free(lengths);
    return err;
}

static enum sh_err submit(struct sh_redis *self, size_t count,
                          const struct sh_bytes *words, sh_redis_done_fn *done, void *arg)
{
    struct command *command = sh_alloc(sizeof(*command));
    enum sh_err err;

    if (!command)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++) {
        if (__builtin_add_overflow(command->bytes, words[i].len, &command->bytes))
            command->bytes = SIZE_MAX / 2;
    }
    err = self->waiting_bytes + command->bytes > WAITING_BYTES_MAX
              ? SH_BUSY
              : hand_over(self, count, words, command);
    if (err != SH_OK) {
        sh_free(command);
        return err;
    }
    command->redis = self;
    command->done = done;
    command->arg = arg;
    command->sent_ms = sh_now_ms();
    *(self->first ? self->end : &self->first) = command;
    self->end = &command->next;
    self->waiting_bytes += command->bytes;
    if (self->waiting++ == 0 && self->state == READY &&
        !uv_is_active((void *)&self->timer))
        arm(self, self->timeout_ms);
    return SH_OK;
}

enum sh_err sh_redis_command(struct sh_redis *redis, size_t count,
                             const struct sh_bytes *words, sh_redis_done_fn *done,
                             void *arg)
{
    if (redis->closing || redis->state != READY)
        return SH_UNAVAILABLE;
    if (count == 0 || count > WORDS_MAX)
        return SH_INVALID;
    if (redis->waiting >= WAITING_MAX)
        return SH_BUSY;
    return submit(redis, count, words, done, arg);
}

static void fail_waiting(struct sh_redis *self, bool canceled)
{
    struct command *command;

    while ((command = take_first(self)))
        settle(command, canceled ? SH_CANCELED : overdue(self, command), NULL);
}

/* The link is down, or is to go down now. */
static void drop(struct sh_redis *self, const char *why)
{
    sh_warning(NULL, "redis: %s", why);
    report(self, SH_UNHEALTHY, -1, why);
    set_state(self, DOWN);
    arm(self, backoff_ms(self->failures++));
    fail_waiting(self, false); /* may close the client: its memory goes on a later turn */
    redis_link_close(&self->link);
}

static void on_down(void *arg, const char *why)
{
    drop(arg, why);
}

static void on_ping(void *arg, enum sh_err err, const redisReply *reply)
{
    struct sh_redis *self = arg;

    if (err == SH_OK && reply->type != REDIS_REPLY_ERROR)
        report(self, SH_HEALTHY, (double)(sh_now_us() - self->pinged_us) / 1e6, "");
    else if (err == SH_OK)
        report(self, SH_DEGRADED, -1, reply->str); /* LOADING, MISCONF … */
}

static enum sh_err send_ping(struct sh_redis *self, sh_redis_done_fn *done)
{
    const struct sh_bytes word = sh_bytes_of("PING");

    self->pinged_us = sh_now_us();
    return submit(self, 1, &word, done, self);
}

/* An error here is a fault of the settings; trying again is all one can do. */
static void on_greeted(void *arg, enum sh_err err, const redisReply *reply)
{
    struct sh_redis *self = arg;
    char why[160];

    if (err != SH_OK || self->state != GREETING || reply->type != REDIS_REPLY_ERROR)
        return;
    (void)snprintf(why, sizeof(why), "%s", reply->str);
    drop(self, why);
}

static void on_first_ping(void *arg, enum sh_err err, const redisReply *reply)
{
    struct sh_redis *self = arg;

    on_greeted(arg, err, reply);
    if (err != SH_OK || self->state != GREETING)
        return;
    if (self->failures > 0)
        sh_info(NULL, "redis: connected again");
    self->failures = 0;
    self->connects++;
    set_state(self, READY);
    (void)uv_timer_stop(&self->timer);
    on_ping(arg, err, reply);
}

static void on_up(void *arg)
{
    struct sh_redis *self = arg;
    const struct redis_address *to = &self->address;
    struct sh_bytes auth[3] = {sh_bytes_of("AUTH")};
    size_t count = 1;
    char number[16];
    struct sh_bytes select[2] = {sh_bytes_of("SELECT")};
    enum sh_err err = SH_OK;

    set_state(self, GREETING);
    if (to->user)
        auth[count++] = sh_bytes_of(to->user);
    if (to->password)
        auth[count++] = sh_bytes_of(to->password);
    if (to->password)
        err = submit(self, count, auth, on_greeted, self);
    (void)snprintf(number, sizeof(number), "%u", to->database);
    select[1] = sh_bytes_of(number);
    if (err == SH_OK && to->database > 0)
        err = submit(self, 2, select, on_greeted, self);
    if (err == SH_OK)
        err = send_ping(self, on_first_ping);
    if (err != SH_OK)
        arm(self, 0); /* give up, but not here: hiredis 0.14 still needs its context */
}

static void reconnect(struct sh_redis *self)
{
    set_state(self, CONNECTING);
    if (redis_link_open(&self->link) == SH_OK)
        arm(self, self->timeout_ms);
    else
        drop(self, self->link.why);
}

static void on_timer(uv_timer_t *timer)
{
    struct sh_redis *self = timer->data;
    uint64_t age;

    if (self->state == DOWN) {
        reconnect(self);
        return;
    }
    if (self->state != READY) {
        drop(self, "the connection attempt timed out");
        return;
    }
    if (!self->first)
        return;
    age = sh_now_ms() - self->first->sent_ms;
    if (age < self->timeout_ms)
        arm(self, self->timeout_ms - age);
    else
        drop(self, "no answer in time");
}

static void on_beat(uv_timer_t *timer)
{
    struct sh_redis *self = timer->data;

    if (self->state == READY)
        (void)send_ping(self, on_ping); /* out of memory: the next beat tries again */
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err sh_redis_create(uv_loop_t *loop, const struct sh_redis_config *config,
                            struct sh_health_check *check, struct sh_redis **out)
{
    struct sh_redis *self = sh_alloc(sizeof(*self));
    const char *why;
    enum sh_err err;

    if (!self)
        return SH_NOMEM;
    err = redis_address_read(config, &self->address, &why);
    if (err != SH_OK) {
        if (why)
            sh_error(NULL, "%s", why);
        sh_free(self);
        return err;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* hiredis writes without MSG_NOSIGNAL */
    self->timeout_ms = config->timeout_ms ? config->timeout_ms : 1000;
    self->check = check;
    self->link.loop = loop;
    self->link.address = &self->address;
    self->link.up = on_up;
    self->link.down = on_down;
    self->link.arg = self->timer.data = self->beat.data = self;
    self->timers = 2;
    (void)uv_timer_init(loop, &self->timer);
    (void)uv_timer_init(loop, &self->beat);
    (void)uv_timer_start(&self->beat, on_beat, BEAT_MS, BEAT_MS);
    reconnect(self);
    *out = self;
    return SH_OK;
}

bool sh_redis_connected(const struct sh_redis *redis)
{
    return redis->state == READY;
}

uint64_t sh_redis_connects(const struct sh_redis *redis)
{
    return redis->connects;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct sh_redis *self = handle->data;

    if (--self->timers > 0)
        return;
    redis_address_free(&self->address);
    sh_free(self);
}

void sh_redis_close(struct sh_redis **redis)
{
    struct sh_redis *self = *redis;

    *redis = NULL;
    if (!self || self->closing)
        return;
    self->closing = true;
    self->check = NULL;
    set_state(self, DOWN);
    fail_waiting(self, true);
    redis_link_close(&self->link);
    uv_close((uv_handle_t *)&self->timer, on_timer_closed);
    uv_close((uv_handle_t *)&self->beat, on_timer_closed);
}
