#include "services/backup/service/hook.h"

#include <string.h>

#include "shared/http_client.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum { FIRST_PAUSE_MS = 1000, TIMEOUT_MS = 10000 };

static struct sh_family told_counter = {
    .kind = SH_COUNTER,
    .name = "cairn_backup_hooks_total",
    .help = "Failures that BACKUP_HOOK_URL was to be told, by what became of it.",
    .labels = {"state"}};

struct hook {
    struct hook_options options;
    struct sh_http_client *http;
    uv_timer_t timer;
    char *waiting[HOOK_WAITING]; /* the first is being told */
    size_t count;
    unsigned tries; /* of the first */
    bool closed;
};

static void send_first(struct hook *hook);

static void end_first(struct hook *hook, const char *state)
{
    sh_count(&told_counter, state);
    sh_free(hook->waiting[0]);
    hook->count--;
    memmove(hook->waiting, hook->waiting + 1, hook->count * sizeof(*hook->waiting));
    hook->tries = 0;
    if (hook->count > 0)
        send_first(hook);
}

static void on_timer(uv_timer_t *timer)
{
    send_first(timer->data);
}

static void try_again(struct hook *hook)
{
    if (hook->tries < HOOK_TRIES) {
        uv_timer_start(&hook->timer, on_timer,
                       hook->options.first_pause_ms << (hook->tries - 1), 0);
        return;
    }
    sh_warning(NULL, "BACKUP_HOOK_URL did not take a failure in %d attempts", HOOK_TRIES);
    end_first(hook, "given_up");
}

static bool later(enum sh_err err, int status)
{
    return err != SH_OK || status >= 500 || status == 429 || status == 408;
}

static void on_answer(void *arg, enum sh_err err, const struct sh_http_incoming *incoming)
{
    struct hook *hook = arg;
    int status = err == SH_OK ? incoming->status : 0;

    if (hook->closed)
        return;
    if (err == SH_OK && status < 300) {
        end_first(hook, "taken");
        return;
    }
    sh_warning(NULL, "BACKUP_HOOK_URL did not take the failure: %s, HTTP %d",
               sh_err_text(err), status);
    if (later(err, status))
        try_again(hook);
    else
        end_first(hook, "refused");
}

static void send_first(struct hook *hook)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    struct sh_http_outgoing outgoing = {.method = "POST",
                                        .url = hook->options.url,
                                        .headers = headers,
                                        .body = sh_bytes_of(hook->waiting[0]),
                                        .timeout_ms = TIMEOUT_MS};

    hook->tries++;
    if (sh_http_client_send(hook->http, &outgoing, on_answer, hook, NULL) != SH_OK)
        try_again(hook);
}

void hook_tell(struct hook *hook, const char *body)
{
    char *copy = hook->count < HOOK_WAITING ? sh_strdup(body) : NULL;

    if (copy == NULL) {
        sh_count(&told_counter, "dropped");
        sh_warning(NULL, "too many failures wait for BACKUP_HOOK_URL: one is not told");
        return;
    }
    hook->waiting[hook->count++] = copy;
    if (hook->count == 1)
        send_first(hook);
}

enum sh_err hook_create(const struct hook_options *options, struct hook **out)
{
    struct hook *hook = sh_alloc(sizeof(*hook));
    enum sh_err err =
        hook ? sh_http_client_create(options->loop, 1, &hook->http) : SH_NOMEM;

    *out = NULL;
    if (err != SH_OK) {
        sh_free(hook);
        return err;
    }
    hook->options = *options;
    if (options->first_pause_ms == 0)
        hook->options.first_pause_ms = FIRST_PAUSE_MS;
    uv_timer_init(options->loop, &hook->timer); /* cannot fail */
    hook->timer.data = hook;
    *out = hook;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void hook_close(struct hook **at)
{
    struct hook *hook = *at;

    *at = NULL;
    if (hook == NULL)
        return;
    hook->closed = true;
    sh_http_client_close(&hook->http);
    for (size_t i = 0; i < hook->count; i++)
        sh_free(hook->waiting[i]);
    uv_close((uv_handle_t *)&hook->timer, on_closed);
}
