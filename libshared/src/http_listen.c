/* http_listen: the listening socket, made by hand: libuv 1.44 has no SO_REUSEPORT, and
 * options set here are inherited by every accepted socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_internal.h"
#include "shared/log.h"

enum { BACKLOG = 1024 };

static bool parse_address(const char *host, uint16_t port, struct sockaddr_storage *out)
{
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)(void *)out) == 0)
        return true;
    return uv_ip6_addr(host, port, (struct sockaddr_in6 *)(void *)out) == 0;
}

static socklen_t address_size(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET ? (socklen_t)sizeof(struct sockaddr_in)
                                         : (socklen_t)sizeof(struct sockaddr_in6);
}

static int set_flag(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value));
}

static int set_options(int fd, const struct sockaddr_storage *address, bool share_port)
{
    if (set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) != 0 ||
        set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1) != 0)
        return -1;
    if (share_port && set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1) != 0)
        return -1;
    /* "::" means every address, v4 too, whatever the system's default says */
    if (address->ss_family == AF_INET6 && set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) != 0)
        return -1;
    return 0;
}

static int bind_and_listen(int fd, const struct sockaddr_storage *address, uint16_t *port)
{
    struct sockaddr_in6 bound = {0}; /* v4 has its port in the same place */
    socklen_t size = sizeof(bound);
    const void *to = address;
    void *from = &bound;

    if (bind(fd, to, address_size(address)) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, from, &size) != 0)
        return -1;
    *port = ntohs(bound.sin6_port);
    return 0;
}

_Static_assert(offsetof(struct sockaddr_in, sin_port) ==
                   offsetof(struct sockaddr_in6, sin6_port),
               "ports of v4 and v6 addresses are in the same place");

int http_listen(const struct sh_http_server_options *options, enum sh_err *err,
                uint16_t *port)
{
    struct sockaddr_storage address = {0};
    if (!options->host || !parse_address(options->host, options->port, &address)) {
        *err = SH_INVALID;
        return -1;
    }
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || set_options(fd, &address, options->share_port) != 0 ||
        bind_and_listen(fd, &address, port) != 0) {
        sh_error(NULL, "cannot listen on %s port %u: %s", options->host,
                 (unsigned)options->port, strerror(errno));
        if (fd >= 0)
            close(fd);
        *err = SH_IO;
        return -1;
    }
    return fd;
}
