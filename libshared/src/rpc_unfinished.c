#include "libshared/src/rpc_unfinished.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "libshared/src/rpc_curve.h"
#include "libshared/src/socket_facts.h"
#include "shared/log.h"
#include "shared/mem.h"

/* The descriptor is libzmq's, which may close it at any time, and whose number the next
 * socket then gets: `cookie` is the socket's own. */
struct rpc_connection {
    int fd;
    uint64_t cookie;
    struct rpc_identity identity; /* zero before HELLO */
    uint64_t messages;            /* of the peer, when it was last looked at */
    uint64_t received;            /* bytes by the last of them */
    bool over;                    /* at the last look */
    struct rpc_connection *next;
};

void rpc_unfinished_start(struct rpc_unfinished *unfinished, const char *endpoint)
{
    static const char tcp[] = "tcp://";
    const char *port = strrchr(endpoint, ':');
    if (strncmp(endpoint, tcp, sizeof(tcp) - 1) == 0)
        unfinished->port = (uint16_t)strtoul(port + 1, NULL, 10);
}

static struct rpc_connection *find(const struct rpc_unfinished *unfinished, int fd)
{
    struct rpc_connection *at = unfinished->connections;
    while (at && at->fd != fd)
        at = at->next;
    return at;
}

/* The news may be late: the number can be another socket's by now. */
enum sh_err rpc_unfinished_accepted(struct rpc_unfinished *unfinished, int fd)
{
    uint64_t cookie = 0;
    struct rpc_connection *connection = find(unfinished, fd);
    if (unfinished->port == 0 || socket_port(fd) != unfinished->port ||
        !socket_cookie(fd, &cookie) || (connection && connection->cookie == cookie))
        return SH_OK;
    if (!connection) {
        connection = sh_alloc(sizeof(*connection));
        if (!connection)
            return SH_NOMEM;
        connection->next = unfinished->connections;
        unfinished->connections = connection;
    }
    *connection =
        (struct rpc_connection){.fd = fd, .cookie = cookie, .next = connection->next};
    return SH_OK;
}

void rpc_unfinished_hello(struct rpc_unfinished *unfinished, int fd,
                          const struct rpc_identity *identity)
{
    if (rpc_unfinished_accepted(unfinished, fd) != SH_OK)
        return; /* heard before its coming; not watched */
    struct rpc_connection *connection = find(unfinished, fd);
    if (connection)
        connection->identity = *identity;
}

/* libzmq sees its end, closes it and lets go of what it has; by the linger the other side
 * is told (RST), which else would wait for room in a window that nobody opens. */
static void cut_off(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    char from[96] = "from ";
    bool known = socket_peer(fd, from + 5, sizeof(from) - 5);
    rpc_curve_refused("endless_message", known ? from : "");
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) != 0 ||
        shutdown(fd, SHUT_RDWR) != 0)
        sh_debug(NULL, "it was gone already");
}

/* False when it was cut off, or is gone. */
static bool look(struct rpc_connection *connection, const struct rpc_peers *peers)
{
    const struct rpc_peer *peer = rpc_peers_find(peers, &connection->identity);
    uint64_t cookie = 0;
    uint64_t received = 0;
    if (!socket_cookie(connection->fd, &cookie) || cookie != connection->cookie ||
        !socket_received(connection->fd, &received))
        return false;
    if (peer && peer->messages != connection->messages) {
        connection->messages = peer->messages;
        connection->received = received;
    }
    bool before = connection->over;
    connection->over = received - connection->received > RPC_UNFINISHED_BYTES_MAX;
    if (!before || !connection->over)
        return true;
    cut_off(connection->fd);
    return false;
}

void rpc_unfinished_check(struct rpc_unfinished *unfinished,
                          const struct rpc_peers *peers)
{
    for (struct rpc_connection **at = &unfinished->connections; *at;) {
        struct rpc_connection *connection = *at;
        if (look(connection, peers)) {
            at = &connection->next;
        } else {
            *at = connection->next;
            sh_free(connection);
        }
    }
}

void rpc_unfinished_free(struct rpc_unfinished *unfinished)
{
    while (unfinished->connections) {
        struct rpc_connection *next = unfinished->connections->next;
        sh_free(unfinished->connections);
        unfinished->connections = next;
    }
}
