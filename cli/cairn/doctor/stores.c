/* PostgreSQL and Redis, as the services would reach them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>
#include <libpq-fe.h>

#include "cli/cairn/doctor/doctor.h"
#include "shared/pg.h"
#include "shared/redis.h"

enum { SERVER_LEAST = 130000, WAIT_S = 5 };

/* --- PostgreSQL ------------------------------------------------------------------- */

static PGconn *connect_to(const struct sh_pg_config *config)
{
    char port[16];
    (void)snprintf(port, sizeof(port), "%u", config->port);
    if (*config->url) {
        const char *const names[] = {"dbname", "connect_timeout", NULL};
        const char *const values[] = {config->url, "5", NULL};
        return PQconnectdbParams(names, values, 1);
    }
    const char *const names[] = {
        "host", "port", "dbname", "user", "password", "connect_timeout", NULL};
    const char *const values[] = {config->host,     port, config->name, config->user,
                                  config->password, "5",  NULL};
    return PQconnectdbParams(names, values, 0);
}

static const char *remedy_of(const char *error)
{
    if (strstr(error, "password authentication failed") || strstr(error, "no password"))
        return "the password in DATABASE_URL (DB_PASSWORD, or its _FILE) is not the one "
               "of the role: ALTER ROLE cairn PASSWORD '...'";
    if (strstr(error, "does not exist"))
        return "make role and database: docs/operations.md; then `cairn-migrate up`";
    if (strstr(error, "pg_hba"))
        return "a line in pg_hba.conf for this host, database and role";
    return "is PostgreSQL running, and DATABASE_URL (DB_HOST, DB_PORT) where it listens?";
}

static void check_rights(struct doctor *self, PGconn *conn)
{
    PGresult *result = PQexec(
        conn, "SELECT has_database_privilege(current_database(), 'CREATE'), "
              "has_database_privilege(current_database(), 'TEMPORARY'), "
              "has_schema_privilege(current_schema(), 'CREATE'), pg_is_in_recovery(), "
              "coalesce((SELECT 'there' FROM pg_extension WHERE extname = 'vector'), "
              "(SELECT 'available' FROM pg_available_extensions WHERE name = 'vector'), "
              "'none')");
    bool asked = PQresultStatus(result) == PGRES_TUPLES_OK;
    static const char *const missing[] = {"CREATE in the database", "TEMPORARY tables",
                                          "CREATE in its schema"};
    for (int i = 0; asked && i < (int)SH_COUNT(missing); i++) {
        if (strcmp(PQgetvalue(result, 0, i), "t") != 0)
            doctor_say(self, DOCTOR_FAIL, "postgresql rights",
                       "ALTER DATABASE ... OWNER TO the services' role",
                       "%s is not allowed", missing[i]);
    }
    if (asked && strcmp(PQgetvalue(result, 0, 3), "t") == 0)
        doctor_say(
            self, DOCTOR_FAIL, "postgresql",
            "DATABASE_URL must name the primary; replicas belong into DB_READ_HOSTS",
            "it is a replica: nothing can be written");
    if (asked)
        doctor_say(self, DOCTOR_OK, "pgvector", NULL, "%s (it is not needed)",
                   PQgetvalue(result, 0, 4));
    PQclear(result);
}

/* A line of a file that is not applied has no time. */
static void check_schema(struct doctor *self)
{
    struct sh_buffer out = {0};
    int status =
        doctor_run("migrate", (const char *const[2]){"status", NULL}, false, &out);
    size_t all = 0;
    size_t applied = 0;
    for (const char *line = out.err == SH_OK ? out.data : ""; line && *line;) {
        size_t len = strcspn(line, "\n");
        if (strspn(line, "0123456789") >= 4) {
            all++;
            applied += len > 0 && line[len - 1] == 'Z';
        }
        line += len + (line[len] == '\n');
    }
    if (status < 0)
        doctor_say(self, DOCTOR_WARN, "schema", "install it beside `cairn`",
                   "cairn-migrate is not here");
    else if (status > 0 || all == 0)
        doctor_say(self, DOCTOR_WARN, "schema",
                   "MIGRATIONS_DIR is the folder of the SQL files",
                   "it cannot be compared");
    else if (applied < all)
        doctor_say(self, DOCTOR_FAIL, "schema", "`cairn-migrate up`",
                   "%zu of %zu migrations are not applied", all - applied, all);
    else
        doctor_say(self, DOCTOR_OK, "schema", NULL, "%zu migrations", all);
    sh_buffer_free(&out);
}

static void check_postgresql(struct doctor *self, const struct sh_pg_config *config)
{
    PGconn *conn = connect_to(config);
    const char *error = PQerrorMessage(conn);
    if (PQstatus(conn) != CONNECTION_OK) {
        doctor_say(self, DOCTOR_FAIL, "postgresql", remedy_of(error), "%s", error);
        PQfinish(conn);
        return;
    }
    int version = PQserverVersion(conn);
    doctor_say(self, version < SERVER_LEAST ? DOCTOR_FAIL : DOCTOR_OK, "postgresql",
               "PostgreSQL 13 or later", "version %d, database %s as %s", version / 10000,
               PQdb(conn), PQuser(conn));
    check_rights(self, conn);
    PQfinish(conn);
    check_schema(self);
}

/* --- Redis ------------------------------------------------------------------------ */

struct place {
    char host[256];
    char password[1024];
    char user[256];
    int port;
};

static bool part(CURLU *url, CURLUPart what, char *into, size_t size)
{
    char *text = NULL;
    if (curl_url_get(url, what, &text, CURLU_URLDECODE) != CURLUE_OK || !text)
        return false;
    (void)snprintf(into, size, "%s", text);
    curl_free(text);
    return true;
}

/* redis://[user][:password@]host[:port]; the parts when there is no URL. */
static bool place_of(const struct sh_redis_config *config, struct place *place)
{
    char port[16] = "6379";
    CURLU *url = curl_url();
    bool good = url != NULL;
    *place = (struct place){.port = (int)config->port};
    (void)snprintf(place->host, sizeof(place->host), "%s", config->host);
    (void)snprintf(place->password, sizeof(place->password), "%s", config->password);
    if (good && *config->url) {
        good = curl_url_set(url, CURLUPART_URL, config->url, CURLU_NON_SUPPORT_SCHEME) ==
                   CURLUE_OK &&
               part(url, CURLUPART_HOST, place->host, sizeof(place->host));
        (void)part(url, CURLUPART_USER, place->user, sizeof(place->user));
        (void)part(url, CURLUPART_PASSWORD, place->password, sizeof(place->password));
        (void)part(url, CURLUPART_PORT, port, sizeof(port));
        place->port = (int)strtol(port, NULL, 10);
    }
    curl_url_cleanup(url);
    return good;
}

static redisReply *log_in(redisContext *redis, const struct place *place)
{
    if (*place->user)
        return redisCommand(redis, "AUTH %s %s", place->user, place->password);
    if (*place->password)
        return redisCommand(redis, "AUTH %s", place->password);
    return redisCommand(redis, "PING");
}

static void check_redis(struct doctor *self, const struct sh_redis_config *config)
{
    struct place place;
    const char *remedy =
        "is Redis running, and REDIS_URL (REDIS_HOST, REDIS_PORT) where it "
        "listens? Searches go on without, sessions do not";
    if (strncmp(config->url, "unix:", 5) == 0 || !place_of(config, &place))
        return; /* looked at by the gateway */
    redisContext *redis = redisConnectWithTimeout(place.host, place.port,
                                                  (struct timeval){.tv_sec = WAIT_S});
    redisReply *reply = redis && redis->err == 0 ? log_in(redis, &place) : NULL;
    redisReply *pong =
        reply && reply->type != REDIS_REPLY_ERROR ? redisCommand(redis, "PING") : NULL;
    if (pong && pong->type != REDIS_REPLY_ERROR)
        doctor_say(self, DOCTOR_OK, "redis", NULL, "%s:%d", place.host, place.port);
    else if (pong || reply)
        doctor_say(
            self, DOCTOR_FAIL, "redis",
            "the password in REDIS_URL (REDIS_PASSWORD) is not the one of the server",
            "%s", pong ? pong->str : reply->str);
    else
        doctor_say(self, DOCTOR_FAIL, "redis", remedy, "%s:%d: %s", place.host,
                   place.port, redis ? redis->errstr : "out of memory");
    if (pong)
        freeReplyObject(pong);
    if (reply)
        freeReplyObject(reply);
    if (redis)
        redisFree(redis);
    explicit_bzero(place.password, sizeof(place.password));
}

void doctor_stores(struct doctor *self)
{
    struct sh_pg_config pg;
    struct sh_redis_config redis;
    struct sh_settings groups[] = {sh_pg_settings(&pg), sh_redis_settings(&redis)};
    struct sh_buffer faults = {0};
    if (sh_config_load(groups, SH_COUNT(groups), &faults) == SH_OK) {
        check_postgresql(self, &pg);
        check_redis(self, &redis);
    }
    sh_buffer_free(&faults); /* the services told of them */
}
