/* migrate: a database with nothing in it but the newest schema. Header only. */
#ifndef TESTS_MIGRATE_H
#define TESTS_MIGRATE_H

#include <glob.h>

#include "tests/support/servers.h"

static inline char *migrate_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = file ? calloc(1, 1 << 20) : NULL;

    if (text == NULL || fread(text, 1, (1 << 20) - 1, file) == 0) {
        (void)fprintf(stderr, "cannot read %s\n", path);
        exit(125);
    }
    (void)fclose(file);
    return text;
}

/* Runs from the root of the tree, as the build's test target does. */
static inline void migrate_afresh(PGconn *db)
{
    glob_t files;

    PQclear(PQexec(db, "SET client_min_messages = warning"));
    PQclear(PQexec(db, "DROP SCHEMA public CASCADE"));
    PQclear(PQexec(db, "CREATE SCHEMA public"));
    if (glob("db/migrations/*.sql", 0, NULL, &files) != 0) {
        (void)fprintf(stderr, "no db/migrations here\n");
        exit(125);
    }
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char *sql;
        const char *answer;
        if (strstr(files.gl_pathv[i], ".down.sql") != NULL)
            continue;
        sql = migrate_read(files.gl_pathv[i]);
        answer = servers_sql(db, sql);
        if (strncmp(answer, "error", 5) == 0) {
            (void)fprintf(stderr, "%s: %s", files.gl_pathv[i], answer);
            exit(125);
        }
        free(sql);
    }
    globfree(&files);
}

#endif
