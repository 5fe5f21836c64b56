#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/gateway/auth/account_settings.h"
#include "services/gateway/auth/cookies.h"

static enum cookie_found read_cookie(const char *header, char value[64])
{
    struct sh_bytes found;
    enum cookie_found result = cookie_get(sh_bytes_of(header), "sid", &found);

    memset(value, 0, 64);
    if (result == COOKIE_FOUND)
        memcpy(value, found.data, found.len);
    else
        assert_int_equal(found.len, 0);
    return result;
}

static void finds_its_own(void **state)
{
    static const char *const headers[] = {
        "sid=abc",         "a=b; sid=abc",          "sid=abc; a=b", "a=b;sid=abc;c=d",
        " sid=abc ;\tx=y", "sidx=1; sid=abc; si=2", "; ;sid=abc;",
    };
    char value[64];
    (void)state;
    for (size_t i = 0; i < SH_COUNT(headers); i++) {
        assert_int_equal(read_cookie(headers[i], value), COOKIE_FOUND);
        assert_string_equal(value, "abc");
    }
}

static void is_absent(void **state)
{
    static const char *const headers[] = {
        "", "sid", "SID=abc", "xsid=abc", "a=sid=abc", "a=b", ";;;", "sid =abc", "=abc",
    };
    char value[64];
    (void)state;
    for (size_t i = 0; i < SH_COUNT(headers); i++)
        assert_int_equal(read_cookie(headers[i], value), COOKIE_ABSENT);
}

static void lets_others_be_odd(void **state)
{
    char value[64];
    (void)state;
    assert_int_equal(read_cookie("x=\"a b\"; y=\xc3\xa4{,}; z; sid=abc", value),
                     COOKIE_FOUND);
    assert_string_equal(value, "abc");
}

static void refuses_what_may_be_planted(void **state)
{
    static const char *const headers[] = {
        "sid=abc; sid=abd", "sid=abc; sid=abc", "sid=abc; x=y; sid=", "sid=\"abc\"",
        "sid=a b",          "sid=a,b",          "sid=a\\b",           "sid=a\xc3\xa4",
        "sid=abc\r\nX: y",  "sid=abc\x7f",      "x=\x01; sid=abc",
    };
    char value[64];
    (void)state;
    for (size_t i = 0; i < SH_COUNT(headers); i++)
        assert_int_equal(read_cookie(headers[i], value), COOKIE_BAD);
}

static void reads_no_further_than_its_end(void **state)
{
    struct sh_bytes value;
    (void)state;
    assert_int_equal(cookie_get((struct sh_bytes){"sid=abc;", 5}, "sid", &value),
                     COOKIE_FOUND);
    assert_true(sh_bytes_is(value, "a"));
    assert_int_equal(cookie_get((struct sh_bytes){"sid=abc", 3}, "sid", &value),
                     COOKIE_ABSENT);
}

static void writes_every_guard(void **state)
{
    char text[128];
    struct cookie cookie = {
        .name = "sid", .value = sh_bytes_of("abc"), .same_site = "Lax", .max_age_s = -1};
    (void)state;
    assert_int_equal(cookie_write(&cookie, text, sizeof text), SH_OK);
    assert_string_equal(text, "sid=abc; Path=/; HttpOnly; SameSite=Lax");
    cookie.secure = true;
    cookie.max_age_s = 0;
    assert_int_equal(cookie_write(&cookie, text, sizeof text), SH_OK);
    assert_string_equal(text,
                        "sid=abc; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0");
    assert_int_equal(cookie_write(&cookie, text, strlen(text)), SH_TOOBIG);
    cookie.value = sh_bytes_of("a; Domain=evil");
    assert_int_equal(cookie_write(&cookie, text, sizeof text), SH_INVALID);
}

static void is_for_tls_but_at_home(void **state)
{
    struct account_config config = {.cookie_secure = "auto"};
    (void)state;
    assert_false(account_cookie_secure(&config, "development", "127.0.0.1"));
    assert_false(account_cookie_secure(&config, "development", "::1"));
    assert_true(account_cookie_secure(&config, "development", "0.0.0.0"));
    assert_true(account_cookie_secure(&config, "production", "127.0.0.1"));
    config.cookie_secure = "true";
    assert_true(account_cookie_secure(&config, "development", "127.0.0.1"));
    config.cookie_secure = "false";
    assert_false(account_cookie_secure(&config, "staging", "0.0.0.0"));
}

static void settings_go_together(void **state)
{
    struct account_config good = {.session_lifetime_s = 60,
                                  .session_most_s = 60,
                                  .cookie_secure = "auto",
                                  .admin_username = "",
                                  .admin_password = ""};
    struct account_config config = good;
    char why[256];
    (void)state;
    assert_true(account_settings_check(&config, "production", why, sizeof why));
    config.session_most_s = 59;
    assert_false(account_settings_check(&config, "production", why, sizeof why));
    config = good;
    config.cookie_secure = "false";
    assert_true(account_settings_check(&config, "development", why, sizeof why));
    assert_false(account_settings_check(&config, "production", why, sizeof why));
    assert_non_null(strstr(why, "SESSION_COOKIE_SECURE"));
    config = good;
    config.admin_username = "root";
    assert_false(account_settings_check(&config, "development", why, sizeof why));
    config.admin_password = "weak";
    assert_false(account_settings_check(&config, "development", why, sizeof why));
    assert_non_null(strstr(why, "ADMIN_PASSWORD"));
    config.admin_password = "Very-Good-Pass-72";
    assert_true(account_settings_check(&config, "development", why, sizeof why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_its_own),
        cmocka_unit_test(is_absent),
        cmocka_unit_test(lets_others_be_odd),
        cmocka_unit_test(refuses_what_may_be_planted),
        cmocka_unit_test(reads_no_further_than_its_end),
        cmocka_unit_test(writes_every_guard),
        cmocka_unit_test(is_for_tls_but_at_home),
        cmocka_unit_test(settings_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
