#include "libshared/src/rpc_curve.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "shared/log.h"
#include "shared/metrics.h"

static struct sh_family refused_family = {
    .kind = SH_COUNTER,
    .name = "cairn_rpc_refused_peers_total",
    .help = "Peers that the bus turned away, by reason.",
    .labels = {"reason"},
};

/* --- where plain is good enough --------------------------------------------------- */

static bool is_loopback(const char *host, size_t len)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len >= sizeof(text))
        return false;
    memcpy(text, host, len);
    text[len] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, text, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcmp(text, "localhost") == 0 || strcmp(text, "lo") == 0;
}

static bool exposed(const char *endpoint, size_t len)
{
    static const char tcp[] = "tcp://";
    size_t scheme = sizeof(tcp) - 1;
    if (len < scheme || strncmp(endpoint, tcp, scheme) != 0)
        return false;
    while (len > scheme && endpoint[len - 1] != ':')
        len--; /* the port */
    return len <= scheme || !is_loopback(endpoint + scheme, len - scheme - 1);
}

bool rpc_curve_exposed(const char *endpoint)
{
    return exposed(endpoint, strlen(endpoint));
}

bool rpc_curve_refuses(const char *endpoints)
{
    if (rpc_keys_on() || !rpc_keys_no_plain())
        return false;
    for (const char *at = endpoints; *at; at += strspn(at, ", ")) {
        size_t len = strcspn(at, ", ");
        if (exposed(at, len))
            return true;
        at += len;
    }
    return false;
}

/* --- sockets ---------------------------------------------------------------------- */

static enum sh_err give(void *socket, int option, const void *value, size_t size)
{
    return zmq_setsockopt(socket, option, value, size) == 0 ? SH_OK : SH_INVALID;
}

enum sh_err rpc_curve_serve(void *router)
{
    struct rpc_key secret;
    struct rpc_key open;
    int on = 1;
    if (!rpc_keys_own(&secret, &open))
        return SH_OK;
    enum sh_err err = give(router, ZMQ_CURVE_SERVER, &on, sizeof(on));
    if (err == SH_OK)
        err = give(router, ZMQ_CURVE_SECRETKEY, &secret, sizeof(secret));
    explicit_bzero(&secret, sizeof(secret));
    if (err == SH_OK)
        err = give(router, ZMQ_ZAP_DOMAIN, "cairn", 5);
    return err;
}

enum sh_err rpc_curve_call(void *dealer, const char *service, size_t key)
{
    struct rpc_key secret;
    struct rpc_key open;
    struct rpc_key theirs;
    if (!rpc_keys_own(&secret, &open))
        return SH_OK;
    enum sh_err err = rpc_keys_of(service, key, &theirs) > 0 ? SH_OK : SH_NOTFOUND;
    if (err == SH_OK)
        err = give(dealer, ZMQ_CURVE_SERVERKEY, &theirs, sizeof(theirs));
    if (err == SH_OK)
        err = give(dealer, ZMQ_CURVE_PUBLICKEY, &open, sizeof(open));
    if (err == SH_OK)
        err = give(dealer, ZMQ_CURVE_SECRETKEY, &secret, sizeof(secret));
    explicit_bzero(&secret, sizeof(secret));
    return err;
}

struct rpc_key rpc_curve_sender(zmq_msg_t *frame)
{
    struct rpc_key key = {0};
    const char *text = zmq_msg_gets(frame, "User-Id"); /* of the gate's answer */
    if (!text || strlen(text) != RPC_KEY_TEXT || !zmq_z85_decode(key.bytes, text))
        return (struct rpc_key){0};
    return key;
}

bool rpc_curve_admits(const struct rpc_key *key)
{
    char name[RPC_KEY_NAME + 1];
    return !rpc_keys_on() || rpc_keys_admit(key, name);
}

/* --- who was turned away ---------------------------------------------------------- */

void rpc_curve_refused(const char *reason, const char *address)
{
    sh_count(&refused_family, reason);
    sh_warning(NULL, "a peer was refused: %s%s%s", reason, *address ? ", " : "", address);
}

static const char *reason_of(uint16_t event, uint32_t value)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
        return "broken_off"; /* a port scan, a caller that gave up, a time-out */
    if (value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        return rpc_keys_on() ? "without_key" : "with_key";
    if (value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC)
        return "wrong_server_key";
    return "malformed";
}

void rpc_curve_failed(const struct rpc_event *event, const char *endpoint)
{
    char at[300];
    (void)snprintf(at, sizeof(at), "at %s", endpoint);
    rpc_curve_refused(reason_of(event->kind, event->value), at);
}
