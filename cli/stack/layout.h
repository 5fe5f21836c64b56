/* layout: where the local stack keeps its things, which ports it took, and its secrets.
 */
#ifndef STACK_LAYOUT_H
#define STACK_LAYOUT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/err.h"

enum { SERVICES = 5, REPLICAS_MAX = 8 };

struct replica {
    char name[32]; /* "search", "search-2" */
    uint16_t ops_port;
    char endpoint[160]; /* on the bus; "" for the gateway */
};

struct service_layout {
    const char *name;
    const char *ops_variable; /* SEARCH_OPS_URL */
    const char *endpoints_variable;
    const char *data_variable; /* each replica's own directory; NULL: it needs none */
    unsigned replicas;
    struct replica replica[REPLICAS_MAX];
};

struct layout {
    char dir[PATH_MAX];    /* "var", absolute */
    char bin[PATH_MAX];    /* where the programs are */
    char pg_bin[PATH_MAX]; /* newest /usr/lib/postgresql/<version>/bin */
    char pg_data[PATH_MAX + 64];
    uid_t pg_uid; /* PostgreSQL refuses to run as root: its own user then */
    gid_t pg_gid;
    /* Of STACK_DATABASE_URL: a database that is there already is used, and none is
     * started. "": a private one. */
    char database_url[512];
    bool keys;       /* STACK_KEYS: the bus has keys, those of DIR/keys */
    char secret[65]; /* password of the private PostgreSQL and Redis */
    uint16_t pg_port;
    uint16_t redis_port;
    char api_host[64];
    uint16_t api_port;
    uint16_t bolt_port; /* 0: none */
    struct service_layout services[SERVICES];
};

/* Directories, secret (kept from an earlier start) and free ports. Prints what is wrong.
 * Errors: SH_INVALID, SH_IO. */
SH_CHECK enum sh_err layout_make(struct layout *layout, const char *dir, const char *bin);
/* DIR/stack.env for scripts to source. */
SH_CHECK enum sh_err layout_write_env(const struct layout *layout);
/* "DIR/name"; static storage, one at a time. */
const char *layout_path(const struct layout *layout, const char *name);
void layout_database_url(const struct layout *layout, char *out, size_t size);
void layout_redis_url(const struct layout *layout, char *out, size_t size);

#endif
