#include "services/gateway/uploads/upload_answer.h"

#include "services/gateway/json_out.h"

static void write_file(struct sh_buffer *out, const struct upload_stored *stored)
{
    json_member(out, "file");
    sh_buffer_text(out, "{");
    json_member_text(out, "name", sh_bytes_of(stored->name));
    json_member_text(out, "type", stored->file.file_type);
    json_member(out, "size");
    json_u64(out, stored->size);
    json_member_text(out, "sha256", sh_bytes_of(stored->hash));
    if (stored->file.pages > 0) {
        json_member(out, "pages");
        json_u64(out, stored->file.pages);
    }
    sh_buffer_text(out, "}");
}

static void answer_stored(struct exchange *x)
{
    const struct upload_stored *stored = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{");
    json_member_text(out, "document_id", stored->document.document_id);
    json_member(out, "chunks");
    json_u64(out, stored->document.chunks);
    json_member(out, "pending_embedding");
    json_u64(out, stored->document.pending_embedding);
    json_member(out, "created");
    json_bool(out, stored->document.created);
    json_member(out, "unchanged");
    json_bool(out, stored->document.unchanged || stored->file.unchanged);
    write_file(out, stored);
    if (stored->file.report.len > 0) {
        json_member(out, "report");
        json_raw(out, stored->file.report, "{}");
    }
    refresh_members(out, &stored->refresh);
    sh_buffer_text(out, "}");
    exchange_answer(x, 201);
}

/* False: answered. */
static bool read_stored(struct exchange *x, struct sh_bytes payload,
                        struct upload_stored *out)
{
    struct sh_bytes kept = sh_arena_copy(&x->arena, payload); /* texts point into it */

    if (kept.data == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return false;
    }
    x->peer = PEER_SEARCH;
    if (!exchange_decode(x, file_put_reply_desc(), kept, &out->file))
        return false;
    if (out->file.stored_count != 1) {
        exchange_fail_err(x, SH_UPSTREAM, NULL);
        return false;
    }
    out->document = out->file.stored[0];
    return true;
}

void upload_tell(struct exchange *x, struct upload_stored *stored,
                 struct sh_bytes payload)
{
    if (!read_stored(x, payload, stored))
        return;
    x->audit.target = stored->document.document_id;
    x->state = stored;
    refresh_wait(x, stored->document.xid, stored->document.visible, answer_stored);
}
