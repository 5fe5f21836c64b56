#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libshared/src/dotenv.h"
#include "shared/config.h"
#include "shared/mem.h"

#define TEST_SETTINGS(S)                                                                 \
    S(str, host, "T_HOST", "localhost", 1, 20, 0, "", "a host | or two")                 \
    S(u32, port, "T_PORT", "8000", 1, 65535, 0, "", "a port")                            \
    S(f64, rate, "T_RATE", "0.5", 0, 1, SH_RELOAD, "", "a rate")                         \
    S(flag, debug, "T_DEBUG", "false", 0, 0, 0, "", "a flag")                            \
    S(choice, mode, "T_MODE", "fast", 0, 0, 0, "fast|slow;T_SPEED", "a choice")          \
    S(url, url, "T_URL", "", 0, 200, 0, "", "a URL")                                     \
    S(url, web, "T_WEB", "", 0, 200, SH_HTTP, "", "a URL that is asked")                 \
    S(str, secret, "T_SECRET", "", 8, 100, SH_SECRET, "T_PASSWORD|T_PASS", "a secret")   \
    S(str, dir, "T_DIR", "var", 0, 100, SH_RELOAD, "", "may be empty")

struct test_config {
    TEST_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings test_settings(struct test_config *into);
SH_SETTINGS_DEFINE(test, "Test", TEST_SETTINGS)

#define NEED_SETTINGS(S) S(str, key, "T_KEY", "", 1, 20, SH_REQUIRED, "", "needed")
struct need_config {
    NEED_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings need_settings(struct need_config *into);
SH_SETTINGS_DEFINE(need, "Need", NEED_SETTINGS)

static const char *const variables[] = {
    "T_HOST", "T_PORT",      "T_RATE",        "T_DEBUG",     "T_MODE",    "T_SPEED",
    "T_WEB",  "T_URL",       "T_SECRET",      "T_PASSWORD",  "T_PASS",    "T_DIR",
    "T_KEY",  "T_PORT_FILE", "T_SECRET_FILE", "ENVIRONMENT", "FLASK_ENV", "T_PASS_FILE",
};

struct fixture {
    char dir[64];
    char before[4096];
    struct test_config config;
    struct sh_buffer text;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.dir = "/tmp/cairn-config-XXXXXX"};
    for (size_t i = 0; i < SH_COUNT(variables); i++)
        unsetenv(variables[i]);
    assert_non_null(getcwd(f.before, sizeof(f.before)));
    assert_non_null(mkdtemp(f.dir));
    assert_int_equal(chdir(f.dir), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    (void)unlink(".env");
    (void)unlink("value");
    assert_int_equal(chdir(f->before), 0);
    sh_buffer_free(&f->text);
    return rmdir(f->dir);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* What was written to the fixture's buffer since the last call. */
static const char *text_of(struct fixture *f)
{
    sh_buffer_append(&f->text, "", 1);
    assert_int_equal(f->text.err, SH_OK);
    sh_buffer_clear(&f->text);
    return f->text.data;
}

static enum sh_err load(struct fixture *f)
{
    struct sh_settings group = test_settings(&f->config);
    return sh_config_load(&group, 1, &f->text);
}

static const char *faults_of(struct fixture *f)
{
    assert_int_equal(load(f), SH_INVALID);
    return text_of(f);
}

static void assert_loads(struct fixture *f)
{
    if (load(f) != SH_OK)
        fail_msg("%s", text_of(f));
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

static void defaults_are_filled_in(void **state)
{
    struct fixture *f = *state;
    assert_loads(f);
    assert_string_equal(f->config.host, "localhost");
    assert_int_equal(f->config.port, 8000);
    assert_true(f->config.rate == 0.5);
    assert_false(f->config.debug);
    assert_string_equal(f->config.mode, "fast");
    assert_string_equal(f->config.url, "");
    assert_string_equal(f->config.secret, "");
    assert_string_equal(f->config.dir, "var");
}

static void environment_is_read(void **state)
{
    struct fixture *f = *state;
    setenv("T_HOST", "example.org", 1);
    setenv("T_PORT", "1", 1);
    setenv("T_RATE", "1e-1", 1);
    setenv("T_DEBUG", "YES", 1);
    setenv("T_MODE", "Slow", 1);
    setenv("T_URL", "redis://localhost/0", 1);
    setenv("T_DIR", "", 1);
    assert_loads(f);
    assert_string_equal(f->config.host, "example.org");
    assert_int_equal(f->config.port, 1);
    assert_true(f->config.rate == 0.1);
    assert_true(f->config.debug);
    assert_string_equal(f->config.mode, "slow");
    assert_string_equal(f->config.dir, "");
}

static void empty_variables_count_as_not_set(void **state)
{
    struct fixture *f = *state;
    setenv("T_HOST", "", 1);
    setenv("T_PORT", "", 1);
    setenv("T_DEBUG", "", 1);
    assert_loads(f);
    assert_string_equal(f->config.host, "localhost");
    assert_int_equal(f->config.port, 8000);
}

static void all_faults_are_told_together(void **state)
{
    struct fixture *f = *state;
    setenv("T_HOST", "far too long for this setting", 1);
    setenv("T_PORT", "abc", 1);
    setenv("T_RATE", "1.5", 1);
    setenv("T_DEBUG", "maybe", 1);
    setenv("T_MODE", "medium", 1);
    setenv("T_URL", "localhost", 1);
    setenv("T_SECRET", "short", 1);
    const char *faults = faults_of(f);
    assert_has(faults, "T_HOST: \"far too long for this setting\" is not a text");
    assert_has(faults, "T_PORT: \"abc\" is not a whole number, 1 to 65535\n");
    assert_has(faults, "T_RATE: \"1.5\" is not a number, 0 to 1\n");
    assert_has(faults, "T_DEBUG: \"maybe\" is not true or false\n");
    assert_has(faults, "T_MODE: \"medium\" is not fast or slow\n");
    assert_has(faults, "T_URL: the value is not a URL");
    assert_has(faults, "T_SECRET: the value is not a text");
    assert_null(strstr(faults, "short"));
}

static void numbers_are_parsed_in_full(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"0",
                                      "65536",
                                      "-1",
                                      "1.0",
                                      " 1",
                                      "1 ",
                                      "0x10",
                                      "1e3",
                                      "+1",
                                      "1a",
                                      "nan",
                                      "inf",
                                      "18446744073709551617"};
    for (size_t i = 0; i < SH_COUNT(bad); i++) {
        setenv("T_PORT", bad[i], 1);
        assert_has(faults_of(f), "T_PORT");
    }
    unsetenv("T_PORT");
    static const char *const bad_rates[] = {"nan", "inf",   "0x1p-1", "0.5 ",
                                            "",    "1e999", "-0.1",   "--1"};
    for (size_t i = 0; i < SH_COUNT(bad_rates); i++) {
        setenv("T_RATE", bad_rates[i], 1);
        if (bad_rates[i][0] != '\0')
            assert_has(faults_of(f), "T_RATE");
    }
}

static void required_setting_must_be_set(void **state)
{
    struct fixture *f = *state;
    struct need_config need = {0};
    struct sh_settings group = need_settings(&need);
    assert_int_equal(sh_config_load(&group, 1, &f->text), SH_INVALID);
    assert_string_equal(text_of(f), "T_KEY: must be set\n");
    setenv("T_KEY", "k", 1);
    assert_int_equal(sh_config_load(&group, 1, &f->text), SH_OK);
    assert_string_equal(need.key, "k");
}

static void other_names_work_and_must_agree(void **state)
{
    struct fixture *f = *state;
    setenv("T_PASS", "password1", 1);
    setenv("T_SPEED", "slow", 1);
    assert_loads(f);
    assert_string_equal(f->config.secret, "password1");
    assert_string_equal(f->config.mode, "slow");
    setenv("T_SECRET", "password1", 1);
    assert_loads(f);
    setenv("T_SECRET", "password2", 1);
    const char *faults = faults_of(f);
    assert_has(faults, "T_PASS: set to another value than T_SECRET\n");
    assert_null(strstr(faults, "password"));
}

static void value_may_come_from_a_file(void **state)
{
    struct fixture *f = *state;
    write_file("value", "from a file\r\n");
    setenv("T_SECRET_FILE", "value", 1);
    assert_loads(f);
    assert_string_equal(f->config.secret, "from a file");
    setenv("T_SECRET", "something else", 1);
    assert_has(faults_of(f), "T_SECRET_FILE: set to another value than T_SECRET\n");
    unsetenv("T_SECRET");
    setenv("T_SECRET_FILE", "absent", 1);
    assert_has(faults_of(f), "T_SECRET_FILE: cannot use the file: not found\n");
}

static void dotenv_is_read_in_development_only(void **state)
{
    struct fixture *f = *state;
    write_file(".env", "T_PORT=81 # inline\nT_HOST=dotenv\n");
    setenv("T_HOST", "environment", 1);
    assert_loads(f);
    assert_int_equal(f->config.port, 81);
    assert_string_equal(f->config.host, "environment");
    setenv("ENVIRONMENT", "production", 1);
    assert_loads(f);
    assert_int_equal(f->config.port, 8000);
    unsetenv("ENVIRONMENT");
    setenv("FLASK_ENV", "production", 1);
    assert_loads(f);
    assert_int_equal(f->config.port, 8000);
}

static void bad_dotenv_line_is_named(void **state)
{
    struct fixture *f = *state;
    write_file(".env", "# fine\nT_PORT=81\nthis is not\n\nT_PORT=x\n");
    const char *faults = faults_of(f);
    assert_has(faults, ".env: line 3 is not NAME=value\n");
    assert_has(faults, "T_PORT: \"x\"");
}

static void dotenv_knows_quotes_and_comments(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *value; /* of A; NULL: the line is bad */
    } cases[] = {
        {"A=1", "1"},
        {"A=104857600  # 100MB", "104857600"},
        {"A=a#b", "a#b"},
        {"A=#b", ""},
        {"A=", ""},
        {"  A = b c  \r\n", "b c"},
        {"export A=1", "1"},
        {"export=2\nA=1", "1"},
        {"A='it # is' # so", "it # is"},
        {"A=\"a\\n\\\"b\\\\\\$\\q\"", "a\n\"b\\$\\q"},
        {"A='a\\n'", "a\\n"},
        {"A=\"two\nlines\"\nB=2", "two\nlines"},
        {"A=1\nA=2", "2"},
        {"\t# A=1\nA=3", "3"},
        {"A=\"open", NULL},
        {"A='open\nB=1", NULL},
        {"A=\"x\" y", NULL},
        {"1A=2", NULL},
        {"=2", NULL},
        {"A", NULL},
        {"A B=1", NULL},
    };
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct sh_dotenv env = {0};
        struct sh_buffer faults = {0};
        enum sh_err err = sh_dotenv_parse(&env, sh_bytes_of(cases[i].line), &faults);
        assert_int_equal(err, cases[i].value ? SH_OK : SH_INVALID);
        assert_int_equal(faults.len > 0, cases[i].value == NULL);
        if (cases[i].value)
            assert_string_equal(sh_dotenv_get(&env, "A"), cases[i].value);
        else
            assert_null(sh_dotenv_get(&env, "A"));
        sh_buffer_free(&faults);
        sh_dotenv_free(&env);
    }
}

static void dotenv_refuses_nul(void **state)
{
    (void)state;
    struct sh_dotenv env = {0};
    struct sh_buffer faults = {0};
    assert_int_equal(sh_dotenv_parse(&env, (struct sh_bytes){"A=a\0b", 5}, &faults),
                     SH_INVALID);
    sh_buffer_free(&faults);
    sh_dotenv_free(&env);
}

static void printing_masks_what_is_secret(void **state)
{
    struct fixture *f = *state;
    struct sh_settings group = test_settings(&f->config);
    setenv("T_SECRET", "topsecret", 1);
    setenv("T_URL", "postgresql://u:top/s@secret@h/d?password=topsecret&x=1", 1);
    assert_loads(f);
    sh_config_print(&group, 1, &f->text);
    const char *text = text_of(f);
    assert_has(text, "T_SECRET=********\n");
    assert_has(text, "T_URL=postgresql://u:********@h/d?password=********&x=1\n");
    assert_has(text, "T_PORT=8000\nT_RATE=0.5\nT_DEBUG=false\n");
    assert_null(strstr(text, "secret@"));
    assert_null(strstr(text, "topsecret"));
    setenv("T_URL", "http://host:80/path", 1);
    assert_loads(f);
    sh_config_print_changed(&group, 1, &f->text);
    assert_string_equal(text_of(f), "T_URL=http://host:80/path\nT_SECRET=********\n");
}

static void reload_takes_over_what_may_change(void **state)
{
    struct fixture *f = *state;
    struct sh_settings group = test_settings(&f->config);
    assert_loads(f);
    setenv("T_RATE", "0.75", 1);
    setenv("T_DIR", "elsewhere", 1);
    setenv("T_PORT", "9000", 1);
    assert_int_equal(sh_config_reload(&group, 1, &f->text), SH_OK);
    assert_string_equal(text_of(f), "T_PORT: changed, needs a restart\n");
    assert_true(f->config.rate == 0.75);
    assert_string_equal(f->config.dir, "elsewhere");
    assert_int_equal(f->config.port, 8000);
}

static void reload_with_a_fault_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct sh_settings group = test_settings(&f->config);
    assert_loads(f);
    setenv("T_RATE", "0.75", 1);
    setenv("T_PORT", "none", 1);
    assert_int_equal(sh_config_reload(&group, 1, &f->text), SH_INVALID);
    assert_has(text_of(f), "T_PORT: \"none\"");
    assert_true(f->config.rate == 0.5);
}

static void description_names_everything(void **state)
{
    struct fixture *f = *state;
    struct sh_settings group = test_settings(&f->config);
    sh_config_describe(&group, 1, true, &f->text);
    const char *text = text_of(f);
    assert_has(text, "### Test\n");
    assert_has(
        text, "| `T_HOST` | `localhost` | 1 to 20 characters |  | a host \\| or two |\n");
    assert_has(text, "| `T_PORT` | `8000` | 1 to 65535 |  | a port |\n");
    assert_has(text, "| `T_MODE` | `fast` | fast or slow | also T_SPEED | a choice |\n");
    assert_has(text, "secret, also T_PASSWORD, also T_PASS");
    sh_config_describe(&group, 1, false, &f->text);
    assert_has(text_of(f),
               "  T_RATE=0.5\n      a rate\n      (0 to 1; read again on SIGHUP)\n");
}

static void loading_survives_every_allocation_failure(void **state)
{
    struct fixture *f = *state;
    int failures = 0;
    write_file(".env", "T_PORT=81\nT_HOST='dotenv'\n");
    setenv("T_PASS", "password1", 1);
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = load(f);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        sh_buffer_clear(&f->text);
    }
    assert_true(failures > 4);
    assert_int_equal(f->config.port, 81);
}

static bool is_refused(struct fixture *f, const char *name)
{
    struct sh_settings group = test_settings(&f->config);
    assert_loads(f);
    sh_config_refuse_weak(&group, 1, &f->text);
    return strstr(text_of(f), name) != NULL;
}

static void weak_secrets_are_refused(void **state)
{
    static const char *const weak[] = {"Password", "changeme", "aaaaaaaaaaaa",
                                       "12345678"};
    static const char *const weak_urls[] = {
        "redis://:short@h/0", "postgresql://u:postgres@h/d", "redis://default:x@y@h"};
    static const char *const good_urls[] = {
        "redis://h:6379/0", "postgresql:///d?host=/run",
        "postgresql://u:6f1d0a97c2@h:5432/d", "postgresql://u@h:5432/d"};
    struct fixture *f = *state;

    assert_false(is_refused(f, "T_"));
    for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++) {
        setenv("T_SECRET", weak[i], 1);
        assert_true(is_refused(f, "T_SECRET: "));
        assert_null(strstr(f->text.data, weak[i]));
    }
    setenv("T_SECRET", "6f1d0a97c2", 1);
    assert_false(is_refused(f, "T_"));
    for (size_t i = 0; i < sizeof(weak_urls) / sizeof(weak_urls[0]); i++) {
        setenv("T_URL", weak_urls[i], 1);
        assert_true(is_refused(f, "T_URL: "));
    }
    for (size_t i = 0; i < sizeof(good_urls) / sizeof(good_urls[0]); i++) {
        setenv("T_URL", good_urls[i], 1);
        assert_false(is_refused(f, "T_"));
    }
}

static void what_is_asked_over_http_has_no_other_scheme(void **state)
{
    static const char *const wrong[] = {"file:///etc/passwd",
                                        "gopher://h/_x",
                                        "ftp://h/",
                                        "httpx://h/",
                                        "http:/h",
                                        "http://",
                                        "//h/",
                                        "h:80",
                                        "dict://h/",
                                        "http://h/a b"};
    static const char *const right[] = {"http://h", "HTTPS://h:1/a?b=c",
                                        "https://[::1]/"};
    struct fixture *f = *state;

    for (size_t i = 0; i < SH_COUNT(wrong); i++) {
        setenv("T_WEB", wrong[i], 1);
        assert_has(faults_of(f), "T_WEB: the value is not an http(s) URL of ");
    }
    for (size_t i = 0; i < SH_COUNT(right); i++) {
        setenv("T_WEB", right[i], 1);
        assert_loads(f);
        assert_string_equal(f->config.web, right[i]);
    }
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(defaults_are_filled_in),
        FIXTURE_TEST(environment_is_read),
        FIXTURE_TEST(empty_variables_count_as_not_set),
        FIXTURE_TEST(all_faults_are_told_together),
        FIXTURE_TEST(numbers_are_parsed_in_full),
        FIXTURE_TEST(required_setting_must_be_set),
        FIXTURE_TEST(other_names_work_and_must_agree),
        FIXTURE_TEST(value_may_come_from_a_file),
        FIXTURE_TEST(dotenv_is_read_in_development_only),
        FIXTURE_TEST(bad_dotenv_line_is_named),
        cmocka_unit_test(dotenv_knows_quotes_and_comments),
        cmocka_unit_test(dotenv_refuses_nul),
        FIXTURE_TEST(printing_masks_what_is_secret),
        FIXTURE_TEST(reload_takes_over_what_may_change),
        FIXTURE_TEST(reload_with_a_fault_changes_nothing),
        FIXTURE_TEST(description_names_everything),
        FIXTURE_TEST(weak_secrets_are_refused),
        FIXTURE_TEST(what_is_asked_over_http_has_no_other_scheme),
        FIXTURE_TEST(loading_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
