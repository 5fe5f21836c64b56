/* X-Forwarded-For and TRUSTED_PROXIES as strangers write them. Lines: the networks, the
 * peer, X-Real-IP, X-Forwarded-Proto, then lines of X-Forwarded-For. */
#include <stdint.h>
#include <stdlib.h>

#include "services/gateway/limits/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sh_bytes next_line(struct sh_bytes *rest)
{
    const char *at = rest->data;
    const char *end = rest->len > 0 ? memchr(at, '\n', rest->len) : NULL;
    size_t len = end != NULL ? (size_t)(end - at) : rest->len;
    struct sh_bytes line = {at, len};

    *rest = (struct sh_bytes){at + len + (end != NULL), rest->len - len - (end != NULL)};
    return line;
}

/* What is written reads back as the same. */
static void check_text(const struct address *address)
{
    char text[ADDRESS_TEXT];
    struct address again;

    address_write(address, text);
    if (!address_read(sh_bytes_of(text), &again) ||
        memcmp(&again, address, sizeof again) != 0)
        abort();
    address_write_subject(address, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct networks networks;
    struct sh_bytes rest = {data, size};
    struct forwarded_headers headers = {0};
    struct address peer;
    struct sh_bytes bad;
    char text[512];

    struct sh_bytes line = next_line(&rest);
    if (line.len >= sizeof text)
        return 0;
    if (line.len > 0)
        memcpy(text, line.data, line.len);
    text[line.len] = '\0';
    bool readable = networks_read(text, &networks, &bad);
    if (!address_read(next_line(&rest), &peer) || !readable)
        return 0;
    headers.real = next_line(&rest);
    headers.proto = next_line(&rest);
    while (rest.len > 0 && headers.lines < FORWARDED_LINES)
        headers.chain[headers.lines++] = next_line(&rest);
    struct forwarded result = forwarded_resolve(&networks, &peer, &headers);
    check_text(&result.client);
    bool same = memcmp(&result.client, &peer, sizeof peer) == 0;
    if (!networks_hold(&networks, &peer) && (!same || result.https))
        abort();
    return 0;
}
