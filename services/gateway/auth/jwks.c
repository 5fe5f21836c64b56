#include "services/gateway/auth/jwks.h"

#include <pthread.h>
#include <stdio.h>

#include "shared/clock.h"
#include "shared/http_client.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum { FETCH_MS = 10000, SET_MAX = 262144, RETRY_MS = 1000, RETRY_MOST_MS = 30000 };

static struct sh_family fetches = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_jwks_fetches_total",
    .help = "Fetches of the identity provider's keys",
    .labels = {"result"},
};

struct jwks {
    const struct auth_config *config;
    struct keyring *keyring;
    struct sh_health_check *check;
    struct sh_http_client *http;
    struct sh_http_call *call; /* under way, or NULL */
    uv_timer_t timer;          /* to the next fetch */
    uv_async_t wake;
    unsigned handles; /* not closed yet */
    uint64_t retry_ms;
    uint64_t good_ms;     /* when a fetch last went well; 0: never */
    pthread_mutex_t lock; /* of what follows */
    uint64_t asked;       /* tickets given */
    uint64_t answered;
    uint64_t started_ms; /* the last fetch; 0: none */
    bool flying;
    bool known;
};

static void on_timer(uv_timer_t *timer);

/* --- the state that other threads see --------------------------------------------- */

uint64_t jwks_ask(struct jwks *self)
{
    uint64_t ticket = 0;
    uint64_t cooldown_ms = (uint64_t)self->config->jwks_cooldown_s * 1000;

    pthread_mutex_lock(&self->lock);
    if (self->flying || self->asked > self->answered) {
        ticket = self->asked; /* the fetch that is under way, or about to begin */
    } else if (self->started_ms == 0 || sh_now_ms() - self->started_ms >= cooldown_ms) {
        ticket = ++self->asked;
        (void)uv_async_send(&self->wake); /* fails for a handle that closes: none does */
    }
    pthread_mutex_unlock(&self->lock);
    return ticket;
}

bool jwks_is_answered(struct jwks *self, uint64_t ticket)
{
    pthread_mutex_lock(&self->lock);
    bool answered = self->answered >= ticket;
    pthread_mutex_unlock(&self->lock);
    return answered;
}

bool jwks_is_known(struct jwks *self)
{
    pthread_mutex_lock(&self->lock);
    bool known = self->known;
    pthread_mutex_unlock(&self->lock);
    return known;
}

static void set_flying(struct jwks *self, bool flying)
{
    pthread_mutex_lock(&self->lock);
    self->flying = flying;
    if (flying) {
        self->started_ms = sh_now_ms();
        if (self->asked == self->answered)
            self->asked++; /* so that others can wait for it */
    } else {
        self->answered = self->asked;
    }
    pthread_mutex_unlock(&self->lock);
}

static void set_known(struct jwks *self, bool known)
{
    pthread_mutex_lock(&self->lock);
    self->known = known;
    pthread_mutex_unlock(&self->lock);
}

/* --- the outcome ------------------------------------------------------------------ */

static void tell(struct jwks *self, enum sh_health_state state, const char *why)
{
    if (self->check != NULL)
        sh_health_set(self->check, state, -1, why, NULL);
}

static void again_in(struct jwks *self, uint64_t ms)
{
    /* fails without a callback only */
    (void)uv_timer_start(&self->timer, on_timer, ms, 0);
}

static void succeed(struct jwks *self)
{
    sh_count(&fetches, "good");
    self->good_ms = sh_now_ms();
    self->retry_ms = RETRY_MS;
    set_known(self, true);
    tell(self, SH_HEALTHY, "");
    again_in(self, (uint64_t)self->config->jwks_refresh_s * 1000);
}

/* Keys that nobody has confirmed for so long may be withdrawn ones. */
static void forget_old(struct jwks *self)
{
    uint64_t limit_ms = (uint64_t)self->config->jwks_max_age_s * 1000;

    if (self->good_ms == 0 || sh_now_ms() - self->good_ms < limit_ms)
        return;
    if (keyring_publish(self->keyring, (struct sh_bytes){0}) != SH_OK)
        return; /* out of memory: at the next retry */
    sh_error(NULL, "the keys of the identity provider are too old and count no more");
    self->good_ms = 0;
    set_known(self, false);
}

static void fail(struct jwks *self, const char *why)
{
    sh_count(&fetches, "failed");
    sh_warning(NULL, "the keys of the identity provider were not fetched: %s", why);
    forget_old(self);
    tell(self, SH_DEGRADED, why);
    uint64_t wait_ms = self->retry_ms;
    if (self->good_ms != 0) { /* not past the age at which they count no more */
        uint64_t left_ms =
            sh_left_ms(self->good_ms + (uint64_t)self->config->jwks_max_age_s * 1000);
        wait_ms = left_ms + 1 < wait_ms ? left_ms + 1 : wait_ms;
    }
    again_in(self, wait_ms);
    self->retry_ms =
        self->retry_ms * 2 < RETRY_MOST_MS ? self->retry_ms * 2 : RETRY_MOST_MS;
}

static void take_over(struct jwks *self, struct sh_bytes body)
{
    enum sh_err err = body.len > 0 ? keyring_publish(self->keyring, body) : SH_MALFORMED;

    if (err == SH_OK)
        succeed(self);
    else
        fail(self, err == SH_NOMEM ? "out of memory" : "no JWK set with keys of use");
}

static void on_fetched(void *arg, enum sh_err err,
                       const struct sh_http_incoming *incoming)
{
    struct jwks *self = arg;
    char why[160];

    self->call = NULL;
    if (err == SH_CANCELED)
        return;
    if (err != SH_OK) {
        fail(self, incoming->error);
    } else if (incoming->status != 200) {
        (void)snprintf(why, sizeof why, "it answered %d", incoming->status);
        fail(self, why);
    } else {
        take_over(self, incoming->body);
    }
    set_flying(self, false);
}

/* --- fetching --------------------------------------------------------------------- */

static void fetch(struct jwks *self)
{
    static const char *const headers[] = {
        "Accept: application/jwk-set+json, application/json", NULL};
    const struct sh_http_outgoing outgoing = {
        .method = "GET",
        .url = self->config->jwks_url,
        .headers = headers,
        .timeout_ms = FETCH_MS,
        .max_body = SET_MAX,
    };

    if (self->call != NULL)
        return;
    set_flying(self, true);
    if (sh_http_client_send(self->http, &outgoing, on_fetched, self, &self->call) ==
        SH_OK)
        return;
    fail(self, "out of memory, or no URL");
    set_flying(self, false);
}

static void on_timer(uv_timer_t *timer)
{
    fetch(timer->data);
}

static void on_wake(uv_async_t *wake)
{
    struct jwks *self = wake->data;

    pthread_mutex_lock(&self->lock);
    bool waits = self->asked > self->answered;
    pthread_mutex_unlock(&self->lock);
    if (waits)
        fetch(self);
}

/* --- open and close --------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct jwks *self = handle->data;

    if (--self->handles > 0)
        return;
    pthread_mutex_destroy(&self->lock);
    sh_free(self);
}

enum sh_err jwks_open(uv_loop_t *loop, const struct auth_config *config,
                      struct keyring *keyring, struct sh_health_check *check,
                      struct jwks **out)
{
    struct jwks *self = sh_alloc(sizeof *self);

    *out = NULL;
    if (self == NULL)
        return SH_NOMEM;
    *self = (struct jwks){.config = config,
                          .keyring = keyring,
                          .check = check,
                          .retry_ms = RETRY_MS,
                          .timer.data = self,
                          .wake.data = self};
    enum sh_err err = sh_http_client_create(loop, 1, &self->http);
    if (err == SH_OK)
        err = sh_err_from_uv(uv_async_init(loop, &self->wake, on_wake));
    if (err != SH_OK) {
        if (self->http != NULL)
            sh_http_client_close(&self->http);
        sh_free(self);
        return err;
    }
    (void)uv_timer_init(loop, &self->timer); /* cannot fail */
    pthread_mutex_init(&self->lock, NULL);
    self->handles = 2;
    self->wake.data = self;
    self->timer.data = self;
    *out = self;
    tell(self, SH_DEGRADED, "not fetched yet");
    fetch(self);
    return SH_OK;
}

void jwks_close(struct jwks **self)
{
    struct jwks *closing = *self;

    *self = NULL;
    if (closing == NULL)
        return;
    sh_http_client_close(&closing->http);
    uv_close((uv_handle_t *)&closing->wake, on_closed);
    uv_close((uv_handle_t *)&closing->timer, on_closed);
}
