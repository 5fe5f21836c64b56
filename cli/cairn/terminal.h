/* terminal: whether a stream is one, how wide, and whether colours are wanted (NO_COLOR,
 * TERM=dumb). */
#ifndef CAIRN_TERMINAL_H
#define CAIRN_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct terminal {
    bool is_one;
    bool colour;
    size_t columns; /* 0: not a terminal, as wide as it likes */
};

struct terminal terminal_of(FILE *stream);

/* Escape sequences; empty without colour. */
const char *terminal_bold(const struct terminal *terminal);
const char *terminal_faint(const struct terminal *terminal);
const char *terminal_mark(const struct terminal *terminal);
const char *terminal_plain(const struct terminal *terminal);

#endif
