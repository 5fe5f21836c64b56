/* complaint: what health has to say against backups as they are. Pure; any thread. */
#ifndef BACKUP_COMPLAINT_H
#define BACKUP_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_facts { /* of the write-ahead log, as its process told them */
    bool wanted;
    bool elsewhere; /* another replica receives it, and complains */
    bool heard, streaming;
    bool base; /* there is a physical set for it */
    uint64_t missing;
    uint64_t behind;       /* places that are */
    double recovery_point; /* Unix seconds; 0: none */
    unsigned stored_every_s;
};

struct set_facts {
    size_t unreadable;
    bool late;     /* a full set */
    bool unproven; /* the newest full set, though it should be */
    bool busy;     /* a run is under way, which may prove it */
    uint64_t free_mb, wanted_mb;
};

/* Each is one text in memory; "" where nothing is wrong. */
const char *complaint_log(const struct log_facts *log, double started, double now);
const char *complaint_sets(const struct set_facts *sets, const char *of_log);

#endif
