/* handshake: the twenty bytes that a Bolt client begins with, and the version that they
 * lead to. Pure; any thread. */
#ifndef GATEWAY_BOLT_HANDSHAKE_H
#define GATEWAY_BOLT_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

enum { HANDSHAKE_BYTES = 20, HANDSHAKE_ANSWER = 4 };

struct bolt_version {
    uint8_t major; /* 0: none in common */
    uint8_t minor;
};

static inline bool bolt_at_least(struct bolt_version version, uint8_t major,
                                 uint8_t minor)
{
    return version.major > major || (version.major == major && version.minor >= minor);
}

/* The first of the four proposals, each a version and how many minor ones below it will
 * do, that we speak: 5.4 to 5.0, 4.4. What is no version, such as the manifest, is passed
 * over. False: the client speaks something else than Bolt. */
bool handshake_choose(const uint8_t bytes[HANDSHAKE_BYTES], struct bolt_version *out);
/* What the client is told; all zero: there is no version in common. */
void handshake_answer(struct bolt_version version, uint8_t out[HANDSHAKE_ANSWER]);

#endif
