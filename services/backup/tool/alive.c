#include "services/backup/tool/alive.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "services/backup/tool/database.h"

enum { IDLE, INTERVAL, COUNT, ALIVE, ALIVE_TEXT = 12 };

static const char *const words[ALIVE] = {ALIVE_WORDS};
static const char *const usual[ALIVE] = {ALIVE_VALUES};

static const char lease_sql[] = "SELECT set_config('tcp_keepalives_idle', $1, false), "
                                "set_config('tcp_keepalives_interval', $2, false), "
                                "set_config('tcp_keepalives_count', $3, false), "
                                "set_config('tcp_user_timeout', $4, false)";

struct alive {
    char values[ALIVE][ALIVE_TEXT];
    unsigned ms; /* all together */
};

static bool is_number(const char *text)
{
    return text != NULL && text[0] != '\0' &&
           strspn(text, "0123456789") == strlen(text) && strlen(text) < 7;
}

/* Takes the options. */
static struct alive read_options(PQconninfoOption *options)
{
    struct alive alive;
    unsigned long numbers[ALIVE];

    for (size_t i = 0; i < ALIVE; i++) {
        const char *value = usual[i];
        for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
            if (strcmp(o->keyword, words[i]) == 0 && is_number(o->val))
                value = o->val;
        (void)snprintf(alive.values[i], ALIVE_TEXT, "%s", value);
        numbers[i] = strtoul(value, NULL, 10);
    }
    PQconninfoFree(options);
    alive.ms =
        (unsigned)(numbers[IDLE] + numbers[INTERVAL] * (numbers[COUNT] % 1000)) * 1000;
    return alive;
}

void alive_option(const char *conninfo, bool sends, char out[static ALIVE_OPTION])
{
    struct alive alive = read_options(PQconninfoParse(conninfo, NULL));
    char unconfirmed[40] = "";

    if (!sends)
        (void)snprintf(unconfirmed, sizeof(unconfirmed), " tcp_user_timeout=%u",
                       alive.ms);
    (void)snprintf(out, ALIVE_OPTION, "--dbname=%s=%s %s=%s %s=%s%s", words[IDLE],
                   alive.values[IDLE], words[INTERVAL], alive.values[INTERVAL],
                   words[COUNT], alive.values[COUNT], unconfirmed);
}

enum sh_err alive_lease(struct work *work, PGconn *conn)
{
    struct alive alive = read_options(PQconninfo(conn));
    char unconfirmed[16];
    const char *params[] = {alive.values[IDLE], alive.values[INTERVAL],
                            alive.values[COUNT], unconfirmed};

    (void)snprintf(unconfirmed, sizeof(unconfirmed), "%u", alive.ms);
    /* a socket that is no TCP refuses, and needs it not */
    (void)setsockopt(PQsocket(conn), IPPROTO_TCP, TCP_USER_TIMEOUT, &alive.ms,
                     sizeof(alive.ms));
    PGresult *row =
        database_ask_with(work, conn, lease_sql, (int)SH_COUNT(params), params);
    bool good = row != NULL;

    PQclear(row);
    return good ? SH_OK : SH_UPSTREAM;
}
