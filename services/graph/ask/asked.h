/* asked: every kind of question that graph answers. */
#ifndef GRAPH_ASKED_H
#define GRAPH_ASKED_H

#include "services/graph/ask/question.h"

extern const struct question_kind schema_question, node_question, neighbours_question,
    label_question, path_question, paths_question, similar_question, subgraph_question,
    edge_question, search_question, query_question;

#endif
