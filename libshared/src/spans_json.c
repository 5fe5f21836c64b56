/* Names: opentelemetry-proto's trace.proto, and OTLP's rules for JSON: ids in
 * hexadecimal, 64-bit numbers as text. Attributes: OpenTelemetry's semantic conventions.
 */
#include "libshared/src/spans_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#include "shared/buffer.h"

enum { STATUS_UNSET = 0, STATUS_ERROR = 2 };

static void hex(const uint8_t *bytes, size_t count, char *out)
{
    for (size_t i = 0; i < count; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static json_t *number_text(uint64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRIu64, number);
    return json_string(text);
}

static json_t *text_note(const char *key, const char *text)
{
    return json_pack("{s:s,s:{s:s}}", "key", key, "value", "stringValue", text);
}

static json_t *number_note(const char *key, int64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    return json_pack("{s:s,s:{s:s}}", "key", key, "value", "intValue", text);
}

static json_t *notes_of(const struct span_kept *span)
{
    json_t *notes = json_array();
    if (span->trace.request_id[0])
        (void)json_array_append_new(
            notes, text_note("cairn.request_id", span->trace.request_id));
    for (size_t i = 0; i < SH_SPAN_NOTES && span->notes[i].key; i++)
        (void)json_array_append_new(
            notes, span->notes[i].is_text
                       ? text_note(span->notes[i].key, span->notes[i].text)
                       : number_note(span->notes[i].key, span->notes[i].number));
    return notes;
}

static bool has_parent(const struct sh_trace *trace)
{
    uint8_t any = 0;
    for (size_t i = 0; i < sizeof(trace->parent_id); i++)
        any |= trace->parent_id[i];
    return any != 0;
}

static json_t *span_json(const struct span_kept *span)
{
    char trace[33], own[17], parent[17];
    hex(span->trace.trace_id, 16, trace);
    hex(span->trace.span_id, 8, own);
    hex(span->trace.parent_id, 8, parent);
    json_t *json =
        json_pack("{s:s,s:s,s:s,s:i,s:o,s:o,s:o,s:{s:i}}", "traceId", trace, "spanId",
                  own, "name", span->name, "kind", (int)span->kind, "startTimeUnixNano",
                  number_text(span->begin_ns), "endTimeUnixNano",
                  number_text(span->end_ns), "attributes", notes_of(span), "status",
                  "code", span->failed ? STATUS_ERROR : STATUS_UNSET);
    if (json && has_parent(&span->trace))
        (void)json_object_set_new(json, "parentSpanId", json_string(parent));
    return json;
}

static json_t *resource(const char *service, const char *environment)
{
    char name[SH_SPAN_NAME], instance[96] = "", host[64] = "";
    (void)gethostname(host, sizeof(host) - 1); /* only for people */
    (void)snprintf(name, sizeof(name), "cairn-%s", service);
    (void)snprintf(instance, sizeof(instance), "%s-%ld", host, (long)getpid());
    return json_pack("{s:[o,o,o,o]}", "attributes", text_note("service.name", name),
                     text_note("service.version", CAIRN_VERSION),
                     text_note("service.instance.id", instance),
                     text_note("deployment.environment.name", environment));
}

char *spans_json(const char *service, const char *environment,
                 const struct span_kept *spans, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, span_json(&spans[i]));
    json_t *json =
        json_pack("{s:[{s:o,s:[{s:{s:s,s:s},s:o}]}]}", "resourceSpans", "resource",
                  resource(service, environment), "scopeSpans", "scope", "name", "cairn",
                  "version", CAIRN_VERSION, "spans", list);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}
