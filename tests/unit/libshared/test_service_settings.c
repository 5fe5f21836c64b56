/* What a service is told: settings, reloading, the command line. */
#include "service_fixture.h"

static void write_dotenv(const char *text)
{
    FILE *file = fopen(".env", "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void hangup_reloads(void **state)
{
    struct fixture *f = *state;
    write_dotenv("LOG_LEVEL=INFO\n");
    (void)start(f, (struct subject){0});
    write_dotenv("LOG_LEVEL=LOUD\n");
    assert_int_equal(kill(f->pid, SIGHUP), 0);
    (void)wait_for(f, "LOG_LEVEL: not one of DEBUG");
    write_dotenv("LOG_LEVEL=INFO\nOPS_HOST=127.0.0.2\nSHUTDOWN_GRACE_SECONDS=x\n");
    assert_int_equal(kill(f->pid, SIGHUP), 0);
    (void)wait_for(f, "settings kept as they were");
    write_dotenv("LOG_LEVEL=ERROR\nOPS_HOST=127.0.0.2\n");
    assert_int_equal(kill(f->pid, SIGHUP), 0);
    (void)wait_for(f, "OPS_HOST: changed, needs a restart");
    finish(f);
    assert_has(f->text, "first reloads");
    assert_null(strstr(f->text, "first drains")); /* INFO is off now */
}

static void faults_in_settings_stop_the_start(void **state)
{
    struct fixture *f = *state;
    setenv("OPS_PORT", "abc", 1);
    setenv("LOG_LEVEL", "loud", 1);
    spawn(f, (struct subject){0}, NULL, NULL);
    assert_int_equal(exit_status(f), 2);
    assert_has(f->text, "OPS_PORT: \"abc\" is not a whole number, 0 to 65535\n");
    assert_null(strstr(f->text, "starting"));
}

static void production_refuses_weak_settings(void **state)
{
    struct fixture *f = *state;
    setenv("ENVIRONMENT", "production", 1);
    setenv("LOG_LEVEL", "debug", 1);
    setenv("RPC_BIND", "tcp://0.0.0.0:5600", 1);
    spawn(f, (struct subject){0}, NULL, NULL);
    assert_int_equal(exit_status(f), 2);
    assert_has(f->text, "LOG_LEVEL: DEBUG is refused in production\n");
    assert_has(f->text, "RPC_BIND: only a loopback address");
}

static void loopback_and_ipc_are_not_exposed(void **state)
{
    (void)state;
    assert_false(rpc_curve_exposed("ipc:///run/cairn.sock"));
    assert_false(rpc_curve_exposed("tcp://127.0.0.1:5600"));
    assert_false(rpc_curve_exposed("tcp://[::1]:5600"));
    assert_true(rpc_curve_exposed("tcp://*:5600"));
    assert_true(rpc_curve_exposed("tcp://0.0.0.0:5600"));
    assert_true(rpc_curve_exposed("tcp://10.0.0.1:5600"));
}

static void command_line_is_answered(void **state)
{
    static const struct {
        const char *option;
        const char *argument;
        int status;
        const char *text;
    } cases[] = {
        {"--version", NULL, 0, "cairn-subject " CAIRN_VERSION "\n"},
        {"--help", NULL, 0, "cairn-subject " CAIRN_VERSION ": what is tested\n"},
        {"--help", NULL, 0, "OPS_PORT=9199\n"},
        {"--help", NULL, 0, "RPC_BIND=tcp://127.0.0.1:5699\n"},
        {"--print-config", NULL, 0, "OPS_PORT=0\n"},
        {"--config-markdown", NULL, 0, "| `OPS_PORT` | `9199` | 0 to 65535 |"},
        {"--check-config", NULL, 0, ""},
        {"--probe", "ready", 1, ""},
        {"--probe", "maybe", 2, "try --help"},
        {"--probe", NULL, 2, "try --help"},
        {"--nonsense", NULL, 2, "try --help"},
        {"stray", NULL, 2, "try --help"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        f->len = 0;
        f->text[0] = '\0';
        spawn(f, (struct subject){0}, cases[i].option, cases[i].argument);
        assert_int_equal(exit_status(f), cases[i].status);
        assert_has(f->text, cases[i].text);
        close(f->out);
        f->out = -1;
    }
}

static void probe_sees_readiness(void **state)
{
    struct fixture *f = *state;
    uint16_t port = start(f, (struct subject){.holding = true});
    assert_int_equal(sh_service_probe("127.0.0.1", port, "/readyz"), 0);
    assert_int_equal(sh_service_probe("0.0.0.0", port, "/livez"), 0);
    assert_int_equal(sh_service_probe("nonsense", port, "/livez"), 1);
    assert_int_equal(kill(f->pid, SIGTERM), 0);
    (void)wait_for(f, "first drains");
    assert_int_equal(sh_service_probe("127.0.0.1", port, "/readyz"), 1);
    assert_int_equal(sh_service_probe("127.0.0.1", port, "/livez"), 0);
    finish(f);
    assert_int_equal(sh_service_probe("127.0.0.1", port, "/livez"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(hangup_reloads),
        FIXTURE_TEST(faults_in_settings_stop_the_start),
        FIXTURE_TEST(production_refuses_weak_settings),
        cmocka_unit_test(loopback_and_ipc_are_not_exposed),
        FIXTURE_TEST(command_line_is_answered),
        FIXTURE_TEST(probe_sees_readiness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
