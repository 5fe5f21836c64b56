/* cairn ingest: files and directories into Cairn. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/ingest/digest.h"
#include "cli/cairn/ingest/ingest.h"
#include "cli/cairn/ingest/report.h"

enum { GLOBS_MAX = 64, THREADS_MAX = 32, THREADS = 4, PATIENCE_S = 600, ATTEMPTS = 8 };

struct run {
    struct cli *cli;
    struct ingest_plan plan;
    struct ledger *ledger;
    struct walk walk;
    struct report report;
    size_t next; /* file, under the mutex */
    pthread_mutex_t mutex;
};

/* --- what is said beside the files ------------------------------------------------ */

static void add_attributes(const struct args *args, json_t *metadata)
{
    static const char *const texts[] = {"department", "campus", "language"};
    long clearance = args_number(args, "clearance", 0);
    long priority = args_number(args, "priority", 0);
    for (size_t i = 0; i < SH_COUNT(texts); i++) {
        const char *text = args_text(args, texts[i]);
        if (text)
            json_object_set_new(metadata, texts[i], json_string(text));
    }
    if (clearance > 0)
        json_object_set_new(metadata, "clearance_level", json_integer(clearance));
    if (priority > 0)
        json_object_set_new(metadata, "priority", json_integer(priority));
}

static bool add_defaults(struct ingest_plan *plan)
{
    json_t *all = json_object();
    if (plan->collection)
        json_object_set_new(all, "collection", json_string(plan->collection));
    if (json_object_size(plan->metadata) > 0)
        json_object_set(all, "metadata", plan->metadata);
    if (plan->by_content)
        json_object_set_new(all, "by_content", json_true());
    char *text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    bool good = text && digest_text(text, strlen(text), plan->as);
    free(text); /* jansson's */
    (void)json_object_del(all, "by_content");
    plan->defaults = json_object_size(all) > 0 ? json_incref(all) : NULL;
    json_decref(all);
    return good;
}

static bool make_plan(const struct args *args, struct ingest_plan *plan)
{
    const char *base = args_text(args, "base");
    plan->collection = args_text(args, "collection");
    plan->by_content = args_given(args, "by-content");
    plan->metadata = json_object();
    plan->base = base ? realpath(base, NULL) : NULL;
    if (base && !plan->base) {
        cli_say("--base %s: there is no such directory", base);
        return false;
    }
    if (!plan->metadata || !cli_pairs(args, "metadata", plan->metadata))
        return false;
    add_attributes(args, plan->metadata);
    return add_defaults(plan);
}

/* --- which files ------------------------------------------------------------------ */

static bool take_globs(const struct args *args, const char *option,
                       const char *globs[static GLOBS_MAX + 1])
{
    size_t count = 0;
    size_t at = 0;
    for (const char *text; (text = args_next(args, option, &at)) != NULL;) {
        if (count == GLOBS_MAX) {
            cli_say("too many --%s", option);
            return false;
        }
        globs[count++] = text;
    }
    globs[count] = NULL;
    return true;
}

static void on_fault(void *arg, const char *shown, const char *why)
{
    report_fault(arg, shown, why);
}

static int find_files(struct run *run)
{
    const struct args *args = &run->cli->args;
    const char *include[GLOBS_MAX + 1];
    const char *exclude[GLOBS_MAX + 1];
    if (!take_globs(args, "include", include) || !take_globs(args, "exclude", exclude))
        return CLI_USAGE;
    const struct walk_options options = {.include = include[0] ? include : NULL,
                                         .exclude = exclude,
                                         .hidden = args_given(args, "hidden"),
                                         .follow = args_given(args, "follow"),
                                         .fault = on_fault,
                                         .arg = &run->report};
    if (!walk_run(&run->walk, args->words, (size_t)args->word_count, &options)) {
        cli_say("out of memory");
        return CLI_FAILED;
    }
    run->report.total = run->walk.count;
    return CLI_OK;
}

static int open_ledger(struct run *run)
{
    char directory[4096];
    if (!settings_directory("XDG_STATE_HOME", ".local/state", true, directory,
                            sizeof(directory)))
        return CLI_FAILED;
    run->ledger = ledger_open(directory, run->cli->settings.url);
    return run->ledger ? CLI_OK : CLI_FAILED;
}

/* --- the threads ------------------------------------------------------------------ */

static void on_job(void *arg, const json_t *job)
{
    report_job(arg, job);
}

static const struct walk_file *next_file(struct run *run)
{
    const struct walk_file *file = NULL;
    if (report_halted(&run->report) != 0)
        return NULL;
    (void)pthread_mutex_lock(&run->mutex);
    if (run->next < run->walk.count)
        file = &run->walk.files[run->next++];
    (void)pthread_mutex_unlock(&run->mutex);
    return file;
}

static struct sender sender_of(struct run *run)
{
    return (struct sender){.plan = &run->plan,
                           .ledger = run->ledger,
                           .trusting = !args_given(&run->cli->args, "no-resume"),
                           .update = on_job,
                           .arg = &run->report};
}

static void *work(void *arg)
{
    struct run *run = arg;
    struct sender sender = sender_of(run);
    struct api_settings settings = cli_api_settings(run->cli);
    settings.patience_s = PATIENCE_S;
    settings.attempts = ATTEMPTS;
    sender.api = api_new(&settings);
    for (const struct walk_file *file; sender.api && (file = next_file(run)) != NULL;) {
        struct ingest_result result;
        send_file(&sender, file, &result);
        report_file(&run->report, file, &result);
    }
    api_free(&sender.api);
    api_reply_free(&sender.reply);
    return NULL;
}

static int send_all(struct run *run)
{
    pthread_t threads[THREADS_MAX];
    size_t wanted = (size_t)args_number(&run->cli->args, "parallel", THREADS);
    size_t begun = 0;
    /* that nobody is there is told once, and soon */
    int code = cli_ask(run->cli, &(struct api_request){.path = "/health/ping"});
    if (code != CLI_OK)
        return code;
    if (wanted > run->walk.count)
        wanted = run->walk.count;
    while (begun < wanted && pthread_create(&threads[begun], NULL, work, run) == 0)
        begun++;
    if (begun == 0 && wanted > 0)
        (void)work(run);
    for (size_t i = 0; i < begun; i++)
        (void)pthread_join(threads[i], NULL);
    return CLI_OK;
}

/* --dry-run: what would be sent; the server is not asked. */
static int plan_all(struct run *run)
{
    struct sender sender = sender_of(run);
    for (size_t i = 0; i < run->walk.count; i++) {
        char id[LEDGER_ID];
        struct ledger_entry known;
        struct ingest_result result = {.outcome = INGEST_PLANNED};
        ingest_id(&run->plan, run->walk.files[i].path, id);
        if (send_is_known(&sender, &run->walk.files[i], id, &known))
            result.outcome = INGEST_SKIPPED;
        if (!run->walk.files[i].lines && !run->plan.by_content)
            (void)snprintf(result.document, sizeof(result.document), "%s", id);
        report_file(&run->report, &run->walk.files[i], &result);
    }
    return CLI_OK;
}

/* --- all of it -------------------------------------------------------------------- */

static int run_all(struct run *run)
{
    const struct args *args = &run->cli->args;
    int code = make_plan(args, &run->plan) ? CLI_OK : CLI_USAGE;
    if (code == CLI_OK)
        code = find_files(run);
    if (code == CLI_OK)
        code = open_ledger(run);
    if (code == CLI_OK)
        code = args_given(args, "dry-run") ? plan_all(run) : send_all(run);
    return code;
}

static int run_ingest(struct cli *cli)
{
    struct run run = {.cli = cli};
    (void)pthread_mutex_init(&run.mutex, NULL);
    report_start(&run.report, args_given(&cli->args, "json"),
                 args_given(&cli->args, "dry-run"));
    int code = run_all(&run);
    if (code == CLI_OK)
        code = report_end(&run.report, run.walk.others);
    ledger_close(&run.ledger);
    walk_free(&run.walk);
    json_decref(run.plan.metadata);
    json_decref(run.plan.defaults);
    free(run.plan.base); /* realpath's */
    (void)pthread_mutex_destroy(&run.mutex);
    return code;
}

/* clang-format off */
static const struct option_row options[] = {
    {.name = "collection", .letter = 'c', .type = OPTION_TEXT, .value = "NAME",
     .help = "where the documents belong"},
    {.name = "department", .letter = 'd', .type = OPTION_TEXT, .value = "NAME",
     .help = "whose they are"},
    {.name = "clearance", .letter = 'l', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = 5, .help = "who may read them: 1 everybody to 5"},
    {.name = "campus", .type = OPTION_TEXT, .value = "NAME", .help = "where they are from"},
    {.name = "priority", .type = OPTION_NUMBER, .value = "N", .least = 1, .most = 5,
     .help = "how much they count, to 5"},
    {.name = "language", .type = OPTION_TEXT, .value = "CODE", .help = "en, de, ..."},
    {.name = "metadata", .letter = 'm', .type = OPTION_TEXT, .value = "KEY=VALUE",
     .repeated = true,
     .help = "anything else; numbers, true, false, lists and objects as in JSON"},
    {.name = "include", .type = OPTION_TEXT, .value = "GLOB", .repeated = true,
     .help = "which files in directories, in place of the known formats"},
    {.name = "exclude", .type = OPTION_TEXT, .value = "GLOB", .repeated = true,
     .help = "files and directories to leave out"},
    {.name = "hidden", .help = "also those whose names begin with a dot"},
    {.name = "follow", .help = "follow symbolic links in directories"},
    {.name = "base", .type = OPTION_FILE, .value = "DIR",
     .help = "documents are known by their paths below it, not by whole paths"},
    {.name = "by-content",
     .help = "the same bytes are one document, changed ones another; paths do not count"},
    {.name = "parallel", .letter = 'p', .type = OPTION_NUMBER, .value = "N", .least = 1,
     .most = THREADS_MAX, .help = "files at once (default 4)"},
    {.name = "dry-run", .letter = 'n', .help = "list what would be sent, and send nothing"},
    {.name = "no-resume", .help = "send also what was stored before"},
    {.name = "json", .help = "a line of JSON for each file on standard output"},
    {0}};
/* clang-format on */

const struct command ingest_command = {
    .name = "ingest",
    .arguments = "DIR|FILE...",
    .summary = "Store files and what is in directories",
    .details =
        "Reads PDF, DOCX, HTML, Markdown, text and CSV, each file a document, and "
        ".ndjson and .jsonl, each line one, as POST /api/documents/batch takes them. "
        "What such a line leaves open is filled in from the options.\n\n"
        "What was stored is remembered for each server: run again, or after an "
        "interruption, only what is new or has changed is sent. A file that has "
        "changed replaces its document: the id is made of the collection and the path "
        "(below --base, if given), so that no file is stored twice, whoever sends it, "
        "and two files never replace each other. What fails is told, and does not stop "
        "the rest.\n\n"
        "A GLOB with a slash is about the path below the directory that was named, "
        "without one about the name.",
    .options = options,
    .run = run_ingest,
    .kind = ARGUMENT_PATH,
    .least = 1,
    .most = -1};
