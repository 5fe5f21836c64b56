-- Who did what: written by the gateways, read by GET /api/admin/audit and checked by
-- `cairn-gateway --verify-audit`. Each gateway writes a chain of its own: a record holds the
-- hash of the one before it. What is hashed stands in the columns from chain to prev.
CREATE TABLE audit_log (
    id               bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    chain            text        NOT NULL,
    seq              bigint      NOT NULL,
    at               timestamptz NOT NULL,
    request_id       text        NOT NULL,
    user_id          text        NOT NULL,
    user_role        text        NOT NULL,
    department       text        NOT NULL,
    auth             text        NOT NULL,
    action           text        NOT NULL,
    target           text        NOT NULL,
    status           integer     NOT NULL,
    outcome          text        NOT NULL,
    code             text        NOT NULL,
    query_hash       text        NOT NULL,
    query            text        NOT NULL,
    filters_applied  text        NOT NULL,
    results_returned bigint      NOT NULL,
    response_us      bigint      NOT NULL,
    ip_address       text        NOT NULL,
    user_agent       text        NOT NULL,
    detail           text        NOT NULL,
    key_id           text        NOT NULL,
    prev             text        NOT NULL,
    hash             text        NOT NULL,
    success_status   boolean     GENERATED ALWAYS AS (outcome = 'ok') STORED,
    response_time    float8      GENERATED ALWAYS AS (response_us / 1e6) STORED,
    PRIMARY KEY (chain, seq)
);
CREATE INDEX audit_log_at ON audit_log (at DESC, id DESC);
CREATE INDEX audit_log_user ON audit_log (user_id, at DESC);

-- How far each chain has come, for whoever wants to see that its end is there.
CREATE TABLE audit_heads (
    chain      text        PRIMARY KEY,
    seq        bigint      NOT NULL,
    hash       text        NOT NULL,
    updated_at timestamptz NOT NULL
);

-- A guard against mistakes, not against whoever owns the table: records are added, and only
-- the retention (which says so) removes them.
CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('cairn.audit_trim', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_guard BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_guard();
CREATE TRIGGER audit_guard_truncate BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_guard();

-- Where each chain could be cut so that nothing from before `cutoff` is left: everything up
-- to `seq`, whose hash is what the next record has in front. Chains that were cut before are
-- told again. `gone`: nothing of the chain is left.
CREATE FUNCTION audit_cuts(cutoff timestamptz)
RETURNS TABLE (chain text, seq bigint, hash text, gone boolean) LANGUAGE sql STABLE AS $$
    WITH ends AS (
        SELECT h.chain,
               (SELECT min(l.seq) FROM audit_log l WHERE l.chain = h.chain) AS first,
               (SELECT max(l.seq) FROM audit_log l WHERE l.chain = h.chain) AS last,
               (SELECT l.seq FROM audit_log l WHERE l.chain = h.chain AND l.at >= cutoff
                ORDER BY l.seq LIMIT 1) AS kept
        FROM audit_heads h)
    SELECT e.chain, coalesce(e.kept - 1, e.last),
           CASE WHEN e.kept = e.first
                THEN (SELECT l.prev FROM audit_log l WHERE l.chain = e.chain AND l.seq = e.first)
                ELSE (SELECT l.hash FROM audit_log l
                      WHERE l.chain = e.chain AND l.seq = coalesce(e.kept - 1, e.last)) END,
           e.kept IS NULL
    FROM ends e
    WHERE e.last IS NOT NULL AND coalesce(e.kept - 1, e.last) > 0
$$;

-- Removes the oldest records of a chain up to `upto`, some thousands a call, and says how
-- many. A chain of which nothing is left loses its head too.
CREATE FUNCTION audit_cut(which text, upto bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    removed bigint;
BEGIN
    PERFORM set_config('cairn.audit_trim', 'on', true);
    DELETE FROM audit_log l WHERE l.chain = which AND l.seq IN (
        SELECT o.seq FROM audit_log o WHERE o.chain = which AND o.seq <= upto
        ORDER BY o.seq LIMIT 20000);
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('cairn.audit_trim', 'off', true);
    DELETE FROM audit_heads h WHERE h.chain = which AND h.seq <= upto
        AND NOT EXISTS (SELECT FROM audit_log l WHERE l.chain = which);
    RETURN removed;
END $$;
