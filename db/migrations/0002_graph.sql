-- The record behind the graph service: nodes and edges with labels, types and properties.

CREATE TABLE graph_nodes (
    id              text     PRIMARY KEY CHECK (octet_length(id) BETWEEN 1 AND 256),
    labels          text[]   NOT NULL DEFAULT '{}',
    properties      jsonb    NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(properties) = 'object'),
    clearance_level smallint NOT NULL DEFAULT 1 CHECK (clearance_level BETWEEN 1 AND 5),
    department      text
);
CREATE INDEX graph_nodes_labels ON graph_nodes USING gin (labels);

CREATE TABLE graph_edges (
    id              text     PRIMARY KEY CHECK (octet_length(id) BETWEEN 1 AND 256),
    type            text     NOT NULL CHECK (type <> ''),
    from_id         text     NOT NULL REFERENCES graph_nodes ON DELETE CASCADE ON UPDATE CASCADE,
    to_id           text     NOT NULL REFERENCES graph_nodes ON DELETE CASCADE ON UPDATE CASCADE,
    properties      jsonb    NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(properties) = 'object'),
    clearance_level smallint NOT NULL DEFAULT 1 CHECK (clearance_level BETWEEN 1 AND 5),
    department      text
);
CREATE INDEX graph_edges_from ON graph_edges (from_id, type);
CREATE INDEX graph_edges_to ON graph_edges (to_id, type);
CREATE INDEX graph_edges_type ON graph_edges (type);

CREATE TABLE graph_outbox (
    xid    xid8        NOT NULL DEFAULT pg_current_xact_id(),
    seq    bigserial   NOT NULL,
    entity text        NOT NULL,
    id     text        NOT NULL,
    op     "char"      NOT NULL CHECK (op IN ('u', 'd')),
    at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (xid, seq)
);
CREATE TRIGGER notify AFTER INSERT ON graph_outbox
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_notify();

CREATE TRIGGER outbox_insert AFTER INSERT ON graph_nodes
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('graph_outbox', 'node', 'id');
CREATE TRIGGER outbox_update AFTER UPDATE ON graph_nodes
    REFERENCING OLD TABLE AS before NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('graph_outbox', 'node', 'id');
CREATE TRIGGER outbox_delete AFTER DELETE ON graph_nodes
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('graph_outbox', 'node', 'id');
CREATE TRIGGER outbox_truncate BEFORE TRUNCATE ON graph_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record_truncate('graph_outbox', 'node', 'id');

CREATE TRIGGER outbox_insert AFTER INSERT ON graph_edges
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('graph_outbox', 'edge', 'id');
CREATE TRIGGER outbox_update AFTER UPDATE ON graph_edges
    REFERENCING OLD TABLE AS before NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('graph_outbox', 'edge', 'id');
CREATE TRIGGER outbox_delete AFTER DELETE ON graph_edges
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record('graph_outbox', 'edge', 'id');
CREATE TRIGGER outbox_truncate BEFORE TRUNCATE ON graph_edges
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_record_truncate('graph_outbox', 'edge', 'id');
