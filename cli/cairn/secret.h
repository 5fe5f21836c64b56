/* secret: what is typed without showing, or piped as a line: never an argument, which
 * others on the machine can see. */
#ifndef CAIRN_SECRET_H
#define CAIRN_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { SECRET_MAX = 8192 };

struct secret {
    char text[SECRET_MAX];
};

/* A line of standard input, without its end. False: none, an empty one, too long, or
 * interrupted. */
bool secret_read(const char *prompt, struct secret *secret);
/* A new one: asked for twice on a terminal, where the two must agree. False after a
 * message to stderr. */
bool secret_choose(const char *prompt, struct secret *secret);
void secret_forget(struct secret *secret);

/* A line of `from`; false when there is none, or an empty or too long one. */
bool secret_line(FILE *from, char *into, size_t size);

#endif
