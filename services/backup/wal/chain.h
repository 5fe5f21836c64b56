/* chain: which of the log is stored, from a position on, and whether anything is missing.
 * One thread. */
#ifndef BACKUP_CHAIN_H
#define BACKUP_CHAIN_H

#include "services/backup/wal/segment.h"
#include "services/backup/wal/store.h"

struct chain {
    struct work *work;
    int store;     /* -1: nothing is stored */
    uint64_t size; /* of a segment */
    struct segment from;
    struct segment *list; /* whole ones, from `from` on, by number and timeline */
    size_t count;
    /* the newest partial one; its name "" where there is none, or it is not needed */
    char partial[STORE_NAME];
    struct segment partial_is;
    /* the answers */
    uint64_t through; /* stored from the first segment to here; 0: nothing */
    double at;        /* what was committed before is stored; 0: not known */
    uint64_t missing; /* segments that are not there though later ones are */
    char first_missing[SEGMENT_NAME]; /* "" */
};

/* `from`: the first segment that is wanted. chain_close() in every case. Errors: SH_IO,
 * SH_NOMEM; that nothing is stored is none. */
SH_CHECK enum sh_err chain_read(struct work *work, const char *system, uint64_t size,
                                struct segment from, struct chain *chain);
/* What follows a set, by its manifest. SH_MALFORMED: it does not say where it ends. */
SH_CHECK enum sh_err chain_of_set(struct work *work, const json_t *manifest,
                                  struct chain *chain);
void chain_close(struct chain *chain);
/* Reads every stored piece again that the chain has; the first that is not what was
 * written is an error with its name. */
SH_CHECK enum sh_err chain_check(const struct chain *chain);

/* Each piece to be unpacked, oldest first, as far as nothing is missing; `segment` is the
 * name that PostgreSQL knows. */
typedef enum sh_err chain_each_fn(void *arg, const char *segment, const json_t *record);
SH_CHECK enum sh_err chain_each(const struct chain *chain, chain_each_fn *each,
                                void *arg);
/* Histories of timelines. */
SH_CHECK enum sh_err chain_histories(const struct chain *chain, chain_each_fn *each,
                                     void *arg);

#endif
