/* extract: files are read by a program of their own, cairn-extract, one process a file,
 * which may do nothing but compute (child/sandbox.h). Whatever becomes of it – it
 * crashes, hangs, is a bomb, writes nonsense – is the refusal of that file and a line in
 * the log. A bounded number at a time, a bounded number wait. Loop thread only. */
#ifndef SEARCH_EXTRACT_H
#define SEARCH_EXTRACT_H

#include <uv.h>

#include "proto/msg.h"
#include "shared/trace.h"

struct extractor;
struct extract_job;

struct extractor_options {
    const char *program; /* empty: cairn-extract beside this program */
    uint32_t timeout_s;  /* of the clock, and of the processor's time */
    uint32_t memory_mb;
    uint32_t pages;
    uint32_t characters;
    uint32_t nesting;
    uint32_t ratio;
    size_t at_once;
    size_t queue_max; /* that wait beside */
};

/* What was found; borrowed from the order's arena, the texts of a refusal until `done`
 * returns. */
struct extracted {
    /* SH_OK; SH_TYPE and SH_UNREADABLE with code and message: what to tell the client;
     * SH_NOMEM, SH_IO: the program cannot be started; SH_CANCELED. */
    enum sh_err err;
    const char *code;
    const char *message;
    struct sh_bytes type; /* MIME */
    struct sh_bytes title;
    struct sh_bytes language;
    struct sh_bytes created; /* RFC 3339, or any other text */
    uint32_t pages;
    const struct section *sections;
    size_t count;
};

typedef void extract_done_fn(void *arg, const struct extracted *found);

struct extract_order {
    int fd; /* of the file, at its beginning; open until `done` */
    struct sh_bytes name;
    struct sh_bytes declared;     /* MIME type that the sender named, if any */
    struct sh_arena *arena;       /* until `done` nobody else uses it */
    const struct sh_trace *trace; /* may be NULL */
};

SH_CHECK enum sh_err extractor_create(uv_loop_t *loop,
                                      const struct extractor_options *options,
                                      struct extractor **out);
/* `done` comes exactly once, later. Errors: SH_BUSY, SH_NOMEM; it then never comes. */
SH_CHECK enum sh_err extractor_start(struct extractor *extractor,
                                     const struct extract_order *order,
                                     extract_done_fn *done, void *arg,
                                     struct extract_job **out);
/* `done` comes with SH_CANCELED, later. */
void extract_cancel(struct extract_job *job);
/* All are cancelled; memory goes on later turns of the loop. NULL is fine. */
void extractor_close(struct extractor **extractor);

#endif
