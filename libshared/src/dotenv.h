/* dotenv: the parser of .env files. NAME=value lines, `export ` before and # comments
 * allowed; 'single' quotes are literal, "double" ones know \n \r \t \" \\ \$, both may
 * span lines; without quotes a value ends at a # after a blank. Nothing is expanded.
 * Memory is the arena's. Any thread. */
#ifndef LIBSHARED_DOTENV_H
#define LIBSHARED_DOTENV_H

#include "shared/buffer.h"
#include "shared/mem.h"

struct sh_dotenv { /* {0} is empty */
    struct sh_arena arena;
    struct sh_dotenv_entry *last;
};

/* A bad line is named in `faults` and skipped. Errors: SH_INVALID, SH_NOMEM. */
SH_CHECK enum sh_err sh_dotenv_parse(struct sh_dotenv *env, struct sh_bytes text,
                                     struct sh_buffer *faults);
/* The last value given to the name, or NULL. */
const char *sh_dotenv_get(const struct sh_dotenv *env, const char *name);
void sh_dotenv_free(struct sh_dotenv *env);

#endif
