/* tool_stream: what a program writes, as a stream of a set. One thread. */
#ifndef BACKUP_TOOL_STREAM_H
#define BACKUP_TOOL_STREAM_H

#include "services/backup/pipeline/sink.h"
#include "services/backup/run/work.h"
#include "services/backup/tool/child.h"

struct tool_stream_child {
    struct work *work;
    const char *name; /* of the program, for messages */
    uint64_t size;    /* about what it will write, for the progress; 0: not known */
    struct sink *sink;
};

/* Runs the program until it has ended and adds what it writes to the sink; `child` then
 * has what it said. `env` NULL: ours. Errors: as create_set(). */
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
                                 struct sink *sink, struct child *child);

#endif
