/* What went wrong in this gateway since it began, counted. */
#include <math.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"
#include "shared/clock.h"
#include "shared/errors.h"

static const struct {
    const char *name;
    enum sh_log_level level;
} levels[] = {{"CRITICAL", SH_CRITICAL}, {"ERROR", SH_ERROR}, {"WARNING", SH_WARNING}};

static uint64_t write_levels(struct sh_buffer *out)
{
    uint64_t total = 0;

    json_member(out, "error_counts");
    sh_buffer_text(out, "{");
    for (size_t i = 0; i < SH_COUNT(levels); i++) {
        uint64_t count = sh_errors_of_level(levels[i].level);
        json_member(out, levels[i].name);
        json_u64(out, count);
        total += count;
    }
    sh_buffer_text(out, "}");
    return total;
}

/* False: out of memory. */
static bool write_types(struct exchange *x, struct sh_buffer *out)
{
    struct sh_error_count *types =
        sh_arena_array(&x->arena, SH_ERROR_TYPES, sizeof *types);
    if (types == NULL)
        return false;
    size_t count = sh_errors_types(types, SH_ERROR_TYPES);
    json_member(out, "error_types");
    sh_buffer_text(out, "{");
    for (size_t i = 0; i < count; i++) {
        json_member(out, types[i].type);
        json_u64(out, types[i].count);
    }
    sh_buffer_text(out, "}");
    return true;
}

void errors_stats(struct exchange *x, void *unused)
{
    (void)unused;
    struct sh_buffer *out = exchange_out(x);
    double minutes = (sh_wall_time() - x->edge->gateway->started) / 60;

    minutes = fmax(round(minutes * 1000) / 1000, 0.001);
    sh_buffer_text(out, "{");
    uint64_t total = write_levels(out);
    if (!write_types(x, out)) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    json_member(out, "total_errors");
    json_u64(out, total);
    json_member(out, "error_rate_per_minute");
    sh_buffer_printf(out, "%.2f", (double)total / minutes);
    json_member(out, "tracking_duration_minutes");
    sh_buffer_printf(out, "%.3f}", minutes);
    exchange_answer(x, 200);
}
