/* own: the figures of the machine, or of the container when it has limits. Read from
 * small files of the kernel; microseconds. */
#ifndef GATEWAY_OWN_H
#define GATEWAY_OWN_H

#include <stdbool.h>

struct own_figures {
    bool disk_known;
    double disk_free_gb;
    double disk_free_percent;
    bool memory_known;
    double memory_used_percent;
    double memory_used_mb;
    double memory_limit_mb;
};

void own_read(const char *disk_path, struct own_figures *out);
/* As metrics, for alerts on a full disk and on short memory. */
void own_show(const struct own_figures *own);

#endif
