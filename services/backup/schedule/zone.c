#include "services/backup/schedule/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { PATH = 1024 };

/* A file of the zone database. */
static bool in_database(const char *name)
{
    const char *folder = getenv("TZDIR");
    char path[PATH];
    struct stat st;
    int len = snprintf(path, sizeof(path), "%s/%s",
                       folder != NULL ? folder : "/usr/share/zoneinfo", name);

    return name[0] != '/' && strstr(name, "..") == NULL && len > 0 &&
           len < (int)sizeof(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A rule in itself: a name of three letters or more and how far it is from UTC. */
static bool is_rule(const char *name)
{
    size_t letters = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    const char *offset = name + letters;

    if (name[0] == '<') {
        offset = strchr(name, '>');
        if (offset++ == NULL)
            return false;
    } else if (letters < 3) {
        return false;
    }
    offset += *offset == '+' || *offset == '-';
    return *offset >= '0' && *offset <= '9';
}

enum sh_err zone_use(const char *name)
{
    if (name[0] != '\0') {
        if (strcmp(name, "UTC") != 0 && !in_database(name) && !is_rule(name))
            return SH_INVALID;
        if (setenv("TZ", name, 1) != 0)
            return SH_INVALID;
    }
    tzset();
    return SH_OK;
}
