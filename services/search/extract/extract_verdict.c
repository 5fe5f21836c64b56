#include <signal.h>
#include <stdio.h>

#include "services/search/extract/extract_internal.h"
#include "shared/log.h"
#include "shared/metrics.h"

static struct sh_family files_total = {
    .kind = SH_COUNTER,
    .name = "cairn_search_extract_files_total",
    .help = "Files read by cairn-extract, by what came of it.",
    .labels = {"outcome"},
};

static struct extract_verdict of_killed(enum extract_killed killed)
{
    switch (killed) {
    case EXTRACT_CANCELED:
        return (struct extract_verdict){SH_CANCELED, "canceled", "cancelled"};
    case EXTRACT_TIMED_OUT:
        return (struct extract_verdict){SH_UNREADABLE, "extraction_timeout",
                                        "it cannot be read in time"};
    case EXTRACT_OVER_MEMORY:
        return (struct extract_verdict){SH_UNREADABLE, "limit_exceeded",
                                        "it takes too much memory to read"};
    case EXTRACT_NONSENSE:
    case EXTRACT_NOT_KILLED:
        break;
    }
    return (struct extract_verdict){SH_UNREADABLE, "extraction_failed",
                                    "it cannot be read"};
}

/* The child's own words are one of these, or are not believed. */
static struct extract_verdict of_code(struct sh_bytes code, const char *message)
{
    static const char *const known[] = {"encrypted", "damaged", "limit_exceeded",
                                        "no_text"};

    if (sh_bytes_is(code, "type_refused"))
        return (struct extract_verdict){SH_TYPE, "type_refused", message};
    for (size_t i = 0; i < SH_COUNT(known); i++)
        if (sh_bytes_is(code, known[i]))
            return (struct extract_verdict){SH_UNREADABLE, known[i], message};
    return of_killed(EXTRACT_NOT_KILLED);
}

static struct extract_verdict judge(struct extract_job *job,
                                    const struct extract_exit *exit)
{
    const struct extract_end *end = &job->frames.end;

    if (job->start != SH_OK)
        return (struct extract_verdict){SH_UNAVAILABLE, "unavailable",
                                        "files cannot be read now"};
    if (exit->killed != EXTRACT_NOT_KILLED)
        return of_killed(exit->killed);
    if (exit->signal == SIGXCPU)
        return of_killed(EXTRACT_TIMED_OUT);
    if (exit->status != 0 || exit->signal != 0 ||
        extract_pipe_close(&job->frames) != SH_OK)
        return of_killed(EXTRACT_NONSENSE);
    if (end->code.len == 0)
        return (struct extract_verdict){SH_OK, "ok", ""};
    (void)snprintf(job->message, sizeof(job->message), "%.*s", (int)end->message.len,
                   (const char *)end->message.data);
    return of_code(end->code, job->message);
}

static void tell(const struct extract_job *job, const struct extract_exit *exit,
                 const struct extract_verdict *verdict)
{
    sh_series_add(sh_series(&files_total, (const char *[]){verdict->code}), 1);
    if (verdict->err == SH_OK || verdict->err == SH_CANCELED || job->start != SH_OK)
        return;
    if (exit->killed != EXTRACT_NOT_KILLED || exit->signal != 0 || exit->status != 0)
        sh_warning(job->order.trace,
                   "cairn-extract was ended over a file: %s (signal %d, status %d)",
                   verdict->code, exit->signal, (int)exit->status);
    else
        sh_info(job->order.trace, "a file is refused: %s, %s", verdict->code,
                verdict->message);
}

struct extract_verdict extract_judge(struct extract_job *job,
                                     const struct extract_exit *exit)
{
    struct extract_verdict verdict = judge(job, exit);

    tell(job, exit, &verdict);
    return verdict;
}
