/* sink: the audit log as a file of JSON lines, or standard output. One thread; writing
 * blocks. */
#ifndef GATEWAY_AUDIT_SINK_H
#define GATEWAY_AUDIT_SINK_H

#include <limits.h>

#include "shared/buffer.h"

struct audit_sink {
    int fd;              /* -1: nowhere */
    char path[PATH_MAX]; /* "": standard output */
    bool alone;          /* what is written in pieces stays together: a file */
    uint64_t failed;     /* lines that could not be written */
};

/* `log` is AUDIT_LOG: a path, "off", or "": app.log's directory, else standard output.
 * Errors: SH_IO, SH_TOOBIG. */
SH_CHECK enum sh_err audit_sink_open(struct audit_sink *sink, const char *log,
                                     const char *log_dir);
void audit_sink_close(struct audit_sink *sink);
/* After logrotate moved the file. On failure the old one is written on. */
void audit_sink_reopen(struct audit_sink *sink);
/* Whole lines, each by one write where they may mix with others'. */
void audit_sink_write(struct audit_sink *sink, struct sh_bytes lines);

#endif
