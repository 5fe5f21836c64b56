/* What the machine must give: ports, limits, directories. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/cairn/doctor/doctor.h"

enum { FILES_LEAST = 4096, SHM_LEAST_MB = 64, FREE_LEAST = 10, MEGA = 1000000 };

/* --- ports ------------------------------------------------------------------------ */

static bool bind_to(const char *host, long port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    if (fd < 0)
        return true;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    bool good = bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ||
                errno != EADDRINUSE;
    close(fd);
    return good;
}

/* A port that is taken is right when the service itself has it. */
static void check_port(struct doctor *self, const char *service, const char *host_name,
                       const char *port_name)
{
    static const char *const probe[2] = {"--probe", "live"};
    char check[64];
    char *host = doctor_setting(service, host_name);
    char *port = doctor_setting(service, port_name);
    long number = port ? strtol(port, NULL, 10) : 0;
    (void)snprintf(check, sizeof(check), "port %s", service);
    if (number > 0 && number < 65536) {
        struct sh_buffer out = {0};
        bool free_now = bind_to(host ? host : "127.0.0.1", number);
        bool runs = !free_now && doctor_run(service, probe, false, &out) == 0;
        sh_buffer_free(&out);
        if (free_now || runs)
            doctor_say(self, DOCTOR_OK, check, NULL, "%ld is %s", number,
                       runs ? "the running service's" : "free");
        else
            doctor_say(self, DOCTOR_FAIL, check,
                       "`ss -ltnp` shows who has it; end that, or set another port",
                       "%s %ld is taken by another program", port_name, number);
    }
    free(host);
    free(port);
}

/* --- limits ----------------------------------------------------------------------- */

static void check_limits(struct doctor *self)
{
    struct rlimit files = {0};
    struct statvfs shm;
    (void)getrlimit(RLIMIT_NOFILE, &files);
    doctor_say(self, files.rlim_max < FILES_LEAST ? DOCTOR_WARN : DOCTOR_OK, "open files",
               "LimitNOFILE= of the unit, `ulimits:` of the container: 65536 for many "
               "connections",
               "%llu at most", (unsigned long long)files.rlim_max);
    if (statvfs("/dev/shm", &shm) != 0)
        return;
    unsigned long long mega = (unsigned long long)shm.f_blocks * shm.f_frsize / MEGA;
    doctor_say(self, mega < SHM_LEAST_MB ? DOCTOR_WARN : DOCTOR_OK, "shared memory",
               "`shm_size:` of the container of PostgreSQL, 256 MB",
               "%llu MB in /dev/shm", mega);
}

/* --- directories ------------------------------------------------------------------ */

static double free_percent(const char *path)
{
    struct statvfs fs;
    if (statvfs(path, &fs) != 0 || fs.f_blocks == 0)
        return 100;
    return 100.0 * (double)fs.f_bavail / (double)fs.f_blocks;
}

/* True: it is there and can be written to. */
static bool check_directory(struct doctor *self, const char *check, const char *path)
{
    struct stat stat_of;
    if (stat(path, &stat_of) != 0 || !S_ISDIR(stat_of.st_mode))
        doctor_say(self, DOCTOR_FAIL, check,
                   "make it, for the services' user: install -d", "%s is no directory",
                   path);
    else if (access(path, W_OK | X_OK) != 0)
        doctor_say(self, DOCTOR_FAIL, check,
                   "chown it to the services' user, and run this as that user", "%s: %s",
                   path, strerror(errno));
    else if (free_percent(path) < FREE_LEAST)
        doctor_say(self, DOCTOR_WARN, check, "make room, or a larger disk",
                   "%s: %.0f %% are free", path, free_percent(path));
    else
        return true;
    return false;
}

static char *originals(void)
{
    char *store = doctor_setting("backup", "FILE_STORE");
    char *path = store && strncmp(store, "dir:", 4) == 0 ? strdup(store + 4) : NULL;
    free(store);
    return path;
}

static void check_backup_directory(struct doctor *self)
{
    struct stat backups;
    struct stat data;
    char *path = doctor_setting("backup", "BACKUP_DIR");
    char *files = originals();
    bool good = path && check_directory(self, "backup directory", path);
    if (good && files && stat(path, &backups) == 0 && stat(files, &data) == 0 &&
        backups.st_dev == data.st_dev)
        doctor_say(
            self, DOCTOR_WARN, "backup directory",
            "another disk, or BACKUP_PLACES: what takes the data takes these as well",
            "%s is on the same file system as %s", path, files);
    else if (good)
        doctor_say(self, DOCTOR_OK, "backup directory", NULL, "%s", path);
    free(files);
    free(path);
}

static void check_data(struct doctor *self)
{
    static const struct {
        const char *service;
        const char *name;
    } places[] = {{"search", "SEARCH_DATA_DIR"},
                  {"graph", "GRAPH_DATA_DIR"},
                  {"gateway", "LOG_DIR"},
                  {"backup", "BACKUP_SCRATCH_DIR"}};
    for (size_t i = 0; i < SH_COUNT(places); i++) {
        char *path = doctor_setting(places[i].service, places[i].name);
        if (path && check_directory(self, places[i].name, path))
            doctor_say(self, DOCTOR_OK, places[i].name, NULL, "%s", path);
        free(path);
    }
    char *files = originals();
    if (files && check_directory(self, "FILE_STORE", files))
        doctor_say(self, DOCTOR_OK, "FILE_STORE", NULL, "%s", files);
    free(files);
}

/* --- the model -------------------------------------------------------------------- */

static bool has_pack(const char *path)
{
    bool found = false;
    DIR *directory = opendir(path);
    for (struct dirent *at; directory && (at = readdir(directory)) != NULL;) {
        size_t len = strlen(at->d_name);
        found = found || (len > 5 && strcmp(at->d_name + len - 5, ".pack") == 0);
    }
    if (directory)
        (void)closedir(directory);
    return found;
}

static void check_model(struct doctor *self)
{
    char *provider = doctor_setting("embedder", "EMBEDDING_PROVIDER");
    char *model = doctor_setting("embedder", "EMBEDDING_MODEL");
    char *path = doctor_setting("embedder", "MODEL_DIR");
    bool built_in = (!provider || strcmp(provider, "ollama") != 0) &&
                    (!model || strstr(model, "use-lite") || strcmp(model, "auto") == 0);
    if (path && built_in && !has_pack(path))
        doctor_say(self, DOCTOR_FAIL, "model files",
                   "`make model` (scripts/fetch-model.sh), or MODEL_DIR where they are",
                   "%s has no use-lite.pack", path);
    else if (path && built_in)
        doctor_say(self, DOCTOR_OK, "model files", NULL, "%s", path);
    free(path);
    free(model);
    free(provider);
}

void doctor_machine(struct doctor *self)
{
    check_port(self, "gateway", "API_HOST", "API_PORT");
    for (const char *const *at = doctor_services_names; *at; at++)
        check_port(self, *at, "OPS_HOST", "OPS_PORT");
    check_limits(self);
    check_model(self);
    check_data(self);
    check_backup_directory(self);
}
