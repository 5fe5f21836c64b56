/* outcome: the code of an SH_INTERNAL that says: it may have been done, or not. Clients
 * see a 503 of this code, which is the only one after which something may have been
 * stored. */
#ifndef SHARED_OUTCOME_H
#define SHARED_OUTCOME_H

#define SH_OUTCOME_UNKNOWN "outcome_unknown"

#endif
