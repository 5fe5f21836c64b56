/* backup: the pieces of `cairn backup`. One thread. */
#ifndef CAIRN_BACKUP_H
#define CAIRN_BACKUP_H

#include "cli/cairn/cli.h"

/* local.c: with --directory the service's own program does it, on this machine. Returns
 * only when that is not wanted (true), or cannot be (false, *code set). */
bool backup_by_service(const struct cli *cli, const char *verb, int *code);

/* follow.c: asks for a run (`body` is let go; NULL: none) and follows it until it ends;
 * with --no-wait only says which it is. An exit code. */
int backup_run(struct cli *cli, const char *method, const char *path, json_t *body);
/* The run as it is; `run` is let go. */
int backup_print_run(const struct cli *cli, json_t *run);
/* "/api/backups", then "/" and the id encoded, then the rest; NULL: out of memory. */
char *backup_path(const char *before, const char *id, const char *rest);

/* look.c: what only looks. */
int backup_list(struct cli *cli);
int backup_show(struct cli *cli);
int backup_schedule(struct cli *cli);
int backup_runs(struct cli *cli);
int backup_cancel(struct cli *cli);

/* orders.c: what is done. */
int backup_create(struct cli *cli);
int backup_verify(struct cli *cli);
int backup_drill(struct cli *cli);
int backup_restore(struct cli *cli);
int backup_undo(struct cli *cli);
int backup_prune(struct cli *cli);
int backup_delete(struct cli *cli);
int backup_copy(struct cli *cli);

#endif
