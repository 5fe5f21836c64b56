/* rpc_keys_internal: what a ring of keys is made of; rpc_keys.c holds the one in use,
 * rpc_keys_files.c reads the directory. */
#ifndef LIBSHARED_RPC_KEYS_INTERNAL_H
#define LIBSHARED_RPC_KEYS_INTERNAL_H

#include "libshared/src/rpc_keys.h"

struct named_key {
    char name[RPC_KEY_NAME + 1];
    struct rpc_key key;
    bool caller; /* may call us */
};

struct rpc_keys {
    bool on;
    bool no_plain;
    struct rpc_key secret;
    struct rpc_key open;
    struct named_key list[RPC_KEYS_MAX]; /* keys of one name in the order of its file */
    size_t count;
};

/* Every NAME.pub of the directory. */
void rpc_keys_read_directory(struct rpc_keys *keys, const char *directory,
                             struct sh_buffer *faults);

#endif
