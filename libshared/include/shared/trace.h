/* trace: what ties the log lines of one request together across services: the request id
 * that a client sees and the W3C trace context (https://www.w3.org/TR/trace-context/). */
#ifndef SHARED_TRACE_H
#define SHARED_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/bytes.h"

enum { SH_REQUEST_ID_MAX = 64 };

struct sh_trace {
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t parent_id[8]; /* the span above; zeros: none */
    uint8_t flags;
    char request_id[SH_REQUEST_ID_MAX + 1];
};

/* A new trace: random ids, request id "req_" and 12 hex digits. Any thread. */
void sh_trace_start(struct sh_trace *trace);
/* The share of the traces started from now on that say "sampled"; 1 at first. By the
 * trace's id, so that all who sample that many choose the same. Any thread. */
void sh_trace_sample(double ratio);
/* Take over a client's `traceparent`; false and unchanged when it is not valid. */
bool sh_trace_parse(struct sh_trace *trace, struct sh_bytes traceparent);
/* Take over a client's request id: 1 to 64 of [A-Za-z0-9._-]; false when it is not sane.
 */
bool sh_trace_set_request_id(struct sh_trace *trace, struct sh_bytes id);
/* The same trace, a new span below it. */
struct sh_trace sh_trace_child(const struct sh_trace *parent);
/* "00-<trace>-<span>-<flags>" for outgoing HTTP (56 bytes with NUL). */
void sh_trace_format(const struct sh_trace *trace, char out[static 56]);

/* Cryptographically strong random bytes; never fails (aborts if the kernel has none). */
void sh_random(void *out, size_t len);

#endif
