/* batch_internal: a stream of documents in the middle of it, for those who read and
 * answer (batch.c) and those who ask search (batch_ask.c). Loop thread only. */
#ifndef GATEWAY_BATCH_INTERNAL_H
#define GATEWAY_BATCH_INTERNAL_H

#include "services/gateway/handlers/batch.h"

enum batch_item_state { ITEM_HELD, ITEM_ASKED, ITEM_PAUSED, ITEM_STORED, ITEM_DONE };

struct batch;

struct batch_item {
    struct batch *batch;
    enum batch_item_state state;
    uint64_t number;   /* of the line */
    uint64_t call;     /* ITEM_ASKED */
    uint64_t again_ms; /* ITEM_PAUSED: when to ask again */
    unsigned attempts;
    uint64_t key; /* of the document's id; 0: none, so it may be stored but once */
    struct refresh refresh;
    struct sh_buffer frame;  /* kept to ask again */
    struct sh_buffer result; /* ITEM_DONE */
};

struct batch {
    struct exchange *x;
    struct sh_lines lines;
    uv_timer_t timer; /* for the first of those that wait to ask again */
    struct batch_item *items;
    enum refresh_mode refresh;
    size_t window;
    size_t first;
    size_t used;
    size_t bytes;  /* of the frames in the ring */
    bool begun;    /* the answer's headers are out */
    bool complete; /* the body has been read to its end */
    bool slow;     /* the client does not read its results */
    bool paused;   /* the socket is not read */
    bool pumping;
};

static inline struct batch_item *batch_item_at(struct batch *batch, size_t place)
{
    return &batch->items[(batch->first + place) % batch->window];
}

/* Stores the document of a line; the item is DONE when its result is known. */
void batch_ask(struct batch_item *item);
/* Everything that can go on now. */
void batch_pump(struct batch *batch);

#endif
