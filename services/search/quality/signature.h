/* signature: a passage as 72 bytes of which two passages share about as many as they
 * share runs of three words. MinHash (A. Broder, "On the resemblance and containment of
 * documents", 1997) with one permutation in bins (P. Li, A. Owen, C.-H. Zhang, "One
 * Permutation Hashing", 2012), empty bins filled from their neighbours (A. Shrivastava,
 * P. Li, "Densifying One Permutation Hashing via Rotation", 2014), the lowest byte of
 * each kept (P. Li, A. C. König, "b-Bit Minwise Hashing", 2010). Words count without
 * regard to case, marks do not count. db/migrations has what is looked up by it. Pure. */
#ifndef SEARCH_SIGNATURE_H
#define SEARCH_SIGNATURE_H

#include "shared/bytes.h"

enum { SIGNATURE_BYTES = 72 };

void signature_of(struct sh_bytes text, uint8_t out[static SIGNATURE_BYTES]);
/* The share of runs in common, 0 to 1: an estimate with a deviation of 0.06 at most. */
double signature_similarity(const uint8_t a[static SIGNATURE_BYTES],
                            const uint8_t b[static SIGNATURE_BYTES]);

#endif
