#include "services/gateway/bolt/handshake.h"

#include <stddef.h>
#include <string.h>

static const uint8_t magic[] = {0x60, 0x60, 0xb0, 0x17};

/* What we speak of a major version. */
static const struct {
    uint8_t major, least, most;
} spoken[] = {{5, 0, 4}, {4, 4, 4}};

static bool consider(const uint8_t proposal[4], struct bolt_version *out)
{
    uint8_t range = proposal[1], minor = proposal[2], major = proposal[3];
    uint8_t lowest = range < minor ? (uint8_t)(minor - range) : 0;

    for (size_t i = 0; i < sizeof spoken / sizeof spoken[0]; i++) {
        if (spoken[i].major != major || minor < spoken[i].least ||
            lowest > spoken[i].most)
            continue;
        out->major = major;
        out->minor = minor < spoken[i].most ? minor : spoken[i].most;
        return true;
    }
    return false;
}

bool handshake_choose(const uint8_t bytes[HANDSHAKE_BYTES], struct bolt_version *out)
{
    *out = (struct bolt_version){0};
    if (memcmp(bytes, magic, sizeof magic) != 0)
        return false;
    for (size_t at = sizeof magic; at < HANDSHAKE_BYTES; at += 4)
        if (consider(bytes + at, out))
            break;
    return true;
}

void handshake_answer(struct bolt_version version, uint8_t out[HANDSHAKE_ANSWER])
{
    out[0] = 0;
    out[1] = 0;
    out[2] = version.minor;
    out[3] = version.major;
}
