/* args: a command line, taken apart by the tables of command.h. Values are borrowed from
 * argv. One thread at a time: getopt's state is the process's. */
#ifndef CAIRN_ARGS_H
#define CAIRN_ARGS_H

#include "cli/cairn/command.h"
#include "shared/buffer.h"

enum { ARGS_VALUES_MAX = 256 };

struct arg_value {
    const struct option_row *row;
    const char *text; /* NULL of a switch */
};

struct args {
    const struct command *group;   /* "documents", or NULL */
    const struct command *command; /* NULL: none was named */
    struct arg_value values[ARGS_VALUES_MAX];
    size_t count;
    char **words; /* the arguments proper */
    int word_count;
};

/* False: it was wrong, and a message is on stderr. */
bool args_parse(struct args *args, int argc, char **argv);

bool args_given(const struct args *args, const char *option);
/* The last one counts; NULL when it was not given. */
const char *args_text(const struct args *args, const char *option);
long args_number(const struct args *args, const char *option, long otherwise);
/* Of a repeated option the next value from *at on (0 at first); NULL: no more. */
const char *args_next(const struct args *args, const char *option, size_t *at);
/* The words in one text, as they would be typed, ended by NUL. */
void args_phrase(const struct args *args, struct sh_buffer *out);

#endif
