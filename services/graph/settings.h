/* settings: what operators can set of the graph service. */
#ifndef GRAPH_SETTINGS_H
#define GRAPH_SETTINGS_H

#include "shared/changefeed.h"
#include "shared/config.h"
#include "shared/snapshot_keeper.h"

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
    SH_KEEPER_SETTINGS(S, "GRAPH_DATA_DIR", "graph", "the graph changes")                \
    SH_CHANGEFEED_SETTINGS(S)

struct graph_config {
    GRAPH_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings graph_settings(struct graph_config *into);

#endif
