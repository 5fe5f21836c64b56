/* Nodes by their names. */
#include "services/graph/ask/asked.h"
#include "services/graph/ask/write.h"

static enum sh_err write_hits(struct question *question, const struct find_hits *hits,
                              struct graph_found *reply)
{
    uint32_t *places = sh_arena_array(&question->arena, hits->count + 1, sizeof(*places));
    struct sh_bytes *matches =
        sh_arena_array(&question->arena, hits->count + 1, sizeof(*matches));
    if (places == NULL || matches == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < hits->count; i++) {
        places[i] = hits->hits[i].place;
        matches[i] = sh_bytes_of(words_match_name(hits->hits[i].match));
    }
    reply->total = hits->total;
    reply->matches = matches;
    reply->matches_count = hits->count;
    reply->nodes_count = hits->count;
    return write_nodes(question, places, hits->count, &reply->nodes);
}

static enum sh_err answer(struct question *question)
{
    const struct graph_search_query *query = question->request;
    struct find_hits hits;
    if (query->page == 0 || query->limit == 0)
        return SH_INVALID;
    const struct find_question find = {.text = query->q,
                                       .property = query->property,
                                       .label = query->label,
                                       .first = (query->page - 1) * query->limit,
                                       .limit = query->limit};
    enum sh_err err = finder_find(question->finder, &question->reader, &find,
                                  &question->cancelled, &question->arena, &hits);
    return err == SH_OK ? write_hits(question, &hits, question->reply) : err;
}

const struct question_kind search_question = {
    .method = METHOD_GRAPH_SEARCH,
    .name = "graph.search",
    .request = graph_search_query_desc,
    .reply = graph_found_desc,
    .request_size = sizeof(struct graph_search_query),
    .reply_size = sizeof(struct graph_found),
    .answer = answer,
};
