/* store: changes of the graph's record. For the routes of the graph, and for whoever else
 * keeps nodes and relationships of his own in it: fill a graph_put and call store_put().
 * Everything is done with the rights of `caller` (one without a role is a service itself,
 * and may do everything): what he cannot read he does not change, what he could not read
 * afterwards he does not store. One call is one transaction. Who wants to see it in this
 * process's view waits with feed_wait() for `xid`. Loop thread only. */
#ifndef GRAPH_STORE_H
#define GRAPH_STORE_H

#include "proto/msg.h"
#include "shared/mem.h"
#include "shared/pg.h"

enum store_verdict { /* why something was not stored */
                     STORE_MISSING,
                     STORE_EXISTS,
                     STORE_FORBIDDEN,
                     STORE_CHANGED, /* it is of another version */
                     STORE_NO_TYPE, /* of a new edge */
                     STORE_NO_FROM, /* the node where an edge begins is not there */
                     STORE_NO_TO,
                     STORE_HAS_EDGES,
                     STORE_CONFLICT, /* somebody else is storing it: again */
                     STORE_VERDICTS,
};
/* What that is called, for clients. */
struct store_fault {
    enum sh_err err;
    const char *code;
    const char *field; /* "" or a field of what was to be stored */
    const char *message;
};
struct store_fault store_fault(enum store_verdict verdict, bool edge);

struct store_refusal {
    bool edge;
    size_t place; /* among the nodes, or edges, of the order */
    enum store_verdict verdict;
};

struct stored {
    enum sh_err err; /* of sh_pg_run(); SH_OK: what is not refused is stored */
    bool maybe_done;
    const char *message; /* for the log */
    uint64_t xid;
    uint64_t created;
    uint64_t replaced;
    uint64_t unchanged;
    uint64_t version;   /* the newest */
    struct sh_bytes id; /* of the first node, or edge, that was asked for */
    uint64_t edges;     /* store_delete(): that went with a node */
    const struct store_refusal *refusals;
    size_t refusal_count;
};
/* Exactly once per accepted call, never from inside it; borrowed until it returns. */
typedef void store_done_fn(void *arg, const struct stored *stored);

enum store_mode { STORE_PUT, STORE_CREATE, STORE_UPDATE }; /* graph_put.mode */

struct store_call {
    struct sh_pg *pg;
    const struct caller *caller;
    uint64_t deadline_ms;
    const struct sh_trace *trace; /* may be NULL */
    store_done_fn *done;
    void *arg;
};

/* `line`, `batch` and `no_wait` of the messages mean nothing here. Every property text
 * must be a JSON object without NUL, every label and id text without NUL. Errors: those
 * of sh_pg_run(); SH_INVALID: nothing to do. */
SH_CHECK enum sh_err store_put(const struct store_call *call,
                               const struct graph_put *order);

/* The statements of store_put() for somebody else's transaction. */
enum { STORE_STEPS_MAX = 2 };
struct store_steps;
/* `order` is not needed afterwards; *out is store_steps_free()'s in any case, NULL when
 * it failed. Errors: SH_NOMEM; SH_INVALID: nothing to do. */
SH_CHECK enum sh_err store_steps_make(const struct caller *caller,
                                      const struct graph_put *order,
                                      struct store_steps **out);
/* How many there are; they live as long as `self`. */
size_t store_steps_list(const struct store_steps *self,
                        struct sh_pg_step steps[static STORE_STEPS_MAX]);
/* What became of it: `first` is the place of their first result, behind which there are
 * no others. What *out points to lives as long as the reply and `self`. Errors: SH_NOMEM.
 */
SH_CHECK enum sh_err store_steps_read(struct store_steps *self,
                                      const struct sh_pg_reply *reply, size_t first,
                                      struct stored *out);
void store_steps_free(struct store_steps **self);
/* The label and the key are added to what the node gets. */
SH_CHECK enum sh_err store_merge(const struct store_call *call,
                                 const struct graph_merge *order);
SH_CHECK enum sh_err store_delete(const struct store_call *call,
                                  const struct graph_delete *order);

/* One that nothing else has: "n_…". */
enum { STORE_NEW_ID = 36 };
void store_new_id(char prefix, char out[static STORE_NEW_ID]);

#endif
