/* terms_child: cairn-extract at work on one file of terms: a process that may do nothing
 * but compute. Its batches come one at a time: the next one is read from its pipe when
 * the one before was taken, so a file of any length takes little memory. Loop thread
 * only. */
#ifndef SEARCH_TERMS_CHILD_H
#define SEARCH_TERMS_CHILD_H

#include <uv.h>

#include "proto/msg.h"

struct terms_child;

struct terms_child_options {
    const char *program; /* empty: cairn-extract beside this program */
    uint32_t memory_mb;
    uint32_t nesting;
    uint32_t ratio;
    uint32_t cpu_s;
};

struct terms_child_events {
    /* Borrowed until terms_child_next(), which asks for the next one. */
    void (*batch)(void *arg, const struct glossary_batch *batch);
    /* There are no more: code and message are empty, or say why the file is refused;
     * borrowed until this returns. Memory of the child goes by itself. Not after
     * terms_child_close(). */
    void (*ended)(void *arg, const char *code, const char *message);
};

struct terms_child_file {
    int fd;             /* the caller's */
    const char *format; /* "csv" and the like */
};

/* Errors: SH_NOMEM, SH_IO. No event from inside this call. */
SH_CHECK enum sh_err terms_child_start(uv_loop_t *loop,
                                       const struct terms_child_options *options,
                                       const struct terms_child_file *file,
                                       const struct terms_child_events *events, void *arg,
                                       struct terms_child **out);
void terms_child_next(struct terms_child *self);
/* It is killed; no event comes any more. NULL is fine. */
void terms_child_close(struct terms_child **child);

#endif
