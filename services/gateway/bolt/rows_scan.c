/* msgpack-c makes room for as many elements as a container declares before it looks for
 * them, so that is compared with the bytes first. */
#include "services/gateway/bolt/rows_scan.h"

/* What follows a head byte: so many bytes of a length, so many bytes of content besides
 * what the length says, and what the length counts. */
enum counts { COUNTS_BYTES, COUNTS_VALUES, COUNTS_PAIRS, COUNTS_NOTHING };

struct shape {
    uint8_t length, fixed;
    enum counts counts;
};

/* Of 0xc0 to 0xdf. */
static const struct shape shapes[32] = {
    [0x00] = {0, 0, COUNTS_NOTHING}, [0x02] = {0, 0, COUNTS_NOTHING},
    [0x03] = {0, 0, COUNTS_NOTHING}, [0x04] = {1, 0, COUNTS_BYTES},
    [0x05] = {2, 0, COUNTS_BYTES},   [0x06] = {4, 0, COUNTS_BYTES},
    [0x07] = {1, 1, COUNTS_BYTES},   [0x08] = {2, 1, COUNTS_BYTES},
    [0x09] = {4, 1, COUNTS_BYTES},   [0x0a] = {0, 4, COUNTS_NOTHING},
    [0x0b] = {0, 8, COUNTS_NOTHING}, [0x0c] = {0, 1, COUNTS_NOTHING},
    [0x0d] = {0, 2, COUNTS_NOTHING}, [0x0e] = {0, 4, COUNTS_NOTHING},
    [0x0f] = {0, 8, COUNTS_NOTHING}, [0x10] = {0, 1, COUNTS_NOTHING},
    [0x11] = {0, 2, COUNTS_NOTHING}, [0x12] = {0, 4, COUNTS_NOTHING},
    [0x13] = {0, 8, COUNTS_NOTHING}, [0x14] = {0, 2, COUNTS_NOTHING},
    [0x15] = {0, 3, COUNTS_NOTHING}, [0x16] = {0, 5, COUNTS_NOTHING},
    [0x17] = {0, 9, COUNTS_NOTHING}, [0x18] = {0, 17, COUNTS_NOTHING},
    [0x19] = {1, 0, COUNTS_BYTES},   [0x1a] = {2, 0, COUNTS_BYTES},
    [0x1b] = {4, 0, COUNTS_BYTES},   [0x1c] = {2, 0, COUNTS_VALUES},
    [0x1d] = {4, 0, COUNTS_VALUES},  [0x1e] = {2, 0, COUNTS_PAIRS},
    [0x1f] = {4, 0, COUNTS_PAIRS},
};

struct head {
    uint64_t bytes;  /* of content */
    uint64_t values; /* inside */
};

/* False: cut short, or a byte that msgpack does not use. */
static bool read_head(const uint8_t *data, size_t len, size_t *at, struct head *out)
{
    uint8_t byte = data[(*at)++];
    uint64_t size = 0;

    *out = (struct head){0};
    if (byte < 0x80 || byte >= 0xe0)
        return true;
    if (byte < 0x90) {
        out->values = 2 * (uint64_t)(byte & 0x0f);
    } else if (byte < 0xa0) {
        out->values = byte & 0x0f;
    } else if (byte < 0xc0) {
        out->bytes = byte & 0x1f;
    } else {
        struct shape shape = shapes[byte - 0xc0];
        if (byte == 0xc1 || len - *at < shape.length)
            return false;
        for (unsigned i = 0; i < shape.length; i++)
            size = size << 8 | data[(*at)++];
        out->bytes = shape.fixed + (shape.counts == COUNTS_BYTES ? size : 0);
        if (shape.counts == COUNTS_VALUES || shape.counts == COUNTS_PAIRS)
            out->values = shape.counts == COUNTS_PAIRS ? 2 * size : size;
    }
    return true;
}

bool rows_scan(struct sh_bytes bytes, size_t at)
{
    const uint8_t *data = bytes.data;
    struct head head;

    for (uint64_t left = 1; left > 0; left--) {
        if (at >= bytes.len || !read_head(data, bytes.len, &at, &head) ||
            head.bytes > bytes.len - at)
            return false;
        at += (size_t)head.bytes;
        left += head.values;
        if (left - 1 > bytes.len - at) /* each is a byte at least */
            return false;
    }
    return true;
}
