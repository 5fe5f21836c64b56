#include "services/gateway/health/own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "shared/metrics.h"

static void read_disk(const char *path, struct own_figures *out)
{
    struct statvfs fs;

    if (statvfs(path, &fs) != 0 || fs.f_blocks == 0)
        return;
    out->disk_known = true;
    out->disk_free_gb = (double)fs.f_bavail * (double)fs.f_frsize / 1e9;
    out->disk_free_percent = 100.0 * (double)fs.f_bavail / (double)fs.f_blocks;
}

/* The value after `key` in a file of "key value" lines; key "" takes the first line. */
static bool read_value(const char *path, const char *key, double *value)
{
    char line[256];
    bool found = false;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        size_t len = strlen(key);
        char *end = NULL;
        if (strncmp(line, key, len) != 0)
            continue;
        *value = strtod(line + len, &end);
        found = end != line + len; /* "max" is no number: no limit */
    }
    (void)fclose(file); /* only read */
    return found;
}

static void set_memory(struct own_figures *out, double used, double limit)
{
    out->memory_known = limit > 0;
    if (!out->memory_known)
        return;
    out->memory_used_mb = used / 1e6;
    out->memory_limit_mb = limit / 1e6;
    out->memory_used_percent = 100 * used / limit;
}

/* The folder of our cgroup (v2); false when there is none. */
static bool cgroup_folder(char *out, size_t size)
{
    char line[512];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");

    if (file == NULL)
        return false;
    while (!found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = strncmp(line, "0::", 3) == 0;
    }
    (void)fclose(file); /* only read */
    if (found)
        (void)snprintf(out, size, "/sys/fs/cgroup%s", line + 3);
    return found;
}

static bool read_cgroup(struct own_figures *out)
{
    char folder[600], path[640];
    double limit, used, cached = 0;

    if (!cgroup_folder(folder, sizeof folder))
        return false;
    (void)snprintf(path, sizeof path, "%s/memory.max", folder);
    if (!read_value(path, "", &limit))
        return false;
    (void)snprintf(path, sizeof path, "%s/memory.current", folder);
    if (!read_value(path, "", &used))
        return false;
    (void)snprintf(path, sizeof path, "%s/memory.stat", folder);
    if (read_value(path, "inactive_file ", &cached) && cached < used)
        used -= cached; /* given back when it is needed */
    set_memory(out, used, limit);
    return true;
}

static void read_machine(struct own_figures *out)
{
    double total, available;

    if (read_value("/proc/meminfo", "MemTotal:", &total) &&
        read_value("/proc/meminfo", "MemAvailable:", &available))
        set_memory(out, (total - available) * 1024, total * 1024);
}

void own_read(const char *disk_path, struct own_figures *out)
{
    *out = (struct own_figures){0};
    read_disk(disk_path, out);
    if (!read_cgroup(out))
        read_machine(out);
}

void own_show(const struct own_figures *own)
{
    static struct sh_family disk = {
        .kind = SH_GAUGE,
        .name = "cairn_gateway_disk_free_ratio",
        .help = "Free share of the file system of HEALTH_DISK_PATH.",
    };
    static struct sh_family memory = {
        .kind = SH_GAUGE,
        .name = "cairn_gateway_memory_used_ratio",
        .help = "Used share of the memory of the container, or of the machine.",
    };

    if (own->disk_known)
        sh_series_set(sh_series(&disk, NULL), own->disk_free_percent / 100);
    if (own->memory_known)
        sh_series_set(sh_series(&memory, NULL), own->memory_used_percent / 100);
}
