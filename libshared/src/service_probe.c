#include "libshared/src/service_internal.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { TIMEOUT_S = 2 };

/* Where to reach a server that listens on every address. */
static const char *reachable(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static int connect_to(const char *host, uint32_t port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *address = NULL;
    struct timeval timeout = {.tv_sec = TIMEOUT_S};
    char service[16];
    (void)snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(reachable(host), service, &hints, &address) != 0)
        return -1;

    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected =
        fd >= 0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) == 0 &&
        connect(fd, address->ai_addr, address->ai_addrlen) == 0;
    freeaddrinfo(address);
    if (!connected && fd >= 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* The status line fits into the first bytes; what follows does not matter. */
static bool answers_200(int fd, const char *path)
{
    static const char expected[] = "HTTP/1.1 200 ";
    char text[128];
    int len = snprintf(text, sizeof(text),
                       "GET %s HTTP/1.1\r\nHost: ops\r\nConnection: close\r\n\r\n", path);
    if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        return false;
    size_t got = 0;
    while (got < sizeof(expected) - 1) {
        ssize_t more = recv(fd, text + got, sizeof(expected) - 1 - got, 0);
        if (more <= 0)
            return false;
        got += (size_t)more;
    }
    return memcmp(text, expected, sizeof(expected) - 1) == 0;
}

int sh_service_probe(const char *host, uint32_t port, const char *path)
{
    int fd = connect_to(host, port);
    if (fd < 0)
        return 1;
    bool good = answers_200(fd, path);
    close(fd);
    return good ? 0 : 1;
}
