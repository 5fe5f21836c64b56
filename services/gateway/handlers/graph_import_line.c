#include "services/gateway/handlers/graph_import_line.h"

#include <stdio.h>

#include "services/gateway/handlers/batch.h"
#include "services/gateway/json_out.h"

void import_line_failed(uint64_t line, enum sh_err err, const char *code,
                        const char *field, const char *error, struct sh_buffer *out)
{
    const struct sh_problem problem = {
        .status = sh_err_http_status(err), .code = code, .field = field, .error = error};

    batch_line_failed(line, &problem, out);
}

static enum sh_err err_of(struct sh_bytes code)
{
    if (sh_bytes_is(code, "forbidden"))
        return SH_FORBIDDEN;
    return sh_bytes_is(code, "node_not_found") ? SH_NOTFOUND : SH_CONFLICT;
}

static void copy(char *out, size_t size, struct sh_bytes text)
{
    (void)snprintf(out, size, "%.*s", (int)text.len,
                   text.len > 0 ? (const char *)text.data : "");
}

void import_line_refused(const struct graph_refused *refused, struct sh_buffer *out)
{
    char code[65];
    char field[65];
    enum sh_err err = err_of(refused->code);
    const char *error = "somebody else is changing it at this moment";

    copy(code, sizeof(code), refused->code);
    copy(field, sizeof(field), refused->field);
    if (err == SH_FORBIDDEN)
        error = "that is out of your reach, or would be afterwards";
    else if (err == SH_NOTFOUND)
        error = "the node at this end is not there, or not to be seen";
    import_line_failed(refused->line, err, code, field, error, out);
}

static void write_counts(const struct import_tally *counts, struct sh_buffer *out)
{
    json_member(out, "created");
    json_u64(out, counts->created);
    json_member(out, "replaced");
    json_u64(out, counts->replaced);
    json_member(out, "unchanged");
    json_u64(out, counts->unchanged);
}

void import_line_stored(uint64_t first, uint64_t last,
                        const struct graph_put_reply *reply, struct import_tally *tally,
                        struct sh_buffer *out)
{
    const struct import_tally counts = {.created = reply->created,
                                        .replaced = reply->replaced,
                                        .unchanged = reply->unchanged};

    tally->created += counts.created;
    tally->replaced += counts.replaced;
    tally->unchanged += counts.unchanged;
    tally->failed += reply->refused_count;
    sh_buffer_text(out, "{\"status\":\"stored\",\"lines\":[");
    json_u64(out, first);
    sh_buffer_text(out, ",");
    json_u64(out, last);
    sh_buffer_text(out, "]");
    write_counts(&counts, out);
    sh_buffer_text(out, "}\n");
}

void import_line_sum(const struct import_tally *tally, const char *why,
                     struct sh_buffer *out)
{
    sh_buffer_text(out, "{\"status\":");
    json_text(out, sh_bytes_of(*why == '\0' ? "done" : "broken"));
    write_counts(tally, out);
    json_member(out, "failed");
    json_u64(out, tally->failed);
    if (*why != '\0')
        json_member_text(out, "error", sh_bytes_of(why));
}
