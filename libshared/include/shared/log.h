/* log: JSON lines on stdout, and in LOG_DIR/app.log and errors.log when set. Members:
 * timestamp, level, service, message, module, function, line, and, when a trace is given,
 * request_id, trace_id, span_id. Any thread; never blocks for longer than a write, never
 * allocates. A line that repeats (same place) more than 20 times in 10 s is counted
 * instead of written, and the count follows in one line; DEBUG lines and events are
 * always written. */
#ifndef SHARED_LOG_H
#define SHARED_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/err.h"
#include "shared/trace.h"

enum sh_log_level { SH_DEBUG, SH_INFO, SH_WARNING, SH_ERROR, SH_CRITICAL };

struct sh_log_options {
    const char *service;
    enum sh_log_level level;
    bool text;       /* for people: "time LEVEL message [file:line]" */
    const char *dir; /* NULL or "": stdout only */
};

SH_CHECK enum sh_err sh_log_open(const struct sh_log_options *options);
void sh_log_close(void);
/* After logrotate moved the files (SIGHUP). */
void sh_log_reopen(void);
/* Have further logs reopened then; NULL: none any more. The thread of sh_log_reopen(). */
void sh_log_on_reopen(void (*reopen)(void *arg), void *arg);
/* Write the counts of repeated lines whose 10 s are over, or all of them; the service
 * does so every second. */
void sh_log_flush_repeats(bool all);
/* The name given to sh_log_open(); "cairn" before. */
const char *sh_log_service(void);
void sh_log_set_level(enum sh_log_level level);
bool sh_log_enabled(enum sh_log_level level);
/* "DEBUG" … "CRITICAL", any case; false when unknown. */
bool sh_log_level_parse(const char *name, enum sh_log_level *out);

/* Where a line was written, one per call site. */
struct sh_log_site {
    const char *file;
    const char *function;
    int line;
};

/* A further member of a line. */
struct sh_log_field {
    const char *name;
    const char *text; /* NULL: the number counts */
    double number;
};

__attribute__((format(printf, 4, 5))) void sh_log_write(enum sh_log_level level,
                                                        const struct sh_log_site *site,
                                                        const struct sh_trace *trace,
                                                        const char *format, ...);

/* A line with members of its own, such as the access log. Names must be fit for JSON. */
void sh_log_event(enum sh_log_level level, const struct sh_log_site *site,
                  const struct sh_trace *trace, const char *message,
                  const struct sh_log_field *fields, size_t count);

/* Be told of lines from ERROR on that were written, one at a time, on whatever thread
 * writes them; it must not log. NULL: nobody any more, and nobody is being told. */
struct sh_log_told {
    enum sh_log_level level;
    const struct sh_log_site *site;
    const struct sh_trace *trace; /* or NULL */
    const char *message;
};
typedef void sh_log_listener_fn(void *arg, const struct sh_log_told *line);
void sh_log_listen(sh_log_listener_fn *fn, void *arg);

/* sh_info(trace or NULL, "listening on %s", address) */
#define SH_LOG(level, trace, ...)                                                        \
    do {                                                                                 \
        static const struct sh_log_site site_ = {__FILE__, __func__, __LINE__};          \
        if (sh_log_enabled(level))                                                       \
            sh_log_write(level, &site_, trace, __VA_ARGS__);                             \
    } while (0)
#define sh_debug(trace, ...)   SH_LOG(SH_DEBUG, trace, __VA_ARGS__)
#define sh_info(trace, ...)    SH_LOG(SH_INFO, trace, __VA_ARGS__)
#define sh_warning(trace, ...) SH_LOG(SH_WARNING, trace, __VA_ARGS__)
#define sh_error(trace, ...)   SH_LOG(SH_ERROR, trace, __VA_ARGS__)

#endif
