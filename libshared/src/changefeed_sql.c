#include "changefeed_sql.h"

#include <stdio.h>
#include <string.h>

#include "shared/mem.h"

enum { NAME_MAX_LEN = 40 };

struct entry {
    struct changefeed_sql sql;
    struct entry *next;
    char outbox[NAME_MAX_LEN + 1];
    char read_name[64];
    char trim_name[64];
    char read[1600];
    char trim[200];
};

static struct entry *entries;

/* The CTE pins one snapshot value for all its uses. `pending` says that rows are there
 * which cannot be read yet because an older transaction still runs. A horizon in the
 * future came with a dump of another cluster. */
static const char read_format[] =
    "WITH s AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin, "
    "pg_snapshot_xmax(pg_current_snapshot()) AS xmax, "
    "outbox_database('%s') AS database, "
    "CASE WHEN pg_is_in_recovery() THEN 0 "
    "ELSE pg_current_wal_flush_lsn() - '0/0' END AS lsn, "
    "CASE WHEN NOT pg_is_in_recovery() "
    "THEN pg_last_wal_replay_lsn() - '0/0' END AS inherited) "
    "SELECT s.xmin, s.xmax, h.xid, h.seq, s.database, s.lsn, s.inherited, "
    "EXISTS (SELECT FROM %s p WHERE p.xid >= s.xmin AND p.xid < s.xmax), "
    "o.xid, o.seq, o.entity, o.id, o.op "
    "FROM s LEFT JOIN outbox_horizon h ON h.outbox = '%s' AND h.xid < s.xmax "
    "LEFT JOIN LATERAL (SELECT * FROM %s r "
    "WHERE (r.xid, r.seq) > ($1::xid8, $2::bigint) AND r.xid < s.xmin "
    "ORDER BY r.xid, r.seq LIMIT $3::int) o ON true ORDER BY o.xid, o.seq";

static bool is_name(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= NAME_MAX_LEN &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz_") == len;
}

static void write_statements(struct entry *e, const char *outbox)
{
    (void)snprintf(e->outbox, sizeof(e->outbox), "%s", outbox);
    (void)snprintf(e->read_name, sizeof(e->read_name), "%s_read", outbox);
    (void)snprintf(e->trim_name, sizeof(e->trim_name), "%s_trim", outbox);
    (void)snprintf(e->read, sizeof(e->read), read_format, outbox, outbox, outbox, outbox);
    (void)snprintf(
        e->trim, sizeof(e->trim),
        "SELECT outbox_trim('%s', make_interval(secs => $1::float8), $2::bigint)",
        outbox);
    e->sql.outbox = e->outbox;
    e->sql.read = (struct sh_pg_statement){e->read_name, e->read};
    e->sql.trim = (struct sh_pg_statement){e->trim_name, e->trim};
}

enum sh_err changefeed_sql(const char *outbox, const struct changefeed_sql **out)
{
    struct entry *e = entries;

    if (!is_name(outbox))
        return SH_INVALID;
    while (e && strcmp(e->outbox, outbox) != 0)
        e = e->next;
    if (!e) {
        e = sh_alloc(sizeof(*e));
        if (!e)
            return SH_NOMEM;
        write_statements(e, outbox);
        e->next = entries;
        entries = e;
    }
    *out = &e->sql;
    return SH_OK;
}

static void fill(struct sh_change *change, const PGresult *rows, int row)
{
    change->xid = sh_pg_u64(rows, row, CHANGEFEED_XID);
    change->seq = sh_pg_u64(rows, row, CHANGEFEED_SEQ);
    change->entity = PQgetvalue(rows, row, CHANGEFEED_ENTITY);
    change->id = PQgetvalue(rows, row, CHANGEFEED_ID);
    change->op = *PQgetvalue(rows, row, CHANGEFEED_OP);
}

static bool same_entity(const struct sh_change *a, const struct sh_change *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->entity, b->entity) == 0;
}

bool changefeed_has_trimmed(const PGresult *rows,
                            const struct sh_changefeed_position *seen)
{
    uint64_t xid = sh_pg_u64(rows, 0, CHANGEFEED_HORIZON_XID);
    uint64_t seq = sh_pg_u64(rows, 0, CHANGEFEED_HORIZON_SEQ);

    return seen->xid > xid || (seen->xid == xid && seen->seq >= seq);
}

size_t changefeed_collect(const PGresult *rows, struct sh_change *changes)
{
    size_t count = 0;

    for (int row = 0; row < PQntuples(rows); row++) {
        fill(&changes[count], rows, row);
        if (count > 0 && same_entity(&changes[count - 1], &changes[count]))
            changes[count - 1] = changes[count];
        else
            count++;
    }
    return count;
}
