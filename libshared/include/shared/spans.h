/* spans: what each step of a request took, told to a collector of OpenTelemetry by
 * OTLP/HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/). libshared itself ends
 * the spans of HTTP, of calls between services and of PostgreSQL; nothing waits for the
 * collector. Spans that find no room or cannot be delivered are counted and dropped. What
 * leaves is names, durations, statuses and ids; never a query, a body or a parameter. */
#ifndef SHARED_SPANS_H
#define SHARED_SPANS_H

#include <uv.h>

#include "shared/config.h"
#include "shared/trace.h"

/* The names are OpenTelemetry's own:
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
#define SH_SPANS_SETTINGS(S)                                                             \
    S(str, endpoint, "OTEL_EXPORTER_OTLP_ENDPOINT", "", 0, 1024, 0, "",                  \
      "http://HOST:4318 of a collector that gets a span for each step of a request; "    \
      "empty: none does")                                                                \
    S(str, headers, "OTEL_EXPORTER_OTLP_HEADERS", "", 0, 2048, SH_SECRET, "",            \
      "NAME=VALUE,... that the collector wants to see, such as a key")                   \
    S(f64, ratio, "OTEL_TRACES_SAMPLER_ARG", "0.1", 0, 1, 0, "",                         \
      "share of the traces begun here that are told; others are told as their parents "  \
      "are")                                                                             \
    S(u32, delay_ms, "OTEL_BSP_SCHEDULE_DELAY", "5000", 10, 60000, 0, "",                \
      "milliseconds a span waits for others at most before it is sent")

struct sh_spans_config {
    SH_SPANS_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings sh_spans_settings(struct sh_spans_config *into);

/* As OTLP numbers them. */
enum sh_span_kind { SH_SPAN_INTERNAL = 1, SH_SPAN_SERVER = 2, SH_SPAN_CLIENT = 3 };

enum { SH_SPAN_NOTES = 4, SH_SPAN_NAME = 64 };

/* Texts are cut at SH_SPAN_NAME - 1 bytes and copied; keys live as long as the process.
 */
struct sh_span_note {
    const char *key;
    const char *text; /* NULL: the number counts */
    int64_t number;
};

struct sh_span {
    enum sh_span_kind kind;
    const char *name;
    uint64_t took_us;
    bool failed;
    struct sh_span_note notes[SH_SPAN_NOTES]; /* up to the first without a key */
};

/* A span has ended now. It is `trace`'s own: its span_id, below its parent_id. Does next
 * to nothing when nobody collects or the trace is not sampled. Any thread. */
void sh_span_ended(const struct sh_trace *trace, const struct sh_span *span);

/* Collects from now on until closed. At most one a process; `config`, `service` and
 * `environment` must outlive it. *out is NULL when there is no endpoint.
 * Errors: SH_NOMEM, SH_IO; SH_INVALID: the endpoint or the headers are none. */
struct sh_spans;
SH_CHECK enum sh_err sh_spans_open(uv_loop_t *loop, const struct sh_spans_config *config,
                                   const char *service, const char *environment,
                                   struct sh_spans **out);
/* Spans not sent yet are given up. *self becomes NULL; NULL is fine. */
void sh_spans_close(struct sh_spans **self);

#endif
