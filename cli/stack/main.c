/* cairn-stack: the local stack. `up` starts it in the background and returns when all is
 * ready, `run` keeps it in the foreground and loads the sample, `down` stops it, `status`
 * and `logs` look at it. */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/stack/sample.h"
#include "cli/stack/stack.h"
#include "shared/bytes.h"

static struct {
    const char *dir;
    const char *bin;
    const char *part; /* of the sample; NULL: all */
    char self[PATH_MAX];
} options = {.dir = "var", .bin = "build/release/bin"};

static struct stack stack;

static void usage(FILE *out)
{
    (void)fprintf(out, "usage: cairn-stack [--dir var] [--bin build/release/bin] "
                       "up|run|down|status|logs|load [wordnet]\n");
}

/* The lock file holds the supervisor's process id; the lock is held for its whole life.
 */
static int take_lock(void)
{
    char path[PATH_MAX];
    (void)mkdir(options.dir, 0755);
    (void)snprintf(path, sizeof(path), "%s/stack.lock", options.dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        perror(path);
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)fprintf(stderr, "cairn-stack: already running in %s (make down stops it)\n",
                      options.dir);
        close(fd);
        return -1;
    }
    return fd;
}

static bool write_lock(int fd)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n;
}

static enum sh_err bring_up(int lock)
{
    stack.loop = uv_default_loop();
    if (!write_lock(lock))
        return SH_IO;
    enum sh_err err = layout_make(&stack.layout, options.dir, options.bin);
    return err == SH_OK ? stack_start(&stack) : err;
}

static int run(void)
{
    int lock = take_lock();
    if (lock < 0)
        return EXIT_FAILURE;
    enum sh_err err = bring_up(lock);
    if (err == SH_OK) {
        const char *const argv[] = {options.self, "--dir",          stack.layout.dir,
                                    "--bin",      stack.layout.bin, "load",
                                    NULL};
        (void)printf("all services are ready\n");
        (void)fflush(stdout);
        (void)!stack_run(&stack, "load", argv, STACK_SELF, true);
        stack_supervise(&stack);
        (void)printf("\nstopping\n");
    }
    if (stack.loop && stack.layout.dir[0])
        stack_stop(&stack);
    close(lock);
    return err == SH_OK || err == SH_CANCELED ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The background half of `up`: tells the other by one byte how it went. */
static int supervise(int lock, int report)
{
    (void)setsid();
    enum sh_err err = bring_up(lock);
    char byte = err == SH_OK ? 'y' : 'n';
    if (write(report, &byte, 1) != 1)
        stack.interrupted = true; /* nobody waits for us any more */
    if (err == SH_OK) {
        int log = open(layout_path(&stack.layout, "log/stack.log"),
                       O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (log >= 0 && null >= 0) {
            (void)dup2(null, STDIN_FILENO);
            (void)dup2(log, STDOUT_FILENO);
            (void)dup2(log, STDERR_FILENO);
        }
        close(report);
        stack_supervise(&stack);
    }
    if (stack.layout.dir[0])
        stack_stop(&stack);
    return err == SH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int up(void)
{
    int ends[2];
    int lock = take_lock();
    if (lock < 0 || pipe(ends) != 0)
        return EXIT_FAILURE;
    (void)fflush(stdout);
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        return EXIT_FAILURE;
    }
    if (child == 0) {
        close(ends[0]);
        (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        exit(supervise(lock, ends[1]));
    }
    close(ends[1]);
    char byte = 'n';
    ssize_t n = read(ends[0], &byte, 1);
    if (n != 1 || byte != 'y') {
        (void)fprintf(stderr, "cairn-stack: the stack did not start\n");
        return EXIT_FAILURE;
    }
    (void)printf("ready: settings for scripts are in %s/stack.env\n", options.dir);
    return EXIT_SUCCESS;
}

/* The supervisor's process id, 0 when none runs. */
static pid_t supervisor(int *lock)
{
    char path[PATH_MAX];
    char text[16] = "";
    (void)snprintf(path, sizeof(path), "%s/stack.lock", options.dir);
    *lock = open(path, O_RDWR | O_CLOEXEC);
    if (*lock < 0 || flock(*lock, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return pread(*lock, text, sizeof(text) - 1, 0) > 0 ? (pid_t)strtol(text, NULL, 10)
                                                       : 0;
}

static int down(void)
{
    int lock;
    pid_t pid = supervisor(&lock);
    if (pid <= 0) {
        (void)printf("nothing is running in %s\n", options.dir);
        return EXIT_SUCCESS;
    }
    if (kill(pid, SIGTERM) != 0) {
        perror("kill");
        return EXIT_FAILURE;
    }
    while (flock(lock, LOCK_EX) != 0) { /* released when the supervisor has ended */
        if (errno != EINTR)
            return EXIT_FAILURE;
    }
    (void)printf("stopped\n");
    return EXIT_SUCCESS;
}

static int status(void)
{
    int lock;
    char path[PATH_MAX];
    char line[512];
    bool all = true;
    if (supervisor(&lock) <= 0) {
        (void)printf("nothing is running in %s\n", options.dir);
        return EXIT_FAILURE;
    }
    (void)snprintf(path, sizeof(path), "%s/stack.env", options.dir);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file)) {
        char *value = strchr(line, '=');
        line[strcspn(line, "\n")] = '\0';
        if (!value || !strstr(line, "_OPS_URL="))
            continue;
        char url[600];
        (void)snprintf(url, sizeof(url), "%s/readyz", value + 1);
        bool ready = stack_probe(url);
        all = all && ready;
        (void)printf("%-10.*s %s  %s\n", (int)(strstr(line, "_OPS_URL") - line), line,
                     ready ? "ready    " : "not ready", value + 1);
    }
    if (file)
        (void)fclose(file);
    return file && all ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int logs(void)
{
    char pattern[PATH_MAX];
    glob_t found = {.gl_offs = 4};
    static char words[4][5] = {"tail", "-n", "20", "-F"};
    (void)snprintf(pattern, sizeof(pattern), "%s/log/*.log", options.dir);
    if (glob(pattern, GLOB_DOOFFS, NULL, &found) != 0) {
        (void)fprintf(stderr, "no logs in %s/log\n", options.dir);
        return EXIT_FAILURE;
    }
    found.gl_pathv[0] = words[0];
    found.gl_pathv[1] = words[1];
    found.gl_pathv[2] = words[2];
    found.gl_pathv[3] = words[3];
    (void)execvp("tail", found.gl_pathv);
    perror("tail");
    return EXIT_FAILURE;
}

static int load(void)
{
    bool (*part)(const char *, const char *) =
        options.part != NULL ? sample_load_wordnet : sample_load;

    if (options.part != NULL && strcmp(options.part, "wordnet") != 0) {
        usage(stderr);
        return EXIT_FAILURE;
    }
    return part(options.dir, options.bin) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"dir", required_argument, NULL, 'd'},
                                          {"bin", required_argument, NULL, 'b'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    static const struct {
        const char *name;
        int (*run)(void);
    } commands[] = {{"up", up},         {"run", run},   {"down", down},
                    {"status", status}, {"logs", logs}, {"load", load}};

    for (int c = 0; (c = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
        if (c == 'd')
            options.dir = optarg;
        else if (c == 'b')
            options.bin = optarg;
        else {
            usage(c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (readlink("/proc/self/exe", options.self, sizeof(options.self) - 1) < 0 ||
        curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return EXIT_FAILURE;
    options.part = optind + 1 < argc ? argv[optind + 1] : NULL;
    for (size_t i = 0; i < SH_COUNT(commands) && optind < argc; i++) {
        if (strcmp(argv[optind], commands[i].name) == 0)
            return commands[i].run();
    }
    usage(stderr);
    return EXIT_FAILURE;
}
