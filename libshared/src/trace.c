#include "shared/trace.h"

#include <endian.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

enum { TRACEPARENT_LEN = 55, SAMPLED = 1 };

/* Of 2^32. */
static _Atomic uint64_t sampled = UINT64_C(1) << 32;

void sh_random(void *out, size_t len)
{
    char *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR)
            abort();
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

/* Ids must be unique, not secret: a system call for many of them, not one each. */
static void random_id(void *out, size_t len)
{
    static _Thread_local uint8_t pool[4096];
    static _Thread_local size_t left;
    if (left < len) {
        sh_random(pool, sizeof(pool));
        left = sizeof(pool);
    }
    left -= len;
    memcpy(out, pool + left, len);
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++)
        any |= bytes[i];
    return any == 0;
}

/* All zeros means "no id" in W3C trace context. */
static void random_nonzero(uint8_t *out, size_t len)
{
    do
        random_id(out, len);
    while (all_zero(out, len));
}

static void to_hex(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

void sh_trace_sample(double ratio)
{
    atomic_store(&sampled, (uint64_t)(ratio * 4294967296.0));
}

/* The last bytes of an id are random in all versions of the standard. */
static bool is_sampled(const uint8_t trace_id[static 16])
{
    uint32_t last;
    memcpy(&last, trace_id + 12, sizeof(last));
    return be32toh(last) < atomic_load_explicit(&sampled, memory_order_relaxed);
}

void sh_trace_start(struct sh_trace *trace)
{
    uint8_t id[6];
    *trace = (struct sh_trace){0};
    random_nonzero(trace->trace_id, sizeof(trace->trace_id));
    trace->flags = is_sampled(trace->trace_id) ? SAMPLED : 0;
    random_nonzero(trace->span_id, sizeof(trace->span_id));
    random_id(id, sizeof(id));
    memcpy(trace->request_id, "req_", 4);
    to_hex(id, sizeof(id), trace->request_id + 4);
}

/* Lower case only, as the standard demands; -1 for anything else. */
static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(const char *text, size_t len, uint8_t *out)
{
    for (size_t i = 0; i < len; i++) {
        int high = digit(text[2 * i]);
        int low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Version 00 is exactly 55 long; a later one may go on after a dash. */
static bool right_length(uint8_t version, struct sh_bytes text)
{
    if (version == 0)
        return text.len == TRACEPARENT_LEN;
    return text.len == TRACEPARENT_LEN ||
           ((const char *)text.data)[TRACEPARENT_LEN] == '-';
}

bool sh_trace_parse(struct sh_trace *trace, struct sh_bytes traceparent)
{
    const char *text = traceparent.data;
    struct sh_trace parsed = *trace;
    uint8_t version;

    if (traceparent.len < TRACEPARENT_LEN || text[2] != '-' || text[35] != '-' ||
        text[52] != '-')
        return false;
    if (!from_hex(text, 1, &version) || version == 0xff ||
        !right_length(version, traceparent))
        return false;
    if (!from_hex(text + 3, 16, parsed.trace_id) ||
        !from_hex(text + 36, 8, parsed.span_id) || !from_hex(text + 53, 1, &parsed.flags))
        return false;
    if (all_zero(parsed.trace_id, 16) || all_zero(parsed.span_id, 8))
        return false;
    *trace = parsed;
    return true;
}

static bool sane(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '.' || c == '_' || c == '-';
}

bool sh_trace_set_request_id(struct sh_trace *trace, struct sh_bytes id)
{
    const char *text = id.data;
    if (id.len == 0 || id.len > SH_REQUEST_ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        if (!sane(text[i]))
            return false;
    }
    memcpy(trace->request_id, text, id.len);
    trace->request_id[id.len] = '\0';
    return true;
}

struct sh_trace sh_trace_child(const struct sh_trace *parent)
{
    struct sh_trace child = *parent;
    memcpy(child.parent_id, parent->span_id, sizeof(child.parent_id));
    random_nonzero(child.span_id, sizeof(child.span_id));
    return child;
}

void sh_trace_format(const struct sh_trace *trace, char out[static 56])
{
    memcpy(out, "00-", 3);
    to_hex(trace->trace_id, 16, out + 3);
    out[35] = '-';
    to_hex(trace->span_id, 8, out + 36);
    out[52] = '-';
    to_hex(&trace->flags, 1, out + 53);
    out[55] = '\0';
}
