/* What is done with backup sets: each is a run of the backup service, answered at once by
 * where to see how far it is. */
#include <stdio.h>

#include "services/gateway/handlers/events.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/write_key.h"

enum { ORDER_MS = 10000 };

struct create_body {
    uint32_t kind;
    struct sh_bytes label;
    uint32_t proof;
    bool verify, verify_given;
};

struct restore_body {
    uint32_t target;
    struct sh_bytes database;
    struct sh_bytes confirm;
    struct schema_texts tables, collections;
};

struct prune_body {
    bool dry_run;
};

struct undo_body {
    struct sh_bytes confirm;
};

static const char *const kinds[] = {"full", "physical", "files", "config", NULL};
static const char *const proofs[] = {"as_set", "none", "verify", "drill", NULL};
static const char *const targets[] = {"scratch", "database", "live", "files", NULL};

/* clang-format off */
#define AT(member) offsetof(struct create_body, member)
static const struct schema_field create_fields[] = {
    {.name = "kind", .type = SCHEMA_CHOICE, .offset = AT(kind), .choices = kinds,
     .fallback = "\"full\"", .help = "full: database, originals and settings; physical: the server's "
             "files in place of a dump"},
    {.name = "label", .type = SCHEMA_TEXT, .offset = AT(label), .most = 250, .bytes = 250,
     .help = "for people"},
    {.name = "verify", .type = SCHEMA_BOOLEAN, .offset = AT(verify),
     .present = AT(verify_given),
     .help = "true: restored into a PostgreSQL of its own and compared; false: not even "
             "read again; absent: as BACKUP_VERIFY says"},
    {.name = "proof", .type = SCHEMA_CHOICE, .offset = AT(proof), .choices = proofs,
     .fallback = "\"as_set\"", .help = "the same, more exactly"},
};
#undef AT
#define AT(member) offsetof(struct restore_body, member)
static const struct schema_field restore_fields[] = {
    {.name = "target", .type = SCHEMA_CHOICE, .offset = AT(target), .choices = targets,
     .required = true,
     .help = "scratch: a drill; database: a new one beside; live: in place of what is "
             "there; files: originals that are missing"},
    {.name = "database", .type = SCHEMA_TEXT, .offset = AT(database), .most = 60,
     .bytes = 60, .help = "name of the new one"},
    {.name = "confirm", .type = SCHEMA_TEXT, .offset = AT(confirm), .most = 64,
     .bytes = 64, .help = "live: the set's id once more"},
    {.name = "tables", .type = SCHEMA_TEXTS, .offset = AT(tables), .most = 16,
     .help = "database: only the rows of these tables"},
    {.name = "collections", .type = SCHEMA_TEXTS, .offset = AT(collections), .most = 16,
     .help = "live: only the documents of these collections, added or in place of those "
             "with their ids"},
};
#undef AT
#define AT(member) offsetof(struct prune_body, member)
static const struct schema_field prune_fields[] = {
    {.name = "dry_run", .type = SCHEMA_BOOLEAN, .offset = AT(dry_run),
     .fallback = "false", .help = "only say what would be removed"},
};
#undef AT
#define AT(member) offsetof(struct undo_body, member)
static const struct schema_field undo_fields[] = {
    {.name = "confirm", .type = SCHEMA_TEXT, .offset = AT(confirm), .required = true,
     .least = 1, .most = 16,
     .help = "undo: back to before the last restore; redo: what it had brought, after an undo"},
};
#undef AT
/* clang-format on */

const struct schema backup_create_schema = {"BackupRequest", "A backup set to be made.",
                                            sizeof(struct create_body), create_fields,
                                            SH_COUNT(create_fields)};
const struct schema backup_restore_schema = {
    "BackupRestore", "Where a set is to be restored.", sizeof(struct restore_body),
    restore_fields, SH_COUNT(restore_fields)};
const struct schema backup_prune_schema = {"BackupPrune", "Removing what no rule keeps.",
                                           sizeof(struct prune_body), prune_fields,
                                           SH_COUNT(prune_fields)};

const struct schema backup_undo_schema = {
    "BackupUndo", "Going back to before the last restore, or forth again.",
    sizeof(struct undo_body), undo_fields, SH_COUNT(undo_fields)};

/* --- asking ----------------------------------------------------------------------- */

static void on_answer(struct exchange *x, const struct sh_rpc_response *response)
{
    struct backup_answer reply;

    if (exchange_decode(x, backup_answer_desc(), response->payload, &reply))
        exchange_answer_as(x, 200, "application/json", reply.body);
}

static void on_started(struct exchange *x, const struct sh_rpc_response *response)
{
    struct backup_answer reply;
    char place[128];

    if (!exchange_decode(x, backup_answer_desc(), response->payload, &reply))
        return;
    (void)snprintf(place, sizeof(place), "/api/backups/runs/%.*s", (int)reply.run_id.len,
                   (const char *)reply.run_id.data);
    sh_http_add_header(x->request, "Location", place);
    exchange_answer_as(x, 202, "application/json", reply.body);
}

static void ask(struct exchange *x, enum method method, const struct msg_desc *desc,
                const void *message)
{
    bool starts = method == METHOD_BACKUP_RUN;
    bool writes = starts || method == METHOD_BACKUP_RUN_CANCEL;
    struct write_key key = {.given = false};

    if (starts && !write_key_read(x, &key))
        return;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_BACKUP,
                         .method = (uint32_t)method,
                         .kind = writes ? SH_RPC_WRITE : SH_RPC_READ,
                         .desc = desc,
                         .msg = message,
                         .key = write_key_bytes(&key),
                         .timeout_ms = ORDER_MS,
                         .done = starts ? on_started : on_answer,
                     });
}

static void order(struct exchange *x, struct backup_order what, const char *verb)
{
    what.verb = sh_bytes_of(verb);
    ask(x, METHOD_BACKUP_RUN, backup_order_desc(), &what);
}

/* About the set that the path names. */
static void order_for(struct exchange *x, struct backup_order what, const char *verb)
{
    char id[64];

    if (!exchange_param(x, "id", id, sizeof(id)))
        return;
    what.id = sh_bytes_of(id);
    order(x, what, verb);
}

static void ask_about(struct exchange *x, enum method method, const char *name)
{
    char id[64];
    struct backup_ref ref;

    if (!exchange_param(x, name, id, sizeof(id)))
        return;
    ref.id = sh_bytes_of(id);
    ask(x, method, backup_ref_desc(), &ref);
}

/* --- routes ----------------------------------------------------------------------- */

void backup_post(struct exchange *x, void *body_in)
{
    const struct create_body *body = body_in;
    const char *proof = body->proof > 0 ? proofs[body->proof] : "";
    struct backup_order what = {.kind = sh_bytes_of(kinds[body->kind]),
                                .label = body->label};

    if (body->proof == 0 && body->verify_given)
        proof = body->verify ? "drill" : "none";
    what.proof = sh_bytes_of(proof);
    order(x, what, "create");
}

void backup_restore_post(struct exchange *x, void *body_in)
{
    const struct restore_body *body = body_in;
    struct backup_order what = {.target = sh_bytes_of(targets[body->target]),
                                .database = body->database,
                                .confirm = body->confirm,
                                .tables = body->tables.items,
                                .tables_count = body->tables.count,
                                .collections = body->collections.items,
                                .collections_count = body->collections.count};
    char id[64];

    if (!exchange_param(x, "id", id, sizeof(id)) ||
        !exchange_query_text(x, "until", 47, &what.until))
        return;
    if (body->tables.count > 0 && body->target != 1)
        exchange_invalid(x, "tables", "tables are restored into another database");
    else if (body->collections.count > 0 && body->target != 2)
        exchange_invalid(x, "collections", "collections are restored into the live one");
    else if (body->target == 1 && body->database.len == 0)
        exchange_invalid(x, "database", "a new database needs a name");
    else if (body->target == 2 && !sh_bytes_is(body->confirm, id))
        exchange_invalid(x, "confirm", "the set's id must be repeated");
    else
        order_for(x, what, "restore");
}

void backup_verify_post(struct exchange *x, void *unused)
{
    (void)unused;
    order_for(x, (struct backup_order){.dry_run = false}, "verify");
}

void backup_drill_post(struct exchange *x, void *unused)
{
    (void)unused;
    order_for(x, (struct backup_order){.dry_run = false}, "drill");
}

void backup_copy_post(struct exchange *x, void *unused)
{
    (void)unused;
    order_for(x, (struct backup_order){.dry_run = false}, "copy");
}

void backup_delete(struct exchange *x, void *unused)
{
    (void)unused;
    order_for(x, (struct backup_order){.dry_run = false}, "delete");
}

void backup_prune_post(struct exchange *x, void *body_in)
{
    const struct prune_body *body = body_in;

    order(x, (struct backup_order){.dry_run = body->dry_run}, "prune");
}

void backup_undo_post(struct exchange *x, void *body_in)
{
    const struct undo_body *body = body_in;

    if (sh_bytes_is(body->confirm, "undo") || sh_bytes_is(body->confirm, "redo"))
        order(x, (struct backup_order){.confirm = body->confirm}, "undo");
    else
        exchange_invalid(x, "confirm", "it must be undo, or redo");
}

void backup_get(struct exchange *x, void *unused)
{
    (void)unused;
    ask_about(x, METHOD_BACKUP_SHOW, "id");
}

void backup_run_get(struct exchange *x, void *unused)
{
    (void)unused;
    ask_about(x, METHOD_BACKUP_RUN_GET, "run");
}

static enum sh_err read_run(struct sh_bytes payload, struct sh_arena *arena,
                            struct sh_buffer *out, struct events_state *state)
{
    struct backup_answer run;
    enum sh_err err = msg_decode(backup_answer_desc(), payload, arena, &run);

    if (err != SH_OK)
        return err;
    sh_buffer_append(out, run.body.data, run.body.len);
    state->version = run.version;
    state->ended = run.ended;
    return out->err;
}

void backup_run_events(struct exchange *x, void *unused)
{
    static const struct events_source source = {PEER_BACKUP, METHOD_BACKUP_RUN_WAIT,
                                                read_run};

    (void)unused;
    events_watch(x, "run", &source);
}

void backup_run_delete(struct exchange *x, void *unused)
{
    (void)unused;
    ask_about(x, METHOD_BACKUP_RUN_CANCEL, "run");
}

void backup_run_list(struct exchange *x, void *unused)
{
    static const struct empty nothing;

    (void)unused;
    ask(x, METHOD_BACKUP_RUNS, empty_desc(), &nothing);
}

void backup_schedule_get(struct exchange *x, void *unused)
{
    static const struct empty nothing;

    (void)unused;
    ask(x, METHOD_BACKUP_SCHEDULE, empty_desc(), &nothing);
}
