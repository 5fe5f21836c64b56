#include "services/search/files/files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/files/files_sql.h"
#include "services/search/ingest/record.h"
#include "services/search/query/record_call.h"

enum { MOST_MS = 5000 };

struct work { /* a call that the database works on */
    struct files *files;
    struct sh_rpc_call *call;
};

static void fail(struct sh_rpc_call *call, enum sh_err err)
{
    sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}

static void run(struct files *files, struct sh_rpc_call *call,
                const struct sh_pg_step *step, sh_pg_done_fn *done)
{
    struct work *work = sh_arena_alloc(sh_rpc_call_arena(call), sizeof(*work));
    struct sh_pg_call order = {.steps = step,
                               .count = 1,
                               .deadline_ms = record_deadline(call, MOST_MS),
                               .trace = sh_rpc_call_trace(call)};
    enum sh_err err = SH_NOMEM;

    if (work != NULL) {
        *work = (struct work){files, call};
        err = sh_pg_run(files->pg, &order, done, work);
    }
    if (err != SH_OK)
        fail(call, err);
}

/* --- which file
 * ------------------------------------------------------------------------- */

static void answer_info(struct sh_rpc_call *call, const PGresult *rows)
{
    struct file_info info = {
        .hash = sh_pg_text(rows, 0, FILE_COLUMN_HASH),
        .name = sh_pg_text(rows, 0, FILE_COLUMN_NAME),
        .type = sh_pg_text(rows, 0, FILE_COLUMN_TYPE),
        .size = sh_pg_u64(rows, 0, FILE_COLUMN_SIZE),
        .pages = (uint32_t)sh_pg_u64(rows, 0, FILE_COLUMN_PAGES),
        .updated_at = strtod(PQgetvalue(rows, 0, FILE_COLUMN_UPDATED), NULL),
    };

    sh_rpc_reply(call, file_info_desc(), &info);
}

static void on_info(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = ((struct work *)arg)->call;

    if (record_failed(call, reply))
        return;
    if (PQntuples(reply->results[0]) == 0)
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such document");
    else if (PQgetisnull(reply->results[0], 0, FILE_COLUMN_HASH))
        sh_rpc_fail(call, SH_NOTFOUND, "no_file", NULL,
                    "the document was not made from a file");
    else
        answer_info(call, reply->results[0]);
}

void files_get(void *arg, struct sh_rpc_call *call)
{
    struct sh_pg_param params[1 + RECORD_RIGHTS] = {0};
    struct sh_pg_step step = {&files_info, params, SH_COUNT(params), false};
    struct file_ref ref;

    if (sh_rpc_call_decode(call, file_ref_desc(), &ref) != SH_OK)
        return;
    params[0].value = ref.document_id;
    if (!record_id_ok(ref.document_id))
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such document");
    else if (record_rights(call, params + 1) != SH_OK)
        fail(call, SH_NOMEM);
    else
        run(arg, call, &step, on_info);
}

/* --- uploads under way
 * ------------------------------------------------------------------ */

static void on_claimed(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = ((struct work *)arg)->call;
    struct file_claimed claimed;

    if (record_failed(call, reply))
        return;
    if (PQgetisnull(reply->results[0], 0, 0)) {
        sh_rpc_fail(call, SH_BUSY, NULL, NULL, "the same file is being removed");
        return;
    }
    claimed.claim = sh_pg_u64(reply->results[0], 0, 0);
    sh_rpc_reply(call, file_claimed_desc(), &claimed);
}

void files_claim_call(void *arg, struct sh_rpc_call *call)
{
    struct sh_pg_param param = {0};
    struct sh_pg_step step = {&files_claim, &param, 1, false};
    struct file_claim claim;

    if (sh_rpc_call_decode(call, file_claim_desc(), &claim) != SH_OK)
        return;
    param.value = claim.hash;
    if (sh_file_hash_ok(claim.hash))
        run(arg, call, &step, on_claimed);
    else
        fail(call, SH_INVALID);
}

static void on_released(void *arg, const struct sh_pg_reply *reply)
{
    struct work *work = arg;
    struct empty nothing = {0};

    if (record_failed(work->call, reply))
        return;
    file_keeper_wake(work->files->keeper);
    sh_rpc_reply(work->call, empty_desc(), &nothing);
}

void files_release_call(void *arg, struct sh_rpc_call *call)
{
    char text[24];
    struct sh_pg_param param = {0};
    struct sh_pg_step step = {&files_release, &param, 1, false};
    struct file_claimed claimed;

    if (sh_rpc_call_decode(call, file_claimed_desc(), &claimed) != SH_OK)
        return;
    (void)snprintf(text, sizeof(text), "%" PRIu64, claimed.claim);
    param.value = sh_bytes_of(text);
    run(arg, call, &step, on_released);
}
