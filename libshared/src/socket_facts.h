/* socket_facts: what the kernel knows of a socket that a library opened. Any thread. */
#ifndef LIBSHARED_SOCKET_FACTS_H
#define LIBSHARED_SOCKET_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number that no other socket of this machine has or will have; false: no socket. */
bool socket_cookie(int fd, uint64_t *cookie);
/* Bytes that came in on it since it was opened, read or not; false: no TCP. */
bool socket_received(int fd, uint64_t *bytes);
/* The other end's address as text, without the port; false: it has none any more. */
bool socket_peer(int fd, char *text, size_t size);
/* Its own port; 0 without one. */
uint16_t socket_port(int fd);

#endif
