#include "services/search/ingest/put_key.h"

#include <stdio.h>

enum { FOUND_ID, FOUND_HASH, FOUND_CHUNKS, FOUND_XID };

const struct sh_pg_statement put_key_found = {
    "put_key_found", "SELECT document_id, encode(content_hash, 'hex'), chunks, xid::text "
                     "FROM write_keys WHERE key = $1"};

const struct sh_pg_statement put_key_keep = {
    "put_key_keep",
    "WITH old AS (DELETE FROM write_keys WHERE key IN (SELECT key FROM write_keys "
    "WHERE created_at < now() - interval '1 day' ORDER BY created_at LIMIT 20 "
    "FOR UPDATE SKIP LOCKED)) "
    "INSERT INTO write_keys (key, document_id, content_hash, chunks) "
    "VALUES ($1, $2, decode($3, 'hex'), $4)"};

static struct sh_pg_param key_of(const struct put *put)
{
    return (struct sh_pg_param){{(const char *)put->order.key, PUT_KEY_BYTES}, true};
}

struct sh_pg_step put_key_lookup(struct put *put)
{
    put->key.params[0] = key_of(put);
    return (struct sh_pg_step){&put_key_found, put->key.params, 1, false};
}

struct sh_pg_step put_key_insert(struct put *put, size_t chunks)
{
    (void)snprintf(put->key.chunks, sizeof(put->key.chunks), "%zu", chunks);
    put->key.params[0] = key_of(put);
    put->key.params[1] = (struct sh_pg_param){put->doc.id, false};
    put->key.params[2] = (struct sh_pg_param){sh_bytes_of(put->doc.record.hash), false};
    put->key.params[3] = (struct sh_pg_param){sh_bytes_of(put->key.chunks), false};
    return (struct sh_pg_step){&put_key_keep, put->key.params, 4, false};
}

bool put_key_settles(struct put *put, const PGresult *found)
{
    if (PQntuples(found) == 0)
        return false;
    put->doc.id = sh_arena_copy(&put->arena, sh_pg_text(found, 0, FOUND_ID));
    if (put->doc.id.data == NULL) {
        put_fail(put, SH_NOMEM, sh_err_text(SH_NOMEM));
    } else if (!sh_bytes_is(sh_pg_text(found, 0, FOUND_HASH), put->doc.record.hash)) {
        put_fail_as(put, SH_CONFLICT, "idempotency_key_reused",
                    "this Idempotency-Key was used for another document");
    } else {
        put->reply = (struct document_put_reply){
            .created = true,
            .chunks = (uint32_t)sh_pg_u64(found, 0, FOUND_CHUNKS),
            .xid = sh_pg_u64(found, 0, FOUND_XID)};
        put_wait_for_view(put);
    }
    return true;
}

bool put_key_lost(const struct put *put, const struct sh_pg_reply *reply)
{
    return put->order.key != NULL && !put->key.lost &&
           strcmp(reply->sqlstate, "23505") == 0;
}
