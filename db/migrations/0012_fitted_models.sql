-- Models that were fitted to the corpus. Their files are kept here, in pieces of 512 KiB, so
-- that any embedder can fetch one by its fingerprint. `corpus` is how many passages there
-- were, `texts` how many of them the model was fitted to.
CREATE TABLE fitted_models (
    fingerprint text        PRIMARY KEY,
    dimension   integer     NOT NULL CHECK (dimension > 0),
    terms       bigint      NOT NULL,
    texts       bigint      NOT NULL,
    corpus      bigint      NOT NULL,
    bytes       bigint      NOT NULL CHECK (bytes > 0),
    complete    boolean     NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- EXTERNAL: floats do not compress, so it is not tried.
CREATE TABLE fitted_model_pieces (
    fingerprint text    NOT NULL REFERENCES fitted_models ON DELETE CASCADE,
    seq         integer NOT NULL CHECK (seq >= 0),
    piece       bytea   NOT NULL,
    PRIMARY KEY (fingerprint, seq)
);
ALTER TABLE fitted_model_pieces ALTER COLUMN piece SET STORAGE EXTERNAL;
