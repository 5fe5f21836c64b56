#include "cli/stack/layout.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/bytes.h"
#include "shared/trace.h"

static const struct {
    const char *name;
    const char *ops_variable;
    const char *endpoints_variable;
    const char *data_variable;
} known[SERVICES] = {
    {"embedder", "EMBEDDER_OPS_URL", "EMBEDDER_ENDPOINTS", "FITTED_MODEL_DIR"},
    {"search", "SEARCH_OPS_URL", "SEARCH_ENDPOINTS", "SEARCH_DATA_DIR"},
    {"graph", "GRAPH_OPS_URL", "GRAPH_ENDPOINTS", "GRAPH_DATA_DIR"},
    {"backup", "BACKUP_OPS_URL", "BACKUP_ENDPOINTS", NULL},
    {"gateway", "GATEWAY_OPS_URL", NULL, NULL},
};

static enum sh_err complain(const char *what, const char *about)
{
    (void)fprintf(stderr, "cairn-stack: %s: %s: %s\n", about, what, strerror(errno));
    return SH_IO;
}

const char *layout_path(const struct layout *layout, const char *name)
{
    static char path[PATH_MAX + 64];
    (void)snprintf(path, sizeof(path), "%s/%s", layout->dir, name);
    return path;
}

static enum sh_err make_dir(const char *path, mode_t mode)
{
    if (mkdir(path, mode) != 0 && errno != EEXIST)
        return complain("cannot be made", path);
    return SH_OK;
}

static enum sh_err make_dirs(struct layout *layout, const char *dir)
{
    enum sh_err err = make_dir(dir, 0755);
    if (err == SH_OK && !realpath(dir, layout->dir))
        err = complain("cannot be resolved", dir);
    static const char *const names[] = {"log",   "run",  "models", "backups",
                                        "redis", "data", "keys"};
    for (size_t i = 0; i < SH_COUNT(names) && err == SH_OK; i++)
        err = make_dir(layout_path(layout, names[i]), 0700);
    return err;
}

/* Whether another user can get down to the directory. */
static bool reachable(const char *path)
{
    char part[PATH_MAX];
    (void)snprintf(part, sizeof(part), "%s", path);
    for (;;) {
        struct stat st;
        if (stat(part, &st) != 0 || !(st.st_mode & S_IXOTH))
            return false;
        char *slash = strrchr(part, '/');
        if (!slash || slash == part)
            return true;
        *slash = '\0';
    }
}

/* PostgreSQL's files: DIR/postgres; for root, whose PostgreSQL runs as the user postgres,
 * /var/lib/cairn/<mark of DIR> where that user cannot get down to DIR (/root, say). */
static enum sh_err choose_pg_data(struct layout *layout)
{
    layout->pg_uid = geteuid();
    layout->pg_gid = getegid();
    (void)snprintf(layout->pg_data, sizeof(layout->pg_data), "%s",
                   layout_path(layout, "postgres"));
    if (geteuid() != 0)
        return SH_OK;

    const struct passwd *user = getpwnam("postgres");
    if (!user) {
        (void)fprintf(stderr, "cairn-stack: no user postgres: run `make deps`\n");
        return SH_INVALID;
    }
    layout->pg_uid = user->pw_uid;
    layout->pg_gid = user->pw_gid;
    if (reachable(layout->dir))
        return SH_OK;
    uint64_t mark = 14695981039346656037u; /* FNV-1a */
    for (const char *c = layout->dir; *c; c++)
        mark = (mark ^ (unsigned char)*c) * 1099511628211u;
    enum sh_err err = make_dir("/var/lib/cairn", 0755);
    (void)snprintf(layout->pg_data, sizeof(layout->pg_data), "/var/lib/cairn/%016lx",
                   (unsigned long)mark);
    return err;
}

static enum sh_err find_pg_bin(struct layout *layout)
{
    glob_t found;
    long newest = -1;
    if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            long version =
                strtol(found.gl_pathv[i] + strlen("/usr/lib/postgresql/"), NULL, 10);
            if (version <= newest)
                continue;
            newest = version;
            (void)snprintf(layout->pg_bin, sizeof(layout->pg_bin), "%s",
                           found.gl_pathv[i]);
            *strrchr(layout->pg_bin, '/') = '\0';
        }
    }
    globfree(&found);
    if (newest >= 0)
        return SH_OK;
    (void)fprintf(stderr, "cairn-stack: PostgreSQL is not installed: run `make deps`\n");
    return SH_INVALID;
}

/* Kept over restarts, because the cluster was made with it. */
static enum sh_err load_secret(struct layout *layout)
{
    const char *path = layout_path(layout, "secret");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t n = read(fd, layout->secret, sizeof(layout->secret) - 1);
        close(fd);
        if (n == sizeof(layout->secret) - 1)
            return SH_OK;
    }
    uint8_t raw[(sizeof(layout->secret) - 1) / 2];
    sh_random(raw, sizeof(raw));
    for (size_t i = 0; i < sizeof(raw); i++)
        (void)snprintf(layout->secret + 2 * i, 3, "%02x", raw[i]);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, layout->secret, sizeof(layout->secret) - 1) ==
                             sizeof(layout->secret) - 1;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok ? SH_OK : complain("cannot be written", path);
}

/* A port that nobody listens on; 0 asks for any. The socket stays open in `keep`, so that
 * the next call gets another one. 0 when it is taken. */
static uint16_t claim_port(const char *host, uint16_t port, int *keep)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t len = sizeof(address);
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        address.sin_addr.s_addr = htonl(INADDR_ANY);
    *keep = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    if (*keep < 0)
        return 0;
    (void)setsockopt(*keep, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(*keep, (struct sockaddr *)&address, len) != 0 ||
        getsockname(*keep, (struct sockaddr *)&address, &len) != 0)
        return 0;
    return ntohs(address.sin_port);
}

static unsigned replicas_of(const char *service)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%s_REPLICAS", service);
    for (char *c = name; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    const char *text = getenv(name);
    unsigned long n = text ? strtoul(text, NULL, 10) : 1;
    return n < 1 ? 1 : n > REPLICAS_MAX ? REPLICAS_MAX : (unsigned)n;
}

static void name_replica(const char *dir, const struct service_layout *service,
                         unsigned index, struct replica *replica, int *keep)
{
    char suffix[8] = "";
    char endpoint[PATH_MAX + 64];
    if (index > 0)
        (void)snprintf(suffix, sizeof(suffix), "-%u", index + 1);
    (void)snprintf(replica->name, sizeof(replica->name), "%s%s", service->name, suffix);
    if (!service->endpoints_variable)
        return;
    /* A Unix socket's path holds 107 bytes; a deep directory takes a port instead. */
    int n = snprintf(endpoint, sizeof(endpoint), "ipc://%s/run/%s%s.sock", dir,
                     service->name, suffix);
    if (n > 100)
        (void)snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%u",
                       claim_port("127.0.0.1", 0, keep));
    memcpy(replica->endpoint, endpoint, strlen(endpoint) + 1);
}

/* Bolt's own port where it is free, unless HTTP was to take any. BOLT_PORT=0: none. */
static void choose_bolt_port(struct layout *layout, bool any, int keep[2])
{
    const char *text = getenv("BOLT_PORT");
    uint16_t wanted = (uint16_t)(text ? strtoul(text, NULL, 10) : any ? 0 : 7687);
    if (text && wanted == 0)
        return;
    layout->bolt_port = claim_port(layout->api_host, wanted, &keep[0]);
    if (layout->bolt_port == 0)
        layout->bolt_port = claim_port(layout->api_host, 0, &keep[1]);
}

static enum sh_err choose_ports(struct layout *layout)
{
    int held[2 * SERVICES * REPLICAS_MAX + 6];
    size_t count = 0;
    for (size_t i = 0; i < SH_COUNT(held); i++)
        held[i] = -1;

    const char *host = getenv("API_HOST");
    const char *port = getenv("API_PORT");
    (void)snprintf(layout->api_host, sizeof(layout->api_host), "%s",
                   host ? host : "127.0.0.1");
    uint16_t wanted = (uint16_t)(port ? strtoul(port, NULL, 10) : 8080);
    layout->api_port = claim_port(layout->api_host, wanted, &held[count++]);
    if (layout->api_port == 0) {
        (void)fprintf(stderr, "cairn-stack: port %u is taken, using a free one\n",
                      wanted);
        layout->api_port = claim_port(layout->api_host, 0, &held[count++]);
    }
    choose_bolt_port(layout, wanted == 0, &held[count]);
    count += 2;
    layout->pg_port = claim_port("127.0.0.1", 0, &held[count++]);
    layout->redis_port = claim_port("127.0.0.1", 0, &held[count++]);
    for (size_t s = 0; s < SERVICES; s++) {
        struct service_layout *service = &layout->services[s];
        service->name = known[s].name;
        service->ops_variable = known[s].ops_variable;
        service->endpoints_variable = known[s].endpoints_variable;
        service->data_variable = known[s].data_variable;
        service->replicas = s == SERVICES - 1 ? 1 : replicas_of(service->name);
        for (unsigned r = 0; r < service->replicas; r++) {
            struct replica *replica = &service->replica[r];
            replica->ops_port = claim_port("127.0.0.1", 0, &held[count++]);
            name_replica(layout->dir, service, r, replica, &held[count++]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (held[i] >= 0)
            close(held[i]);
    }
    return layout->api_port && layout->pg_port && layout->redis_port
               ? SH_OK
               : complain("cannot be taken", "a free port");
}

enum sh_err layout_make(struct layout *layout, const char *dir, const char *bin)
{
    enum sh_err err = make_dirs(layout, dir);
    if (err == SH_OK && !realpath(bin, layout->bin))
        err = complain("no such directory (make all?)", bin);
    const char *url = getenv("STACK_DATABASE_URL");
    const char *keys = getenv("STACK_KEYS");
    layout->keys = keys && *keys && strcmp(keys, "0") != 0;
    (void)snprintf(layout->database_url, sizeof(layout->database_url), "%s",
                   url ? url : "");
    if (err == SH_OK && !*layout->database_url)
        err = find_pg_bin(layout);
    if (err == SH_OK && !*layout->database_url)
        err = choose_pg_data(layout);
    if (err == SH_OK)
        err = load_secret(layout);
    if (err == SH_OK)
        err = choose_ports(layout);
    return err;
}

void layout_database_url(const struct layout *layout, char *out, size_t size)
{
    if (*layout->database_url)
        (void)snprintf(out, size, "%s", layout->database_url);
    else
        (void)snprintf(out, size, "postgresql://cairn:%s@127.0.0.1:%u/cairn",
                       layout->secret, layout->pg_port);
}

void layout_redis_url(const struct layout *layout, char *out, size_t size)
{
    (void)snprintf(out, size, "redis://:%s@127.0.0.1:%u/0", layout->secret,
                   layout->redis_port);
}

enum sh_err layout_write_env(const struct layout *layout)
{
    char url[512];
    const char *path = layout_path(layout, "stack.env");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file)
        return complain("cannot be written", path);
    (void)fprintf(file, "GATEWAY_URL=http://127.0.0.1:%u\n", layout->api_port);
    if (layout->bolt_port != 0)
        (void)fprintf(file, "BOLT_URL=bolt://127.0.0.1:%u\n", layout->bolt_port);
    layout_database_url(layout, url, sizeof(url));
    (void)fprintf(file, "DATABASE_URL=%s\n", url);
    layout_redis_url(layout, url, sizeof(url));
    (void)fprintf(file, "REDIS_URL=%s\n", url);
    for (size_t s = 0; s < SERVICES; s++)
        (void)fprintf(file, "%s=http://127.0.0.1:%u\n", layout->services[s].ops_variable,
                      layout->services[s].replica[0].ops_port);
    return fclose(file) == 0 ? SH_OK : complain("cannot be written", path);
}
