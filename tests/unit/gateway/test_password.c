#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "services/gateway/auth/password.h"

static enum password_fault check(const char *password)
{
    return password_check(sh_bytes_of(password), sh_bytes_of("john.smith"));
}

static void every_rule_has_its_sentence(void **state)
{
    const struct {
        const char *password;
        enum password_fault fault;
    } cases[] = {
        {"Good-Pass1", PASSWORD_GOOD},
        {"Correct horse 9 battery!", PASSWORD_GOOD},
        {"Ünïcödé-9-ß", PASSWORD_GOOD},
        {"Short1!", PASSWORD_SHORT},
        {"", PASSWORD_SHORT},
        {"Üü1!Üü1", PASSWORD_SHORT}, /* 7 characters, more bytes */
        {"alllower1!", PASSWORD_NO_UPPER},
        {"ALLUPPER1!", PASSWORD_NO_LOWER},
        {"NoDigits!!", PASSWORD_NO_DIGIT},
        {"NoSymbol11", PASSWORD_NO_SYMBOL},
        {"Password1!", PASSWORD_COMMON},
        {"P@ssw0rd!", PASSWORD_COMMON},
        {"2024-Welcome!", PASSWORD_COMMON},
        {"Qwerty123!", PASSWORD_COMMON},
        {"PassPass1!", PASSWORD_COMMON},
        {"Midsummer2023!", PASSWORD_GOOD},
        {"Summer2023!", PASSWORD_COMMON},
        {"1234!A-a5678", PASSWORD_GOOD},
        {"John.Smith1!", PASSWORD_NAME},
        {"Good\tPass-1", PASSWORD_TEXT},
        {"Good-Pass1\xff", PASSWORD_TEXT},
    };
    (void)state;
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        enum password_fault fault = check(cases[i].password);
        if (fault != cases[i].fault)
            fail_msg("%s: %s", cases[i].password, password_fault_text(fault));
    }
    for (int i = 0; i < PASSWORD_FAULTS; i++)
        assert_true(strlen(password_fault_text((enum password_fault)i)) > 3);
}

static void each_symbol_of_the_rule_counts(void **state)
{
    char password[] = "GoodPass1x";
    (void)state;
    for (const char *c = "!@#$%^&*()-_=+[]{}\\|;:,.<>?"; *c; c++) {
        password[9] = *c;
        assert_int_equal(check(password), PASSWORD_GOOD);
    }
}

static void lengths_are_bounded(void **state)
{
    char password[300] = "Aa1!";
    (void)state;
    memset(password + 4, 'x', PASSWORD_MOST - 4);
    assert_int_equal(check(password), PASSWORD_GOOD);
    password[PASSWORD_MOST] = 'x';
    assert_int_equal(check(password), PASSWORD_LONG);
}

static void a_hash_is_verified(void **state)
{
    char hash[PASSWORD_HASH];
    char other[PASSWORD_HASH];
    (void)state;
    assert_int_equal(password_hash(sh_bytes_of("Good-Pass1"), hash), SH_OK);
    assert_int_equal(password_hash(sh_bytes_of("Good-Pass1"), other), SH_OK);
    assert_int_equal(strncmp(hash, "$argon2id$", 10), 0);
    assert_string_not_equal(hash, other); /* salted */
    struct password_verdict verdict = password_verify(hash, sh_bytes_of("Good-Pass1"));
    assert_true(verdict.good);
    assert_false(verdict.outdated);
    assert_false(password_verify(hash, sh_bytes_of("good-Pass1")).good);
    assert_false(password_verify(hash, sh_bytes_of("")).good);
}

static void cheaper_hashes_are_good_but_outdated(void **state)
{
    const char password[] = "Good-Pass1";
    char hash[PASSWORD_HASH] = "";
    (void)state;
    assert_int_equal(crypto_pwhash_str_alg(hash, password, strlen(password), 1,
                                           8192UL * 1024, crypto_pwhash_ALG_ARGON2ID13),
                     0);
    struct password_verdict verdict = password_verify(hash, sh_bytes_of(password));
    assert_true(verdict.good);
    assert_true(verdict.outdated);
    assert_false(password_verify(hash, sh_bytes_of("Good-Pass2")).good);
}

/* Made by Python's hashlib in Werkzeug's form. */
#define SCRYPT                                                                           \
    "scrypt:32768:8:1$saltsaltsaltsalt$"                                                 \
    "2cfaf9040d60145f3ab5b01d8647262e3b8737b6b7b2e99c1b5a9312b8f5fc2669571aa109283c61"   \
    "f3bf89678720a7e9d62e074a79d214f823f045a1e4b9d15d"
#define PBKDF2                                                                           \
    "pbkdf2:sha256:600000$saltsaltsaltsalt$"                                             \
    "b2caf823677abd18b7ad768ac68078f9a5bfde1f13955e677d4ac5f6cc0472c9"

static void hashes_of_the_earlier_systems_are_verified(void **state)
{
    const char *hashes[] = {SCRYPT, PBKDF2};
    (void)state;
    for (size_t i = 0; i < SH_COUNT(hashes); i++) {
        struct password_verdict verdict =
            password_verify(hashes[i], sh_bytes_of("Good-Pass1"));
        assert_true(verdict.good);
        assert_true(verdict.outdated);
        assert_false(password_verify(hashes[i], sh_bytes_of("Good-Pass2")).good);
    }
}

static void no_hash_is_nobodys_password(void **state)
{
    const char *hashes[] = {
        NULL,
        "",
        "Good-Pass1",
        "$argon2id$",
        "$argon2i$v=19$m=8192,t=1,p=1$c2FsdA$AAAA",
        "scrypt:1:1:1$a$",
        "scrypt:32768:8:1$salt$zz",
        "scrypt:99999999999999999999:8:1$salt$00112233445566778899aabbccddeeff",
        "scrypt:1073741824:8:1$salt$00112233445566778899aabbccddeeff",
        "pbkdf2:sha256:999999999$salt$00112233445566778899aabbccddeeff",
        "pbkdf2:sha256:0$salt$00112233445566778899aabbccddeeff",
        "pbkdf2:md5:1$salt$00112233445566778899aabbccddeeff",
        "pbkdf2:sha256:1$salt$"};
    (void)state;
    for (size_t i = 0; i < SH_COUNT(hashes); i++) {
        assert_false(password_verify(hashes[i], sh_bytes_of("Good-Pass1")).good);
        assert_false(password_verify(hashes[i], sh_bytes_of("nobody's")).good);
        assert_false(password_verify(hashes[i], sh_bytes_of("")).good);
    }
}

static int start(void **state)
{
    (void)state;
    return password_start() == SH_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_has_its_sentence),
        cmocka_unit_test(each_symbol_of_the_rule_counts),
        cmocka_unit_test(lengths_are_bounded),
        cmocka_unit_test(a_hash_is_verified),
        cmocka_unit_test(cheaper_hashes_are_good_but_outdated),
        cmocka_unit_test(hashes_of_the_earlier_systems_are_verified),
        cmocka_unit_test(no_hash_is_nobodys_password),
    };
    return cmocka_run_group_tests_name("password", tests, start, NULL);
}
