/* What all loops read while one thread changes it: keys of tokens and tables of roles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <pthread.h>

#include "services/gateway/auth/jwt.h"
#include "services/gateway/auth/keyring.h"
#include "services/gateway/auth/roles.h"

enum { READERS = 3, CHANGES = 200 };

static const char secret[] = "a shared secret of thirty-two byt";
static const struct auth_config config = {.secret = secret, .pem = ""};

/* P-256 keys of RFC 7515, appendix A.3, and RFC 7517, appendix A.1. */
static const char *const sets[] = {
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\","
    "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}",
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"b\","
    "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
    "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}",
};

static bool has(struct keyring *ring, const char *id)
{
    struct keyset *set = keyring_take(ring);
    bool found = jwt_keys_has(set->keys, JWT_ES256, sh_bytes_of(id));
    keyring_drop(ring, set);
    return found;
}

static void publishing_swaps_what_was_fetched(void **state)
{
    struct keyring *ring;
    (void)state;
    assert_int_equal(keyring_create(&config, &ring), SH_OK);
    assert_int_equal(keyring_generation(ring), 0);
    assert_int_equal(keyring_publish(ring, sh_bytes_of(sets[0])), SH_OK);
    assert_int_equal(keyring_generation(ring), 1);
    assert_true(has(ring, "a"));
    assert_int_equal(keyring_publish(ring, sh_bytes_of(sets[0])), SH_OK);
    assert_int_equal(keyring_generation(ring), 1); /* nothing new */
    struct keyset *kept = keyring_take(ring);
    assert_int_equal(keyring_publish(ring, sh_bytes_of(sets[1])), SH_OK);
    assert_false(has(ring, "a"));
    assert_true(has(ring, "b"));
    assert_true(jwt_keys_has(kept->keys, JWT_ES256, sh_bytes_of("a")));
    keyring_drop(ring, kept);
    assert_int_equal(keyring_publish(ring, (struct sh_bytes){0}), SH_OK);
    assert_false(has(ring, "b"));
    keyring_free(&ring);
}

static void sets_of_no_use_change_nothing(void **state)
{
    static const char *const bad[] = {"{}", "[]", "nonsense", "{\"keys\":[]}",
                                      "{\"keys\":[{\"kty\":\"oct\"}]}"};
    struct keyring *ring;
    (void)state;
    assert_int_equal(keyring_create(&config, &ring), SH_OK);
    assert_int_equal(keyring_publish(ring, sh_bytes_of(sets[0])), SH_OK);
    for (size_t i = 0; i < SH_COUNT(bad); i++)
        assert_int_equal(keyring_publish(ring, sh_bytes_of(bad[i])), SH_MALFORMED);
    assert_true(has(ring, "a"));
    assert_int_equal(keyring_generation(ring), 1);
    keyring_free(&ring);
}

static void keys_of_the_settings_must_be_good(void **state)
{
    struct keyring *ring;
    const struct auth_config weak = {.secret = "short", .pem = ""};
    const struct auth_config broken = {.secret = "", .pem = "no key"};
    (void)state;
    assert_int_equal(keyring_create(&weak, &ring), SH_INVALID);
    assert_int_equal(keyring_create(&broken, &ring), SH_INVALID);
    assert_null(ring);
}

static void survives_every_allocation_failure(void **state)
{
    struct keyring *ring;
    enum sh_err err = SH_NOMEM;
    (void)state;
    assert_int_equal(keyring_create(&config, &ring), SH_OK);
    for (int n = 0; err != SH_OK; n++) {
        sh_mem_fail_after(n);
        err = keyring_publish(ring, sh_bytes_of(sets[0]));
        sh_mem_fail_after(-1);
        /* the decoder tells no lack of memory from bad text */
        assert_true(err == SH_OK || err == SH_NOMEM || err == SH_MALFORMED);
        assert_int_equal(keyring_generation(ring), err == SH_OK ? 1 : 0);
    }
    keyring_free(&ring);
}

/* --- while it is read ------------------------------------------------------------- */

struct shared {
    struct keyring *ring;
    struct roles *roles;
    atomic_bool over;
    atomic_int wrong;
};

static void *read_always(void *arg)
{
    struct shared *shared = arg;
    while (!atomic_load(&shared->over)) {
        struct keyset *set = keyring_take(shared->ring);
        bool a = jwt_keys_has(set->keys, JWT_ES256, sh_bytes_of("a"));
        bool b = jwt_keys_has(set->keys, JWT_ES256, sh_bytes_of("b"));
        if (a && b)
            atomic_fetch_add(&shared->wrong, 1);
        keyring_drop(shared->ring, set);
        const struct role_table *table = roles_now(shared->roles);
        const struct role *role = role_anonymous(table);
        if (role_find(table, sh_bytes_of(role->name)) != role)
            atomic_fetch_add(&shared->wrong, 1);
    }
    return NULL;
}

static void change(struct shared *shared, unsigned i)
{
    char table[256], why[128];
    (void)snprintf(table, sizeof table,
                   "{\"roles\":{\"anonymous\":{\"clearance\":1,"
                   "\"requests_per_minute\":%u,\"requests_per_hour\":1,"
                   "\"max_results\":1,\"departments\":\"public\",\"permissions\":[]}}}",
                   i + 1);
    assert_int_equal(keyring_publish(shared->ring, sh_bytes_of(sets[i % 2])), SH_OK);
    assert_int_equal(roles_load(shared->roles, sh_bytes_of(table), why, sizeof why),
                     SH_OK);
}

static void readers_see_one_whole_or_the_other(void **state)
{
    struct shared shared = {0};
    pthread_t readers[READERS];
    (void)state;
    assert_int_equal(keyring_create(&config, &shared.ring), SH_OK);
    assert_int_equal(roles_create(&shared.roles), SH_OK);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_always, &shared), 0);
    for (unsigned i = 0; i < CHANGES; i++)
        change(&shared, i);
    atomic_store(&shared.over, true);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    assert_int_equal(atomic_load(&shared.wrong), 0);
    assert_int_equal(keyring_generation(shared.ring), CHANGES);
    roles_free(&shared.roles);
    keyring_free(&shared.ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(publishing_swaps_what_was_fetched),
        cmocka_unit_test(sets_of_no_use_change_nothing),
        cmocka_unit_test(keys_of_the_settings_must_be_good),
        cmocka_unit_test(survives_every_allocation_failure),
        cmocka_unit_test(readers_see_one_whole_or_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
