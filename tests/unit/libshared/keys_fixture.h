/* keys_fixture: a directory of public keys, and rings read from it. */
#ifndef TESTS_LIBSHARED_KEYS_FIXTURE_H
#define TESTS_LIBSHARED_KEYS_FIXTURE_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

#include "libshared/src/rpc_keys.h"

struct pair {
    char open[RPC_KEY_TEXT + 1];
    char secret[RPC_KEY_TEXT + 1];
};

struct keys_dir {
    char path[64];
};

static inline struct pair pair_new(void)
{
    struct pair pair;
    assert_int_equal(zmq_curve_keypair(pair.open, pair.secret), 0);
    return pair;
}

static inline struct keys_dir keys_dir_new(void)
{
    struct keys_dir dir = {"/tmp/cairn-keys-XXXXXX"};
    assert_non_null(mkdtemp(dir.path));
    return dir;
}

static inline void keys_dir_write(const struct keys_dir *dir, const char *file,
                                  const char *text, size_t len)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", dir->path, file);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static inline void keys_dir_put(const struct keys_dir *dir, const char *file,
                                const char *text)
{
    keys_dir_write(dir, file, text, strlen(text));
}

static inline void keys_dir_remove(const struct keys_dir *dir)
{
    DIR *list = opendir(dir->path);
    assert_non_null(list);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        (void)unlinkat(dirfd(list), entry->d_name, 0); /* not "." and ".." */
    closedir(list);
    assert_int_equal(rmdir(dir->path), 0);
}

/* A ring from the directory in use; anything wrong fails the test. */
static inline void keys_use(const struct keys_dir *dir, const char *service,
                            const struct pair *own, const char *callers)
{
    struct rpc_keys_options options = {.service = service,
                                       .secret = own->secret,
                                       .directory = dir->path,
                                       .callers = callers};
    struct rpc_keys *keys = NULL;
    struct sh_buffer faults = {0};
    if (rpc_keys_read(&options, &keys, &faults) != SH_OK)
        fail_msg("%.*s", (int)faults.len, faults.data);
    rpc_keys_install(keys);
}

#endif
