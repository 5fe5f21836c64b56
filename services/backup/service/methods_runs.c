/* What the service can be asked about runs: to start one, how far they are, to end one.
 */
#include <stdio.h>
#include <string.h>

#include "services/backup/run/ledger.h"
#include "services/backup/run/root.h"
#include "services/backup/service/methods.h"

/* --- runs ------------------------------------------------------------------------- */

struct verb {
    const char *name;
    bool of_a_set;   /* one that is here already */
    bool makes_room; /* where the disk is full */
};

/* NULL: there is none of that name. */
static const struct verb *find_verb(const char *name)
{
    static const struct verb verbs[] = {
        {"create", false, false}, {"verify", true, false}, {"drill", true, false},
        {"restore", true, false}, {"undo", false, false},  {"prune", false, true},
        {"delete", true, true},   {"copy", true, false},   {"fetch", false, false},
    };

    for (size_t i = 0; i < SH_COUNT(verbs); i++)
        if (strcmp(name, verbs[i].name) == 0)
            return &verbs[i];
    return NULL;
}

struct words {
    const char *list[RUN_WORDS];
    unsigned count;
};

static void say(struct words *words, const char *option, const char *value)
{
    if (value[0] == '\0' || words->count + 2 > RUN_WORDS)
        return;
    if (option != NULL)
        words->list[words->count++] = option;
    words->list[words->count++] = value;
}

/* A value never begins an option of its own: each follows its option's name, and the id
 * is checked. */
static void spell(struct sh_rpc_call *call, const struct backup_order *order,
                  const char *by, struct words *words)
{
    say(words, NULL, methods_text(call, order->verb));
    say(words, NULL, methods_text(call, order->id));
    say(words, "--kind", methods_text(call, order->kind));
    say(words, "--label", methods_text(call, order->label));
    say(words, "--verify", methods_text(call, order->proof));
    say(words, "--target", methods_text(call, order->target));
    say(words, "--database", methods_text(call, order->database));
    say(words, "--confirm", methods_text(call, order->confirm));
    say(words, "--from", methods_text(call, order->from));
    say(words, "--until", methods_text(call, order->until));
    for (size_t i = 0; i < order->tables_count; i++)
        say(words, "--table", methods_text(call, order->tables[i]));
    for (size_t i = 0; i < order->collections_count; i++)
        say(words, "--collection", methods_text(call, order->collections[i]));
    say(words, "--by", by);
    if (order->dry_run)
        say(words, NULL, "--dry-run");
    if (order->force)
        say(words, NULL, "--force");
}

static bool id_fits(struct sh_rpc_call *call, struct sh_bytes id)
{
    return id.len == 0 ||
           (root_id_ok(methods_text(call, id)) && ((const char *)id.data)[0] != '-');
}

static void refuse(struct sh_rpc_call *call, enum sh_err err)
{
    if (err == SH_CONFLICT)
        sh_rpc_fail_key_reused(call);
    else if (err == SH_NOTFOUND)
        sh_rpc_fail(call, err, NULL, "id", "there is no such backup set");
    else
        sh_rpc_fail(call, err, NULL, NULL, "%s",
                    err == SH_IO     ? "it is not begun: it cannot be written down in "
                                       "BACKUP_DIR/.runs"
                    : err == SH_BUSY ? "too many runs wait already"
                                     : sh_err_text(err));
}

static void on_taken(void *arg, enum sh_err err, const json_t *run)
{
    struct sh_rpc_call *call = arg;

    if (err == SH_OK)
        methods_answer(call, json_deep_copy(run),
                       json_string_value(json_object_get(run, "run_id")));
    else
        refuse(call, err);
}

/* NULL: the call bears none. */
static const char *key_of(struct sh_rpc_call *call, char text[static RUN_KEY])
{
    const uint8_t *key = sh_rpc_call_idempotency_key(call);

    for (size_t i = 0; key != NULL && i < (RUN_KEY - 1) / 2; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", key[i]);
    return key != NULL ? text : NULL;
}

void methods_run(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    const struct caller *caller = sh_rpc_call_caller(call);
    struct backup_order order;
    struct words words = {.count = 0};
    const struct run *known;
    char key[RUN_KEY];
    const char *by = "";
    enum sh_err err;

    if (sh_rpc_call_decode(call, backup_order_desc(), &order) != SH_OK)
        return;
    const struct verb *verb = find_verb(methods_text(call, order.verb));
    if (verb == NULL || !id_fits(call, order.id)) {
        refuse(call, SH_NOTFOUND);
        return;
    }
    if (caller != NULL)
        by =
            methods_text(call, caller->username.len ? caller->username : caller->user_id);
    spell(call, &order, by, &words);
    const struct run_order wanted = {.words = words.list,
                                     .count = words.count,
                                     .by = by,
                                     .key = key_of(call, key),
                                     .regardless = verb->makes_room,
                                     .of_a_set = verb->of_a_set,
                                     .taken = on_taken,
                                     .arg = call};
    err = runs_known(backup->runs, &wanted, &known);
    if (err == SH_OK) {
        methods_answer(call, runs_json(known), known->id);
        return;
    }
    if (err == SH_NOTFOUND)
        err = runs_add(backup->runs, &wanted, NULL);
    if (err != SH_OK)
        refuse(call, err);
}

/* --- looking, ending -------------------------------------------------------------- */

enum { BODY_MOST = 2000000 };

/* Results are as long as sets have tables; single runs still have theirs. */
static void shorten(json_t *runs)
{
    size_t i;
    json_t *run;

    if (json_dumpb(runs, NULL, 0, JSON_COMPACT) > BODY_MOST)
        json_array_foreach(runs, i, run) json_object_set_new(run, "result", json_null());
}

static void on_runs(void *arg, enum sh_err err, const json_t *read, uint64_t version)
{
    json_t *runs = json_deep_copy(read);

    (void)version;
    (void)err; /* those in memory there are always */
    shorten(runs);
    methods_answer(arg, json_pack("{s:o}", "runs", runs), "");
}

void methods_runs(void *arg, struct sh_rpc_call *call)
{
    static const struct runs_question all = {.id = ""};
    struct backup *backup = arg;

    if (runs_read(backup->runs, &all, on_runs, call) != SH_OK)
        sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
}

void methods_fail_run(struct sh_rpc_call *call, enum sh_err err)
{
    sh_rpc_fail(call, err, NULL, "run", "%s",
                err == SH_NOTFOUND   ? "there is no such run"
                : err == SH_CONFLICT ? "it has ended"
                                     : sh_err_text(err));
}

static void on_run(void *arg, enum sh_err err, const json_t *read, uint64_t version)
{
    if (err == SH_OK)
        methods_answer_run(arg, json_deep_copy(read), version);
    else
        methods_fail_run(arg, err);
}

static void answer_ours(struct sh_rpc_call *call, const struct run *run)
{
    methods_answer_run(call, runs_json(run), run->version);
}

/* A run of another replica, or from before the start. */
static void ask_elsewhere(struct backup *backup, struct sh_rpc_call *call, const char *id,
                          bool cancel)
{
    const struct runs_question question = {.id = id, .cancel = cancel};
    enum sh_err err =
        ledger_id_ok(id) ? runs_read(backup->runs, &question, on_run, call) : SH_NOTFOUND;

    if (err != SH_OK)
        methods_fail_run(call, err);
}

void methods_run_get(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    struct backup_ref ref;

    if (sh_rpc_call_decode(call, backup_ref_desc(), &ref) != SH_OK)
        return;
    const char *id = methods_text(call, ref.id);
    const struct run *run = runs_find(backup->runs, id);
    if (run != NULL)
        answer_ours(call, run);
    else
        ask_elsewhere(backup, call, id, false);
}

void methods_run_cancel(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    struct backup_ref ref;

    if (sh_rpc_call_decode(call, backup_ref_desc(), &ref) != SH_OK)
        return;
    const char *id = methods_text(call, ref.id);
    enum sh_err err = runs_cancel(backup->runs, id);
    if (err == SH_OK)
        answer_ours(call, runs_find(backup->runs, id));
    else if (err == SH_NOTFOUND)
        ask_elsewhere(backup, call, id, true);
    else
        methods_fail_run(call, err);
}
