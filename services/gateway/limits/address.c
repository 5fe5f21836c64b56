#include "services/gateway/limits/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

enum { V4_AT = sizeof mapped, BITS = 128, V4_BITS = 32 };

bool address_is_v4(const struct address *address)
{
    return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

bool address_is_loopback(const struct address *address)
{
    static const uint8_t v6[16] = {[15] = 1};

    return address_is_v4(address) ? address->bytes[V4_AT] == 127
                                  : memcmp(address->bytes, v6, sizeof v6) == 0;
}

bool address_read(struct sh_bytes text, struct address *out)
{
    char copy[ADDRESS_TEXT];

    if (text.len == 0 || text.len >= sizeof copy || memchr(text.data, '\0', text.len))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    memcpy(out->bytes, mapped, sizeof mapped);
    if (inet_pton(AF_INET, copy, out->bytes + V4_AT) == 1)
        return true;
    return inet_pton(AF_INET6, copy, out->bytes) == 1;
}

static struct sh_bytes cut(struct sh_bytes text, size_t from, size_t to)
{
    return (struct sh_bytes){(const char *)text.data + from, to - from};
}

static struct sh_bytes trim(struct sh_bytes text)
{
    const char *at = text.data;
    size_t from = 0, to = text.len;

    while (from < to && (at[from] == ' ' || at[from] == '\t'))
        from++;
    while (to > from && (at[to - 1] == ' ' || at[to - 1] == '\t'))
        to--;
    if (to - from >= 2 && at[from] == '"' && at[to - 1] == '"')
        return cut(text, from + 1, to - 1);
    return cut(text, from, to);
}

static bool is_port(struct sh_bytes text)
{
    const char *at = text.data;

    if (text.len < 1 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (at[i] < '0' || at[i] > '9')
            return false;
    return true;
}

/* "[2001:db8::1]", "[2001:db8::1]:80": no IPv4 is in brackets. */
static bool read_bracketed(struct sh_bytes text, struct address *out)
{
    const char *start = text.data;
    const char *end = memchr(start, ']', text.len);

    if (end == NULL)
        return false;
    size_t close = (size_t)(end - start);
    if (close + 1 < text.len &&
        (start[close + 1] != ':' || !is_port(cut(text, close + 2, text.len))))
        return false;
    struct sh_bytes inside = cut(text, 1, close);
    return memchr(inside.data, ':', inside.len) != NULL && address_read(inside, out);
}

bool address_read_hop(struct sh_bytes text, struct address *out)
{
    if (text.len == 0)
        return false;
    text = trim(text);
    const char *start = text.data;
    if (text.len > 0 && start[0] == '[')
        return read_bracketed(text, out);
    const char *colon = text.len > 0 ? memchr(start, ':', text.len) : NULL;
    if (colon != NULL && memrchr(start, ':', text.len) == colon) { /* one: a port */
        size_t at = (size_t)(colon - start);
        if (!is_port(cut(text, at + 1, text.len)))
            return false;
        text.len = at;
        return memchr(start, '.', at) != NULL && address_read(text, out);
    }
    return address_read(text, out);
}

void address_write(const struct address *address, char out[static ADDRESS_TEXT])
{
    const char *text = address_is_v4(address)
                           ? inet_ntop(AF_INET, address->bytes + V4_AT, out, ADDRESS_TEXT)
                           : inet_ntop(AF_INET6, address->bytes, out, ADDRESS_TEXT);
    if (text == NULL) /* cannot be: there is room for any */
        out[0] = '\0';
}

void address_write_subject(const struct address *address, char out[static ADDRESS_TEXT])
{
    struct address network = *address;

    if (address_is_v4(address)) {
        address_write(address, out);
        return;
    }
    memset(network.bytes + 8, 0, 8);
    address_write(&network, out);
    size_t len = strlen(out); /* half of it is "::" */
    (void)snprintf(out + len, ADDRESS_TEXT - len, "/64");
}

/* --- networks --------------------------------------------------------------------- */

static bool bit(const struct address *address, unsigned i)
{
    return (address->bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* The length of a prefix, of all 128 bits. */
static bool read_bits(struct sh_bytes text, bool v4, unsigned *out)
{
    const char *at = text.data;
    unsigned value = 0;

    if (text.len < 1 || text.len > 3 || (text.len > 1 && at[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        value = value * 10 + (unsigned)(at[i] - '0');
    }
    if (value > (v4 ? V4_BITS : BITS))
        return false;
    *out = v4 ? value + BITS - V4_BITS : value;
    return true;
}

static bool read_network(struct sh_bytes text, struct address *base, unsigned *bits)
{
    const char *slash = memchr(text.data, '/', text.len);
    size_t len = slash != NULL ? (size_t)(slash - (const char *)text.data) : text.len;

    *bits = BITS;
    if (!address_read(cut(text, 0, len), base))
        return false;
    bool v4 = memchr(text.data, ':', len) == NULL;
    if (slash != NULL && !read_bits(cut(text, len + 1, text.len), v4, bits))
        return false;
    for (unsigned i = *bits; i < BITS; i++)
        if (bit(base, i))
            return false;
    return true;
}

bool networks_read(const char *text, struct networks *out, struct sh_bytes *bad)
{
    static const char between[] = ", \t";

    out->count = 0;
    for (text += strspn(text, between); *text != '\0'; text += strspn(text, between)) {
        size_t len = strcspn(text, between);
        *bad = (struct sh_bytes){text, len};
        if (out->count == ADDRESS_NETWORKS ||
            !read_network(*bad, &out->items[out->count].base,
                          &out->items[out->count].bits))
            return false;
        out->count++;
        text += len;
    }
    return true;
}

static bool holds(const struct address *base, unsigned bits,
                  const struct address *address)
{
    size_t whole = bits / 8;

    if (memcmp(base->bytes, address->bytes, whole) != 0)
        return false;
    unsigned rest = bits % 8;
    return rest == 0 || (base->bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

bool networks_hold(const struct networks *networks, const struct address *address)
{
    for (size_t i = 0; i < networks->count; i++)
        if (holds(&networks->items[i].base, networks->items[i].bits, address))
            return true;
    return false;
}
