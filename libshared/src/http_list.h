/* http_list: rings of embedded links; taking out and adding cost nothing. */
#ifndef SHARED_HTTP_LIST_H
#define SHARED_HTTP_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/bytes.h"

struct http_link { /* in a ring; {NULL, NULL} is in none */
    struct http_link *prev;
    struct http_link *next;
};

static inline void http_ring_init(struct http_link *ring)
{
    ring->prev = ring->next = ring;
}

static inline bool http_ring_empty(const struct http_link *ring)
{
    return ring->next == ring;
}

static inline void http_unlink(struct http_link *link)
{
    if (!link->next)
        return;
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->prev = link->next = NULL;
}

static inline void http_ring_add(struct http_link *ring, struct http_link *link)
{
    http_unlink(link);
    link->prev = ring->prev;
    link->next = ring;
    ring->prev->next = link;
    ring->prev = link;
}

#endif
