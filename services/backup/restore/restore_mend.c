/* What is put right after a restore: one that did not end well, or one that was not
 * wanted. */
#include "services/backup/restore/journal.h"
#include "services/backup/restore/restore_internal.h"
#include "services/backup/run/root.h"

/* The door is open and nothing lies beside; the journal goes. Waited is before gateways
 * are told of anything. */
static enum sh_err put_right(struct work *work, struct swap *swap)
{
    enum sh_err err;

    swap_await_halves(work, swap);
    err = hold_repair(work, swap);
    if (err == SH_OK)
        err = swap_drop_halves(work, swap);
    if (err == SH_OK)
        journal_end(work);
    return err;
}

void restoring_settle(struct work *work, struct swap *swap, enum sh_err err)
{
    struct work quiet = *work;

    if (err == SH_OK)
        journal_end(work);
    else if (put_right(&quiet, swap) != SH_OK)
        work_say(work, "the next run puts right what this one leaves: %s", quiet.error);
}

enum sh_err restore_undo(struct work *work, bool redo, json_t **result)
{
    struct swap swap = {.conn = NULL};
    struct swap_previous was;
    const char *verb = redo ? "redo" : "undo";
    enum sh_err err = swap_open(work, &swap);

    *result = NULL;
    work_stage(work, verb);
    if (err == SH_OK)
        err = swap_find_back(work, &swap, redo, &was); /* before writers are held up */
    if (err == SH_OK)
        err = hold_enter(work, &swap);
    if (err == SH_OK)
        err = journal_begin(work, verb);
    if (err == SH_OK) {
        err = swap_back(work, &swap, redo, &was);
        restoring_settle(work, &swap, err);
    }
    if (err == SH_OK) {
        *result = json_pack("{s:s, s:s, s:s, s:s}", "what", verb, "set", was.set,
                            "database", swap.name, "previous_database", was.name);
        root_note(work, "%s the last restore; what was there is the database %s",
                  redo ? "Brought back" : "Undid", was.name);
    }
    swap_close(&swap);
    return err;
}

enum sh_err restore_undoable(struct work *work, json_t **result)
{
    struct swap swap = {.conn = NULL};
    struct swap_previous previous;
    enum sh_err err = swap_open(work, &swap);

    *result = NULL;
    if (err == SH_OK)
        err = swap_find(work, &swap, &previous);
    if (err == SH_OK)
        *result = json_pack("{s:s, s:s}", "what",
                            previous.name[0] == '\0' ? "nothing"
                            : previous.redo          ? "redo"
                                                     : "undo",
                            "set", previous.set);
    swap_close(&swap);
    return err == SH_OK && *result == NULL ? SH_NOMEM : err;
}

enum sh_err restore_repair(struct work *work, json_t **result)
{
    struct swap swap = {.conn = NULL};
    enum sh_err err = swap_open(work, &swap);

    if (err == SH_OK)
        err = put_right(work, &swap);
    *result = err == SH_OK ? json_pack("{s:s}", "database", swap.name) : NULL;
    swap_close(&swap);
    return err;
}

void restore_mend(struct work *work)
{
    struct work quiet = *work;
    json_t *result = NULL;

    if (!journal_left(work->all->backup.directory))
        return;
    if (restore_repair(&quiet, &result) == SH_OK)
        root_note(work, "Put right what a restore that was killed had left");
    else
        work_say(work, "what a killed restore left cannot be put right now: %s",
                 quiet.error);
    json_decref(result);
}
