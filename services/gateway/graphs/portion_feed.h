/* portion_feed: a body of nodes and relationships that goes to graph portion by portion,
 * one after the other, so that an edge finds the nodes that came before it. In bounded
 * memory: while a portion waits behind the one on its way the socket is not read. A
 * portion that graph is too busy for is sent again with growing pauses, for a minute;
 * graph takes one that it has already as the same. Loop thread only. */
#ifndef GATEWAY_GRAPHS_PORTION_FEED_H
#define GATEWAY_GRAPHS_PORTION_FEED_H

#include "services/gateway/exchange.h"
#include "services/gateway/graphs/portion_queue.h"
#include "services/gateway/graphs/reader.h"

enum { PORTION_PATIENCE_MS = 60000 };

struct portion_feed;

/* None is called from inside another. Only `answered` and `over` may close the feed. */
struct portion_feed_ops {
    uint16_t method;
    /* The payload of the method that carries an encoded GRAPH_PUT; NULL: it is that. */
    enum sh_err (*wrap)(void *arg, struct sh_bytes put, struct sh_buffer *out);
    /* A record that is none. */
    void (*fault)(void *arg, uint64_t line, const struct schema_fault *fault);
    /* What became of a portion. False: the feed was closed. */
    bool (*answered)(void *arg, const struct portion_waiting *portion,
                     const struct sh_rpc_response *reply);
    /* True: nothing is to be sent or read until portion_feed_go(). NULL: never. */
    bool (*held)(void *arg);
    /* All has been read and answered; called once. */
    void (*over)(void *arg);
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err portion_feed_open(struct exchange *x, enum graph_format format,
                                       const struct portion_feed_ops *ops, void *arg,
                                       struct portion_feed **out);
/* Begins to read the exchange's body. */
void portion_feed_start(struct portion_feed *self);
/* What held it is gone. */
void portion_feed_go(struct portion_feed *self);
/* What is on its way is cancelled. *feed becomes NULL. */
void portion_feed_close(struct portion_feed **feed);

/* Records read so far. */
uint64_t portion_feed_records(const struct portion_feed *self);
/* Why the body was not read to its end; "" when it was. Borrowed. */
const char *portion_feed_why(const struct portion_feed *self);
/* SH_OK, or why the client's body never came to its end. */
enum sh_err portion_feed_lost(const struct portion_feed *self);

#endif
