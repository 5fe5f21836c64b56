#include <stdio.h>

#include "services/gateway/audit/audit_internal.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum { PENDING_MAX = 8 << 20 }; /* bytes of lines that the journal did not take */

static struct sh_family records_total = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_audit_records_total",
    .help = "Audit records written",
};
static struct sh_family lost_total = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_audit_lost_total",
    .help = "Audit records that found the queue full",
};

/* --- records ------------------------------------------------------------------------ */

static void hash_query(struct audit *audit, struct audit_record *record,
                       char hash[static AUDIT_QUERY_HASH + 1])
{
    if (record->query.len == 0)
        return;
    audit_query_hash(record->query, hash);
    record->query_hash = sh_bytes_of(hash);
    if (strcmp(audit->options.config->query_text, "full") != 0)
        record->query = (struct sh_bytes){0};
}

/* Texts become views into `clean`, whose memory may move while it grows. */
static bool clean_texts(struct audit *audit, struct audit_record *record)
{
    struct sh_buffer *clean = &audit->clean;
    size_t at = 0;

    sh_buffer_clear(clean);
    for (size_t i = 0; i < audit_fields_count; i++) {
        if (audit_fields[i].kind != AUDIT_text)
            continue;
        struct sh_bytes *text = audit_text_at(record, &audit_fields[i]);
        size_t before = clean->len;
        audit_clean(*text, audit_fields[i].max, clean);
        text->len = clean->len - before;
    }
    for (size_t i = 0; clean->err == SH_OK && i < audit_fields_count; i++) {
        if (audit_fields[i].kind != AUDIT_text)
            continue;
        struct sh_bytes *text = audit_text_at(record, &audit_fields[i]);
        text->data = clean->data + at;
        at += text->len;
    }
    return clean->err == SH_OK;
}

/* False: out of memory, and nothing has changed. */
static bool add_line(struct audit *audit, struct audit_record *record)
{
    struct audit_chain chain_before = audit->chain;
    struct sh_buffer *pending = &audit->pending;
    size_t before = pending->len;

    if (audit_chain_add(&audit->chain, record) != SH_OK)
        return false;
    audit_line(record, pending);
    if (pending->err != SH_OK) {
        audit->chain = chain_before;
        pending->len = before;
        pending->err = SH_OK;
        return false;
    }
    return true;
}

void audit_add(void *arg, const struct audit_record *given)
{
    struct audit *audit = arg;
    struct audit_record record = *given;
    char hash[AUDIT_QUERY_HASH + 1];

    if (record.at_us == 0)
        record.at_us = (int64_t)(sh_wall_time() * 1e6);
    hash_query(audit, &record, hash);
    if (!clean_texts(audit, &record) || !add_line(audit, &record))
        atomic_fetch_add(&audit->queue.lost, 1);
    else
        sh_series_add(sh_series(&records_total, NULL), 1);
}

void audit_add_own(struct audit *audit, const char *action, struct sh_bytes detail)
{
    audit_add(audit, &(struct audit_record){.action = sh_bytes_of(action),
                                            .outcome = sh_bytes_of("ok"),
                                            .results_returned = -1,
                                            .detail = detail});
}

static void say_lost(struct audit *audit)
{
    char detail[64];
    unsigned long long lost = atomic_exchange(&audit->queue.lost, 0);

    if (lost == 0)
        return;
    sh_series_add(sh_series(&lost_total, NULL), (double)lost);
    sh_error(NULL, "%llu audit records found the queue full and are lost", lost);
    (void)snprintf(detail, sizeof detail, "{\"records\":%llu}", lost);
    audit_add_own(audit, "audit.lost", sh_bytes_of(detail));
}

void audit_say_head(const struct audit *audit)
{
    sh_info(NULL, "audit chain %s is at record %lld with hash %s", audit->chain.id,
            (long long)audit->chain.seq, audit->chain.head);
}

/* --- flushing ----------------------------------------------------------------------- */

/* Lines that the journal did not take the last time are in the log already. */
static void to_log(struct audit *audit)
{
    const struct sh_buffer *pending = &audit->pending;

    audit_sink_write(&audit->sink, (struct sh_bytes){pending->data + audit->logged,
                                                     pending->len - audit->logged});
    audit->logged = pending->len;
}

void audit_to_journal(struct audit *audit)
{
    if (audit->pending.len == 0)
        return;
    to_log(audit);
    enum sh_err err = journal_append(&audit->journal, sh_buffer_bytes(&audit->pending));
    if (err == SH_OK) {
        sh_buffer_clear(&audit->pending);
        audit->logged = 0;
        atomic_fetch_sub(&audit->unwritten, audit->taken);
        audit->taken = 0;
        audit->complained = false;
        loader_kick(audit->loader);
    } else if (!audit->complained) {
        audit->complained = true;
        sh_error(NULL, "the audit journal takes no more records: %s",
                 err == SH_BUSY ? "AUDIT_DIR_MAX_MB is reached" : sh_err_text(err));
    }
}

void audit_flush(struct audit *audit)
{
    if (audit->pending.len < PENDING_MAX) {
        struct audit_entry *entry = audit_queue_take(&audit->queue);
        say_lost(audit);
        while (entry != NULL) {
            struct audit_entry *next = entry->next;
            audit_add(audit, &entry->record);
            audit->taken++;
            sh_free(entry);
            entry = next;
        }
    }
    audit_to_journal(audit);
}
