/* Happy path: the order is stored, then the feed is asked to tell when it is in the view.
 * A call that is given up meanwhile is stored all the same. */
#include "services/graph/change/changes.h"

#include "proto/edge_id.h"
#include "services/graph/store/store.h"
#include "shared/clock.h"
#include "shared/log.h"

enum {
    STORE_MS = 60000,    /* at most, of the caller's time */
    VIEW_MS = 5000,      /* likewise */
    PUT_MAX = 32u << 20, /* bytes of a batch */
};

struct change {
    struct changes *changes;
    struct sh_rpc_call *call;
    const struct graph_put *put; /* NULL: something else */
    bool no_wait;
    bool gone; /* it is a deletion */
    struct graph_put_reply stored;
    struct graph_gone deleted;
};

static uint64_t deadline(struct sh_rpc_call *call, uint64_t most_ms)
{
    uint64_t latest = sh_now_ms() + most_ms;
    uint64_t own = sh_rpc_call_deadline_ms(call);

    return own < latest ? own : latest;
}

static void refuse(struct sh_rpc_call *call, enum sh_err err)
{
    sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}

/* --- the answer ------------------------------------------------------------------- */

static void on_view(void *arg, enum sh_err err)
{
    struct change *change = arg;

    change->stored.visible = change->deleted.visible = err == SH_OK;
    if (change->gone)
        sh_rpc_reply(change->call, graph_gone_desc(), &change->deleted);
    else
        sh_rpc_reply(change->call, graph_put_reply_desc(), &change->stored);
}

static void wait_for_view(struct change *change, uint64_t xid)
{
    if (change->no_wait ||
        feed_wait(change->changes->feed, xid, deadline(change->call, VIEW_MS), on_view,
                  change) != SH_OK)
        on_view(change, SH_UNAVAILABLE);
}

static void fail_stored(struct sh_rpc_call *call, const struct stored *stored)
{
    sh_warning(sh_rpc_call_trace(call), "a change of the graph failed: %s",
               stored->message ? stored->message : sh_err_text(stored->err));
    sh_rpc_fail_write(call, stored->err, stored->maybe_done);
}

static void fail_refused(struct sh_rpc_call *call, const struct store_refusal *refusal)
{
    struct store_fault fault = store_fault(refusal->verdict, refusal->edge);

    sh_rpc_fail(call, fault.err, fault.code, fault.field[0] ? fault.field : NULL, "%s",
                fault.message);
}

static bool list_refusals(struct change *change, const struct stored *stored)
{
    struct graph_refused *list = sh_arena_array(sh_rpc_call_arena(change->call),
                                                stored->refusal_count + 1, sizeof(*list));

    for (size_t i = 0; i < stored->refusal_count && list != NULL; i++) {
        const struct store_refusal *from = &stored->refusals[i];
        struct store_fault fault = store_fault(from->verdict, from->edge);
        list[i] = (struct graph_refused){
            .line = from->edge ? change->put->edges[from->place].line
                               : change->put->nodes[from->place].line,
            .code = sh_bytes_of(fault.code),
            .field = sh_bytes_of(fault.field)};
    }
    change->stored.refused = list;
    change->stored.refused_count = stored->refusal_count;
    return list != NULL;
}

static void on_stored(void *arg, const struct stored *stored)
{
    struct change *change = arg;
    bool batch = change->put != NULL && change->put->batch;

    if (stored->err != SH_OK) {
        fail_stored(change->call, stored);
        return;
    }
    if (stored->refusal_count > 0 && !batch) {
        fail_refused(change->call, &stored->refusals[0]);
        return;
    }
    change->deleted = (struct graph_gone){.xid = stored->xid, .edges = stored->edges};
    change->stored = (struct graph_put_reply){
        .xid = stored->xid,
        .created = stored->created,
        .replaced = stored->replaced,
        .unchanged = stored->unchanged,
        .version = stored->version,
        .id = sh_arena_copy(sh_rpc_call_arena(change->call), stored->id)};
    if (batch && !list_refusals(change, stored))
        refuse(change->call, SH_NOMEM);
    else
        wait_for_view(change, stored->xid);
}

/* --- orders ----------------------------------------------------------------------- */

static struct change *begin(void *arg, struct sh_rpc_call *call,
                            const struct msg_desc *desc, size_t size, void **order)
{
    struct sh_arena *arena = sh_rpc_call_arena(call);
    struct change *change = sh_arena_alloc(arena, sizeof(*change));

    *order = sh_arena_alloc(arena, size);
    if (change == NULL || *order == NULL) {
        refuse(call, SH_NOMEM);
        return NULL;
    }
    if (sh_rpc_call_decode(call, desc, *order) != SH_OK)
        return NULL;
    *change = (struct change){.changes = arg, .call = call};
    return change;
}

static struct store_call call_of(struct change *change)
{
    return (struct store_call){.pg = change->changes->pg,
                               .caller = sh_rpc_call_caller(change->call),
                               .deadline_ms = deadline(change->call, STORE_MS),
                               .trace = sh_rpc_call_trace(change->call),
                               .done = on_stored,
                               .arg = change};
}

/* Whoever only stores by id may leave it to us. The decoded list is ours to change. */
static bool give_ids(struct graph_put *put, struct sh_arena *arena)
{
    struct graph_edge_put *edges = sh_unconst(put->edges);
    struct graph_node_put *nodes = sh_unconst(put->nodes);

    for (size_t i = 0; i < put->nodes_count + put->edges_count; i++) {
        bool edge = i >= put->nodes_count;
        char id[STORE_NEW_ID];
        struct graph_edge_put *of_edge = edge ? &edges[i - put->nodes_count] : NULL;
        struct graph_node_put *of_node = edge ? NULL : &nodes[i];
        struct sh_bytes *place = edge ? &of_edge->id : &of_node->id;
        if (place->len > 0)
            continue;
        if (edge && put->mode == STORE_PUT)
            edge_id(of_edge, id);
        else
            store_new_id(edge ? 'e' : 'n', id);
        *place = sh_arena_copy(arena, sh_bytes_of(id));
        if (place->data == NULL || id[0] == '\0')
            return false;
    }
    return true;
}

static void handle_put(void *arg, struct sh_rpc_call *call)
{
    void *order;
    struct change *change =
        begin(arg, call, graph_put_desc(), sizeof(struct graph_put), &order);

    if (change == NULL)
        return;
    struct graph_put *put = order;
    struct store_call store = call_of(change);
    change->put = put;
    change->no_wait = put->no_wait;
    enum sh_err err =
        give_ids(put, sh_rpc_call_arena(call)) ? store_put(&store, put) : SH_NOMEM;
    if (err != SH_OK)
        refuse(call, err);
}

static void handle_merge(void *arg, struct sh_rpc_call *call)
{
    void *order;
    struct change *change =
        begin(arg, call, graph_merge_desc(), sizeof(struct graph_merge), &order);

    if (change == NULL)
        return;
    struct graph_merge merge = *(const struct graph_merge *)order;
    struct graph_node_put node;
    struct store_call store = call_of(change);
    char id[STORE_NEW_ID];
    enum sh_err err = merge.node_count == 1 ? SH_OK : SH_INVALID;
    change->no_wait = merge.no_wait;
    if (err == SH_OK) {
        node = merge.node[0];
        store_new_id('n', id);
        node.id = node.id.len > 0 ? node.id : sh_bytes_of(id);
        merge.node = &node;
        err = store_merge(&store, &merge);
    }
    if (err != SH_OK)
        refuse(call, err);
}

static void handle_delete(void *arg, struct sh_rpc_call *call)
{
    void *order;
    struct change *change =
        begin(arg, call, graph_delete_desc(), sizeof(struct graph_delete), &order);

    if (change == NULL)
        return;
    const struct graph_delete *asked = order;
    struct store_call store = call_of(change);
    change->no_wait = asked->no_wait;
    change->gone = true;
    enum sh_err err = store_delete(&store, asked);
    if (err != SH_OK)
        refuse(call, err);
}

/* --- whether the view shows what another replica stored --------------------------- */

static void on_shown(void *arg, enum sh_err err)
{
    const struct view_shown shown = {.visible = err == SH_OK};

    sh_rpc_reply(arg, view_shown_desc(), &shown);
}

static void handle_wait(void *arg, struct sh_rpc_call *call)
{
    const struct changes *changes = arg;
    struct view_wait wanted;

    if (sh_rpc_call_decode(call, view_wait_desc(), &wanted) != SH_OK)
        return;
    if (feed_wait(changes->feed, wanted.xid, deadline(call, wanted.wait_ms), on_shown,
                  call) != SH_OK)
        on_shown(call, SH_UNAVAILABLE);
}

enum sh_err changes_serve(struct sh_rpc_server *rpc, struct changes *changes)
{
    static const struct {
        uint32_t method;
        const char *name;
        size_t most;
        sh_rpc_handler_fn *handle;
    } methods[] = {
        {METHOD_GRAPH_PUT, "graph.put", PUT_MAX, handle_put},
        {METHOD_GRAPH_MERGE, "graph.merge", PUT_MAX, handle_merge},
        {METHOD_GRAPH_DELETE, "graph.delete", 0, handle_delete},
        {METHOD_VIEW_WAIT, "graph.shown", 0, handle_wait},
    };
    enum sh_err err = SH_OK;

    for (size_t i = 0; i < SH_COUNT(methods) && err == SH_OK; i++)
        err = sh_rpc_server_add(rpc, methods[i].method, methods[i].name, methods[i].most,
                                methods[i].handle, changes);
    return err;
}
