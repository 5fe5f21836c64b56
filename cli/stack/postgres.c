#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/stack/stack.h"

static enum sh_err write_password(const struct layout *layout, char *path, size_t size)
{
    (void)snprintf(path, size, "%s.password", layout->pg_data);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t len = strlen(layout->secret);
    bool ok = fd >= 0 && write(fd, layout->secret, len) == (ssize_t)len &&
              (geteuid() != 0 || fchown(fd, layout->pg_uid, layout->pg_gid) == 0);
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    if (!ok)
        perror(path);
    return ok ? SH_OK : SH_IO;
}

static enum sh_err make_cluster(struct stack *stack)
{
    const struct layout *layout = &stack->layout;
    char version[PATH_MAX + 128];
    char password[PATH_MAX + 128];
    char program[PATH_MAX + 128];
    char option[PATH_MAX + 192];
    (void)snprintf(version, sizeof(version), "%s/PG_VERSION", layout->pg_data);
    if (access(version, F_OK) == 0)
        return SH_OK;
    if (mkdir(layout->pg_data, 0700) != 0 && errno != EEXIST) {
        perror(layout->pg_data);
        return SH_IO;
    }
    if (geteuid() == 0 && chown(layout->pg_data, layout->pg_uid, layout->pg_gid) != 0) {
        perror(layout->pg_data);
        return SH_IO;
    }
    enum sh_err err = write_password(layout, password, sizeof(password));
    if (err != SH_OK)
        return err;
    (void)snprintf(program, sizeof(program), "%s/initdb", layout->pg_bin);
    (void)snprintf(option, sizeof(option), "--pwfile=%s", password);
    const char *const argv[] = {program,
                                "--pgdata",
                                stack->layout.pg_data,
                                "--username=cairn",
                                "--auth=scram-sha-256",
                                option,
                                "--encoding=UTF8",
                                "--locale=C.UTF-8",
                                NULL};
    (void)printf("making a private PostgreSQL cluster\n");
    err = stack_run(stack, "initdb", argv, STACK_POSTGRES, false);
    (void)unlink(password);
    return err;
}

static bool accepts(struct stack *stack, void *arg)
{
    (void)stack;
    return PQping(arg) == PQPING_OK;
}

static enum sh_err make_database(const char *conninfo)
{
    PGconn *connection = PQconnectdb(conninfo);
    PGresult *result = PQexec(connection, "CREATE DATABASE cairn");
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK ||
              (state && strcmp(state, "42P04") == 0); /* it exists */
    if (!ok)
        (void)fprintf(stderr, "cairn-stack: %s", PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
    return ok ? SH_OK : SH_IO;
}

/* As postgres(1) wants its settings: -c name=value. */
static const char *const *server_arguments(const struct layout *layout)
{
    static char program[PATH_MAX + 128];
    static char data[PATH_MAX + 64];
    static char port[32];
    static const char *argv[] = {program,
                                 "-D",
                                 data,
                                 "-c",
                                 "listen_addresses=127.0.0.1",
                                 "-c",
                                 port,
                                 "-c",
                                 "unix_socket_directories=",
                                 "-c",
                                 "shared_buffers=64MB",
                                 "-c",
                                 "max_connections=100",
                                 "-c",
                                 "jit=off",
                                 "-c", /* bounds what a backup slot can keep */
                                 "max_slot_wal_keep_size=2GB",
                                 NULL};
    (void)snprintf(program, sizeof(program), "%s/postgres", layout->pg_bin);
    (void)snprintf(data, sizeof(data), "%s", layout->pg_data);
    (void)snprintf(port, sizeof(port), "port=%u", layout->pg_port);
    return argv;
}

enum sh_err postgres_start(struct stack *stack)
{
    enum sh_err err = make_cluster(stack);
    if (err != SH_OK)
        return err;
    struct process *process = &stack->processes[stack->count++];
    (void)snprintf(process->name, sizeof(process->name), "postgres");
    process->argv = server_arguments(&stack->layout);
    process->uid = stack->layout.pg_uid;
    process->gid = stack->layout.pg_gid;
    process->stop_signal = SIGINT; /* "fast": ends sessions, keeps the data whole */
    err = process_start(stack->loop, process);

    char conninfo[512];
    (void)snprintf(conninfo, sizeof(conninfo),
                   "host=127.0.0.1 port=%u user=cairn password=%s dbname=postgres "
                   "connect_timeout=5",
                   stack->layout.pg_port, stack->layout.secret);
    if (err == SH_OK)
        err = stack_wait(stack, 60000, accepts, conninfo);
    if (err == SH_OK)
        err = make_database(conninfo);
    return err;
}
