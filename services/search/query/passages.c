#include "services/search/query/passages.h"

#include <inttypes.h>
#include <stdio.h>

#include "services/search/ingest/record.h"
#include "services/search/query/record_call.h"
#include "services/search/store/statements.h"

enum { READ_MS = 5000, PER_PAGE = 20, PARAMS = 1 + RECORD_RIGHTS + 3 };
enum { FOUND_TOTAL, FOUND_PAGE, FOUND_ID, FOUND_SECTION, FOUND_TEXT, FOUND_NUMBER };

static void answer(struct sh_rpc_call *call, const PGresult *rows)
{
    int count = PQntuples(rows);
    struct passage_page page = {.total = sh_pg_u64(rows, 0, FOUND_TOTAL),
                                .page = (uint32_t)sh_pg_u64(rows, 0, FOUND_PAGE)};
    struct passage *passages =
        sh_arena_array(sh_rpc_call_arena(call), (size_t)count, sizeof(*passages));

    if (passages == NULL) {
        record_no_memory(call);
        return;
    }
    for (int row = 0; row < count && !PQgetisnull(rows, row, FOUND_ID); row++)
        passages[page.passages_count++] = (struct passage){
            sh_pg_text(rows, row, FOUND_ID), sh_pg_text(rows, row, FOUND_SECTION),
            sh_pg_text(rows, row, FOUND_TEXT),
            (uint32_t)sh_pg_u64(rows, row, FOUND_NUMBER)};
    page.passages = passages;
    sh_rpc_reply(call, passage_page_desc(), &page);
}

static void on_rows(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = arg;

    if (record_failed(call, reply))
        return;
    if (PQntuples(reply->results[0]) == 0)
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such document");
    else
        answer(call, reply->results[0]);
}

static void ask(struct documents *self, struct sh_rpc_call *call,
                const struct passage_list *list)
{
    struct sh_pg_param params[PARAMS] = {{.value = list->document_id}};
    struct sh_pg_step step = {&store_passages, params, PARAMS, false};
    struct sh_pg_call work = {.steps = &step,
                              .count = 1,
                              .read_only = true,
                              .deadline_ms = record_deadline(call, READ_MS),
                              .trace = sh_rpc_call_trace(call)};
    char per_page[16];
    char page[16];

    (void)snprintf(per_page, sizeof(per_page), "%" PRIu32,
                   list->per_page > 0 ? list->per_page : PER_PAGE);
    (void)snprintf(page, sizeof(page), "%" PRIu32, list->page > 0 ? list->page : 1);
    params[1 + RECORD_RIGHTS].value = sh_bytes_of(per_page);
    params[2 + RECORD_RIGHTS].value = sh_bytes_of(page);
    if (list->passage.len > 0)
        params[3 + RECORD_RIGHTS].value = list->passage;
    enum sh_err err = record_rights(call, params + 1);
    if (err == SH_OK)
        err = sh_pg_run(self->pg, &work, on_rows, call);
    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}

void passages_list(void *arg, struct sh_rpc_call *call)
{
    struct passage_list list;

    if (sh_rpc_call_decode(call, passage_list_desc(), &list) != SH_OK)
        return;
    if (record_id_ok(list.document_id))
        ask(arg, call, &list);
    else
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such document");
}
