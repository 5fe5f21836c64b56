#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/embedder/batch/desk.h"
#include "shared/clock.h"
#include "shared/mem.h"

/* The desk before a provider that answers when the test says so. */

enum { DIMENSION = 4, BATCHES_MAX = 32 };

static struct fixture {
    uv_loop_t loop;
    struct provider provider;
    struct provider_batch *batches[BATCHES_MAX]; /* submitted and not answered */
    size_t count;
    size_t submitted; /* in all */
    struct lru *lru;
    struct desk *desk;
} fx;

static void submit(struct provider *provider, struct provider_batch *batch)
{
    (void)provider;
    assert_true(fx.count < BATCHES_MAX);
    fx.batches[fx.count++] = batch;
    fx.submitted++;
}

/* A vector that tells its text apart: its length, its first byte. */
static void answer(enum sh_err err)
{
    assert_true(fx.count > 0);
    struct provider_batch *batch = fx.batches[0];
    memmove(fx.batches, fx.batches + 1, --fx.count * sizeof(struct provider_batch *));
    for (size_t i = 0; i < batch->count; i++) {
        struct provider_text *text = &batch->texts[i];
        const char *bytes = text->text.data;
        text->err = err;
        text->tokens = 1;
        text->vector[0] = (float)text->text.len;
        text->vector[1] = (float)bytes[0];
    }
    batch->done(batch);
}

static void turn(void)
{
    for (int i = 0; i < 4; i++)
        uv_run(&fx.loop, UV_RUN_NOWAIT);
}

static void answer_all(void)
{
    while (fx.count > 0) {
        answer(SH_OK);
        turn();
    }
}

static int set_up(void **state)
{
    (void)state;
    memset(&fx, 0, sizeof(fx));
    assert_int_equal(uv_loop_init(&fx.loop), 0);
    fx.provider = (struct provider){
        .known = true,
        .ready = true,
        .slots = 1,
        .batch_texts = 3,
        .batch_bytes = 100,
        .submit = submit,
    };
    fx.provider.card.dimension = DIMENSION;
    (void)snprintf(fx.provider.card.query_prefix, 8, "q: ");
    (void)snprintf(fx.provider.card.fingerprint, 8, "first");
    assert_int_equal(lru_create(1 << 20, &fx.lru), SH_OK);
    assert_int_equal(desk_create(&fx.loop,
                                 &(struct desk_options){
                                     .provider = &fx.provider,
                                     .lru = fx.lru,
                                     .queue_max = 10,
                                 },
                                 &fx.desk),
                     SH_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    while (fx.count > 0)
        answer(SH_CANCELED);
    desk_close(&fx.desk);
    lru_free(&fx.lru);
    turn();
    return uv_loop_close(&fx.loop);
}

struct asked {
    unsigned answers;
    size_t count;
    enum sh_err errs[8];
    float vectors[8][DIMENSION];
    uint64_t tokens;
    struct desk_request *request;
};

static void on_done(void *arg, const struct desk_answer *got)
{
    struct asked *asked = arg;
    asked->answers++;
    asked->count = got->count;
    asked->tokens = got->tokens;
    assert_int_equal(got->dimension, DIMENSION);
    for (size_t i = 0; i < got->count; i++) {
        asked->errs[i] = got->errs[i];
        memcpy(asked->vectors[i], got->vectors + i * DIMENSION,
               sizeof(asked->vectors[i]));
    }
}

/* Texts parted by '|'. */
static enum sh_err ask(struct asked *asked, const char *list, uint32_t purpose,
                       uint64_t deadline_ms)
{
    struct sh_bytes texts[8];
    size_t count = 0;
    for (const char *at = list; *at;) {
        size_t len = strcspn(at, "|");
        texts[count++] = (struct sh_bytes){at, len};
        at += len + (at[len] == '|');
    }
    memset(asked, 0, sizeof(*asked));
    struct desk_ask question = {texts, count, purpose, false, deadline_ms};
    return desk_submit(fx.desk, &question, on_done, asked, &asked->request);
}

static void answers_in_order(void **state)
{
    (void)state;
    struct asked a;
    assert_int_equal(ask(&a, "one|three|two2", 0, SH_NO_DEADLINE), SH_OK);
    turn();
    assert_int_equal(a.answers, 0);
    assert_int_equal(fx.batches[0]->count, 3);
    answer(SH_OK);
    assert_int_equal(a.answers, 0); /* never from inside */
    turn();
    assert_int_equal(a.answers, 1);
    assert_true(a.vectors[0][0] == 3 && a.vectors[1][0] == 5 && a.vectors[2][0] == 4);
    assert_int_equal(a.tokens, 3);
}

static void equal_texts_are_computed_once(void **state)
{
    (void)state;
    struct asked a;
    struct asked b;
    struct asked c;
    assert_int_equal(ask(&a, "same|other|same", 0, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(ask(&b, "same", 0, SH_NO_DEADLINE), SH_OK);
    turn();
    assert_int_equal(fx.submitted, 1);
    assert_int_equal(fx.batches[0]->count, 2);
    assert_int_equal(ask(&c, "same", 0, SH_NO_DEADLINE), SH_OK); /* it runs already */
    turn();
    answer(SH_OK);
    turn();
    assert_int_equal(fx.submitted, 1);
    assert_true(a.answers == 1 && b.answers == 1 && c.answers == 1);
    assert_true(a.vectors[2][0] == 4 && b.vectors[0][0] == 4 && c.vectors[0][0] == 4);
}

static void what_was_computed_is_kept(void **state)
{
    (void)state;
    struct asked a;
    assert_int_equal(ask(&a, "kept", 0, SH_NO_DEADLINE), SH_OK);
    turn();
    answer(SH_OK);
    turn();
    assert_int_equal(ask(&a, "kept", 0, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(a.answers, 0);
    turn();
    assert_int_equal(a.answers, 1);
    assert_int_equal(fx.submitted, 1);
    /* a query bears a prefix: another vector */
    assert_int_equal(ask(&a, "kept", 1, SH_NO_DEADLINE), SH_OK);
    turn();
    assert_int_equal(fx.submitted, 2);
    answer(SH_OK);
    turn();
    assert_true(a.vectors[0][0] == 7);
    /* and so is that of another model */
    (void)snprintf(fx.provider.card.fingerprint, 8, "second");
    desk_forget(fx.desk);
    assert_int_equal(ask(&a, "kept", 0, SH_NO_DEADLINE), SH_OK);
    turn();
    assert_int_equal(fx.submitted, 3);
    answer_all();
}

static void queries_go_before_documents(void **state)
{
    (void)state;
    struct asked documents;
    struct asked more;
    struct asked query;
    assert_int_equal(ask(&documents, "d1|d2|d3", 2, SH_NO_DEADLINE), SH_OK);
    turn();
    assert_int_equal(ask(&more, "d4|d5|d6", 2, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(ask(&query, "why", 1, SH_NO_DEADLINE), SH_OK);
    turn();
    answer(SH_OK); /* the documents that ran */
    turn();
    assert_int_equal(fx.batches[0]->count, 1);
    answer(SH_OK);
    turn();
    assert_int_equal(query.answers, 1);
    assert_int_equal(more.answers, 0);
    answer(SH_OK);
    turn();
    assert_int_equal(more.answers, 1);
}

static void batches_are_bounded(void **state)
{
    (void)state;
    struct asked a;
    char list[160];
    memset(list, 'x', sizeof(list));
    list[60] = '|';
    list[61] = 'z'; /* another text */
    list[121] = '|';
    list[122] = 'y';
    list[159] = '\0';
    assert_int_equal(ask(&a, list, 2, SH_NO_DEADLINE), SH_OK);
    turn();
    assert_int_equal(fx.batches[0]->count, 1); /* the second would exceed 100 bytes */
    answer_all();
    assert_int_equal(a.answers, 1);
}

static void too_much_is_refused(void **state)
{
    (void)state;
    struct asked a;
    struct asked b;
    struct asked c;
    assert_int_equal(ask(&a, "1|2|3|4|5|6|7", 2, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(ask(&b, "8|9|a|b", 2, SH_NO_DEADLINE), SH_BUSY);
    assert_int_equal(ask(&c, "8|9|a", 2, SH_NO_DEADLINE), SH_OK);
    fx.provider.known = false;
    assert_int_equal(ask(&b, "x", 2, SH_NO_DEADLINE), SH_UNAVAILABLE);
    turn();
    answer_all();
}

static void late_work_is_dropped(void **state)
{
    (void)state;
    struct asked running;
    struct asked late;
    assert_int_equal(ask(&running, "running", 2, SH_NO_DEADLINE), SH_OK);
    turn();
    assert_int_equal(ask(&late, "late", 2, sh_now_ms() - 1), SH_OK);
    turn();
    answer(SH_OK);
    turn();
    assert_int_equal(late.answers, 1);
    assert_int_equal(late.errs[0], SH_TIMEOUT);
    assert_int_equal(fx.submitted, 1);
}

static void a_cancelled_request_is_not_computed(void **state)
{
    (void)state;
    struct asked running;
    struct asked gone;
    struct asked stays;
    assert_int_equal(ask(&running, "running", 2, SH_NO_DEADLINE), SH_OK);
    turn();
    assert_int_equal(ask(&gone, "gone|shared", 2, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(ask(&stays, "shared", 2, SH_NO_DEADLINE), SH_OK);
    turn();
    desk_cancel(gone.request);
    desk_cancel(running.request);
    assert_true(atomic_load(&fx.batches[0]->stop));
    answer(SH_CANCELED);
    turn();
    assert_int_equal(fx.count, 1);
    assert_int_equal(fx.batches[0]->count, 1);
    answer(SH_OK);
    turn();
    assert_int_equal(stays.answers, 1);
    assert_true(stays.vectors[0][0] == 6);
    assert_int_equal(gone.answers + running.answers, 0);
}

/* A request that joins a batch which is being given up must not go down with it. */
static void joining_an_abandoned_batch_starts_anew(void **state)
{
    (void)state;
    struct asked first;
    struct asked second;
    assert_int_equal(ask(&first, "text", 0, SH_NO_DEADLINE), SH_OK);
    turn();
    desk_cancel(first.request);
    assert_int_equal(ask(&second, "text", 0, SH_NO_DEADLINE), SH_OK);
    turn();
    answer(SH_CANCELED);
    turn();
    assert_int_equal(second.answers, 0);
    answer(SH_OK);
    turn();
    assert_int_equal(second.answers, 1);
    assert_int_equal(second.errs[0], SH_OK);
}

static void errors_are_not_kept(void **state)
{
    (void)state;
    struct asked a;
    assert_int_equal(ask(&a, "flaky|", 0, SH_NO_DEADLINE), SH_OK);
    turn();
    answer(SH_UPSTREAM);
    turn();
    assert_int_equal(a.errs[0], SH_UPSTREAM);
    assert_true(a.vectors[0][0] == 0);
    assert_int_equal(ask(&a, "flaky", 0, SH_NO_DEADLINE), SH_OK);
    turn();
    answer(SH_OK);
    turn();
    assert_int_equal(a.errs[0], SH_OK);
}

static void an_empty_text_is_the_callers_fault(void **state)
{
    (void)state;
    struct sh_bytes texts[] = {{"", 0}, {"full", 4}};
    struct asked a = {0};
    struct desk_ask question = {texts, 2, 1, false, SH_NO_DEADLINE};
    assert_int_equal(desk_submit(fx.desk, &question, on_done, &a, NULL), SH_OK);
    turn();
    answer(SH_OK);
    turn();
    assert_int_equal(a.errs[0], SH_INVALID);
    assert_int_equal(a.errs[1], SH_OK);
    question.count = 0;
    assert_int_equal(desk_submit(fx.desk, &question, on_done, &a, NULL), SH_OK);
    turn();
    assert_int_equal(a.answers, 2);
    assert_int_equal(a.count, 0);
}

static void work_of_a_model_that_is_gone_is_refused(void **state)
{
    (void)state;
    struct asked running;
    struct asked waiting;
    assert_int_equal(ask(&running, "1|2|3", 2, SH_NO_DEADLINE), SH_OK);
    turn();
    assert_int_equal(ask(&waiting, "4", 2, SH_NO_DEADLINE), SH_OK);
    (void)snprintf(fx.provider.card.fingerprint, 8, "second");
    desk_forget(fx.desk);
    turn();
    answer(SH_OK);
    turn();
    assert_int_equal(running.answers, 1);
    assert_int_equal(waiting.errs[0], SH_UNAVAILABLE);
    assert_int_equal(lru_count(fx.lru), 0);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    int failures = 0;
    for (bool good = false; !good; failures++) {
        char list[32];
        struct asked a;
        (void)snprintf(list, sizeof(list), "a%d|b%d", failures, failures);
        sh_mem_fail_after(failures);
        enum sh_err err = ask(&a, list, 0, SH_NO_DEADLINE);
        turn();
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        struct asked nudge; /* what could not be dispatched goes with the next */
        assert_int_equal(ask(&nudge, "nudge", 0, SH_NO_DEADLINE), SH_OK);
        turn();
        answer_all();
        assert_int_equal(a.answers, err == SH_OK);
        good = err == SH_OK && a.errs[0] == SH_OK && a.errs[1] == SH_OK && failures > 12;
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(answers_in_order),
        T(equal_texts_are_computed_once),
        T(what_was_computed_is_kept),
        T(queries_go_before_documents),
        T(batches_are_bounded),
        T(too_much_is_refused),
        T(late_work_is_dropped),
        T(a_cancelled_request_is_not_computed),
        T(joining_an_abandoned_batch_starts_anew),
        T(errors_are_not_kept),
        T(an_empty_text_is_the_callers_fault),
        T(work_of_a_model_that_is_gone_is_refused),
        T(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests_name("desk", tests, NULL, NULL);
}
