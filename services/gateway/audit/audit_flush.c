#include <stdio.h>

#include "services/gateway/audit/audit_internal.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"

enum { PENDING_MAX = 8 << 20 }; /* bytes of rows that the journal did not take */

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

/* --- records ---------------------------------------------------------------------- */

static void hash_query(struct audit *audit, struct audit_record *record,
                       char hash[static AUDIT_QUERY_HASH + 1])
{
    if (record->query.len == 0)
        return;
    audit_chain_query_hash(&audit->chain, record->query, hash);
    record->query_hash = sh_bytes_of(hash);
    if (strcmp(audit->options.config->query_text, "full") != 0)
        record->query = (struct sh_bytes){0};
}

/* Texts that are not plain, most often none, become clean views into `clean`, whose
 * memory may move while it grows. False: out of memory. */
static bool clean_texts(struct audit *audit, struct audit_record *record, bool *plain)
{
    struct sh_buffer *clean = &audit->clean;
    struct sh_bytes *cleaned[AUDIT_FIELDS_MAX];
    size_t count = 0, at = 0;

    sh_buffer_clear(clean);
    for (size_t i = 0; i < audit_fields_count; i++) {
        if (audit_fields[i].kind != AUDIT_text)
            continue;
        struct sh_bytes *text = audit_text_at(record, &audit_fields[i]);
        if (audit_is_plain(*text, audit_fields[i].max))
            continue;
        size_t before = clean->len;
        audit_clean(*text, audit_fields[i].max, clean);
        text->len = clean->len - before;
        cleaned[count++] = text;
    }
    for (size_t i = 0; clean->err == SH_OK && i < count; i++) {
        cleaned[i]->data = clean->data + at;
        at += cleaned[i]->len;
    }
    *plain = count == 0;
    return clean->err == SH_OK;
}

/* False: out of memory, and nothing has changed. */
static bool add_row(struct audit *audit, struct audit_record *record, bool plain)
{
    size_t rows = audit->pending.len, lines = audit->lines.len;

    if (audit_chain_add(&audit->chain, record, plain, &audit->pending) != SH_OK)
        return false;
    if (audit->sink.fd < 0)
        return true;
    audit_line(record, plain, &audit->lines);
    if (audit->lines.err == SH_OK)
        return true;
    audit_chain_undo(&audit->chain);
    audit->pending.len = rows;
    audit->lines.len = lines;
    audit->lines.err = SH_OK;
    return false;
}

void audit_add(void *arg, const struct audit_record *given)
{
    struct audit *audit = arg;
    struct audit_record record = *given;
    char hash[AUDIT_QUERY_HASH + 1];
    bool plain;

    if (record.at_us == 0)
        record.at_us = (int64_t)(sh_wall_time() * 1e6);
    hash_query(audit, &record, hash);
    if (!clean_texts(audit, &record, &plain) || !add_row(audit, &record, plain))
        atomic_fetch_add(&audit->queue.lost, 1);
    else
        audit->added++;
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

/* --- flushing --------------------------------------------------------------------- */

void audit_to_journal(struct audit *audit)
{
    if (audit->pending.len == 0)
        return;
    sh_series_add(sh_series(&records_total, NULL), (double)audit->added);
    audit->added = 0;
    audit_sink_write(&audit->sink, sh_buffer_bytes(&audit->lines));
    sh_buffer_clear(&audit->lines);
    enum sh_err err = journal_append(&audit->journal, sh_buffer_bytes(&audit->pending));
    if (err == SH_OK) {
        sh_buffer_clear(&audit->pending);
        atomic_fetch_sub(&audit->unwritten, audit->taken);
        audit->taken = 0;
        audit->complained = false;
        loader_added(audit->loader);
    } else if (!audit->complained) {
        audit->complained = true;
        sh_error(NULL, "the audit journal takes no more records: %s",
                 err == SH_BUSY ? "AUDIT_DIR_MAX_MB is reached" : sh_err_text(err));
    }
}

bool audit_flush(struct audit *audit)
{
    size_t before = audit->taken;

    if (audit->pending.len < PENDING_MAX) {
        struct audit_record record;
        audit_queue_begin(&audit->queue);
        say_lost(audit);
        while (audit_queue_next(&audit->queue, &record)) {
            audit_add(audit, &record);
            audit->taken++;
        }
    }
    bool some = audit->taken > before;
    audit_to_journal(audit);
    return some;
}
