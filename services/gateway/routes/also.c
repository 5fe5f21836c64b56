#include "services/gateway/routes/also.h"

#include <string.h>

#include "shared/bytes.h"

#define BYTES "application/octet-stream"

/* clang-format off */
static const struct route_also also[] = {
    {"store_documents", 202, "JobBegun", "Without wait: a job stores them"},
    {"get_document_file", 206, BYTES, "With Range: the part that was asked for"},
    {"get_document_file", 304, NULL, "With If-None-Match: it is the one that is known"},
    {"get_document_file", 416, "Problem", "With Range: the file has no such part"},
    {"define_collection", 201, "StoredCollection", "It was not defined before"},
    {"import_glossary", 200, "Job", "With wait: the job, which has ended"},
    {"extract_terms", 200, "Job", "With wait: the job, which has ended"},
    {"put_graph_node", 201, "GraphStored", "It was not there before"},
    {"put_graph_edge", 201, "GraphStored", "It was not there before"},
    {"merge_graph_node", 200, "GraphStored", "It was there, and was added to"},
    {"import_graph", 202, "JobBegun", "With job: a job stores them"},
    {"health_check", 503, "Health", "Unhealthy"},
    {"health_detailed", 503, "HealthDetailed", "Unhealthy"},
    {"health_ready", 503, "Ready", "Searches cannot be answered now"},
};
/* clang-format on */

const struct route_also *routes_also_all(size_t *count)
{
    *count = SH_COUNT(also);
    return also;
}

const struct route_also *routes_also(const char *operation,
                                     const struct route_also *after)
{
    for (const struct route_also *one = after != NULL ? after + 1 : also;
         one < also + SH_COUNT(also); one++)
        if (strcmp(one->operation, operation) == 0)
            return one;
    return NULL;
}
