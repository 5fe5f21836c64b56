#include "services/backup/service/complaint.h"

#include <math.h>

enum { LATE_S = 60 };

const char *complaint_log(const struct log_facts *log, double started, double now)
{
    if (!log->wanted || log->elsewhere)
        return "";
    if (log->missing > 0)
        return "segments of the write-ahead log are missing";
    if (now - fmax(log->recovery_point, started) > LATE_S + (double)log->stored_every_s)
        return log->behind > 0 ? "a place is behind with the write-ahead log"
                               : "the write-ahead log is late";
    if (log->heard && log->streaming && !log->base && now - started > LATE_S)
        return "there is no physical set for the write-ahead log";
    return "";
}

const char *complaint_sets(const struct set_facts *sets, const char *of_log)
{
    if (sets->unreadable > 0)
        return "a backup set has no usable manifest";
    if (sets->late)
        return "a backup is late";
    if (sets->unproven && !sets->busy)
        return "the newest full set is not verified";
    if (of_log[0] != '\0')
        return of_log;
    return sets->free_mb < sets->wanted_mb ? "the disk of the backups is short" : "";
}
