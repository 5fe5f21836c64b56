/* cairn-migrate: applies db/migrations to the database. Exit status: 0 done, 1 failed,
 * 2 not understood. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "schema.h"
#include "shared/bytes.h"
#include "shared/config.h"
#include "shared/mem.h"
#include "shared/pg.h"

#define MIGRATE_SETTINGS(S)                                                              \
    S(str, folder, "MIGRATIONS_DIR", "", 0, 4096, 0, "",                                 \
      "folder of the SQL files; empty: db/migrations, or /usr/share/cairn/migrations")

struct migrate_config {
    MIGRATE_SETTINGS(SH_SETTING_MEMBER)
};

struct migrate {
    struct migrate_config config;
    struct sh_pg_config pg;
    const char *command;
    unsigned count; /* of steps down */
    unsigned to;
    bool has_to;
    unsigned wait_s;
};

static const char usage[] =
    "Usage: cairn-migrate [--wait SECONDS] up | status | down [COUNT] | down --to "
    "VERSION\n"
    "Applies the numbered SQL files to the database, each in a transaction of its own;\n"
    "several runners may start at once. It needs a direct connection or a pooler that\n"
    "keeps a transaction on one server.\n\n"
    "  up              apply what is not applied yet\n"
    "  status          list the files and whether they are applied\n"
    "  down [COUNT]    undo the newest COUNT (1)\n"
    "  down --to N     undo everything above version N\n"
    "  --wait SECONDS  how long to wait for the server (0)\n\nSettings:\n";

struct sh_settings migrate_settings(struct migrate_config *into);
SH_SETTINGS_DEFINE(migrate, "Migrations", MIGRATE_SETTINGS)

/* --- command line ----------------------------------------------------------------- */

static bool number(const char *text, unsigned *out)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    *out = (unsigned)value;
    return *text >= '0' && *text <= '9' && *end == '\0' && value <= 999999;
}

static bool parse_options(struct migrate *self, int argc, char **argv, bool *help)
{
    static const struct option options[] = {{"to", required_argument, NULL, 't'},
                                            {"wait", required_argument, NULL, 'w'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {0}};
    bool ok = true;
    int option;

    while (ok && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 't')
            ok = self->has_to = number(optarg, &self->to);
        else if (option == 'w')
            ok = number(optarg, &self->wait_s);
        else if (option == 'h' || option == 'v')
            *help = true;
        else
            return false; /* getopt has said why */
        if (option == 'v') {
            (void)puts("cairn-migrate " CAIRN_VERSION);
            exit(EXIT_SUCCESS);
        }
    }
    return ok;
}

static bool parse(struct migrate *self, int argc, char **argv, bool *help)
{
    int left;

    if (!parse_options(self, argc, argv, help))
        return false;
    left = argc - optind;
    self->command = left > 0 ? argv[optind] : "";
    self->count = 1;
    if (*help)
        return true;
    if (strcmp(self->command, "down") == 0)
        return left == 1 ||
               (left == 2 && !self->has_to && number(argv[optind + 1], &self->count));
    return left == 1 && !self->has_to &&
           (strcmp(self->command, "up") == 0 || strcmp(self->command, "status") == 0);
}

static void print_help(const struct sh_settings *groups, size_t count)
{
    struct sh_buffer text = {0};

    sh_config_describe(groups, count, false, &text);
    (void)printf("%s%.*s", usage, (int)text.len, text.len ? text.data : "");
    sh_buffer_free(&text);
}

/* --- work ------------------------------------------------------------------------- */

static const char *folder(const struct migrate *self)
{
    static const char local[] = "db/migrations";

    if (*self->config.folder)
        return self->config.folder;
    return access(local, R_OK) == 0 ? local : "/usr/share/cairn/migrations";
}

static enum sh_err command(const struct migrate *self, PGconn *conn,
                           const struct migrations *migrations)
{
    if (strcmp(self->command, "up") == 0)
        return schema_up(conn, migrations);
    if (strcmp(self->command, "status") == 0)
        return schema_status(conn, migrations);
    if (self->has_to)
        return schema_down_to(conn, migrations, self->to);
    return schema_down(conn, migrations, self->count);
}

static enum sh_err work(const struct migrate *self)
{
    char *conninfo = sh_pg_conninfo(&self->pg, NULL);
    struct migrations migrations;
    enum sh_err err = migrations_read(folder(self), &migrations);
    PGconn *conn = NULL;

    if (err == SH_OK)
        err = conninfo ? SH_UNAVAILABLE : SH_NOMEM;
    if (err == SH_UNAVAILABLE && (conn = schema_connect(conninfo, self->wait_s)))
        err = command(self, conn, &migrations);
    PQfinish(conn);
    migrations_free(&migrations);
    sh_free(conninfo);
    return err;
}

int main(int argc, char **argv)
{
    struct migrate self = {0};
    struct sh_buffer faults = {0};
    const struct sh_settings groups[] = {migrate_settings(&self.config),
                                         sh_pg_settings(&self.pg)};
    bool help = false;

    if (!parse(&self, argc, argv, &help)) {
        (void)fputs("cairn-migrate --help explains the commands\n", stderr);
        return 2;
    }
    if (help) {
        print_help(groups, SH_COUNT(groups));
        return EXIT_SUCCESS;
    }
    if (sh_config_load(groups, SH_COUNT(groups), &faults) != SH_OK) {
        (void)fprintf(stderr, "%.*s", (int)faults.len, faults.len ? faults.data : "");
        sh_buffer_free(&faults);
        return EXIT_FAILURE;
    }
    sh_buffer_free(&faults);
    return work(&self) == SH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
