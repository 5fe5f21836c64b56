/* errors: how often what went wrong, since the process began: by level, and by type,
 * which is where it was logged ("pg_conn.connect") or the code of a problem that was
 * answered ("overloaded"). Every line of the log from WARNING on is counted, also those
 * that are held back. Any thread. */
#ifndef SHARED_ERRORS_H
#define SHARED_ERRORS_H

#include "shared/log.h"

enum {
    SH_ERROR_TYPE = 64,  /* bytes of a type with its NUL; longer ones are cut */
    SH_ERROR_TYPES = 256 /* that are told apart; the rest counts as "other" */
};

struct sh_error_count {
    char type[SH_ERROR_TYPE];
    uint64_t count;
};

/* One more; levels below WARNING do not count. */
void sh_errors_add(enum sh_log_level level, const char *type);
/* The same for a place in the code. */
void sh_errors_add_site(enum sh_log_level level, const struct sh_log_site *site);
uint64_t sh_errors_of_level(enum sh_log_level level);
/* Copies at most `max` types and says how many. */
size_t sh_errors_types(struct sh_error_count *out, size_t max);
/* sh_scrape_fn: brings cairn_errors_total{level,type} up to date. */
void sh_errors_show(void *unused);
/* Tests: begin anew. */
void sh_errors_reset(void);

#endif
