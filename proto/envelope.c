#include "proto/envelope.h"

#define OFFSET(offset, bytes, member, meaning) AT_##member = (offset),
enum { ENVELOPE_LAYOUT(OFFSET) };
#undef OFFSET

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
    put(out + AT_magic, ENVELOPE_MAGIC, 4);
    put(out + AT_version, envelope->version ? envelope->version : ENVELOPE_VERSION, 2);
    out[AT_type] = envelope->type;
    out[AT_flags] = envelope->flags;
    put(out + AT_epoch, envelope->epoch, 8);
    put(out + AT_sequence, envelope->sequence, 8);
    out[AT_attempt] = envelope->attempt;
    out[AT_priority] = envelope->priority;
    put(out + AT_status, envelope->status, 2);
    put(out + AT_budget_ms, envelope->budget_ms, 4);
    put(out + AT_method, envelope->method, 4);
    put(out + AT_payload_bytes, envelope->payload_bytes, 4);
    memcpy(out + AT_trace_id, envelope->trace_id, sizeof(envelope->trace_id));
    memcpy(out + AT_span_id, envelope->span_id, sizeof(envelope->span_id));
    memcpy(out + AT_idempotency_key, envelope->idempotency_key,
           sizeof(envelope->idempotency_key));
    out[AT_trace_flags] = envelope->trace_flags;
    put(out + AT_queue_depth, envelope->queue_depth, 2);
    put(out + AT_credit, envelope->credit, 2);
    put(out + AT_retry_after_ms, envelope->retry_after_ms, 4);
}

enum sh_err envelope_read(struct sh_bytes frame, struct envelope *out)
{
    const uint8_t *in = frame.data;
    if (frame.len != ENVELOPE_BYTES || get(in + AT_magic, 4) != ENVELOPE_MAGIC ||
        in[AT_type] < TYPE_HELLO || in[AT_type] > TYPE_CHUNK)
        return SH_MALFORMED;
    *out = (struct envelope){
        .version = (uint16_t)get(in + AT_version, 2),
        .type = in[AT_type],
        .flags = in[AT_flags],
        .epoch = get(in + AT_epoch, 8),
        .sequence = get(in + AT_sequence, 8),
        .attempt = in[AT_attempt],
        .priority = in[AT_priority],
        .status = (uint16_t)get(in + AT_status, 2),
        .budget_ms = (uint32_t)get(in + AT_budget_ms, 4),
        .method = (uint32_t)get(in + AT_method, 4),
        .trace_flags = in[AT_trace_flags],
        .queue_depth = (uint16_t)get(in + AT_queue_depth, 2),
        .credit = (uint16_t)get(in + AT_credit, 2),
        .retry_after_ms = (uint32_t)get(in + AT_retry_after_ms, 4),
        .payload_bytes = (uint32_t)get(in + AT_payload_bytes, 4),
    };
    memcpy(out->trace_id, in + AT_trace_id, sizeof(out->trace_id));
    memcpy(out->span_id, in + AT_span_id, sizeof(out->span_id));
    memcpy(out->idempotency_key, in + AT_idempotency_key, sizeof(out->idempotency_key));
    return SH_OK;
}

void envelope_set_state(struct envelope *envelope, uint64_t changes, uint64_t state)
{
    envelope->flags |= ENVELOPE_STATE;
    put(envelope->idempotency_key, changes, 8);
    put(envelope->idempotency_key + 8, state, 8);
}

bool envelope_state(const struct envelope *envelope, uint64_t *changes, uint64_t *state)
{
    if ((envelope->flags & ENVELOPE_STATE) == 0)
        return false;
    *changes = get(envelope->idempotency_key, 8);
    *state = get(envelope->idempotency_key + 8, 8);
    return true;
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
