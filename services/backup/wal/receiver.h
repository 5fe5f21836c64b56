/* receiver: pg_receivewal as a child that is started again when it ends. One thread. */
#ifndef BACKUP_RECEIVER_H
#define BACKUP_RECEIVER_H

#include "services/backup/tool/child.h"
#include "services/backup/wal/spool.h"

struct receiver {
    struct work *work;
    struct child child;
    bool running;
    unsigned starts;
    unsigned failures; /* in a row */
    uint64_t begun_ms, retry_ms;
    char error[256];
};

/* Starts it when it is not running and it is time to. */
void receiver_keep(struct receiver *receiver, const char *conninfo,
                   const struct spool *spool);
/* True: it has ended, and was waited for. */
bool receiver_ended(struct receiver *receiver);
void receiver_stop(struct receiver *receiver);

#endif
