/* health: what a service knows of itself and of what it needs. A part registers a check
 * and sets its state whenever it learns something; nobody asks a backend because somebody
 * asked for /health. Set on the main loop's thread; read from any. */
#ifndef SHARED_HEALTH_H
#define SHARED_HEALTH_H

#include <stdbool.h>

#include "shared/buffer.h"
#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/mem.h"

enum sh_health_state { SH_UNKNOWN, SH_HEALTHY, SH_DEGRADED, SH_UNHEALTHY };

struct sh_health;
struct sh_health_check;

/* The service makes one; all its checks end with it. *self becomes NULL, NULL is fine.
 */
SH_CHECK enum sh_err sh_health_create(struct sh_health **out);
void sh_health_close(struct sh_health **self);

/* A required check that is unknown or unhealthy makes the service not ready; one that is
 * not required only degrades it. `name` must outlive it. NULL when out of memory. */
struct sh_health_check *sh_health_add(struct sh_health *health, const char *name,
                                      bool required);
/* `message` says why, for people ("" when healthy); `detail` is a JSON object of further
 * members ({"pool_size":20}) or NULL; both are copied. `response_time_s` < 0: none. */
void sh_health_set(struct sh_health_check *check, enum sh_health_state state,
                   double response_time_s, const char *message, const char *detail);

bool sh_health_ready(const struct sh_health *health);
enum sh_health_state sh_health_overall(const struct sh_health *health);
const char *sh_health_state_text(enum sh_health_state state);
/* {"status","ready","checks":{name:{"healthy","status","required","response_time",
 * "message",…detail}}} */
void sh_health_json(const struct sh_health *health, struct sh_buffer *out);

enum { SH_HEALTH_DETAIL_MAX = 4096 };

struct sh_health_status {
    const char *name;
    enum sh_health_state state;
    bool required;
    double response_time_s;  /* < 0: none */
    struct sh_bytes message; /* the arena's, like `detail` */
    struct sh_bytes detail;  /* empty when there is none, or it is over the limit */
};
/* All checks as they are now. Errors: SH_NOMEM. */
SH_CHECK enum sh_err sh_health_list(const struct sh_health *health,
                                    struct sh_arena *arena, struct sh_health_status **out,
                                    size_t *count);

#endif
