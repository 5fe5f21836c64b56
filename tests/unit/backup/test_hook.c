/* The hook against a real receiver. */
#include "services/backup/service/hook.h"
#include "tests/unit/libshared/http_fixture.h"

enum { HEARD = 32 };

struct receiver {
    struct fixture *f;
    struct hook *hook;
    char url[64];
    int statuses[HEARD]; /* what it answers, in order; then 200 */
    char bodies[HEARD][32];
    int heard;
};

static void on_body(void *arg, struct sh_http_request *request, enum sh_err err,
                    struct sh_bytes body)
{
    struct receiver *receiver = arg;
    int n = receiver->heard++;

    assert_int_equal(err, SH_OK);
    assert_true(n < HEARD);
    (void)snprintf(receiver->bodies[n], sizeof(receiver->bodies[n]), "%.*s",
                   (int)body.len, (const char *)body.data);
    sh_http_respond(request, receiver->statuses[n] ? receiver->statuses[n] : 200,
                    "text/plain", sh_bytes_of("x"));
}

static void on_request(void *arg, struct sh_http_request *request)
{
    sh_http_read_all(request, 1000, on_body, arg);
}

static struct receiver receive(void **state)
{
    return (struct receiver){.f = *state};
}

static void open_hook(struct receiver *receiver)
{
    struct sh_http_server_options server = {.host = "127.0.0.1",
                                            .handler = on_request,
                                            .arg = receiver,
                                            .metrics_label = "test"};
    struct hook_options options = {
        .loop = &receiver->f->loop, .url = receiver->url, .first_pause_ms = 1};

    assert_int_equal(
        sh_http_server_create(&receiver->f->loop, &server, &receiver->f->server), SH_OK);
    (void)snprintf(receiver->url, sizeof(receiver->url), "http://127.0.0.1:%u/hook",
                   (unsigned)sh_http_server_port(receiver->f->server));
    assert_int_equal(hook_create(&options, &receiver->hook), SH_OK);
}

static void failures_are_told_in_their_order(void **state)
{
    struct receiver receiver = receive(state);

    open_hook(&receiver);
    hook_tell(receiver.hook, "one");
    hook_tell(receiver.hook, "two");
    pump_until(receiver.f, receiver.heard == 2);
    assert_string_equal(receiver.bodies[0], "one");
    assert_string_equal(receiver.bodies[1], "two");
    hook_close(&receiver.hook);
    assert_null(receiver.hook);
}

static void who_is_busy_is_asked_again(void **state)
{
    struct receiver receiver = receive(state);

    receiver.statuses[0] = 503;
    receiver.statuses[1] = 429;
    open_hook(&receiver);
    hook_tell(receiver.hook, "one");
    hook_tell(receiver.hook, "two");
    pump_until(receiver.f, receiver.heard == 4);
    for (int i = 0; i < 3; i++)
        assert_string_equal(receiver.bodies[i], "one");
    assert_string_equal(receiver.bodies[3], "two");
    hook_close(&receiver.hook);
}

static void attempts_are_bounded(void **state)
{
    struct receiver receiver = receive(state);

    for (int i = 0; i < HOOK_TRIES; i++)
        receiver.statuses[i] = 500;
    receiver.statuses[HOOK_TRIES] = 404; /* no use in asking again */
    open_hook(&receiver);
    hook_tell(receiver.hook, "one");
    hook_tell(receiver.hook, "two");
    hook_tell(receiver.hook, "three");
    pump_until(receiver.f, receiver.heard == HOOK_TRIES + 2);
    assert_string_equal(receiver.bodies[HOOK_TRIES - 1], "one");
    assert_string_equal(receiver.bodies[HOOK_TRIES], "two");
    assert_string_equal(receiver.bodies[HOOK_TRIES + 1], "three");
    hook_close(&receiver.hook);
}

static void what_waits_is_bounded(void **state)
{
    struct receiver receiver = receive(state);
    char text[16];

    open_hook(&receiver);
    for (int i = 0; i < HOOK_WAITING + 3; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        hook_tell(receiver.hook, text); /* the last three find no room */
    }
    pump_until(receiver.f, receiver.heard == HOOK_WAITING);
    hook_tell(receiver.hook, "later");
    pump_until(receiver.f, receiver.heard == HOOK_WAITING + 1);
    assert_string_equal(receiver.bodies[HOOK_WAITING - 1], "7");
    assert_string_equal(receiver.bodies[HOOK_WAITING], "later");
    hook_close(&receiver.hook);
}

static void nobody_there_does_not_hold_the_end(void **state)
{
    struct receiver receiver = receive(state);

    open_hook(&receiver);
    sh_http_server_close(&receiver.f->server);
    hook_tell(receiver.hook, "one");
    uv_run(&receiver.f->loop, UV_RUN_NOWAIT);
    hook_close(&receiver.hook); /* while it is tried; the leak checker sees the rest */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(failures_are_told_in_their_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_is_busy_is_asked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(attempts_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(what_waits_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_there_does_not_hold_the_end, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
