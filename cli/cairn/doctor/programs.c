/* The services' own programs know their settings: they are asked, not copied. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cairn/doctor/doctor.h"
#include "shared/mem.h"

enum { PATH_LEN = 4096, OUTPUT_MAX = 1 << 20, SERVICES = 5 };

const char *const doctor_services_names[] = {"gateway", "search", "embedder",
                                             "graph",   "backup", NULL};

/* Beside this program, or wherever the PATH says. */
static void locate(const char *name, char path[static PATH_LEN])
{
    char here[PATH_LEN / 2];
    ssize_t len = readlink("/proc/self/exe", here, sizeof(here) - 1);
    here[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(here, '/');
    if (slash)
        slash[1] = '\0';
    (void)snprintf(path, PATH_LEN, "%scairn-%s", here, name);
    if (!slash || access(path, X_OK) != 0)
        (void)snprintf(path, PATH_LEN, "cairn-%s", name);
}

/* In the child: never returns. */
static void become(const char *name, const char *const words[2], int out, bool errors)
{
    char path[PATH_LEN];
    char *argv[] = {path, sh_unconst(words[0]), sh_unconst(words[1]), NULL};
    locate(name, path);
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (dup2(out, errors ? STDERR_FILENO : STDOUT_FILENO) >= 0 &&
        dup2(nowhere, errors ? STDOUT_FILENO : STDERR_FILENO) >= 0)
        (void)execvp(path, argv);
    _exit(127);
}

static void take(int fd, struct sh_buffer *out)
{
    char piece[4096];
    for (ssize_t n; (n = read(fd, piece, sizeof(piece))) != 0;) {
        if (n < 0 && errno != EINTR)
            return;
        if (n > 0 && out->len + (size_t)n <= OUTPUT_MAX)
            sh_buffer_append(out, piece, (size_t)n);
    }
}

int doctor_run(const char *name, const char *const words[2], bool errors,
               struct sh_buffer *out)
{
    int ends[2];
    int status = 0;
    (void)fflush(NULL);
    if (pipe(ends) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0)
        become(name, words, ends[1], errors);
    close(ends[1]);
    if (child > 0)
        take(ends[0], out);
    close(ends[0]);
    sh_buffer_append(out, "", 1); /* for who reads it as text */
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) == 127)
        return -1;
    return WEXITSTATUS(status);
}

/* What a service's settings are is asked once. */
static const char *settings_of(const char *service)
{
    static struct sh_buffer known[SERVICES];
    size_t i = 0;
    while (doctor_services_names[i] && strcmp(doctor_services_names[i], service) != 0)
        i++;
    if (!doctor_services_names[i])
        return "";
    if (known[i].len == 0 &&
        doctor_run(service, (const char *const[2]){"--print-config", NULL}, false,
                   &known[i]) != 0)
        known[i].len = 1; /* it was asked */
    return known[i].err == SH_OK && known[i].len > 1 ? known[i].data : "";
}

char *doctor_setting(const char *service, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = settings_of(service); *line;) {
        size_t whole = strcspn(line, "\n");
        if (whole > len + 1 && strncmp(line, name, len) == 0 && line[len] == '=')
            return strndup(line + len + 1, whole - len - 1);
        line += whole + (line[whole] == '\n');
    }
    return NULL;
}
