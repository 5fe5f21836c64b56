/* tool_stream: what a program writes, given away as it comes. One thread. */
#ifndef BACKUP_TOOL_STREAM_H
#define BACKUP_TOOL_STREAM_H

#include "services/backup/pipeline/pack.h"
#include "services/backup/run/work.h"
#include "services/backup/tool/child.h"

struct tool_stream_child {
    struct work *work;
    const char *name; /* of the program, for messages */
    uint64_t size;    /* about what it will write, for the progress; 0: not known */
    pack_out_fn *out;
    void *arg; /* its */
};

/* Runs the program until it has ended and gives what it writes to `out`, whose error ends
 * it; `child` then has what it said. `env` NULL: ours. Errors: as create_set(). */
SH_CHECK enum sh_err tool_stream_child(const struct tool_stream_child *stream,
                                       const char *const *argv, char *const *env,
                                       struct child *child);

struct tool_stream {            /* one of PostgreSQL's */
    const char *tool;           /* "pg_dump" */
    const char *const *options; /* after the program; end with NULL; 16 at most */
    const char *conninfo;
    uint64_t size; /* about what it will write, for the progress */
};

/* The same with a tool and the database's environment. */
SH_CHECK enum sh_err tool_stream(struct work *work, const struct tool_stream *stream,
                                 pack_out_fn *out, void *arg, struct child *child);

#endif
