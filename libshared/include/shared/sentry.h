/* sentry: tells an error tracker (Sentry, or what speaks its envelope protocol:
 * https://develop.sentry.dev/sdk/data-model/envelopes/) of lines logged at ERROR and
 * above. Driven by the log; nothing waits for it, and nothing depends on it: events that
 * find no room, come too fast or cannot be delivered are counted and dropped. What leaves
 * is the line's sentence with secrets taken out, where it was logged, and the ids of its
 * trace; never a body, a header or a query. */
#ifndef SHARED_SENTRY_H
#define SHARED_SENTRY_H

#include <uv.h>

#include "shared/buffer.h"
#include "shared/config.h"

#define SH_SENTRY_SETTINGS(S)                                                            \
    S(str, dsn, "SENTRY_DSN", "", 0, 1024, SH_SECRET, "",                                \
      "https://KEY@HOST/PROJECT of an error tracker that is told of errors; empty: "     \
      "nobody is")                                                                       \
    S(flag, enabled, "SENTRY_ENABLED", "true", 0, 0, 0, "",                              \
      "false: nobody is told, whatever SENTRY_DSN says")                                 \
    S(str, environment, "SENTRY_ENVIRONMENT", "", 0, 64, 0, "",                          \
      "the environment's name there; empty: ENVIRONMENT")                                \
    S(f64, sample_rate, "SENTRY_SAMPLE_RATE", "1", 0, 1, 0, "SENTRY_TRACES_SAMPLE_RATE", \
      "share of errors that are told")                                                   \
    S(u32, per_minute, "SENTRY_EVENTS_PER_MINUTE", "60", 1, 6000, 0, "",                 \
      "most events a minute")

struct sh_sentry_config {
    SH_SENTRY_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings sh_sentry_settings(struct sh_sentry_config *into);

struct sh_sentry;

/* Listens to the log until closed. *out is NULL when nobody is to be told. `service` and
 * the config must outlive it. Errors: SH_NOMEM, SH_IO; SH_INVALID: the DSN is none. */
SH_CHECK enum sh_err sh_sentry_open(uv_loop_t *loop,
                                    const struct sh_sentry_config *config,
                                    const char *service, const char *environment,
                                    struct sh_sentry **out);
/* What is under way is given up. *self becomes NULL; NULL is fine. */
void sh_sentry_close(struct sh_sentry **self);

/* The text without what looks like a secret: credentials in URLs, bearer and basic
 * tokens, JSON web tokens, and what follows words like password, token, secret, cookie,
 * query and a ':' or '='. */
void sh_scrub(const char *text, struct sh_buffer *out);

#endif
