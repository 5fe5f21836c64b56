#include "cli/cairn/progress.h"

#include <stdio.h>
#include <time.h>

#include "cli/cairn/terminal.h"
#include "cli/cairn/text.h"

enum { INTERVAL_MS = 100, BAR = 24 };

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void progress_start(struct progress *self, bool wanted)
{
    *self = (struct progress){.shown = wanted && terminal_of(stderr).is_one,
                              .begun_ms = now_ms()};
}

static void add_bar(struct sh_buffer *out, const struct progress_figures *figures)
{
    uint64_t over = figures->done + figures->failed;
    uint64_t filled = over < figures->total ? over * BAR / figures->total : BAR;
    sh_buffer_text(out, "[");
    for (uint64_t i = 0; i < BAR; i++)
        sh_buffer_text(out, i < filled ? "#" : "-");
    sh_buffer_printf(out, "] %llu/%llu %s", (unsigned long long)over,
                     (unsigned long long)figures->total, figures->what);
}

static void add_rest(struct sh_buffer *out, const struct progress_figures *figures,
                     uint64_t ms)
{
    uint64_t over = figures->done + figures->failed;
    if (figures->failed > 0)
        sh_buffer_printf(out, ", %llu failed", (unsigned long long)figures->failed);
    if (figures->bytes > 0 && ms > 0)
        sh_buffer_printf(out, ", %.1f MB/s", (double)figures->bytes / 1e3 / (double)ms);
    if (over > 0 && over < figures->total && ms > 2000) {
        uint64_t left = (figures->total - over) * ms / over / 1000;
        sh_buffer_printf(out, ", %llu:%02llu left", (unsigned long long)left / 60,
                         (unsigned long long)left % 60);
    }
}

void progress_show(struct progress *self, const struct progress_figures *figures,
                   bool now)
{
    struct sh_buffer line = {0};
    struct sh_buffer fitted = {0};
    uint64_t ms = now_ms();
    if (!self->shown || (!now && ms < self->drawn_ms + INTERVAL_MS))
        return;
    if (figures->total > 0)
        add_bar(&line, figures);
    else
        sh_buffer_printf(&line, "%llu %s", (unsigned long long)figures->done,
                         figures->what);
    add_rest(&line, figures, ms - self->begun_ms);
    text_fit(&fitted, sh_buffer_bytes(&line), terminal_of(stderr).columns - 1, false);
    if (fitted.err == SH_OK)
        (void)fprintf(stderr, "\r\x1b[K%.*s", (int)fitted.len, fitted.data);
    self->drawn = true;
    self->drawn_ms = ms;
    sh_buffer_free(&line);
    sh_buffer_free(&fitted);
}

void progress_clear(struct progress *self)
{
    if (self->drawn)
        (void)fputs("\r\x1b[K", stderr);
    self->drawn = false;
}
