-- Outboxes: which database it is, how far back it goes, how long it may get.

-- A position that a reader kept means nothing in another database. This tells them apart:
-- the cluster, its timeline (a copy that was promoted, or restored to a point in time, has
-- another one), the database, the table (a dump that is restored makes it anew). What the
-- server does not tell is left empty.
CREATE FUNCTION outbox_database(outbox name) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    cluster  text := '';
    timeline text := '';
BEGIN
    BEGIN
        SELECT system_identifier::text INTO cluster FROM pg_control_system();
        IF NOT pg_is_in_recovery() THEN
            timeline := left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
        END IF;
    EXCEPTION WHEN insufficient_privilege OR feature_not_supported THEN
        NULL;
    END;
    RETURN concat_ws('-', cluster, timeline,
                     (SELECT oid FROM pg_database WHERE datname = current_database()),
                     outbox::text::regclass::oid);
END $$;

-- The last row that was trimmed: who has not passed it must rebuild.
ALTER TABLE outbox_horizon ADD COLUMN seq bigint NOT NULL DEFAULT 9223372036854775807;

-- Where to begin after reading the tables from now on: the last change that is in them for
-- certain. It is that of a row, and not merely of a transaction: a server that crashed gives
-- the ids of transactions that left nothing behind once more.
CREATE FUNCTION outbox_start(outbox name, OUT xid xid8, OUT seq bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
    EXECUTE format('SELECT xid, seq FROM (SELECT ''0''::xid8 AS xid, 0::bigint AS seq '
                   'UNION ALL SELECT h.xid, h.seq FROM outbox_horizon h WHERE h.outbox = $1 '
                   'AND h.xid < pg_snapshot_xmin(pg_current_snapshot()) '
                   'UNION ALL (SELECT o.xid, o.seq FROM %I o '
                   'WHERE o.xid < pg_snapshot_xmin(pg_current_snapshot()) '
                   'ORDER BY o.xid DESC, o.seq DESC LIMIT 1)) AS known '
                   'ORDER BY xid DESC, seq DESC LIMIT 1', outbox)
        INTO xid, seq USING outbox;
END $$;

DROP FUNCTION outbox_trim(name, interval);

-- Removes rows older than `keep`, and all but about the newest `most`, some 20,000 at a time
-- so that no call takes long, and says how many. Rows of a transaction that may still run are
-- kept, whatever their age. What is from the future, rows or horizon, can only come from
-- another cluster's dump; it means nothing here. Each statement has a snapshot of its own, so
-- each must ask for itself what the future is.
CREATE FUNCTION outbox_trim(outbox name, keep interval, most bigint DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    excess  xid8;
    kept    xid8;
    last    record;
    removed bigint;
    strange bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtext('outbox_trim'), hashtext(outbox)) THEN
        RETURN 0;
    END IF;
    DELETE FROM outbox_horizon h WHERE h.outbox = outbox_trim.outbox
        AND h.xid >= pg_snapshot_xmax(pg_current_snapshot());
    EXECUTE format('DELETE FROM %I WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) '
                   'AND xid <> pg_current_xact_id()', outbox);
    GET DIAGNOSTICS strange = ROW_COUNT;
    EXECUTE format('SELECT xid FROM %I ORDER BY xid DESC, seq DESC OFFSET $1 LIMIT 1', outbox)
        INTO excess USING coalesce(most, 9223372036854775807);
    EXECUTE format('SELECT xid FROM %I WHERE (at >= clock_timestamp() - $1 '
                   'AND ($2 IS NULL OR xid > $2)) '
                   'OR xid >= pg_snapshot_xmin(pg_current_snapshot()) '
                   'ORDER BY xid, seq LIMIT 1', outbox)
        INTO kept USING keep, excess;
    EXECUTE format('SELECT xid FROM (SELECT xid FROM %I WHERE $1 IS NULL OR xid < $1 '
                   'ORDER BY xid, seq LIMIT 20000) AS oldest ORDER BY xid DESC LIMIT 1', outbox)
        INTO last USING kept;
    IF last.xid IS NULL THEN
        RETURN strange;
    END IF;
    EXECUTE format('SELECT xid, seq FROM %I WHERE xid = $1 ORDER BY seq DESC LIMIT 1', outbox)
        INTO last USING last.xid;
    EXECUTE format('DELETE FROM %I WHERE xid <= $1', outbox) USING last.xid;
    GET DIAGNOSTICS removed = ROW_COUNT;
    INSERT INTO outbox_horizon AS h (outbox, xid, seq) VALUES (outbox, last.xid, last.seq)
        ON CONFLICT ON CONSTRAINT outbox_horizon_pkey
        DO UPDATE SET xid = EXCLUDED.xid, seq = EXCLUDED.seq WHERE h.xid < EXCLUDED.xid;
    RETURN removed + strange;
END $$;
