/* imports of the graph as jobs: see proto/messages.h. */
#ifndef PROTO_MESSAGES_GRAPH_IMPORT_H
#define PROTO_MESSAGES_GRAPH_IMPORT_H

/* clang-format off */
/* A portion of what is uploaded, kept until the job stores it. import: 32 hex digits, which
 * the uploader has made. number: from 0. put: an encoded graph_put. The same twice is kept
 * once. Refused with busy while too much waits. */
#define GRAPH_IMPORT_PART(F)                                                        \
    F(str,   import,              32, _)                                            \
    F(u64,   number,       INT64_MAX, _)                                            \
    F(bytes, put,     PROTO_TEXT_MAX, _)

#define GRAPH_IMPORT_KEPT(F)                                                        \
    F(u64,  number,        INT64_MAX, _)

/* Everything was uploaded: a job, with the rights that the caller has now. parts: how many
 * there are. failed: records that could not be read, faults: the first of them, a JSON
 * array. broken: why reading ended; empty: at its end. file_name: as of a new job. */
#define GRAPH_IMPORT_RUN(F)                                                         \
    F(str,  import,               32, _)                                            \
    F(u64,  parts,         INT64_MAX, _)                                            \
    F(u64,  records,       INT64_MAX, _)                                            \
    F(u64,  failed,        INT64_MAX, _)                                            \
    F(json, faults,          1048576, _)                                            \
    F(str,  broken,             1024, _)                                            \
    F(str,  file_name,           255, _)

#define MESSAGES_GRAPH_IMPORT(M)                 \
    M(220, graph_import_part, GRAPH_IMPORT_PART) \
    M(221, graph_import_kept, GRAPH_IMPORT_KEPT) \
    M(222, graph_import_run, GRAPH_IMPORT_RUN)

#define METHODS_GRAPH_IMPORT(X)                                                                       \
    X(175, GRAPH_IMPORT_PART, "graph.import.part", graph_import_part, graph_import_kept, "keep a portion of an import") \
    X(176, GRAPH_IMPORT_RUN, "graph.import.run", graph_import_run, graph_analysis_job, "store what was uploaded, as a job")
/* clang-format on */

#endif
