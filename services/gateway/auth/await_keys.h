/* await_keys: a request whose token names a key that is not known waits while the keys
 * are fetched anew: a provider that has just changed its keys refuses nobody. Loop
 * thread. */
#ifndef GATEWAY_AWAIT_KEYS_H
#define GATEWAY_AWAIT_KEYS_H

#include "services/gateway/exchange.h"

typedef void await_keys_fn(struct exchange *x, struct sh_bytes token);

/* False: there is nothing to wait for, or too many wait already. Else `done` is called
 * later, when the fetch has come to its end or five seconds have passed. */
bool await_keys(struct exchange *x, struct sh_bytes token, await_keys_fn *done);

#endif
