/* Happy path: the order becomes one or two statements, which are one transaction; their
 * rows say what was stored and what was not. */
#include "services/graph/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/graph/store/arrays.h"
#include "services/graph/store/statements.h"

enum { RIGHTS = 4 };

enum order_kind { ORDER_PUT, ORDER_MERGE, ORDER_DELETE_NODE, ORDER_DELETE_EDGE };

struct running {
    enum order_kind kind;
    bool nodes; /* the first result is that of nodes */
    store_done_fn *done;
    void *arg;
    struct sh_arena arena;
};

/* What a statement takes; texts that are made here. */
struct given {
    struct sh_pg_param params[STORE_EDGE_PARAMS];
    char clearance[12];
    char mode[12];
    char version[24];
};

static struct sh_pg_param text_param(struct sh_bytes text)
{
    return (struct sh_pg_param){text.len > 0 ? text : sh_bytes_of(""), false};
}

static struct sh_pg_param flag_param(bool flag)
{
    return (struct sh_pg_param){sh_bytes_of(flag ? "t" : "f"), false};
}

/* $2 to $5, see proto/readable.h. */
static void give_rights(struct given *given, const struct caller *caller)
{
    struct sh_pg_param *rights = given->params + 1;

    (void)snprintf(given->clearance, sizeof(given->clearance), "%u",
                   (unsigned)caller->clearance);
    rights[0] = flag_param(caller->role.len == 0); /* a service itself */
    rights[1] = text_param(sh_bytes_of(given->clearance));
    rights[2] = flag_param(caller->all_departments);
    rights[3] = text_param(caller->department);
}

/* --- the outcome ------------------------------------------------------------------ */

static const char *const verdicts[STORE_VERDICTS] = {"missing", "exists", "forbidden",
                                                     "changed", "type",   "from",
                                                     "to",      "edges",  "conflict"};

static enum store_verdict read_verdict(const char *text, size_t len)
{
    for (size_t i = 0; i < STORE_VERDICTS; i++)
        if (strlen(verdicts[i]) == len && memcmp(verdicts[i], text, len) == 0)
            return (enum store_verdict)i;
    return STORE_CONFLICT;
}

static size_t count_refusals(const char *text)
{
    size_t count = *text != '\0';

    for (; *text != '\0'; text++)
        count += *text == ',';
    return count;
}

/* "17 forbidden,23 from" */
static void read_refusals(const char *text, bool edge, struct store_refusal *out)
{
    while (*text != '\0') {
        char *word;
        unsigned long place = strtoul(text, &word, 10);
        word += *word == ' ';
        size_t len = strcspn(word, ",");
        *out++ = (struct store_refusal){edge, place - 1, read_verdict(word, len)};
        text = word + len + (word[len] == ',');
    }
}

struct own_results { /* which results of a reply are those of statements of ours */
    size_t first;
    size_t end;
    bool nodes; /* the first is that of nodes */
};

static enum sh_err read_stored(struct sh_arena *arena, struct own_results own,
                               const struct sh_pg_reply *reply, struct stored *out)
{
    struct store_refusal *refusals;
    size_t count = 0;

    for (size_t i = own.first; i < own.end; i++)
        count += count_refusals(PQgetvalue(reply->results[i], 0, STORED_REFUSED));
    refusals = sh_arena_array(arena, count + 1, sizeof(*refusals));
    if (refusals == NULL)
        return SH_NOMEM;
    out->refusals = refusals;
    for (size_t i = own.first; i < own.end; i++) {
        const PGresult *row = reply->results[i];
        const char *refused = PQgetvalue(row, 0, STORED_REFUSED);
        uint64_t version = sh_pg_u64(row, 0, STORED_VERSION);
        out->xid = sh_pg_u64(row, 0, STORED_XID);
        out->created += sh_pg_u64(row, 0, STORED_CREATED);
        out->replaced += sh_pg_u64(row, 0, STORED_REPLACED);
        out->unchanged += sh_pg_u64(row, 0, STORED_SAME);
        out->version = version > out->version ? version : out->version;
        if (i == own.first)
            out->id = sh_pg_text(row, 0, STORED_ID);
        read_refusals(refused, !(own.nodes && i == own.first),
                      refusals + out->refusal_count);
        out->refusal_count += count_refusals(refused);
    }
    return SH_OK;
}

static enum sh_err read_gone(struct running *running, const struct sh_pg_reply *reply,
                             struct stored *out)
{
    const PGresult *row = reply->results[0];
    const char *verdict = PQgetvalue(row, 0, GONE_VERDICT);
    struct store_refusal *refusal = sh_arena_alloc(&running->arena, sizeof(*refusal));

    if (refusal == NULL)
        return SH_NOMEM;
    out->xid = sh_pg_u64(row, 0, GONE_XID);
    out->edges = sh_pg_u64(row, 0, GONE_EDGES);
    if (*verdict == '\0')
        return SH_OK;
    *refusal = (struct store_refusal){.edge = running->kind == ORDER_DELETE_EDGE,
                                      .verdict = read_verdict(verdict, strlen(verdict))};
    out->refusals = refusal;
    out->refusal_count = 1;
    return SH_OK;
}

static void on_reply(void *arg, const struct sh_pg_reply *reply)
{
    struct running *running = arg;
    struct stored stored = {
        .err = reply->err, .maybe_done = reply->maybe_done, .message = reply->message};

    if (stored.err == SH_OK && running->kind <= ORDER_MERGE)
        stored.err =
            read_stored(&running->arena,
                        (struct own_results){
                            running->kind == ORDER_MERGE ? 1 : 0, /* behind the lock */
                            reply->count, running->nodes},
                        reply, &stored);
    else if (stored.err == SH_OK)
        stored.err = read_gone(running, reply, &stored);
    running->done(running->arg, &stored);
    sh_arena_free(&running->arena);
    sh_free(running);
}

static enum sh_err run(const struct store_call *call, enum order_kind kind, bool nodes,
                       const struct sh_pg_step *steps, size_t count)
{
    const struct sh_pg_call order = {.steps = steps,
                                     .count = count,
                                     .deadline_ms = call->deadline_ms,
                                     .trace = call->trace};
    struct running *running = sh_alloc(sizeof(*running));

    if (running == NULL)
        return SH_NOMEM;
    *running = (struct running){
        .kind = kind, .nodes = nodes, .done = call->done, .arg = call->arg};
    enum sh_err err = sh_pg_run(call->pg, &order, on_reply, running);
    if (err != SH_OK)
        sh_free(running);
    return err;
}

/* --- orders ----------------------------------------------------------------------- */

static void give_order(struct given *given, const struct caller *caller,
                       const struct graph_put *order, const struct arrays *arrays)
{
    (void)snprintf(given->mode, sizeof(given->mode), "%u", (unsigned)order->mode);
    (void)snprintf(given->version, sizeof(given->version), "%" PRIu64, order->version);
    give_rights(given, caller);
    given->params[0] = text_param(sh_bytes_of(given->mode));
    given->params[5] = flag_param(order->merge);
    given->params[6] = text_param(sh_bytes_of(given->version));
    for (size_t i = 0; i < arrays->count; i++)
        given->params[7 + i] = sh_pg_array_param(&arrays->columns[i]);
}

struct store_steps {
    struct given given[STORE_STEPS_MAX];
    struct arrays arrays[STORE_STEPS_MAX];
    bool nodes;
    bool edges;
    struct sh_arena arena; /* of what is read of the reply */
};

enum sh_err store_steps_make(const struct caller *caller, const struct graph_put *order,
                             struct store_steps **out)
{
    struct store_steps *self = sh_alloc(sizeof(*self));

    *out = self;
    if (self == NULL)
        return SH_NOMEM;
    enum sh_err err = arrays_of_nodes(order->nodes, order->nodes_count, &self->arrays[0]);
    if (err == SH_OK)
        err = arrays_of_edges(order->edges, order->edges_count, &self->arrays[1]);
    self->nodes = order->nodes_count > 0;
    self->edges = order->edges_count > 0;
    if (err == SH_OK && !self->nodes && !self->edges)
        err = SH_INVALID;
    if (err != SH_OK) {
        store_steps_free(out);
        return err;
    }
    for (size_t i = 0; i < STORE_STEPS_MAX; i++)
        give_order(&self->given[i], caller, order, &self->arrays[i]);
    return SH_OK;
}

size_t store_steps_list(const struct store_steps *self,
                        struct sh_pg_step steps[static STORE_STEPS_MAX])
{
    size_t count = 0;

    if (self->nodes)
        steps[count++] = (struct sh_pg_step){&store_nodes_put, self->given[0].params,
                                             STORE_NODE_PARAMS, false};
    if (self->edges)
        steps[count++] = (struct sh_pg_step){&store_edges_put, self->given[1].params,
                                             STORE_EDGE_PARAMS, false};
    return count;
}

enum sh_err store_steps_read(struct store_steps *self, const struct sh_pg_reply *reply,
                             size_t first, struct stored *out)
{
    *out = (struct stored){0};
    const struct own_results own = {
        first, first + (self->nodes ? 1u : 0u) + (self->edges ? 1u : 0u), self->nodes};
    return read_stored(&self->arena, own, reply, out);
}

void store_steps_free(struct store_steps **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < STORE_STEPS_MAX; i++)
        arrays_free(&(*self)->arrays[i]);
    sh_arena_free(&(*self)->arena);
    sh_free(*self);
    *self = NULL;
}

enum sh_err store_put(const struct store_call *call, const struct graph_put *order)
{
    struct store_steps *made = NULL;
    struct sh_pg_step steps[STORE_STEPS_MAX];
    enum sh_err err = store_steps_make(call->caller, order, &made);

    if (err == SH_OK)
        err = run(call, ORDER_PUT, order->nodes_count > 0, steps,
                  store_steps_list(made, steps));
    store_steps_free(&made);
    return err;
}

static enum sh_err merge(const struct store_call *call, const struct graph_merge *order,
                         struct sh_buffer *labels, struct sh_buffer *lock)
{
    const struct graph_node_put *node = order->node;
    struct given given = {0};
    char level[12];

    arrays_text(labels, node->labels, node->labels_count);
    sh_buffer_append(lock, order->label.data, order->label.len);
    sh_buffer_text(lock, "\n");
    sh_buffer_append(lock, order->key.data, order->key.len);
    if (labels->err != SH_OK || lock->err != SH_OK)
        return SH_NOMEM;
    (void)snprintf(level, sizeof(level), "%u", (unsigned)node->clearance_level);
    give_rights(&given, call->caller);
    given.params[0] = text_param(order->label);
    given.params[5] = text_param(order->key);
    given.params[6] = text_param(node->id);
    given.params[7] = text_param(sh_buffer_bytes(labels));
    given.params[8] =
        text_param(node->properties.len > 0 ? node->properties : sh_bytes_of("{}"));
    given.params[9] = text_param(sh_bytes_of(level));
    given.params[10] = text_param(node->department);
    given.params[11] = flag_param(node->department_said);
    const struct sh_pg_param key = text_param(sh_buffer_bytes(lock));
    const struct sh_pg_step steps[] = {
        {&store_key_lock, &key, 1, false},
        {&store_node_merge, given.params, STORE_MERGE_PARAMS, false}};
    return run(call, ORDER_MERGE, true, steps, SH_COUNT(steps));
}

enum sh_err store_merge(const struct store_call *call, const struct graph_merge *order)
{
    struct sh_buffer labels = {0};
    struct sh_buffer lock = {0};
    enum sh_err err =
        order->node_count == 1 ? merge(call, order, &labels, &lock) : SH_INVALID;

    sh_buffer_free(&labels);
    sh_buffer_free(&lock);
    return err;
}

enum sh_err store_delete(const struct store_call *call, const struct graph_delete *order)
{
    struct given given = {0};
    const struct sh_pg_step step = {order->edge ? &store_edge_delete : &store_node_delete,
                                    given.params, STORE_DELETE_PARAMS, false};

    (void)snprintf(given.version, sizeof(given.version), "%" PRIu64, order->version);
    give_rights(&given, call->caller);
    given.params[0] = text_param(order->id);
    given.params[5] = flag_param(order->detach);
    given.params[6] = text_param(sh_bytes_of(given.version));
    return run(call, order->edge ? ORDER_DELETE_EDGE : ORDER_DELETE_NODE, false, &step,
               1);
}
