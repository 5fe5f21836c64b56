/* board: the answers of the health routes, written in the background by the main loop and
 * read by every loop. A request costs a reference count. */
#ifndef GATEWAY_BOARD_H
#define GATEWAY_BOARD_H

#include <uv.h>

#include "shared/buffer.h"

enum board_page { /* in the order of HEALTH_PROFILE's choices, then the detailed one */
                  PAGE_UNION,
                  PAGE_GARDEN,
                  PAGE_GLOSSARY,
                  PAGE_CHECKS,
                  PAGE_VECTOR,
                  PAGE_DETAILED,
                  PAGE_COUNT
};

struct board;

/* One state of the board: it does not change while it is held. */
struct board_set {
    struct {
        int status; /* HTTP */
        struct sh_buffer body;
    } pages[PAGE_COUNT];
    size_t references; /* guarded by the board */
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err board_create(struct board **out);
void board_free(struct board **board);
/* A set to fill and publish; NULL when out of memory. */
struct board_set *board_set_new(void);
/* The board owns the set from here on. */
void board_publish(struct board *board, struct board_set *set);
/* Whoever writes the board is woken by `wake` when somebody asks; NULL: nobody is. */
void board_listen(struct board *board, uv_async_t *wake);
/* Ask that all be looked at anew; the ticket tells when that was done. Any thread. */
uint64_t board_ask(struct board *board);
/* The last ticket given out; what is looked at from here on answers it. */
uint64_t board_asked(struct board *board);
/* All that was asked up to the ticket shows in the set of now. */
void board_answered(struct board *board, uint64_t ticket);
bool board_is_answered(struct board *board, uint64_t ticket);
/* The set of now, NULL before the first; every take needs its drop. Any thread. */
struct board_set *board_take(struct board *board);
void board_drop(struct board *board, struct board_set *set);

#endif
