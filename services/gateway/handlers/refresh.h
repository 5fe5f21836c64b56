/* refresh: the parameter `refresh` of a write. Absent: the answer comes when the replica
 * that stored it shows it; false: when it is stored; true: when all replicas show it. */
#ifndef GATEWAY_REFRESH_H
#define GATEWAY_REFRESH_H

#include "services/gateway/everywhere.h"
#include "services/gateway/exchange.h"

enum refresh_mode { REFRESH_OWN, REFRESH_NONE, REFRESH_ALL };

struct refresh {
    enum refresh_mode mode;
    enum peer peer; /* who stored it; search where it is not said */
    bool visible;   /* REFRESH_OWN */
    struct everywhere_answer all;
    struct everywhere *waiting;
    void (*then)(struct exchange *x);
};

/* False: answered 400. */
SH_CHECK bool refresh_read(struct exchange *x, enum refresh_mode *mode);
/* Transaction `xid` is stored; `visible` is what the service said of its own view. `then`
 * comes now, or when all replicas have answered. x->state begins with the struct refresh.
 */
void refresh_wait(struct exchange *x, uint64_t xid, bool visible,
                  void (*then)(struct exchange *x));
/* What to tell everywhere_ask(). */
struct everywhere_order refresh_order(struct exchange *x, uint64_t xid);
/* The members "visible" and "replicas", with a comma before each. */
void refresh_members(struct sh_buffer *out, const struct refresh *refresh);

#endif
