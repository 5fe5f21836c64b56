/* put_group: what a step costs whatever it is done for, the documents of a bulk load pay
 * together: those that wait for the same step when it may begin go through it as one
 * group. A document that somebody waits for never waits for company. Loop thread only. */
#ifndef SEARCH_PUT_GROUP_H
#define SEARCH_PUT_GROUP_H

#include "services/search/ingest/embed.h"
#include "services/search/store/write.h"
#include "shared/workers.h"

struct put;
struct putter;

enum put_stage_name { PUT_LOOKING_UP, PUT_EMBEDDING, PUT_STORING, PUT_STAGES };
enum { PUT_GROUP_MOST = 128 };

struct put_group {
    struct putter *putter;
    enum put_stage_name stage;
    bool counted; /* among those under way */
    struct put *puts[PUT_GROUP_MOST];
    size_t count;
    size_t bytes;         /* of their payloads */
    uint64_t deadline_ms; /* the nearest of theirs */
    /* embedding */
    struct embed_job *job;
    struct sh_bytes *texts; /* of all of them, one after the other, as are the next two */
    bool *have;
    float *vectors;
    /* storing */
    struct write_document documents[PUT_GROUP_MOST];
    struct write write;
    struct sh_work work;
    enum sh_err worked;
    bool retried;
};

/* Through the stage with whoever else waits for it, or by itself. All puts of a group are
 * of different ids and of one model. */
void put_gather(struct put *put, enum put_stage_name stage);
/* Its puts have gone on, or ended; the next group may begin. */
void put_group_end(struct put_group *group);
/* All of them end so. */
void put_group_fail(struct put_group *group, enum sh_err err, const char *message);

/* --- the stages ------------------------------------------------------------------- */

void put_group_look_up(struct put_group *group);
void put_group_embed(struct put_group *group);
void put_group_store(struct put_group *group);

#endif
