/* lsa_card: what is known of a fitted model, from its file. */
#ifndef EMBEDDER_LSA_CARD_H
#define EMBEDDER_LSA_CARD_H

#include "services/embedder/card.h"
#include "services/embedder/lsa/lsa.h"

#define LSA_NAME "lsa"

/* Sealed. Errors: SH_MALFORMED, SH_NOMEM, SH_INTERNAL. */
SH_CHECK enum sh_err lsa_card(struct card *card, struct sh_bytes file);
/* The same of a file that is open. */
SH_CHECK enum sh_err lsa_card_of(struct card *card, const struct lsa *model);

#endif
