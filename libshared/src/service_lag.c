#include "libshared/src/service_internal.h"

#include <stdio.h>
#include <string.h>

#include "shared/clock.h"

enum { PERIOD_MS = 100, PERIOD_US = 100000, TICKS_A_SECOND = 10 };

static void on_tick(uv_timer_t *timer)
{
    struct sh_service *service = timer->data;
    struct sh_lag *lag = &service->lag;
    uint64_t now = sh_now_us();
    uint64_t due = lag->last_us + PERIOD_US;
    sh_series_observe(lag->series, now > due ? (double)(now - due) / 1e6 : 0);
    lag->last_us = now;
    if (++lag->ticks % TICKS_A_SECOND == 0)
        sh_log_flush_repeats(false);
}

/* "cairn_search_event_loop_lag_seconds"; what cannot stand in a metric becomes '_'. */
static struct sh_family *family_of(const char *service)
{
    static char name[96];
    static struct sh_family family = {
        .kind = SH_HISTOGRAM,
        .name = name,
        .help = "How late a timer of the main loop ran.",
    };
    (void)snprintf(name, sizeof(name), "cairn_%.40s_event_loop_lag_seconds", service);
    for (char *at = strchr(name, '-'); at; at = strchr(at, '-'))
        *at = '_';
    return &family;
}

enum sh_err sh_lag_start(struct sh_lag *lag, const char *service)
{
    lag->series = sh_series(family_of(service), NULL);
    lag->last_us = sh_now_us();
    return sh_err_from_uv(uv_timer_start(&lag->timer, on_tick, PERIOD_MS, PERIOD_MS));
}
