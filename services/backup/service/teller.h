/* teller: a program as a child process that tells what it does in lines of JSON on its
 * stdout. Loop thread only. */
#ifndef BACKUP_TELLER_H
#define BACKUP_TELLER_H

#include <jansson.h>
#include <uv.h>

#include "shared/lines.h"

struct teller {
    uv_process_t process;
    uv_pipe_t out;
    unsigned handles; /* of the two, not closed; 0: there is no process */
    bool exited;
    int64_t status;
    int term_signal;
    struct sh_lines lines;
    char read[16384];
    /* What is no JSON, or longer than `line_most` bytes, is left out; `line` is borrowed.
     */
    void (*on_line)(void *arg, const json_t *line);
    /* The process is gone and all that it said was told; once for each start. */
    void (*on_end)(void *arg);
    void *arg;
};

struct teller_spec {
    const char *program; /* a path */
    char **argv;         /* ended by NULL */
    size_t line_most;
    int inherits;    /* a descriptor that it gets … -1: none */
    int inherits_as; /* … under this number, from 3 */
};

enum { TELLER_INHERITS_MOST = 8 };

/* With on_line, on_end and arg set, and nothing under way. 0, or an error of libuv:
 * on_end comes on a later turn in every case, then with a status that is not 0. */
int teller_start(struct teller *teller, uv_loop_t *loop, const struct teller_spec *spec);
void teller_kill(struct teller *teller, int number);
/* It goes on without us; on_end comes on a later turn if it had not come. */
void teller_let_go(struct teller *teller);

#endif
