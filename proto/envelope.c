#include "proto/envelope.h"

/* Where each member lives; 81, 86 and 92 to 95 are zero and kept for later. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 4,
    AT_TYPE = 6,
    AT_FLAGS = 7,
    AT_EPOCH = 8,
    AT_SEQUENCE = 16,
    AT_ATTEMPT = 24,
    AT_PRIORITY = 25,
    AT_STATUS = 26,
    AT_BUDGET = 28,
    AT_METHOD = 32,
    AT_PAYLOAD = 36,
    AT_TRACE = 40,
    AT_SPAN = 56,
    AT_KEY = 64,
    AT_TRACE_FLAGS = 80,
    AT_DEPTH = 82,
    AT_CREDIT = 84,
    AT_RETRY_AFTER = 88,
};

static void put(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

void envelope_write(const struct envelope *envelope, uint8_t out[static ENVELOPE_BYTES])
{
    memset(out, 0, ENVELOPE_BYTES);
    put(out + AT_MAGIC, ENVELOPE_MAGIC, 4);
    put(out + AT_VERSION, envelope->version ? envelope->version : ENVELOPE_VERSION, 2);
    out[AT_TYPE] = envelope->type;
    out[AT_FLAGS] = envelope->flags;
    put(out + AT_EPOCH, envelope->epoch, 8);
    put(out + AT_SEQUENCE, envelope->sequence, 8);
    out[AT_ATTEMPT] = envelope->attempt;
    out[AT_PRIORITY] = envelope->priority;
    put(out + AT_STATUS, envelope->status, 2);
    put(out + AT_BUDGET, envelope->budget_ms, 4);
    put(out + AT_METHOD, envelope->method, 4);
    put(out + AT_PAYLOAD, envelope->payload_bytes, 4);
    memcpy(out + AT_TRACE, envelope->trace_id, sizeof(envelope->trace_id));
    memcpy(out + AT_SPAN, envelope->span_id, sizeof(envelope->span_id));
    memcpy(out + AT_KEY, envelope->idempotency_key, sizeof(envelope->idempotency_key));
    out[AT_TRACE_FLAGS] = envelope->trace_flags;
    put(out + AT_DEPTH, envelope->queue_depth, 2);
    put(out + AT_CREDIT, envelope->credit, 2);
    put(out + AT_RETRY_AFTER, envelope->retry_after_ms, 4);
}

enum sh_err envelope_read(struct sh_bytes frame, struct envelope *out)
{
    const uint8_t *in = frame.data;
    if (frame.len != ENVELOPE_BYTES || get(in + AT_MAGIC, 4) != ENVELOPE_MAGIC ||
        in[AT_TYPE] < TYPE_HELLO || in[AT_TYPE] > TYPE_CHUNK)
        return SH_MALFORMED;
    *out = (struct envelope){
        .version = (uint16_t)get(in + AT_VERSION, 2),
        .type = in[AT_TYPE],
        .flags = in[AT_FLAGS],
        .epoch = get(in + AT_EPOCH, 8),
        .sequence = get(in + AT_SEQUENCE, 8),
        .attempt = in[AT_ATTEMPT],
        .priority = in[AT_PRIORITY],
        .status = (uint16_t)get(in + AT_STATUS, 2),
        .budget_ms = (uint32_t)get(in + AT_BUDGET, 4),
        .method = (uint32_t)get(in + AT_METHOD, 4),
        .trace_flags = in[AT_TRACE_FLAGS],
        .queue_depth = (uint16_t)get(in + AT_DEPTH, 2),
        .credit = (uint16_t)get(in + AT_CREDIT, 2),
        .retry_after_ms = (uint32_t)get(in + AT_RETRY_AFTER, 4),
        .payload_bytes = (uint32_t)get(in + AT_PAYLOAD, 4),
    };
    memcpy(out->trace_id, in + AT_TRACE, sizeof(out->trace_id));
    memcpy(out->span_id, in + AT_SPAN, sizeof(out->span_id));
    memcpy(out->idempotency_key, in + AT_KEY, sizeof(out->idempotency_key));
    return SH_OK;
}

#define TYPE_NAME(value, name, meaning)          [value] = #name,
#define STATUS_NAME(value, name, error, meaning) [value] = #name,
#define STATUS_ERR(value, name, error, meaning)  [value] = (error),

const char *envelope_type_name(uint8_t type)
{
    static const char *const names[] = {ENVELOPE_TYPES(TYPE_NAME)};
    return type < SH_COUNT(names) && names[type] ? names[type] : "unknown";
}

const char *envelope_status_name(uint16_t status)
{
    static const char *const names[] = {ENVELOPE_STATUSES(STATUS_NAME)};
    return status < SH_COUNT(names) ? names[status] : "unknown";
}

static const enum sh_err errors[] = {ENVELOPE_STATUSES(STATUS_ERR)};

enum envelope_status envelope_status_of(enum sh_err err)
{
    if (err == SH_MALFORMED)
        return STATUS_INVALID;
    if (err == SH_NOMEM) /* handlers allocate before they change anything */
        return STATUS_OVERLOADED;
    for (size_t i = 0; i < SH_COUNT(errors); i++) {
        if (errors[i] == err)
            return (enum envelope_status)i;
    }
    return STATUS_INTERNAL;
}

enum sh_err envelope_status_err(uint16_t status)
{
    return status < SH_COUNT(errors) ? errors[status] : SH_INTERNAL;
}
