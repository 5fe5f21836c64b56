/* messages: every message between services, declared once. Structs, encoders, decoders,
 * the round-trip test, the fuzz target and docs/protocol.md all come from here.
 * Rules: ids are never reused; fields are only appended; max is checked on both sides.
 *
 * F(type, name, max, of)
 *   u32 u64    max: largest value
 *   f64 flag   max: 0
 *   str        max: bytes; UTF-8 is checked
 *   bytes      max: bytes; anything
 *   json       as str; holds JSON that the sender made or checked
 *   strs       max: how many texts
 *   list       max: how many messages of the kind `of`                              */
#ifndef PROTO_MESSAGES_H
#define PROTO_MESSAGES_H

#include "proto/messages/backup.h"
#include "proto/messages/collections.h"
#include "proto/messages/common.h"
#include "proto/messages/cypher.h"
#include "proto/messages/embedder.h"
#include "proto/messages/generations.h"
#include "proto/messages/glossary.h"
#include "proto/messages/graph.h"
#include "proto/messages/graph_analysis.h"
#include "proto/messages/graph_change.h"
#include "proto/messages/graph_find.h"
#include "proto/messages/graph_import.h"
#include "proto/messages/graph_paths.h"
#include "proto/messages/graph_similar.h"
#include "proto/messages/jobs.h"
#include "proto/messages/search.h"

#define PROTO_TEXT_MAX (16u << 20)

/* clang-format off */
/* M(id, name, TABLE): a message stands below those that it contains. */
#define MESSAGES(M)         \
    MESSAGES_COMMON(M)      \
    MESSAGES_EMBEDDER(M)    \
    MESSAGES_SEARCH(M)      \
    MESSAGES_COLLECTIONS(M) \
    MESSAGES_GENERATIONS(M) \
    MESSAGES_GRAPH(M)       \
    MESSAGES_GRAPH_FIND(M)  \
    MESSAGES_GRAPH_PATHS(M) \
    MESSAGES_GRAPH_ANALYSIS(M) \
    MESSAGES_GRAPH_SIMILAR(M) \
    MESSAGES_CYPHER(M)      \
    MESSAGES_GRAPH_CHANGE(M) \
    MESSAGES_GRAPH_IMPORT(M) \
    MESSAGES_BACKUP(M)      \
    MESSAGES_JOBS(M)        \
    MESSAGES_GLOSSARY(M)

/* X(id, CONSTANT, "name", request, reply, meaning): what a service can be asked. */
#define METHODS(X)         \
    METHODS_COMMON(X)      \
    METHODS_EMBEDDER(X)    \
    METHODS_SEARCH(X)      \
    METHODS_COLLECTIONS(X) \
    METHODS_GENERATIONS(X) \
    METHODS_GLOSSARY(X)    \
    METHODS_GRAPH(X)       \
    METHODS_GRAPH_FIND(X)  \
    METHODS_GRAPH_PATHS(X) \
    METHODS_GRAPH_ANALYSIS(X) \
    METHODS_GRAPH_SIMILAR(X) \
    METHODS_CYPHER(X)      \
    METHODS_GRAPH_CHANGE(X) \
    METHODS_GRAPH_IMPORT(X) \
    METHODS_BACKUP(X)      \
    METHODS_JOBS(X)
/* clang-format on */

#define METHOD_ENUM(id, constant, name, request, reply, meaning) METHOD_##constant = (id),
enum method { METHODS(METHOD_ENUM) };
#undef METHOD_ENUM

#endif
