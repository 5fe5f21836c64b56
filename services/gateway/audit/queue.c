#include "services/gateway/audit/queue.h"

#include "shared/clock.h"
#include "shared/mem.h"

static size_t kept(struct sh_bytes text, const struct audit_field *field)
{
    return text.len < field->max ? text.len : field->max;
}

static struct audit_entry *copy(const struct audit_record *record)
{
    size_t size = 0;
    for (size_t i = 0; i < audit_fields_count; i++)
        if (audit_fields[i].kind == AUDIT_text)
            size += kept(audit_text(record, &audit_fields[i]), &audit_fields[i]);
    struct audit_entry *entry = sh_alloc(sizeof *entry + size);
    if (entry == NULL)
        return NULL;

    char *at = entry->texts;
    entry->record = *record;
    for (size_t i = 0; i < audit_fields_count; i++) {
        if (audit_fields[i].kind != AUDIT_text)
            continue;
        struct sh_bytes *text = audit_text_at(&entry->record, &audit_fields[i]);
        size_t len = kept(*text, &audit_fields[i]);
        if (len > 0)
            memcpy(at, text->data, len);
        *text = (struct sh_bytes){at, len};
        at += len;
    }
    if (entry->record.at_us == 0)
        entry->record.at_us = (int64_t)(sh_wall_time() * 1e6);
    return entry;
}

enum audit_put audit_queue_put(struct audit_queue *queue,
                               const struct audit_record *record)
{
    bool room = atomic_fetch_add(&queue->count, 1) < queue->max;
    struct audit_entry *entry = room ? copy(record) : NULL;

    if (entry == NULL) {
        atomic_fetch_sub(&queue->count, 1);
        atomic_fetch_add(&queue->lost, 1);
        return AUDIT_PUT_LOST;
    }
    struct audit_entry *before = atomic_load(&queue->last);
    do /* from then on it is the reader's */
        entry->next = before;
    while (!atomic_compare_exchange_weak(&queue->last, &before, entry));
    return before == NULL ? AUDIT_PUT_FIRST : AUDIT_PUT_BEHIND;
}

struct audit_entry *audit_queue_take(struct audit_queue *queue)
{
    struct audit_entry *last = atomic_exchange(&queue->last, NULL);
    struct audit_entry *first = NULL;
    size_t count = 0;

    while (last != NULL) {
        struct audit_entry *before = last->next;
        last->next = first;
        first = last;
        last = before;
        count++;
    }
    atomic_fetch_sub(&queue->count, count);
    return first;
}
