#include "libshared/src/metrics_series.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/log.h"

static void sample(struct sh_buffer *out, const struct sh_metric_head *head, double value,
                   bool openmetrics)
{
    sh_metrics_head(out, head, openmetrics);
    sh_buffer_text(out, head->name);
    sh_buffer_text(out, " ");
    sh_metrics_value(out, value);
    sh_buffer_text(out, "\n");
}

double sh_cpu_seconds(void)
{
    struct timespec used = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Start of a small file of /proc; empty when it cannot be read. */
static void read_proc(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, size - 1, file) : 0;
    if (file)
        (void)fclose(file);
    text[len] = '\0';
}

/* Virtual and resident pages, the first two numbers of statm. */
static void memory(double *virtual_bytes, double *resident_bytes)
{
    char text[128];
    char *rest;
    double page = (double)sysconf(_SC_PAGESIZE);
    read_proc("/proc/self/statm", text, sizeof(text));
    *virtual_bytes = (double)strtoull(text, &rest, 10) * page;
    *resident_bytes = (double)strtoull(rest, NULL, 10) * page;
}

double sh_resident_bytes(void)
{
    double virtual_bytes;
    double resident_bytes;
    memory(&virtual_bytes, &resident_bytes);
    return resident_bytes;
}

static double open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    double count = -3; /* ".", ".." and the directory's own */
    if (!dir)
        return 0;
    while (readdir(dir)) /* NOLINT(concurrency-mt-unsafe): a stream of its own */
        count++;
    closedir(dir);
    return count;
}

static double max_fds(void)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur == RLIM_INFINITY ? -1 : (double)limit.rlim_cur;
}

/* Field 22 of stat, in ticks since boot; the name in field 2 may hold anything, so count
 * from its last parenthesis. */
static double started;

static void find_start(void)
{
    char text[1024];
    read_proc("/proc/self/stat", text, sizeof(text));
    const char *at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return;
    double after_boot = (double)strtoull(at, NULL, 10) / (double)sysconf(_SC_CLK_TCK);

    struct timespec up = {0};
    clock_gettime(CLOCK_BOOTTIME, &up);
    started =
        sh_wall_time() - ((double)up.tv_sec + (double)up.tv_nsec / 1e9) + after_boot;
}

/* Once, since an adjusted clock would look like a restart. */
double sh_process_started(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_start);
    return started;
}

static void build_info(struct sh_buffer *out, bool openmetrics)
{
    static const struct sh_metric_head head = {SH_GAUGE, "cairn_build_info",
                                               "Which service of which version this is."};
    sh_metrics_head(out, &head, openmetrics);
    sh_buffer_text(out, "cairn_build_info{");
    sh_metrics_label(out, "service", sh_log_service());
    sh_buffer_text(out, ",");
    sh_metrics_label(out, "version", CAIRN_VERSION);
    sh_buffer_text(out, "} 1\n");
}

void sh_metrics_process(struct sh_buffer *out, bool openmetrics)
{
    static const struct sh_metric_head heads[] = {
        {SH_COUNTER, "process_cpu_seconds_total", "User and system CPU time."},
        {SH_GAUGE, "process_resident_memory_bytes", "Resident memory."},
        {SH_GAUGE, "process_virtual_memory_bytes", "Virtual memory."},
        {SH_GAUGE, "process_open_fds", "Open file descriptors."},
        {SH_GAUGE, "process_max_fds", "Most file descriptors that may be open."},
        {SH_GAUGE, "process_start_time_seconds", "Start of the process since 1970."},
    };
    double virtual_bytes;
    double resident_bytes;
    memory(&virtual_bytes, &resident_bytes);
    const double values[] = {sh_cpu_seconds(), resident_bytes, virtual_bytes,
                             open_fds(),       max_fds(),      sh_process_started()};
    for (size_t i = 0; i < SH_COUNT(heads); i++)
        sample(out, &heads[i], values[i], openmetrics);
    build_info(out, openmetrics);
}
