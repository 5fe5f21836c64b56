/* By itself: linux/tcp.h, which has the counters, cannot stand beside libuv's
 * netinet/tcp.h. */
#include "libshared/src/socket_facts.h"

#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

bool socket_cookie(int fd, uint64_t *cookie)
{
    socklen_t size = sizeof(*cookie);
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, cookie, &size) == 0;
}

bool socket_received(int fd, uint64_t *bytes)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return false;
    *bytes = info.tcpi_bytes_received;
    return true;
}

bool socket_peer(int fd, char *text, size_t size)
{
    struct sockaddr_storage other = {0};
    socklen_t len = sizeof(other);
    return getpeername(fd, (struct sockaddr *)&other, &len) == 0 &&
           getnameinfo((struct sockaddr *)&other, len, text, (socklen_t)size, NULL, 0,
                       NI_NUMERICHOST) == 0;
}

uint16_t socket_port(int fd)
{
    struct sockaddr_storage own = {0};
    socklen_t size = sizeof(own);
    if (getsockname(fd, (struct sockaddr *)&own, &size) != 0)
        return 0;
    if (own.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)&own)->sin_port);
    return own.ss_family == AF_INET6
               ? ntohs(((const struct sockaddr_in6 *)&own)->sin6_port)
               : 0;
}
