/* swap: databases of one server that take each other's place. Names change in a single
 * transaction, so that whoever connects finds the one or the other whole. One thread. */
#ifndef BACKUP_SWAP_H
#define BACKUP_SWAP_H

#include "services/backup/restore/hold.h"

struct swap {
    char *conninfo;   /* of DATABASE_URL */
    char name[64];    /* its database */
    char set[64];     /* what is swapped in; "": not known */
    bool there;       /* it exists */
    PGconn *conn;     /* to another database of that server */
    struct hold hold; /* hold_enter(): until then others may write */
};

struct swap_previous { /* what can be swapped back */
    char name[64];     /* of the database; "": there is nothing */
    char set[64];      /* that took its place, or would again; "": not known */
    bool redo;         /* the swap was undone: this is what it had brought */
};

/* Errors: SH_UNAVAILABLE, SH_INVALID, SH_NOMEM; the work has the text. swap_close() in
 * every case. */
SH_CHECK enum sh_err swap_open(struct work *work, struct swap *swap);
void swap_close(struct swap *swap);
/* An empty database. SH_CONFLICT: it is there. */
SH_CHECK enum sh_err swap_create(struct work *work, struct swap *swap, const char *name);
/* The database takes connections, whatever was before. */
SH_CHECK enum sh_err swap_open_door(struct work *work, struct swap *swap);
/* Databases that a restore was filling, or about to drop, when it was killed. SH_BUSY:
 * one is still being filled: the pg_restore that it started comes to an end, or it is
 * another directory's restore. */
SH_CHECK enum sh_err swap_drop_halves(struct work *work, struct swap *swap);
/* Waits some seconds for that to be over. */
void swap_await_halves(struct work *work, struct swap *swap);
void swap_drop(struct work *work, struct swap *swap, const char *name);
/* `beside` becomes the database, which becomes `previous`; what an earlier one left is
 * dropped. */
SH_CHECK enum sh_err swap_in(struct work *work, struct swap *swap, const char *beside,
                             const char *previous);
SH_CHECK enum sh_err swap_find(struct work *work, struct swap *swap,
                               struct swap_previous *out);
/* What swap_back() would bring back. SH_NOTFOUND: nothing of that kind. */
SH_CHECK enum sh_err swap_find_back(struct work *work, struct swap *swap, bool redo,
                                    struct swap_previous *out);
/* The other way, or with `redo` forth again; `out` gets the set, and the name of what was
 * there until now. Errors as swap_find_back(). */
SH_CHECK enum sh_err swap_back(struct work *work, struct swap *swap, bool redo,
                               struct swap_previous *out);

#endif
