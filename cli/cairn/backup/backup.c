/* cairn backup: sets of everything, made, proven, brought back. */
#include "cli/cairn/backup/backup.h"

/* clang-format off */
#define DIRECTORY                                                                        \
    {.name = "directory", .type = OPTION_FILE, .value = "DIR",                           \
     .help = "no service: cairn-backup does it here, with this directory of sets"}
#define JSON {.name = "json", .help = "JSON: the run as it ended"}
#define NO_WAIT {.name = "no-wait", .help = "only start it, and say which run it is"}

static const struct option_row list_options[] = {
    {.name = "json", .help = "an object a line"}, DIRECTORY, {0}};
static const struct option_row show_options[] = {
    {.name = "json", .help = "the whole manifest"}, DIRECTORY, {0}};
static const struct option_row runs_options[] = {
    {.name = "json", .help = "an object a line"}, {0}};
static const struct option_row run_options[] = {NO_WAIT, JSON, DIRECTORY, {0}};
#define UNTIL                                                                            \
    {.name = "until", .type = OPTION_TEXT, .value = "WHEN",                              \
     .help = "of a physical set: latest, set, a position in the log (16/B374D848) or a " \
             "time (2026-01-31T12:00:00Z)"}
static const struct option_row drill_options[] = {UNTIL, NO_WAIT, JSON, DIRECTORY, {0}};
static const struct option_row cancel_options[] = {JSON, {0}};
static const struct option_row create_options[] = {
    {.name = "kind", .type = OPTION_CHOICE, .value = "KIND", .choices = "full physical files config",
     .help = "full (the default): database, originals, settings; physical: the server's "
             "files in place of a dump"},
    {.name = "label", .type = OPTION_TEXT, .value = "TEXT", .help = "for people"},
    {.name = "verify", .type = OPTION_CHOICE, .value = "HOW", .choices = "none verify drill",
     .help = "what it is put through; without it as BACKUP_VERIFY says"},
    NO_WAIT, JSON, DIRECTORY, {0}};
static const struct option_row restore_options[] = {
    {.name = "target", .letter = 't', .type = OPTION_CHOICE, .value = "WHERE",
     .choices = "scratch database live files directory",
     .help = "scratch: a drill (the default); database: a new one; live: in place of what is "
             "there; files: originals that are missing; directory: with --directory, a "
             "physical set's data directory"},
    UNTIL,
    {.name = "into", .type = OPTION_FILE, .value = "DIR",
     .help = "directory: where it is made"},
    {.name = "database", .type = OPTION_TEXT, .value = "NAME", .help = "of the new one"},
    {.name = "confirm", .type = OPTION_TEXT, .value = "ID",
     .help = "live: the set's id once more"},
    {.name = "table", .type = OPTION_TEXT, .value = "NAME", .repeated = true,
     .help = "database: only the rows of this table"},
    {.name = "collection", .letter = 'c', .type = OPTION_TEXT, .value = "NAME",
     .repeated = true,
     .help = "live: only documents of this collection, added or in place of those with "
             "their ids"},
    NO_WAIT, JSON, DIRECTORY, {0}};
static const struct option_row undo_options[] = {
    {.name = "confirm", .type = OPTION_TEXT, .value = "WORD",
     .help = "undo; or redo: what was restored comes back after an undo"},
    NO_WAIT, JSON, DIRECTORY, {0}};
static const struct option_row prune_options[] = {
    {.name = "dry-run", .help = "only say what would be removed"},
    NO_WAIT, JSON, DIRECTORY, {0}};

static const struct command subs[] = {
    {.name = "list", .summary = "List backup sets, newest first", .options = list_options,
     .run = backup_list},
    {.name = "show", .arguments = "ID", .summary = "Show what is in a set",
     .options = show_options, .run = backup_show, .least = 1, .most = 1},
    {.name = "create", .summary = "Make a set", .options = create_options,
     .run = backup_create},
    {.name = "verify", .arguments = "ID", .summary = "Read all of a set again",
     .options = run_options, .run = backup_verify, .least = 1, .most = 1},
    {.name = "drill", .arguments = "ID",
     .summary = "Restore a set into a PostgreSQL of its own and compare",
     .options = drill_options, .run = backup_drill, .least = 1, .most = 1},
    {.name = "restore", .arguments = "ID", .summary = "Bring a set back",
     .details = "Live: what is there is saved as a set first, and stays as a database until "
                "the next restore; `cairn backup undo` goes back to it. A physical set "
                "comes back as it was at the moment of --until (latest: all that is "
                "stored of the log).",
     .options = restore_options, .run = backup_restore, .least = 1, .most = 1},
    {.name = "undo", .summary = "Go back to before the last live restore",
     .details = "Once: then there is nothing to undo until the next restore, but "
                "--confirm redo brings back what was restored. Users, API keys and all else "
                "in the database go with it. `cairn backup schedule` says what there is.",
     .options = undo_options, .run = backup_undo},
    {.name = "prune", .summary = "Remove the sets that no rule keeps",
     .options = prune_options, .run = backup_prune},
    {.name = "delete", .arguments = "ID", .summary = "Remove a set",
     .options = run_options, .run = backup_delete, .least = 1, .most = 1},
    {.name = "copy", .arguments = "ID", .summary = "Copy a set to the other places",
     .options = run_options, .run = backup_copy, .least = 1, .most = 1},
    {.name = "schedule", .summary = "Show when full sets are due, and what is kept",
     .options = show_options, .run = backup_schedule},
    {.name = "runs", .summary = "List what the service did, newest first",
     .options = runs_options, .run = backup_runs},
    {.name = "cancel", .arguments = "RUN", .summary = "End a run; it leaves no half set",
     .options = cancel_options, .run = backup_cancel, .least = 1, .most = 1},
    {0}};
/* clang-format on */

const struct command backup_command = {.name = "backup",
                                       .summary =
                                           "Make, prove, list and restore backup sets",
                                       .subs = subs};
