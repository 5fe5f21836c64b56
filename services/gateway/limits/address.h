/* address: numeric addresses and networks of them. IPv4 is kept in its IPv4-mapped form,
 * so that both kinds compare alike. Any thread. */
#ifndef GATEWAY_LIMITS_ADDRESS_H
#define GATEWAY_LIMITS_ADDRESS_H

#include "shared/bytes.h"
#include "shared/err.h"

enum { ADDRESS_TEXT = 46, ADDRESS_NETWORKS = 256 };

struct address {
    uint8_t bytes[16];
};

/* "192.0.2.1", "2001:db8::1"; an IPv4-mapped one is that IPv4 address. No zone, no port,
 * no brackets. */
SH_CHECK bool address_read(struct sh_bytes text, struct address *out);
/* The same with what proxies add: "192.0.2.1:80", "[2001:db8::1]:80", "[2001:db8::1]",
 * blanks and quotes around it. */
SH_CHECK bool address_read_hop(struct sh_bytes text, struct address *out);
bool address_is_v4(const struct address *address);
bool address_is_loopback(const struct address *address);
void address_write(const struct address *address, char out[static ADDRESS_TEXT]);
/* Whom a limit counts: an IPv4 address, or the /64 of an IPv6 one (what a subscriber
 * gets, who can use any address of it), as text "2001:db8::/64". */
void address_write_subject(const struct address *address, char out[static ADDRESS_TEXT]);

struct networks {
    struct {
        struct address base;
        unsigned bits; /* of all 128 */
    } items[ADDRESS_NETWORKS];
    size_t count;
};

/* "192.0.2.0/24, 2001:db8::/32, 198.51.100.7": separated by commas or blanks. A base with
 * bits behind its mask is refused: it is mostly a slip. False: `bad` is what cannot be
 * read, or there are too many. */
SH_CHECK bool networks_read(const char *text, struct networks *out, struct sh_bytes *bad);
bool networks_hold(const struct networks *networks, const struct address *address);

#endif
