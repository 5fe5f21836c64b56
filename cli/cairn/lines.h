/* lines: an answer cut into its lines as it comes. */
#ifndef CAIRN_LINES_H
#define CAIRN_LINES_H

#include <stdbool.h>

#include "shared/buffer.h"

struct lines { /* the rest {0} */
    /* Without its end, borrowed; empty ones are left out. False: no more. */
    bool (*on_line)(void *arg, struct sh_bytes line);
    void *arg;
    struct sh_buffer begun;
};

/* False: no more is wanted, out of memory, or a line longer than 16 MB. */
bool lines_feed(struct lines *self, struct sh_bytes piece);
/* What had no end is a line too. */
void lines_end(struct lines *self);

#endif
