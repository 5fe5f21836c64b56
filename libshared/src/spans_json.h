/* Spans as OTLP's JSON. */
#ifndef LIBSHARED_SRC_SPANS_JSON_H
#define LIBSHARED_SRC_SPANS_JSON_H

#include "shared/spans.h"

/* A span as it waits to be sent. */
struct span_kept {
    struct sh_trace trace;
    enum sh_span_kind kind;
    bool failed;
    uint64_t begin_ns; /* since 1970 */
    uint64_t end_ns;
    char name[SH_SPAN_NAME];
    struct {
        const char *key; /* NULL: no more */
        bool is_text;
        char text[SH_SPAN_NAME];
        int64_t number;
    } notes[SH_SPAN_NOTES];
};

/* An ExportTraceServiceRequest of one resource. free() it; NULL: out of memory. */
char *spans_json(const char *service, const char *environment,
                 const struct span_kept *spans, size_t count);

#endif
