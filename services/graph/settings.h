/* settings: what operators can set of the graph service. */
#ifndef GRAPH_SETTINGS_H
#define GRAPH_SETTINGS_H

#include "shared/config.h"

#define GRAPH_SETTINGS(S)                                                                \
    S(u32, threads, "GRAPH_THREADS", "0", 0, 256, 0, "",                                 \
      "threads that answer questions; 0: one per core")                                  \
    S(u32, queue, "GRAPH_QUEUE_MAX", "256", 1, 65536, 0, "",                             \
      "questions that may wait for a thread; more are refused")                          \
    S(str, names, "GRAPH_NAME_PROPERTIES", "name,title,label,term", 0, 1000, 0, "",      \
      "properties that name a node, with commas between them: by these nodes are found") \
    S(str, text_properties, "GRAPH_TEXT_PROPERTIES",                                     \
      "name,title,description,definition", 0, 1000, 0, "",                               \
      "properties that make the text of a node, in this order, with commas between "     \
      "them: by their vectors nodes are similar")                                        \
    S(u32, vectors_max, "GRAPH_VECTORS_MAX", "500000", 0, 100000000, 0, "",              \
      "nodes that have a vector, once similar ones have been asked for; 0: nobody can")  \
    S(str, embedder_endpoints, "EMBEDDER_ENDPOINTS", "tcp://127.0.0.1:5602", 1, 4096, 0, \
      "", "where the embedder listens: tcp://host:port,… or ipc://path")                 \
    S(u32, cypher_rows, "CYPHER_MAX_ROWS", "10000", 1, 1000000, 0, "",                   \
      "rows that a query in openCypher answers at most")                                 \
    S(u32, cypher_timeout_ms, "CYPHER_TIMEOUT_MS", "10000", 10, 600000, 0, "",           \
      "how long a query in openCypher may take")                                         \
    S(u32, cypher_memory_mb, "CYPHER_MEMORY_MB", "256", 1, 65536, 0, "",                 \
      "memory that a query in openCypher may take")                                      \
    S(u32, cypher_touched, "CYPHER_MAX_TOUCHED", "50000000", 1000, UINT32_MAX, 0, "",    \
      "nodes and relationships that a query in openCypher may look at")                  \
    S(str, data_dir, "GRAPH_DATA_DIR", "", 0, 3800, 0, "",                               \
      "directory of this replica's own for snapshots of its graph; empty: none, every "  \
      "start reads the whole record")                                                    \
    S(u32, snapshot_s, "SNAPSHOT_INTERVAL", "300", 1, 86400, 0, "",                      \
      "seconds between snapshots while the graph changes; one is also written at the "   \
      "end")                                                                             \
    S(u32, outbox_keep_s, "OUTBOX_KEEP_SECONDS", "3600", 60, 2592000, 0, "",             \
      "how long changes are kept for replicas that follow; a replica that was away for " \
      "longer reloads everything")                                                       \
    S(u32, outbox_keep_rows, "OUTBOX_KEEP_ROWS", "1000000", 1000, 1000000000, 0, "",     \
      "and about how many of the newest changes are kept, however young the others are")

struct graph_config {
    GRAPH_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings graph_settings(struct graph_config *into);

#endif
