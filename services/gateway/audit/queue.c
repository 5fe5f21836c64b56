#include "services/gateway/audit/queue.h"

#include "shared/clock.h"
#include "shared/mem.h"

enum {
    ALIGNMENT = _Alignof(struct audit_record),
    KEPT_BYTES = 256 << 10,
    MANY = 96 << 10
};

/* An entry is a record, of whose texts only the lengths count, then those texts, then
 * room up to where the next one may stand. */

void audit_queue_open(struct audit_queue *queue, size_t max)
{
    queue->max = max;
    queue->next_lane = AUDIT_LANES;
    for (size_t i = 0; i < AUDIT_LANES; i++)
        pthread_mutex_init(&queue->lanes[i].lock, NULL); /* cannot fail for a plain one */
}

void audit_queue_close(struct audit_queue *queue)
{
    for (size_t i = 0; i < AUDIT_LANES; i++) {
        sh_buffer_free(&queue->lanes[i].entries);
        pthread_mutex_destroy(&queue->lanes[i].lock);
    }
    sh_buffer_free(&queue->taken);
}

/* --- in --------------------------------------------------------------------------- */

static struct audit_lane *lane_of_thread(struct audit_queue *queue)
{
    static atomic_uint threads;
    static _Thread_local unsigned own = UINT32_MAX;

    if (own == UINT32_MAX)
        own = atomic_fetch_add(&threads, 1) % AUDIT_LANES;
    return &queue->lanes[own];
}

static size_t padded(size_t size)
{
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The fields one after another, without a loop over their table: each request does it. */
#define CUT_text(name, max)                                                              \
    if (entry->name.len > (max))                                                         \
        entry->name.len = (max);                                                         \
    size += entry->name.len;
#define CUT_number(name, max)
#define CUT(kind, name, max) CUT_##kind(name, max)

/* Texts over their limit are cut; how much room the entry needs. */
static size_t cut(struct audit_record *entry)
{
    size_t size = sizeof *entry;
    AUDIT_FIELDS(CUT)
    return padded(size);
}

#define COPY_text(name)                                                                  \
    if (entry->name.len > 0)                                                             \
        at = (char *)memcpy(at, entry->name.data, entry->name.len) + entry->name.len;
#define COPY_number(name)
#define COPY(kind, name, max) COPY_##kind(name)

static void copy(const struct audit_record *entry, char *room)
{
    char *at = room + sizeof *entry;

    memcpy(room, entry, sizeof *entry);
    AUDIT_FIELDS(COPY)
}

/* *many: the lane has just become long. */
static bool append(struct audit_lane *lane, struct audit_record *entry, bool *many)
{
    size_t size = cut(entry);

    pthread_mutex_lock(&lane->lock);
    char *room = sh_buffer_reserve(&lane->entries, size);
    if (room != NULL) {
        copy(entry, room);
        lane->entries.len += size;
        *many = lane->entries.len >= MANY && lane->entries.len - size < MANY;
    }
    lane->entries.err = SH_OK; /* there may be memory for the next one */
    pthread_mutex_unlock(&lane->lock);
    return room != NULL;
}

enum audit_put audit_queue_put(struct audit_queue *queue,
                               const struct audit_record *record)
{
    bool room = atomic_fetch_add(&queue->count, 1) < queue->max;
    bool many = false;
    struct audit_record entry = *record;

    if (entry.at_us == 0)
        entry.at_us = (int64_t)(sh_wall_time() * 1e6);
    if (!room || !append(lane_of_thread(queue), &entry, &many)) {
        atomic_fetch_sub(&queue->count, 1);
        atomic_fetch_add(&queue->lost, 1);
        return AUDIT_PUT_LOST;
    }
    /* The reader's round begins by forgetting that it is awake: who put too late for it
     * finds that. */
    bool known = atomic_load(&queue->awake) || atomic_exchange(&queue->awake, true);
    if (many)
        return AUDIT_PUT_MANY;
    return known ? AUDIT_PUT_BEHIND : AUDIT_PUT_FIRST;
}

/* --- out -------------------------------------------------------------------------- */

void audit_queue_begin(struct audit_queue *queue)
{
    atomic_store(&queue->awake, false);
    queue->next_lane = 0;
}

void audit_queue_stay(struct audit_queue *queue)
{
    atomic_store(&queue->awake, true);
}

/* One lane's entries, for the emptied buffer of the one before. */
static bool take_lane(struct audit_queue *queue)
{
    atomic_fetch_sub(&queue->count, queue->read);
    queue->read = 0;
    if (queue->next_lane == AUDIT_LANES)
        return false;
    struct audit_lane *lane = &queue->lanes[queue->next_lane++];
    struct sh_buffer emptied = queue->taken;

    if (emptied.capacity > KEPT_BYTES) /* of a rush that is over */
        sh_buffer_free(&emptied);
    sh_buffer_clear(&emptied);
    pthread_mutex_lock(&lane->lock);
    queue->taken = lane->entries;
    lane->entries = emptied;
    pthread_mutex_unlock(&lane->lock);
    queue->at = 0;
    return true;
}

#define FIND_text(name)                                                                  \
    record->name.data = at;                                                              \
    at += record->name.len;
#define FIND_number(name)
#define FIND(kind, name, max) FIND_##kind(name)

bool audit_queue_next(struct audit_queue *queue, struct audit_record *record)
{
    while (queue->at == queue->taken.len)
        if (!take_lane(queue))
            return false;
    const char *entry = queue->taken.data + queue->at;
    const char *at = entry + sizeof *record;

    memcpy(record, entry, sizeof *record);
    AUDIT_FIELDS(FIND)
    queue->at += padded((size_t)(at - entry));
    queue->read++;
    return true;
}
