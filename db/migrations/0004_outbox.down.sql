DROP FUNCTION outbox_trim(name, interval, bigint);
DROP FUNCTION outbox_start(name);
DROP FUNCTION outbox_database(name);
ALTER TABLE outbox_horizon DROP COLUMN seq;
-- Removes rows older than `keep`, some 20,000 at a time so that no call takes long, and
-- says how many. Rows of a transaction that may still run are kept, whatever their age.
-- Rows from the future can only come from another cluster's dump; they mean nothing here.
CREATE FUNCTION outbox_trim(outbox name, keep interval) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    kept    xid8;
    last    xid8;
    removed bigint;
    strange bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('outbox_trim'), hashtext(outbox)) THEN
        RETURN 0;
    END IF;
    EXECUTE format('DELETE FROM %I WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) '
                   'AND xid <> pg_current_xact_id()', outbox);
    GET DIAGNOSTICS strange = ROW_COUNT;
    EXECUTE format('SELECT xid FROM %I WHERE at >= clock_timestamp() - $1 '
                   'OR xid >= pg_snapshot_xmin(pg_current_snapshot()) '
                   'ORDER BY xid, seq LIMIT 1', outbox)
        INTO kept USING keep;
    EXECUTE format('SELECT xid FROM (SELECT xid FROM %I WHERE $1 IS NULL OR xid < $1 '
                   'ORDER BY xid, seq LIMIT 20000) AS oldest ORDER BY xid DESC LIMIT 1', outbox)
        INTO last USING kept;
    IF last IS NULL THEN
        RETURN strange;
    END IF;
    EXECUTE format('DELETE FROM %I WHERE xid <= $1', outbox) USING last;
    GET DIAGNOSTICS removed = ROW_COUNT;
    INSERT INTO outbox_horizon AS h VALUES (outbox, last)
        ON CONFLICT ON CONSTRAINT outbox_horizon_pkey DO UPDATE SET xid = EXCLUDED.xid
        WHERE h.xid < EXCLUDED.xid;
    RETURN removed + strange;
END $$;
