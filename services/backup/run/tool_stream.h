/* tool_stream: what one of PostgreSQL's programs writes, as a stream of a set. */
#ifndef BACKUP_TOOL_STREAM_H
#define BACKUP_TOOL_STREAM_H

#include "services/backup/pipeline/sink.h"
#include "services/backup/run/work.h"
#include "services/backup/tool/child.h"

struct tool_stream {
    const char *tool;           /* "pg_dump" */
    const char *const *options; /* after the program; end with NULL; 16 at most */
    const char *conninfo;
    uint64_t size; /* about what it will write, for the progress */
};

/* Runs the tool until it has ended and adds what it writes to the sink; `child` then has
 * what it said. Errors: as create_set(). */
SH_CHECK enum sh_err tool_stream(struct work *work, const struct tool_stream *stream,
                                 struct sink *sink, struct child *child);

#endif
