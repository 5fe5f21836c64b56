/* config_source: where the text of a setting comes from: the environment, a file named
 * there, an other name of it, or .env. Main thread. */
#ifndef LIBSHARED_CONFIG_SOURCE_H
#define LIBSHARED_CONFIG_SOURCE_H

#include "libshared/src/config_value.h"
#include "libshared/src/dotenv.h"

struct sh_config_source {
    struct sh_dotenv dotenv;
    struct sh_arena arena; /* of the texts found */
};

/* Reads .env when this is a development environment. Errors: SH_INVALID, SH_NOMEM. */
SH_CHECK enum sh_err sh_config_source_open(struct sh_config_source *source,
                                           struct sh_buffer *faults);
/* *text is NULL when it is set nowhere; *name is the variable that set it. Errors:
 * SH_INVALID (names that disagree, a file that cannot be read), SH_NOMEM. */
SH_CHECK enum sh_err sh_config_source_find(struct sh_config_source *source,
                                           const struct sh_setting *row,
                                           const char **name, const char **text,
                                           struct sh_buffer *faults);
void sh_config_source_close(struct sh_config_source *source);

#endif
