/* refit: a fitted model knows the words of the corpus that it was fitted to. When that
 * has grown by a share since, a job fits and activates another one; however many replicas
 * look, there is one job at a time. Loop thread only. */
#ifndef SEARCH_REFIT_H
#define SEARCH_REFIT_H

#include "shared/pg.h"

struct refit;

struct refit_options {
    uv_loop_t *loop;
    struct sh_pg *pg;
    double growth; /* 0.5: half as much again; 0: never by itself */
    uint32_t interval_s;
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err refit_create(const struct refit_options *options,
                                  struct refit **out);
/* Before the database is closed. *self becomes NULL; NULL is fine. */
void refit_close(struct refit **refit);

#endif
