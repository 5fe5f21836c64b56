/* Expressions of a schedule: whatever is taken has times that go forward. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/backup/schedule/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[300];
    char fault[128];
    struct cron cron;
    time_t at = 1770000000;

    if (size >= sizeof(text))
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (cron_parse(text, &cron, fault) != SH_OK)
        return 0;
    for (int i = 0; i < 3; i++) {
        time_t next = cron_next(&cron, at);
        if (next == 0)
            break;
        if (next <= at)
            abort();
        at = next;
    }
    return 0;
}
