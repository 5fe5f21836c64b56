#include "libshared/src/rpc_wire.h"

#include "shared/mem.h"
#include "shared/metrics.h"
#include "shared/trace.h"

static struct sh_family bad_messages = {
    .kind = SH_COUNTER,
    .name = "cairn_rpc_bad_messages_total",
    .help = "Messages between services that were dropped, by reason.",
    .labels = {"reason"},
};

void rpc_bad_message(const char *reason)
{
    sh_count(&bad_messages, reason);
}

static zmq_msg_t *next_frame(struct rpc_frames *frames)
{
    return frames->count < SH_ZMQ_FRAMES_MAX ? &frames->frame[frames->count] : NULL;
}

enum sh_err rpc_frames_copy(struct rpc_frames *frames, struct sh_bytes bytes)
{
    zmq_msg_t *frame = next_frame(frames);
    if (!frame)
        return SH_TOOBIG;
    if (zmq_msg_init_size(frame, bytes.len) != 0)
        return SH_NOMEM;
    frames->count++;
    if (bytes.len > 0)
        memcpy(zmq_msg_data(frame), bytes.data, bytes.len);
    return SH_OK;
}

enum sh_err rpc_frames_share(struct rpc_frames *frames, zmq_msg_t *message)
{
    zmq_msg_t *frame = next_frame(frames);
    if (!frame)
        return SH_TOOBIG;
    zmq_msg_init(frame);
    frames->count++;
    return zmq_msg_copy(frame, message) == 0 ? SH_OK : SH_NOMEM;
}

enum sh_err rpc_frames_start(struct rpc_frames *frames, struct sh_bytes to,
                             const struct envelope *envelope, struct sh_bytes meta)
{
    uint8_t header[ENVELOPE_BYTES];
    frames->count = 0;
    envelope_write(envelope, header);
    enum sh_err err = to.len > 0 ? rpc_frames_copy(frames, to) : SH_OK;
    if (err == SH_OK)
        err = rpc_frames_copy(frames, (struct sh_bytes){header, sizeof(header)});
    if (err == SH_OK)
        err = rpc_frames_copy(frames, meta);
    return err;
}

void rpc_frames_free(struct rpc_frames *frames)
{
    for (size_t i = 0; i < frames->count; i++)
        zmq_msg_close(&frames->frame[i]);
    frames->count = 0;
}

enum sh_err rpc_send_small(struct sh_zmq_socket *socket, struct sh_bytes to,
                           const struct envelope *envelope, struct sh_bytes meta,
                           struct sh_bytes payload)
{
    struct rpc_frames frames;
    enum sh_err err = rpc_frames_start(&frames, to, envelope, meta);
    if (err == SH_OK && payload.len > 0)
        err = rpc_frames_copy(&frames, payload);
    if (err == SH_OK)
        err = sh_zmq_socket_send(socket, frames.frame, frames.count);
    rpc_frames_free(&frames);
    return err;
}

enum sh_err rpc_assembly_start(struct rpc_assembly *assembly, size_t total)
{
    *assembly = (struct rpc_assembly){.data = sh_realloc(NULL, total), .total = total};
    return assembly->data ? SH_OK : SH_NOMEM;
}

enum sh_err rpc_assembly_add(struct rpc_assembly *assembly, struct sh_bytes piece)
{
    if (piece.len > assembly->total - assembly->len)
        return SH_TOOBIG;
    if (piece.len > 0)
        memcpy(assembly->data + assembly->len, piece.data, piece.len);
    assembly->len += piece.len;
    return SH_OK;
}

void rpc_assembly_free(struct rpc_assembly *assembly)
{
    sh_free(assembly->data);
    *assembly = (struct rpc_assembly){0};
}

struct rpc_random rpc_random_seed(void)
{
    struct rpc_random random;
    sh_random(&random.state, sizeof(random.state));
    return random;
}

/* splitmix64 */
uint64_t rpc_random_next(struct rpc_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t rpc_random_below(struct rpc_random *random, uint64_t below)
{
    return below == 0 ? 0 : rpc_random_next(random) % below;
}
