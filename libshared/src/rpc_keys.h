/* rpc_keys: the keys of the bus: this process's own pair, the public keys of the services
 * by name, and whose calls are taken. One ring a process, as libzmq has one gate a
 * process. A ring in use never changes: reading again makes another, which takes its
 * place. The format of the files is in docs/operations.md, "Keys of the bus".
 *
 * rpc_keys_read() and rpc_keys_free(): any one thread; the rest: any thread. */
#ifndef LIBSHARED_RPC_KEYS_H
#define LIBSHARED_RPC_KEYS_H

#include "shared/buffer.h"

enum {
    RPC_KEY_BYTES = 32,
    RPC_KEY_TEXT = 40,  /* the same in Z85 */
    RPC_KEY_NAME = 32,  /* longest name of a service */
    RPC_KEYS_MAX = 256, /* of all services */
};

struct rpc_key {
    uint8_t bytes[RPC_KEY_BYTES];
};

struct rpc_keys;

struct rpc_keys_options {
    const char *service;   /* who we are: our own public key is one of this name's */
    const char *secret;    /* Z85; "": no keys */
    const char *directory; /* with a file NAME.pub for every service */
    const char *callers;   /* names, separated by commas; "": nobody calls */
    bool remote;           /* without keys other machines may be called all the same */
};

/* Without a secret *out is a ring without keys. Faults are reported together, a line each
 * that names the setting. Errors: SH_INVALID, SH_NOMEM. */
SH_CHECK enum sh_err rpc_keys_read(const struct rpc_keys_options *options,
                                   struct rpc_keys **out, struct sh_buffer *faults);
/* Wipes the secret; NULL is fine. */
void rpc_keys_free(struct rpc_keys **keys);
/* From here on this is the process's ring; the one before is freed. NULL: none. */
void rpc_keys_install(struct rpc_keys *keys);

/* There are keys: nothing goes plain. */
bool rpc_keys_on(void);
/* Changes with every ring that is installed. */
unsigned rpc_keys_generation(void);
/* Plain TCP to other machines is refused. */
bool rpc_keys_no_plain(void);
/* The own pair, for as short a time as possible. False: no keys. */
bool rpc_keys_own(struct rpc_key *secret, struct rpc_key *open);
/* One of the public keys of a service: `index` counts round through them. Returns how
 * many there are. */
size_t rpc_keys_of(const char *service, size_t index, struct rpc_key *out);
/* Whether its holder may call us, and by what name. */
bool rpc_keys_admit(const struct rpc_key *key, char name[static RPC_KEY_NAME + 1]);

#endif
