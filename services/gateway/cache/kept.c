#include "services/gateway/cache/kept.h"

#include <jansson.h>
#include <xxhash.h>

/* Redis is shared by machines of either order; what another one wrote does not fit and
 * counts as nothing. */
struct kept_front {
    uint64_t sum; /* XXH3 of all that follows */
    uint32_t magic;
    uint32_t key_len;
    uint32_t head_len;
    uint32_t tail_len;
    uint64_t expires_ms;
    uint32_t results;
    uint32_t version;
};
enum { MAGIC = 0x414e5243, FRONT = sizeof(struct kept_front), STATE = 8 };
_Static_assert(sizeof(struct kept_front) == 40, "no padding: all of it is summed up");

/* --- keys ------------------------------------------------------------------------- */

static void hash_key(struct kept_key *key)
{
    XXH128_hash_t hash = XXH3_128bits(key->bytes.data, key->bytes.len);

    key->hash[0] = hash.low64;
    key->hash[1] = hash.high64;
}

/* Who it is is not what they may see. */
static enum sh_err append_rights(const struct caller *caller, struct sh_buffer *out)
{
    struct caller rights = *caller;

    rights.request_id = (struct sh_bytes){0};
    rights.user_id = (struct sh_bytes){0};
    rights.username = (struct sh_bytes){0};
    return msg_encode(caller_desc(), &rights, out);
}

/* Messages end where they end: one after the other they cannot be read in two ways. */
enum sh_err kept_key_make(uint64_t generation, const struct caller *caller,
                          const struct search_query *query, struct sh_buffer *out,
                          struct kept_key *key)
{
    sh_buffer_clear(out);
    sh_buffer_append(out, &generation, STATE);
    enum sh_err err = append_rights(caller, out);
    size_t question = out->len;
    if (err == SH_OK)
        err = msg_encode(search_query_desc(), query, out);
    if (err == SH_OK)
        err = out->err;
    if (err != SH_OK)
        return err;
    key->bytes = sh_buffer_bytes(out);
    key->question = (struct sh_bytes){out->data + question, out->len - question};
    hash_key(key);
    return SH_OK;
}

void kept_key_restate(void *bytes, uint64_t generation, struct kept_key *key)
{
    memcpy(bytes, &generation, STATE);
    hash_key(key);
}

bool kept_key_equal(const struct kept_key *a, struct sh_bytes bytes)
{
    return sh_bytes_equal(a->bytes, bytes);
}

/* --- answers ---------------------------------------------------------------------- */

void kept_begin(struct sh_buffer *out, struct sh_bytes key)
{
    const struct kept_front empty = {0};

    sh_buffer_clear(out);
    sh_buffer_append(out, &empty, FRONT);
    sh_buffer_append(out, key.data, key.len);
}

size_t kept_middle(const struct sh_buffer *out)
{
    return out->len;
}

/* Another release may shape answers in another way. */
static uint32_t version(void)
{
    static const char text[] = "2 " CAIRN_VERSION;

    return (uint32_t)XXH3_64bits(text, sizeof text);
}

static uint64_t sum_of(struct sh_bytes bytes)
{
    const char *data = bytes.data;

    return XXH3_64bits(data + sizeof(uint64_t), bytes.len - sizeof(uint64_t));
}

void kept_end(struct sh_buffer *out, size_t middle, size_t key_len, uint32_t results,
              uint64_t expires_ms)
{
    struct kept_front front = {.magic = MAGIC,
                               .key_len = (uint32_t)key_len,
                               .expires_ms = expires_ms,
                               .results = results,
                               .version = version()};

    if (out->err != SH_OK)
        return;
    front.head_len = (uint32_t)(middle - FRONT - key_len);
    front.tail_len = (uint32_t)(out->len - middle);
    memcpy(out->data, &front, FRONT);
    front.sum = sum_of(sh_buffer_bytes(out));
    memcpy(out->data, &front, FRONT);
}

struct kept kept_parts(struct sh_bytes bytes)
{
    const char *data = bytes.data;
    struct kept_front front;

    memcpy(&front, data, FRONT);
    const char *head = data + FRONT + front.key_len;
    return (struct kept){.key = {data + FRONT, front.key_len},
                         .head = {head, front.head_len},
                         .tail = {head + front.head_len, front.tail_len},
                         .results = front.results,
                         .expires_ms = front.expires_ms};
}

/* Between the two stands what is new in every answer. */
static bool is_json(const struct kept *kept)
{
    static const char between[] = ",\"between\":0";
    struct sh_buffer whole = {0};
    json_t *json = NULL;

    if (kept->head.len < 2 || kept->tail.len < 2)
        return false;
    sh_buffer_append(&whole, kept->head.data, kept->head.len);
    sh_buffer_append(&whole, between, sizeof(between) - 1);
    sh_buffer_append(&whole, kept->tail.data, kept->tail.len);
    if (whole.err == SH_OK)
        json = json_loadb(whole.data, whole.len, 0, NULL);
    bool good = json_is_object(json) && json_is_array(json_object_get(json, "results")) &&
                json_object_get(json, "between") != NULL;
    json_decref(json);
    sh_buffer_free(&whole);
    return good;
}

bool kept_check(struct sh_bytes bytes)
{
    struct kept_front front;

    if (bytes.len < FRONT || bytes.len > KEPT_BYTES_MAX)
        return false;
    memcpy(&front, bytes.data, FRONT);
    if (front.magic != MAGIC || front.version != version() ||
        front.key_len > KEPT_KEY_MAX ||
        (uint64_t)FRONT + front.key_len + front.head_len + front.tail_len != bytes.len ||
        front.sum != sum_of(bytes))
        return false;
    struct kept kept = kept_parts(bytes);
    return is_json(&kept);
}
