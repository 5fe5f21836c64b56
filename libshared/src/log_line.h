/* log_line: one line of the log in a fixed buffer, as JSON or for people. Nothing is
 * allocated, so that running out of memory can be logged; what is too long is cut, and
 * the line stays whole. */
#ifndef LIBSHARED_LOG_LINE_H
#define LIBSHARED_LOG_LINE_H

#include "shared/log.h"

enum { SH_LOG_LINE_MAX = 16384 };

struct sh_log_line {
    size_t len;
    char data[SH_LOG_LINE_MAX];
};

struct sh_log_record {
    enum sh_log_level level;
    const char *service;
    const struct sh_log_site *site;
    const struct sh_trace *trace; /* or NULL */
    const char *message;
    const struct sh_log_field *fields;
    size_t count;
};

/* Both end in a newline and contain no other. */
void sh_log_line_json(struct sh_log_line *line, const struct sh_log_record *record);
void sh_log_line_text(struct sh_log_line *line, const struct sh_log_record *record);
/* "libshared/src/pg_conn.c" is "pg_conn". */
void sh_log_module(const char *path, char out[static 64]);
const char *sh_log_level_text(enum sh_log_level level);

#endif
