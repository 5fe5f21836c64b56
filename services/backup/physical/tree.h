/* tree: a physical set becomes a data directory again. The files are unpacked by tar with
 * the rights of whoever will run PostgreSQL, checked by pg_verifybackup against the
 * manifest that pg_basebackup wrote, and given the stored log. One thread. */
#ifndef BACKUP_TREE_H
#define BACKUP_TREE_H

#include "services/backup/tool/child.h"
#include "services/backup/wal/chain.h"

struct tree {
    struct work *work;
    int folder; /* of the set */
    const json_t *manifest;
    const char *path; /* the data directory: empty, its owner's */
    uid_t uid;        /* its owner */
    gid_t gid;
};

/* A program of the PostgreSQL that made the set, where it is installed beside newer ones.
 */
void tree_tool(const struct tree *tree, const char *name, char out[BACKUP_PATH]);
/* Errors: SH_MALFORMED (damaged), SH_UPSTREAM (tar), those of source_read(). */
SH_CHECK enum sh_err tree_unpack(const struct tree *tree);
/* Errors: SH_UPSTREAM: the files are not what pg_basebackup saw. */
SH_CHECK enum sh_err tree_verify(const struct tree *tree);
/* What is stored of the log, into pg_wal; the directory then wants to be recovered. */
SH_CHECK enum sh_err tree_log(const struct tree *tree, const struct chain *chain);
/* All of it is on the disk. */
SH_CHECK enum sh_err tree_sync(const struct tree *tree);
/* The stream can be opened and tar can list it. */
SH_CHECK enum sh_err tree_list(struct work *work, int folder, const json_t *manifest);

#endif
