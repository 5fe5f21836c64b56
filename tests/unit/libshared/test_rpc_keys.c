/* Reading keys from files, and the ring in use by many threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>
#include <stdatomic.h>

#include <cmocka.h>

#include "shared/mem.h"
#include "tests/unit/libshared/keys_fixture.h"

static struct keys_dir dir;
static struct pair own;
static struct pair other;
static struct rpc_keys_options options;

static int set_up(void **state)
{
    (void)state;
    dir = keys_dir_new();
    own = pair_new();
    other = pair_new();
    keys_dir_put(&dir, "search.pub", own.open);
    options = (struct rpc_keys_options){
        .service = "search", .secret = own.secret, .directory = dir.path, .callers = ""};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rpc_keys_install(NULL);
    keys_dir_remove(&dir);
    return 0;
}

static void expect_fault(const char *wanted)
{
    struct rpc_keys *keys = NULL;
    struct sh_buffer faults = {0};
    assert_int_equal(rpc_keys_read(&options, &keys, &faults), SH_INVALID);
    assert_null(keys);
    sh_buffer_append(&faults, "", 1);
    if (!strstr(faults.data, wanted))
        fail_msg("no \"%s\" in \"%s\"", wanted, faults.data);
    assert_null(strstr(faults.data, own.secret));
    sh_buffer_free(&faults);
}

static struct rpc_key binary(const char *text)
{
    struct rpc_key key;
    assert_non_null(zmq_z85_decode(key.bytes, text));
    return key;
}

static void without_a_secret_there_are_no_keys(void **state)
{
    struct rpc_keys *keys = NULL;
    struct sh_buffer faults = {0};
    struct rpc_key key;
    (void)state;
    options.secret = options.directory = "";
    assert_int_equal(rpc_keys_read(&options, &keys, &faults), SH_OK);
    rpc_keys_install(keys);
    assert_false(rpc_keys_on());
    assert_false(rpc_keys_own(&key, &key));
    assert_int_equal(rpc_keys_of("search", 0, &key), 0);
    assert_true(rpc_keys_no_plain());
    options.directory = dir.path;
    expect_fault("RPC_KEYS_DIR: needs RPC_KEY");
}

static void the_ring_knows_the_own_pair_and_those_of_the_others(void **state)
{
    struct rpc_key secret;
    struct rpc_key open;
    struct rpc_key expected = binary(own.secret);
    char name[RPC_KEY_NAME + 1];
    struct pair third = pair_new();
    char text[256];
    (void)state;
    (void)snprintf(text, sizeof(text), "# old and new\n%s\r\n\n#\n%s \n", other.open,
                   third.open);
    keys_dir_put(&dir, "gateway.pub", text);
    keys_dir_put(&dir, "embedder.pub.swp", "not one of ours");
    keys_dir_put(&dir, ".gateway.pub", "nor this");
    keys_use(&dir, "search", &own, "gateway");
    assert_true(rpc_keys_on());
    assert_true(rpc_keys_own(&secret, &open));
    assert_memory_equal(&secret, &expected, sizeof(secret));
    expected = binary(own.open);
    assert_memory_equal(&open, &expected, sizeof(open));

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rpc_keys_of("gateway", i, &open), 2);
        expected = binary(i % 2 ? third.open : other.open);
        assert_memory_equal(&open, &expected, sizeof(open));
        assert_true(rpc_keys_admit(&open, name));
        assert_string_equal(name, "gateway");
    }
    assert_int_equal(rpc_keys_of("graph", 0, &open), 0);
    assert_int_equal(rpc_keys_of("search", 0, &open), 1);
    assert_false(rpc_keys_admit(&open, name)); /* known, but no caller */
}

static void faults_are_named(void **state)
{
    (void)state;
    options.secret = "short";
    expect_fault("RPC_KEY: not a secret key");
    options.secret = "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~";
    expect_fault("RPC_KEY: not a secret key");
    options.secret = other.secret;
    expect_fault("RPC_KEY: its public key is not in RPC_KEYS_DIR/search.pub");
    options.secret = own.secret;
    options.callers = "gateway, graph";
    expect_fault("RPC_CALLERS: RPC_KEYS_DIR has no key in graph.pub");
    options.callers = "";
    options.directory = "";
    expect_fault("RPC_KEYS_DIR: cannot read the public keys: it is not set");
    options.directory = "/nonexistent";
    expect_fault("RPC_KEYS_DIR: cannot read the public keys: No such file");
}

static void damaged_files_are_named_with_their_line(void **state)
{
    char text[8192];
    (void)state;
    keys_dir_put(&dir, "gateway.pub", "\n# fine\nabc\n");
    expect_fault("RPC_KEYS_DIR: line 3 of gateway.pub is no public key");
    (void)snprintf(text, sizeof(text), "%.39s~\n", other.open); /* no digit of Z85 */
    keys_dir_put(&dir, "gateway.pub", text);
    expect_fault("RPC_KEYS_DIR: line 1 of gateway.pub is no public key");
    (void)snprintf(text, sizeof(text), "%s%s\n", other.open, other.open);
    keys_dir_put(&dir, "gateway.pub", text);
    expect_fault("RPC_KEYS_DIR: line 1 of gateway.pub is no public key");
    keys_dir_write(&dir, "gateway.pub", "a\0b", 3);
    expect_fault("RPC_KEYS_DIR: cannot use gateway.pub: Invalid or incomplete");
    memset(text, '\n', sizeof(text));
    keys_dir_write(&dir, "gateway.pub", text, sizeof(text));
    expect_fault("RPC_KEYS_DIR: cannot use gateway.pub: File too large");
}

static void there_is_an_end_to_keys(void **state)
{
    char text[4096] = "";
    char file[32];
    (void)state;
    for (size_t i = 0; i < 64; i++)
        (void)snprintf(text + i * 41, sizeof(text) - i * 41, "%s\n", other.open);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(file, sizeof(file), "a%d.pub", i);
        keys_dir_put(&dir, file, text);
    }
    expect_fault("or one too many"); /* 4 × 64 and our own */
}

static void survives_every_allocation_failure(void **state)
{
    int failures = 0;
    (void)state;
    options.callers = "nobody"; /* so that there is a fault to be told */
    for (enum sh_err err = SH_NOMEM; err != SH_INVALID; failures++) {
        struct rpc_keys *keys = NULL;
        struct sh_buffer faults = {0};
        sh_mem_fail_after(failures);
        err = rpc_keys_read(&options, &keys, &faults);
        sh_mem_fail_after(-1);
        assert_true(err == SH_INVALID || err == SH_NOMEM);
        assert_null(keys);
        sh_buffer_free(&faults);
    }
    assert_true(failures > 1);
}

/* --- threads ---------------------------------------------------------------------- */

enum { READERS = 3, CHANGES = 300 };
static atomic_bool stop;

/* The two rings differ in everything: nobody may ever see a mixture. */
static void *reader(void *arg)
{
    struct rpc_key secret;
    struct rpc_key open;
    struct rpc_key first = binary(own.secret);
    struct rpc_key first_open = binary(own.open);
    char name[RPC_KEY_NAME + 1];
    size_t *seen = arg;
    while (!atomic_load(&stop)) {
        assert_true(rpc_keys_own(&secret, &open));
        bool is_first = memcmp(&secret, &first, sizeof(first)) == 0;
        assert_int_equal(is_first, memcmp(&open, &first_open, sizeof(open)) == 0);
        (void)rpc_keys_admit(&open, name);
        assert_int_equal(rpc_keys_of("search", *seen, &open), 2);
        (*seen)++;
    }
    return NULL;
}

static void threads_see_one_ring_or_the_other(void **state)
{
    pthread_t threads[READERS];
    size_t seen[READERS] = {0};
    char text[128];
    (void)state;
    (void)snprintf(text, sizeof(text), "%s\n%s\n", own.open, other.open);
    keys_dir_put(&dir, "search.pub", text);
    keys_use(&dir, "search", &own, "search");
    unsigned before = rpc_keys_generation();
    atomic_store(&stop, false);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, reader, &seen[i]), 0);
    for (int i = 0; i < CHANGES; i++)
        keys_use(&dir, "search", i % 2 ? &own : &other, "search");
    atomic_store(&stop, true);
    for (size_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(rpc_keys_generation() - before, CHANGES);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(without_a_secret_there_are_no_keys),
        T(the_ring_knows_the_own_pair_and_those_of_the_others),
        T(faults_are_named),
        T(damaged_files_are_named_with_their_line),
        T(there_is_an_end_to_keys),
        T(survives_every_allocation_failure),
        T(threads_see_one_ring_or_the_other),
    };
    return cmocka_run_group_tests_name("rpc_keys", tests, NULL, NULL);
}
