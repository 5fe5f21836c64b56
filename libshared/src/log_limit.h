/* log_limit: which lines are held back because their place repeats itself. A bounded
 * table; a place that finds no room in it is simply not limited. Any thread. */
#ifndef LIBSHARED_LOG_LIMIT_H
#define LIBSHARED_LOG_LIMIT_H

#include "shared/log.h"

/* What was held back of one place. */
struct sh_log_repeats {
    const struct sh_log_site *site;
    enum sh_log_level level;
    unsigned count;
};

/* True when the line may be written. owed->count > 0: say first what was held back in
 * the window that has passed. */
bool sh_log_limit_pass(const struct sh_log_site *site, enum sh_log_level level,
                       uint64_t now_ms, struct sh_log_repeats *owed);
/* Take one place whose window has passed with lines held back; with `all` whether it has
 * passed or not. False when there is none. */
bool sh_log_limit_take(uint64_t now_ms, bool all, struct sh_log_repeats *owed);

#endif
