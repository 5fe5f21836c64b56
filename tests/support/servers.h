/* servers: for tests that need a real PostgreSQL or Redis. A test program calls
 * servers_ensure() first in main(): unless TEST_DATABASE_URL is set, the program runs
 * again under with_servers.sh, which starts private servers and stops them afterwards.
 * Also a pump for loops and SQL on a plain connection. Header only. */
#ifndef TESTS_SERVERS_H
#define TESTS_SERVERS_H

#include <libpq-fe.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { SERVERS_PUMP_MS = 60000 };

/* Returns when the servers are there; exits with 125 when they cannot be had. */
static inline void servers_ensure(char **argv)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 64);

    if (getenv("TEST_DATABASE_URL"))
        return;
    path[len > 0 ? len : 0] = '\0';
    for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
        (void)snprintf(slash, 64, "/tests/support/with_servers.sh"); /* room was left */
        if (access(path, X_OK) == 0) {
            char *again[64] = {path};
            for (size_t i = 0; i < 62 && argv[i]; i++)
                again[i + 1] = argv[i];
            execv(path, again);
            break;
        }
        *slash = '\0';
    }
    (void)fprintf(stderr, "cannot run tests/support/with_servers.sh\n");
    exit(125);
}

static inline void servers_on_guard(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static inline void servers_on_guard_closed(uv_handle_t *handle)
{
    free(handle);
}

/* Turn the loop until `reached` is true; false when that takes too long. */
static inline bool servers_pump(uv_loop_t *loop, bool (*reached)(void *arg), void *arg)
{
    bool expired = false;
    uv_timer_t *guard = calloc(1, sizeof(*guard));

    if (!guard || uv_timer_init(loop, guard) != 0)
        abort();
    guard->data = &expired;
    uv_timer_start(guard, servers_on_guard, SERVERS_PUMP_MS, 0);
    while (!reached(arg) && !expired)
        uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)guard, servers_on_guard_closed);
    return !expired;
}

static inline bool servers_is_set(void *arg)
{
    return *(const bool *)arg;
}

/* A plain connection of its own; the test fails by exit when there is none. */
static inline PGconn *servers_connect(void)
{
    PGconn *conn = PQconnectdb(getenv("TEST_DATABASE_URL"));

    if (PQstatus(conn) != CONNECTION_OK) {
        (void)fprintf(stderr, "%s", PQerrorMessage(conn));
        exit(125);
    }
    return conn;
}

/* Runs SQL and gives the first field as text in a static buffer, "" when there is none,
 * or "error: …". */
static inline const char *servers_sql(PGconn *conn, const char *sql)
{
    static char text[1024];
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);

    text[0] = '\0';
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        (void)snprintf(text, sizeof(text), "error: %s", PQresultErrorMessage(result));
    else if (PQntuples(result) > 0 && PQnfields(result) > 0)
        (void)snprintf(text, sizeof(text), "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    return text;
}

#endif
