/* A node, and what it is joined to. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/graph/ask/asked.h"
#include "services/graph/ask/write.h"

/* --- one node --------------------------------------------------------------------- */

static enum sh_err write_groups(struct question *question, uint32_t place,
                                struct graph_node_reply *reply)
{
    struct walk_group *groups;
    size_t count;
    enum sh_err err =
        walk_degrees(&question->reader, place, &question->arena, &groups, &count);
    if (err != SH_OK)
        return err;
    struct graph_group *list = sh_arena_array(&question->arena, count + 1, sizeof(*list));
    if (list == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++)
        list[i] = (struct graph_group){
            symbols_text(graph_types(question->reader.graph), groups[i].type),
            groups[i].outgoing, groups[i].count};
    reply->groups = list;
    reply->groups_count = count;
    return SH_OK;
}

static enum sh_err answer_node(struct question *question)
{
    const struct graph_ref *ref = question->request;
    struct graph_node_reply *reply = question->reply;
    uint32_t place;
    enum sh_err err = find_node(question, ref->id, &place);
    if (err == SH_OK)
        err = write_nodes(question, &place, 1, &reply->node);
    reply->node_count = 1;
    return err == SH_OK ? write_groups(question, place, reply) : err;
}

const struct question_kind node_question = {
    .method = METHOD_GRAPH_NODE,
    .name = "graph.node",
    .request = graph_ref_desc,
    .reply = graph_node_reply_desc,
    .request_size = sizeof(struct graph_ref),
    .reply_size = sizeof(struct graph_node_reply),
    .answer = answer_node,
};

/* --- its neighbours --------------------------------------------------------------- */

/* A number in hexadecimal, up to the character that must follow it; *text moves behind.
 */
static bool read_number(const char **text, char end, uint32_t *number)
{
    char *stop;
    unsigned long value = strtoul(*text, &stop, 16);
    bool good = isxdigit((unsigned char)**text) && *stop == end && value <= UINT32_MAX;
    *number = (uint32_t)value;
    *text = stop + (end != '\0');
    return good;
}

/* Direction, type, peer and edge of the last link: what it says is a place in the order,
 * so it may come from anybody. */
static bool read_cursor(struct sh_bytes text, struct walk_step *after)
{
    char copy[65] = "";
    const char *at = copy + 1;
    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.data, text.len);
    after->outgoing = copy[0] == 'o';
    return (copy[0] == 'o' || copy[0] == 'i') && read_number(&at, '.', &after->type) &&
           read_number(&at, '.', &after->link.peer) &&
           read_number(&at, '\0', &after->link.edge);
}

static struct sh_bytes write_cursor(struct sh_arena *arena, const struct walk_step *last)
{
    char text[65];
    int len = snprintf(text, sizeof(text), "%c%" PRIx32 ".%" PRIx32 ".%" PRIx32,
                       last->outgoing ? 'o' : 'i', last->type, last->link.peer,
                       last->link.edge);
    return sh_arena_copy(arena, (struct sh_bytes){text, (size_t)len});
}

/* Each peer once, as they come; how many. */
static size_t distinct_peers(const struct walk_step *steps, size_t count, uint32_t *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t j = 0;
        while (j < kept && out[j] != steps[i].link.peer)
            j++;
        if (j == kept)
            out[kept++] = steps[i].link.peer;
    }
    return kept;
}

static enum sh_err write_steps(struct question *question, const struct walk_step *steps,
                               size_t count, struct graph_neighbours *reply)
{
    uint32_t *places = sh_arena_array(&question->arena, count + 1, sizeof(*places));
    if (places == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++)
        places[i] = steps[i].link.peer;
    write_expect_nodes(&question->reader, places, count);
    for (size_t i = 0; i < count; i++)
        places[i] = steps[i].link.edge;
    enum sh_err err = write_edges(question, places, count, &reply->edges);
    reply->edges_count = count;
    if (err != SH_OK)
        return err;
    reply->nodes_count = distinct_peers(steps, count, places);
    return write_nodes(question, places, reply->nodes_count, &reply->nodes);
}

/* One more than wanted tells whether there is more. */
static enum sh_err answer_neighbours(struct question *question)
{
    const struct graph_neighbours_query *query = question->request;
    struct graph_neighbours *reply = question->reply;
    struct walk_step after;
    struct walk_scope scope;
    uint32_t place;
    enum sh_err err = find_node(question, query->id, &place);
    if (err != SH_OK)
        return err;
    if (query->after.len > 0 && !read_cursor(query->after, &after)) {
        question->field = "cursor";
        (void)snprintf(question->message, sizeof(question->message),
                       "the cursor is not one that was given out");
        return SH_INVALID;
    }
    if (!read_scope(question, query->direction, query->type, query->label, &scope))
        return SH_OK; /* there are none */
    struct walk_step *steps =
        sh_arena_array(&question->arena, (size_t)query->limit + 1, sizeof(*steps));
    if (steps == NULL)
        return SH_NOMEM;
    size_t count =
        walk_neighbours(&question->reader, place, &scope,
                        query->after.len > 0 ? &after : NULL, query->limit + 1U, steps);
    if (count > query->limit) {
        count = query->limit;
        if (count > 0)
            reply->next = write_cursor(&question->arena, &steps[count - 1]);
    }
    return write_steps(question, steps, count, reply);
}

const struct question_kind neighbours_question = {
    .method = METHOD_GRAPH_NEIGHBOURS,
    .name = "graph.neighbours",
    .request = graph_neighbours_query_desc,
    .reply = graph_neighbours_desc,
    .request_size = sizeof(struct graph_neighbours_query),
    .reply_size = sizeof(struct graph_neighbours),
    .answer = answer_neighbours,
};
