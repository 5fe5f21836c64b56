-- What was stored under an Idempotency-Key, in the transaction that stored it: the same
-- write again is answered from here. The key is a digest of the caller and of what the
-- caller sent. Rows of more than a day are removed by later writes, a few at a time.
CREATE TABLE write_keys (
    key          bytea       PRIMARY KEY CHECK (octet_length(key) = 16),
    document_id  text        NOT NULL,
    content_hash bytea       NOT NULL,
    chunks       integer     NOT NULL,
    xid          xid8        NOT NULL DEFAULT pg_current_xact_id(),
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX write_keys_created_at ON write_keys (created_at);
