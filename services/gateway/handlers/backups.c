/* The list of backup sets, newest first. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

static void write_set(struct sh_buffer *out, const struct backup_set *set)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "id", set->id);
    json_member_text(out, "kind", set->kind);
    json_member_text(out, "label", set->label);
    json_member(out, "created_at");
    json_time(out, set->created_at);
    json_member(out, "size_bytes");
    json_u64(out, set->size_bytes);
    json_member(out, "verified");
    json_bool(out, set->verified);
    json_member_text(out, "proven", set->proven);
    sh_buffer_text(out, "}");
}

static void on_sets(struct exchange *x, const struct sh_rpc_response *response)
{
    struct backup_list_reply reply;

    if (!exchange_decode(x, backup_list_reply_desc(), response->payload, &reply))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"backups\":[");
    for (size_t i = 0; i < reply.sets_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        write_set(out, &reply.sets[i]);
    }
    sh_buffer_text(out, "]}");
    exchange_answer(x, 200);
}

void backup_list(struct exchange *x, void *unused)
{
    (void)unused;
    static const struct empty nothing;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_BACKUP,
                         .method = METHOD_BACKUP_LIST,
                         .kind = SH_RPC_READ,
                         .desc = empty_desc(),
                         .msg = &nothing,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_sets,
                     });
}
