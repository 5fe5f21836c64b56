#include <stdio.h>
#include <string.h>

#include "services/backup/pipeline/digest.h"
#include "services/backup/service/runs_internal.h"
#include "shared/clock.h"

static enum sh_err digest_of(const struct run_order *order, char out[static RUN_KEY])
{
    struct digest digest = {0};
    char text[DIGEST_TEXT];
    enum sh_err err = digest_begin(&digest);

    for (unsigned i = 0; i < order->count && err == SH_OK; i++) /* each with its end */
        digest_add(&digest,
                   (struct sh_bytes){order->words[i], strlen(order->words[i]) + 1});
    if (err == SH_OK) {
        digest_end(&digest, text);
        (void)snprintf(out, RUN_KEY, "%.*s", RUN_KEY - 1, text);
    }
    digest_free(&digest);
    return err;
}

enum sh_err run_key_note(struct run *run, const struct run_order *order)
{
    if (order->key == NULL)
        return SH_OK;
    (void)snprintf(run->key, sizeof(run->key), "%s", order->key);
    return digest_of(order, run->order);
}

enum sh_err runs_known(const struct runs *runs, const struct run_order *order,
                       const struct run **out)
{
    char digest[RUN_KEY];
    double oldest = sh_wall_time() - LEDGER_KEY_S;
    enum sh_err err = SH_NOTFOUND;

    for (size_t i = 0; order->key != NULL && i < RUNS_KEPT && err == SH_NOTFOUND; i++) {
        const struct run *run = &runs->list[i];
        if (!run->kept || strcmp(run->key, order->key) != 0 || run->created_at < oldest)
            continue;
        err = digest_of(order, digest);
        if (err == SH_OK && strcmp(digest, run->order) != 0)
            err = SH_CONFLICT;
        *out = run;
    }
    return err;
}
