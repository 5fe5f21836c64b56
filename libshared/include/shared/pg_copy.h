/* pg_copy: many rows to PostgreSQL by COPY … FROM STDIN, for half of what an INSERT of
 * them costs it. A connection of its own, made at the first use and kept, because a
 * pipeline (pg.h) takes no COPY. One run at a time. Loop thread only. */
#ifndef SHARED_PG_COPY_H
#define SHARED_PG_COPY_H

#include "shared/pg.h"

struct sh_pg_copy;

/* `err` as in sh_pg_reply; `message` is for the log. After anything but a refusal by
 * PostgreSQL (SH_CONFLICT, SH_INVALID, SH_INTERNAL) the outcome is unknown. */
typedef void sh_pg_copied_fn(void *arg, enum sh_err err, const char *message);

/* An absent server is no error. Errors: SH_NOMEM, SH_IO. */
SH_CHECK enum sh_err sh_pg_copy_open(uv_loop_t *loop, const struct sh_pg_config *config,
                                     struct sh_pg_copy **out);
/* `sql`: statements, parted by semicolons, of which one is a COPY … FROM STDIN; they
 * succeed or fail together. `sql` and `rows` must last until `done`, which is called
 * once, and never from inside. Errors: SH_BUSY: one is under way. */
SH_CHECK enum sh_err sh_pg_copy_run(struct sh_pg_copy *copy, const char *sql,
                                    struct sh_bytes rows, uint64_t deadline_ms,
                                    sh_pg_copied_fn *done, void *arg);
/* What is under way is given up, and `done` not called. *copy becomes NULL; NULL is fine.
 */
void sh_pg_copy_close(struct sh_pg_copy **copy);

#endif
