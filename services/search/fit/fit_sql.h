/* fit_sql: the statements of fitted models. */
#ifndef SEARCH_FIT_SQL_H
#define SEARCH_FIT_SQL_H

#include "shared/pg.h"

enum { FIT_PIECE = 512 << 10 }; /* bytes of a stored piece; the last may be shorter */

extern const struct sh_pg_statement fit_count;  /* () → passages */
extern const struct sh_pg_statement fit_page;   /* (after, limit, share of a million) →
                                                   id, what is embedded */
extern const struct sh_pg_statement fit_store;  /* (fingerprint, dimension, terms, texts,
                                                   corpus, bytes) → complete? */
extern const struct sh_pg_statement fit_piece;  /* (fingerprint, seq, piece) */
extern const struct sh_pg_statement fit_finish; /* (fingerprint) → 1 when it is whole */
extern const struct sh_pg_statement fit_tidy;   /* (): what nobody needs any more */
extern const struct sh_pg_statement fit_read;   /* (fingerprint, seq) → bytes, piece */
extern const struct sh_pg_statement fit_growth; /* (growth) → passages now and then: the
                                                   live model has fallen behind */

#endif
