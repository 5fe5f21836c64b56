-- Maintenance that somebody entered by hand: while there is a row whose time has not come,
-- gateways refuse what would change something. A live restore needs no row: it holds an
-- advisory lock, which ends with it.
CREATE TABLE maintenance (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    until timestamptz NOT NULL,
    reason text NOT NULL CHECK (length(reason) <= 500),
    entered_by text NOT NULL,
    entered_at timestamptz NOT NULL DEFAULT now()
);
