/* doctor: what is wrong with a set-up, and what to do. Each file looks at one thing and
 * says what it found, a line for each check. */
#ifndef CAIRN_DOCTOR_H
#define CAIRN_DOCTOR_H

#include "cli/cairn/cli.h"

enum doctor_state { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

struct doctor {
    struct cli *cli;
    json_t *rows; /* {"check","state","said","remedy"} */
    bool failed;
};

/* `remedy` NULL: there is nothing to be done. */
__attribute__((format(printf, 5, 6))) void
doctor_say(struct doctor *self, enum doctor_state state, const char *check,
           const char *remedy, const char *format, ...);

/* --- from the client's side ------------------------------------------------------- */

/* Address, certificate, clock, version. False: the gateway cannot be reached. */
bool doctor_reach(struct doctor *self);
/* Whom the server sees. */
void doctor_identity(struct doctor *self);
/* What the gateway says of itself and of what it stands on. */
void doctor_health(struct doctor *self);
/* Replicas, how far they are behind, their versions, their pools. */
void doctor_services(struct doctor *self);
/* Whether a search goes through whole, and by vectors of a model that is there. */
void doctor_search(struct doctor *self);
void doctor_backups(struct doctor *self);

/* --- beside the services ---------------------------------------------------------- */

/* The settings of FILE (NULL: the environment) become those of this process. False: FILE
 * cannot be read. */
bool doctor_environment(struct doctor *self, const char *file);
/* What the services' own programs say of their settings; names that are nearly one. */
void doctor_settings(struct doctor *self, const char *file);
void doctor_stores(struct doctor *self);  /* PostgreSQL, Redis, the schema */
void doctor_machine(struct doctor *self); /* ports, limits, directories */

/* --- the services' programs ------------------------------------------------------- */

extern const char *const doctor_services_names[]; /* to NULL */

/* Runs cairn-NAME WORD (and MORE, unless NULL), beside this program or wherever PATH
 * says, and adds what it prints (`errors`: on stderr) to `out`. Its exit status; -1:
 * there is none. */
int doctor_run(const char *name, const char *const words[2], bool errors,
               struct sh_buffer *out);

/* The value of a setting in force in a service, to be freed; NULL: empty, or unknown. */
char *doctor_setting(const char *service, const char *name);

#endif
