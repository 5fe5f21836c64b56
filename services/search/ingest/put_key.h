/* put_key: a document that is put with an idempotency key is stored once, however often
 * it is sent. The key is stored in the transaction that stores the document; whoever
 * comes second finds it there, or runs into it. Loop thread only. */
#ifndef SEARCH_PUT_KEY_H
#define SEARCH_PUT_KEY_H

#include "services/search/ingest/put_internal.h"

/* Only with a key (put->order.key). `step` borrows from the put until it is run. */
struct sh_pg_step put_key_lookup(struct put *put);
struct sh_pg_step put_key_insert(struct put *put, size_t chunks);

/* What put_key_lookup() found. True: the put is over, answered as the first one was, or
 * refused because the key stands for another document. */
bool put_key_settles(struct put *put, const PGresult *found);

/* The transaction failed because another one with the same key came first. */
bool put_key_lost(const struct put *put, const struct sh_pg_reply *reply);

/* For the tests of all statements. */
extern const struct sh_pg_statement put_key_found, put_key_keep;

#endif
