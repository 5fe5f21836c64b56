#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "services/gateway/auth/first_admin.h"
#include "services/gateway/auth/password.h"
#include "services/gateway/auth/users.h"

struct account {
    struct sh_pg_config pg;
    struct account_config config;
    char password[PASSWORD_MOST + 2];
    char key[USER_KEY];
    char hash[PASSWORD_HASH];
};

static bool load(struct account *account)
{
    const struct sh_settings groups[] = {sh_pg_settings(&account->pg),
                                         account_settings(&account->config)};
    struct sh_buffer faults = {0};
    enum sh_err err = sh_config_load(groups, SH_COUNT(groups), &faults);

    if (err != SH_OK)
        (void)fprintf(stderr, "%.*s", (int)faults.len,
                      faults.data != NULL ? faults.data : "");
    sh_buffer_free(&faults);
    return err == SH_OK;
}

/* A line of stdin; a terminal does not show it. */
static bool read_line(char *into, size_t size)
{
    struct termios before;
    bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;

    if (terminal) {
        struct termios silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        (void)fputs("Password: ", stderr);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent); /* then it is seen */
    }
    bool good = fgets(into, (int)size, stdin) != NULL;
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        (void)fputc('\n', stderr);
    }
    return good;
}

static bool read_password(struct account *account)
{
    size_t len;

    if (account->config.admin_password[0] != '\0') {
        (void)snprintf(account->password, sizeof account->password, "%s",
                       account->config.admin_password);
        return true;
    }
    if (!read_line(account->password, sizeof account->password)) {
        (void)fputs("no password: set ADMIN_PASSWORD or ADMIN_PASSWORD_FILE, or write it "
                    "to stdin\n",
                    stderr);
        return false;
    }
    len = strcspn(account->password, "\r\n");
    account->password[len] = '\0';
    return true;
}

static bool check(struct account *account, const char *username)
{
    struct sh_bytes name = sh_bytes_of(username);

    if (!username_valid(name) || !username_fold(name, account->key)) {
        (void)fputs("a name is made of letters, digits and . _ - @ +\n", stderr);
        return false;
    }
    enum password_fault fault = password_check(sh_bytes_of(account->password), name);
    if (fault != PASSWORD_GOOD)
        (void)fprintf(stderr, "%s\n", password_fault_text(fault));
    return fault == PASSWORD_GOOD;
}

static int insert(const struct account *account, const char *username)
{
    const char *const params[] = {username, account->key, account->hash, "admin",
                                  "",       "",           "true"};
    char *conninfo = sh_pg_conninfo(&account->pg, NULL);
    PGconn *conn = conninfo != NULL ? PQconnectdb(conninfo) : NULL;
    PGresult *result = PQstatus(conn) == CONNECTION_OK
                           ? PQexecParams(conn, users_insert.sql, SH_COUNT(params), NULL,
                                          params, NULL, NULL, 0)
                           : NULL;
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (good)
        (void)printf("%s is an admin\n", username);
    else if (state != NULL && strcmp(state, "23505") == 0)
        (void)fprintf(stderr, "there is a user %s already\n", username);
    else
        (void)fprintf(stderr, "%s", PQerrorMessage(conn));
    PQclear(result);
    PQfinish(conn);
    sh_free(conninfo);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int first_admin_command(const char *username)
{
    struct account account = {0};
    int status = EXIT_FAILURE;

    if (password_start() == SH_OK && load(&account) && read_password(&account) &&
        check(&account, username) &&
        password_hash(sh_bytes_of(account.password), account.hash) == SH_OK)
        status = insert(&account, username);
    sodium_memzero(account.password, sizeof account.password);
    return status;
}
