#include "shared/health.h"

#include <jansson.h>
#include <math.h>
#include <pthread.h>

#include "shared/mem.h"
#include "shared/metrics.h"

enum { MESSAGE_MAX = 512 };

static struct sh_family checks_gauge = {
    .kind = SH_GAUGE,
    .name = "cairn_health_check",
    .help = "How a check of /health stands: 1 healthy, 0.5 degraded, 0 unhealthy or not "
            "known yet.",
    .labels = {"check", "required"},
};

struct sh_health_check {
    struct sh_health_check *next;
    const char *name;
    bool required;
    enum sh_health_state state;
    double response_time_s;
    char message[MESSAGE_MAX];
    json_t *detail; /* or NULL */
};

/* One for all: a process has one sh_health. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct sh_health {
    struct sh_health_check *first;
    struct sh_health_check **end;
};

const char *sh_health_state_text(enum sh_health_state state)
{
    static const char *const texts[] = {"unknown", "healthy", "degraded", "unhealthy"};
    return (unsigned)state < SH_COUNT(texts) ? texts[state] : "unknown";
}

static void show(const struct sh_health_check *check, enum sh_health_state state)
{
    static const double values[] = {0, 1, 0.5, 0}; /* by state */
    const char *required = check->required ? "true" : "false";
    struct sh_series *series =
        sh_series(&checks_gauge, (const char *[]){check->name, required});

    sh_series_set(series, (unsigned)state < SH_COUNT(values) ? values[state] : 0);
}

enum sh_err sh_health_create(struct sh_health **out)
{
    struct sh_health *health = sh_alloc(sizeof(*health));
    if (!health)
        return SH_NOMEM;
    health->end = &health->first;
    *out = health;
    return SH_OK;
}

void sh_health_close(struct sh_health **self)
{
    struct sh_health *health = *self;
    if (!health)
        return;
    *self = NULL;
    while (health->first) {
        struct sh_health_check *check = health->first;
        health->first = check->next;
        json_decref(check->detail);
        sh_free(check);
    }
    sh_free(health);
}

struct sh_health_check *sh_health_add(struct sh_health *health, const char *name,
                                      bool required)
{
    struct sh_health_check *check = sh_alloc(sizeof(*check));
    if (!check)
        return NULL;
    check->name = name;
    check->required = required;
    check->response_time_s = -1;
    pthread_mutex_lock(&lock);
    *health->end = check;
    health->end = &check->next;
    pthread_mutex_unlock(&lock);
    show(check, SH_UNKNOWN);
    return check;
}

/* At most MESSAGE_MAX, and cut where JSON can still take it. */
static void set_message(struct sh_health_check *check, const char *message)
{
    size_t len = strnlen(message, MESSAGE_MAX - 1);
    if (message[len] != '\0') {
        while (len > 0 && ((unsigned char)message[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(check->message, message, len);
    check->message[len] = '\0';
}

void sh_health_set(struct sh_health_check *check, enum sh_health_state state,
                   double response_time_s, const char *message, const char *detail)
{
    json_t *parsed = detail ? json_loads(detail, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (!json_is_object(parsed)) {
        json_decref(parsed);
        parsed = NULL;
    }
    pthread_mutex_lock(&lock);
    check->state = state;
    check->response_time_s = isfinite(response_time_s) ? response_time_s : -1;
    set_message(check, message);
    json_t *before = check->detail;
    check->detail = parsed;
    pthread_mutex_unlock(&lock);
    json_decref(before);
    show(check, state);
}

/* --- what follows from the checks; under the lock --------------------------------- */

static bool ready(const struct sh_health *health)
{
    for (const struct sh_health_check *check = health->first; check;
         check = check->next) {
        if (check->required &&
            (check->state == SH_UNKNOWN || check->state == SH_UNHEALTHY))
            return false;
    }
    return true;
}

/* A required check counts as it is; one that is not required can only degrade. */
static enum sh_health_state overall(const struct sh_health *health)
{
    enum sh_health_state worst = SH_HEALTHY;
    for (const struct sh_health_check *check = health->first; check;
         check = check->next) {
        if (check->state == SH_HEALTHY)
            continue;
        bool down = check->state == SH_UNHEALTHY || check->state == SH_UNKNOWN;
        if (check->required && down)
            return SH_UNHEALTHY;
        worst = SH_DEGRADED;
    }
    return worst;
}

bool sh_health_ready(const struct sh_health *health)
{
    pthread_mutex_lock(&lock);
    bool is = ready(health);
    pthread_mutex_unlock(&lock);
    return is;
}

enum sh_health_state sh_health_overall(const struct sh_health *health)
{
    pthread_mutex_lock(&lock);
    enum sh_health_state state = overall(health);
    pthread_mutex_unlock(&lock);
    return state;
}

/* --- rendering -------------------------------------------------------------------- */

static json_t *text_json(const char *text)
{
    json_t *json = json_string(text);
    return json ? json : json_string("(not UTF-8)");
}

static json_t *check_json(const struct sh_health_check *check)
{
    json_t *json = json_object();
    const char *status = sh_health_state_text(check->state);
    json_object_set_new(
        json, "healthy",
        json_boolean(check->state == SH_HEALTHY || check->state == SH_DEGRADED));
    json_object_set_new(json, "status", json_string(status));
    json_object_set_new(json, "required", json_boolean(check->required));
    if (check->response_time_s >= 0)
        json_object_set_new(json, "response_time", json_real(check->response_time_s));
    json_object_set_new(json, "message", text_json(check->message));
    if (check->detail)
        json_object_update_missing(json, check->detail);
    return json;
}

static json_t *health_json(const struct sh_health *health)
{
    json_t *json = json_object();
    json_t *checks = json_object();
    json_object_set_new(json, "status",
                        json_string(sh_health_state_text(overall(health))));
    json_object_set_new(json, "ready", json_boolean(ready(health)));
    for (const struct sh_health_check *check = health->first; check; check = check->next)
        json_object_set_new(checks, check->name, check_json(check));
    json_object_set_new(json, "checks", checks);
    return json;
}

static void append_json(struct sh_buffer *out, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9));
    if (text)
        sh_buffer_text(out, text);
    else
        out->err = SH_NOMEM;
    free(text);
}

void sh_health_json(const struct sh_health *health, struct sh_buffer *out)
{
    pthread_mutex_lock(&lock);
    json_t *json = health_json(health);
    pthread_mutex_unlock(&lock);
    append_json(out, json);
    json_decref(json);
}

/* An over-long detail is left out rather than cut, since it must stay JSON. */
static enum sh_err detail_text(const json_t *detail, struct sh_arena *arena,
                               struct sh_bytes *out)
{
    *out = (struct sh_bytes){0};
    char *text = detail ? json_dumps(detail, JSON_COMPACT) : NULL;
    if (!text)
        return detail ? SH_NOMEM : SH_OK;
    enum sh_err err = SH_OK;
    if (strlen(text) <= SH_HEALTH_DETAIL_MAX) {
        *out = sh_arena_copy(arena, sh_bytes_of(text));
        err = out->data ? SH_OK : SH_NOMEM;
    }
    free(text);
    return err;
}

static enum sh_err status_of(const struct sh_health_check *check, struct sh_arena *arena,
                             struct sh_health_status *out)
{
    *out = (struct sh_health_status){
        .name = check->name,
        .state = check->state,
        .required = check->required,
        .response_time_s = check->response_time_s,
        .message = sh_arena_copy(arena, sh_bytes_of(check->message)),
    };
    return out->message.data ? detail_text(check->detail, arena, &out->detail) : SH_NOMEM;
}

static size_t count_of(const struct sh_health *health)
{
    size_t count = 0;
    for (const struct sh_health_check *check = health->first; check; check = check->next)
        count++;
    return count;
}

enum sh_err sh_health_list(const struct sh_health *health, struct sh_arena *arena,
                           struct sh_health_status **out, size_t *count)
{
    pthread_mutex_lock(&lock);
    size_t n = 0;
    struct sh_health_status *list =
        sh_arena_array(arena, count_of(health), sizeof(*list));
    enum sh_err err = list ? SH_OK : SH_NOMEM;
    const struct sh_health_check *check = health->first;
    for (; check && err == SH_OK; check = check->next)
        err = status_of(check, arena, &list[n++]);
    pthread_mutex_unlock(&lock);
    *out = list;
    *count = n;
    return err;
}
