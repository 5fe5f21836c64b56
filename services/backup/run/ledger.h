/* ledger: what services were asked to do, a file for each run in BACKUP_DIR/.runs, so
 * that the list outlives its service, and replicas over one directory see each other's
 * runs. ID.json is the run as runs_json() tells it, replaced whole by whoever owns it.
 * ID.lock is locked by the service that took the run on and by the process that does it
 * (one lock: the descriptor is inherited), which writes its last line there. So a run
 * whose lock is free has ended, whatever was killed, and how, or else it was interrupted.
 * ID.lock also takes the word that somebody else wants the run cancelled. A run's member
 * `ledger` is for the ledger alone: {"version", "key", "order"}, the last two where it
 * bears the Idempotency-Key of who asked for it (32 digits of hex), with what they asked
 * for. Every call waits for the disk; any thread. */
#ifndef BACKUP_LEDGER_H
#define BACKUP_LEDGER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/err.h"

/* Runs with a key are kept for LEDGER_KEY_S at least, if there are not too many. */
enum {
    LEDGER_MOST = 128,
    LEDGER_KEYED_MOST = 384,
    LEDGER_DAYS = 90,
    LEDGER_KEY_S = 86400
};

/* Of the directory's descriptor; made if need be; *ledger is the caller's. Errors: SH_IO.
 */
SH_CHECK enum sh_err ledger_open(int root, int *ledger);
/* 32 digits of hex, and so a safe name. */
bool ledger_id_ok(const char *id);
/* *lock is the caller's, and locked. Errors: SH_IO. */
SH_CHECK enum sh_err ledger_begin(int ledger, const char *id, int *lock);
/* What is written outlives the machine. Errors: SH_IO. */
SH_CHECK enum sh_err ledger_write(int ledger, const char *id, const char *text);
/* The last ledger_write() said how it ended. */
void ledger_end(int ledger, const char *id);
/* It was never told to anybody. */
void ledger_forget(int ledger, const char *id);
/* The caller's, newest first. Runs that were found to have ended without their service
 * are written down as that, and added to `found` too. NULL: no memory. */
json_t *ledger_read(int ledger, json_t *found);
/* NULL: there is none; the caller's. */
json_t *ledger_get(int ledger, const char *id);
/* The same; where it has ended without its service, as by ledger_read(). */
json_t *ledger_find(int ledger, const char *id, json_t *found);
/* It is queued or running. */
bool ledger_under_way(const json_t *run);
/* Goes up with every change that its owner made; from 1. */
uint64_t ledger_version(const json_t *run);
/* Whoever looks for a key, and writes a run with it if there is none, holds this
 * meanwhile: among all replicas and threads it is one. Closing *held lets go. Errors:
 * SH_BUSY (somebody else did not let go within two seconds), SH_IO. */
SH_CHECK enum sh_err ledger_hold_keys(int ledger, int *held);
/* The run with this key, unless the key is too old; as ledger_get() and, with `found`, as
 * ledger_read(). */
json_t *ledger_keyed(int ledger, const char *key, json_t *found);
/* Errors: SH_NOTFOUND, SH_CONFLICT (it has ended), SH_IO. */
SH_CHECK enum sh_err ledger_cancel(int ledger, const char *id);
bool ledger_cancelled(int lock);
/* The run's process says how it ended: a line of JSON. */
void ledger_say(int lock, const char *line);
/* Of `runs`, as they were read, what is over LEDGER_MOST or older than LEDGER_DAYS goes.
 */
void ledger_trim(int ledger, const json_t *runs);

#endif
