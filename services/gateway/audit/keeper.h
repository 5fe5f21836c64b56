/* keeper: what keeps chains verifiable over time. At the first contact with PostgreSQL,
 * and every hour, it writes an anchor into its own chain: how far the other chains had
 * come. A chain that loses its end later contradicts it. Then the retention: records
 * older than AUDIT_RETENTION_DAYS go, always the oldest of a chain, and only after a
 * record in the own chain says where each chain is cut and with which hash it goes on.
 * Loop thread only. */
#ifndef GATEWAY_AUDIT_KEEPER_H
#define GATEWAY_AUDIT_KEEPER_H

#include "services/gateway/audit/record.h"
#include "shared/pg.h"

struct keeper;

struct keeper_options {
    struct sh_pg *pg;
    const char *chain; /* the own one */
    uint32_t days;     /* 0: nothing goes */
    /* Add a record to the own chain. */
    void (*add)(void *arg, const struct audit_record *record);
    /* All records of the own chain are stored. */
    bool (*stored)(void *arg);
    void *arg;
};

/* Errors: SH_NOMEM, SH_IO. */
SH_CHECK enum sh_err keeper_open(uv_loop_t *loop, const struct keeper_options *options,
                                 struct keeper **out);
/* Records of the own chain were stored: the retention may go on. */
void keeper_stored(struct keeper *keeper);
void keeper_close(struct keeper **keeper);

#endif
