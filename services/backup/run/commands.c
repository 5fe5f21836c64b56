#include "services/backup/run/commands.h"

#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/restore/restore.h"
#include "services/backup/run/jobs.h"
#include "services/backup/run/root.h"
#include "services/backup/schedule/zone.h"
#include "services/backup/scratch/sweep.h"
#include "services/backup/wal/stream.h"
#include "shared/log.h"

enum { EXIT_USAGE = 2, EXIT_NOT_GOOD = 3 };

/* clang-format off */
static const struct {
    const char *name;
    enum sh_err (*run)(struct work *work, const struct job_order *order, json_t **result);
    bool wants_id;
    bool locks;
    const char *usage;
} commands[] = {
    {"create", job_create, false, true,
     "[--kind full|physical|files|config] [--label TEXT] [--verify none|verify|drill]  make a set"},
    {"list", job_list_sets, false, false, "the sets, newest first"},
    {"show", job_show, true, false, "ID  a set's manifest"},
    {"verify", job_verify, true, true, "ID  read all of it again"},
    {"drill", job_drill, true, true, "ID [--until TIME|LSN|latest]  restore it into a PostgreSQL of its own"},
    {"restore", job_restore, true, true,
     "ID --target scratch|database|directory|live|files [--database NAME] "
     "[--directory DIR] [--until TIME|LSN|latest] [--confirm ID] "
     "[--table NAME]... [--collection NAME]..."},
    {"undo", job_undo, false, true, "--confirm undo|redo  before the last restore"},
    {"repair", job_repair, false, true, "put right what a restore that was killed left"},
    {"prune", job_prune, false, true, "[--dry-run]  remove what no rule keeps"},
    {"delete", job_delete, true, true, "ID [--force]  remove a set"},
    {"stream", job_stream, false, false, "store the write-ahead log as it comes, until ended"},
    {"copy", job_copy, true, true, "ID  copy it to BACKUP_PLACES"},
    {"fetch", job_fetch, true, true, "ID --from PLACE  bring it from there"},
    {"schedule", job_schedule, false, false, "[--next N]  when runs are due"},
    {"keys", job_keys, false, false, "a new pair of keys, to encrypt sets, and one to sign"},
};

static const struct option options[] = {
    {"kind", required_argument, NULL, 'k'},    {"label", required_argument, NULL, 'l'},
    {"by", required_argument, NULL, 'b'},      {"verify", required_argument, NULL, 'v'},
    {"target", required_argument, NULL, 't'},  {"database", required_argument, NULL, 'd'},
    {"confirm", required_argument, NULL, 'c'}, {"from", required_argument, NULL, 'f'},
    {"next", required_argument, NULL, 'n'},    {"slot", required_argument, NULL, 's'},
    {"dry-run", no_argument, NULL, 'D'},       {"force", no_argument, NULL, 'F'},
    {"until", required_argument, NULL, 'u'},   {"directory", required_argument, NULL, 'o'},
    {"table", required_argument, NULL, 'T'},
    {"collection", required_argument, NULL, 'C'},
    {"report", no_argument, NULL, 'R'},        {"ledger", no_argument, NULL, 'L'},
    {"wait", no_argument, NULL, 'W'},
    {0}};
/* clang-format on */

static int usage(void)
{
    (void)fprintf(stderr, "Usage:\n");
    for (size_t i = 0; i < SH_COUNT(commands); i++)
        (void)fprintf(stderr, "  cairn-backup %s %s\n", commands[i].name,
                      commands[i].usage);
    (void)fprintf(stderr, "Settings come from the environment: cairn-backup --help\n");
    return EXIT_USAGE;
}

static bool add_name(struct pick *names, const char *name)
{
    if (names->count == PICK_MOST)
        return false;
    names->names[names->count++] = name;
    return true;
}

static bool take_option(int c, struct job_order *order, struct work *work)
{
    const char **const texts[128] = {
        ['k'] = &order->kind,    ['l'] = &order->label,  ['b'] = &order->by,
        ['v'] = &order->proof,   ['t'] = &order->target, ['d'] = &order->database,
        ['c'] = &order->confirm, ['f'] = &order->from,   ['n'] = &order->next,
        ['s'] = &order->slot,    ['u'] = &order->until,  ['o'] = &order->directory,
    };

    if (c == 'T')
        return add_name(&order->tables, optarg);
    if (c == 'C')
        return add_name(&order->collections, optarg);
    if (c == 'D')
        order->dry = true;
    else if (c == 'F')
        order->force = true;
    else if (c == 'R')
        work->report = true;
    else if (c == 'W')
        work->waits = true;
    else if (c == 'L' && fcntl(WORK_LEDGER, F_SETFD, FD_CLOEXEC) == 0)
        work->ledger = true;
    else if (c > 0 && c < 128 && texts[c] != NULL)
        *texts[c] = optarg;
    else
        return false;
    return true;
}

static bool load_settings(struct backup_all *all)
{
    struct sh_settings groups[BACKUP_GROUPS];
    struct sh_buffer faults = {0};
    enum sh_err err;

    backup_groups(all, groups);
    err = sh_config_load(groups, BACKUP_GROUPS, &faults);
    if (faults.len > 0)
        (void)fprintf(stderr, "%.*s", (int)faults.len, faults.data);
    sh_buffer_free(&faults);
    if (err == SH_OK && (err = zone_use(all->backup.timezone)) != SH_OK)
        (void)fprintf(stderr, "BACKUP_TIMEZONE: there is no time zone %s\n",
                      all->backup.timezone);
    return err == SH_OK;
}

static int status_of(enum sh_err err, const json_t *result)
{
    if (err != SH_OK)
        return err == SH_INVALID ? EXIT_USAGE : EXIT_FAILURE;
    return json_is_false(json_object_get(result, "ok")) ? EXIT_NOT_GOOD : EXIT_SUCCESS;
}

static int run_one(size_t index, struct work *work, const struct job_order *order)
{
    static uv_loop_t loop;
    json_t *result = NULL;
    enum sh_err err;

    if (sodium_init() < 0 || uv_loop_init(&loop) != 0)
        return EXIT_FAILURE;
    work->loop = &loop;
    work->stage = commands[index].name;
    work_catch_signals();
    sh_log_set_level(SH_CRITICAL); /* what is to be said goes the way of the run */
    err = commands[index].locks ? root_lock(work) : root_open(work);
    if (err == SH_OK && commands[index].locks) {
        scratch_sweep(work->all->backup.scratch_dir);
        restore_mend(work);
    }
    if (err == SH_OK)
        err = commands[index].run(work, order, &result);
    work_end(work, err, result);
    int status = status_of(err, result);
    json_decref(result);
    if (work->root >= 0)
        (void)close(work->root);
    (void)uv_run(&loop, UV_RUN_NOWAIT);
    (void)uv_loop_close(&loop);
    return status;
}

static int run_command(size_t index, int argc, char **argv)
{
    static struct backup_all all;
    struct work work = {.all = &all, .root = -1};
    struct job_order order = {.kind = "full",
                              .label = "",
                              .by = "",
                              .proof = "",
                              .target = "scratch",
                              .until = ""};

    optind = 2;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        if (!take_option(c, &order, &work))
            return usage();
    if (optind < argc)
        order.id = argv[optind++];
    if (optind < argc || (order.id == NULL) == commands[index].wants_id)
        return usage();
    if (!load_settings(&all))
        return EXIT_USAGE;
    return run_one(index, &work, &order);
}

bool commands_run(int argc, char **argv, int *status)
{
    if (argc < 2 || argv[1][0] == '-')
        return false;
    if (argc > 2 && strcmp(argv[1], "guarded") == 0) {
        *status = stream_guarded(argv + 2);
        return true;
    }
    for (size_t i = 0; i < SH_COUNT(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            *status = run_command(i, argc, argv);
            return true;
        }
    *status = usage();
    return true;
}
