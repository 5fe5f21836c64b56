/* cairn doctor. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cairn/doctor/doctor.h"
#include "cli/cairn/table.h"
#include "cli/cairn/terminal.h"
#include "cli/cairn/text.h"

enum { SAID_MAX = 1024 };

static const char *const states[] = {"ok", "warn", "fail"};

/* What is no UTF-8 is not worth a check's loss. */
static json_t *clean(const char *text)
{
    struct sh_buffer out = {0};
    text_clean(&out, sh_bytes_of(text), TEXT_ONE_LINE);
    json_t *value = json_stringn(out.data ? out.data : "", out.len);
    sh_buffer_free(&out);
    return value;
}

void doctor_say(struct doctor *self, enum doctor_state state, const char *check,
                const char *remedy, const char *format, ...)
{
    char said[SAID_MAX];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(said, sizeof(said), format, values);
    va_end(values);
    json_array_append_new(self->rows,
                          json_pack("{s:s, s:s, s:o, s:s}", "check", check, "state",
                                    states[state], "said", clean(said), "remedy",
                                    remedy && state != DOCTOR_OK ? remedy : ""));
    self->failed = self->failed || state == DOCTOR_FAIL;
}

/* --- printing --------------------------------------------------------------------- */

static const char *member(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text ? text : "";
}

static void print_row(const struct terminal *terminal, const json_t *row)
{
    const char *remedy = member(row, "remedy");
    bool good = strcmp(member(row, "state"), states[DOCTOR_OK]) == 0;
    (void)printf("%s%-4s%s  %-18s %s\n", good ? "" : terminal_mark(terminal),
                 member(row, "state"), good ? "" : terminal_plain(terminal),
                 member(row, "check"), member(row, "said"));
    if (*remedy)
        (void)printf("%25s%s-> %s%s\n", "", terminal_bold(terminal), remedy,
                     terminal_plain(terminal));
}

static void print(const struct doctor *self)
{
    static const struct table_column columns[] = {{"STATE", "state", false},
                                                  {"CHECK", "check", false},
                                                  {"SAID", "said", false},
                                                  {"REMEDY", "remedy", false},
                                                  {0}};
    struct terminal terminal = terminal_of(stdout);
    if (args_given(&self->cli->args, "json"))
        (void)cli_print_json(self->rows);
    else if (!terminal.is_one)
        table_print(columns, self->rows);
    else
        for (size_t i = 0; i < json_array_size(self->rows); i++)
            print_row(&terminal, json_array_get(self->rows, i));
}

/* --- the whole -------------------------------------------------------------------- */

static void look_from_outside(struct doctor *self)
{
    if (!doctor_reach(self))
        return;
    doctor_identity(self);
    doctor_health(self);
    doctor_services(self);
    doctor_search(self);
    doctor_backups(self);
}

static void look_from_inside(struct doctor *self, const char *file)
{
    if (!doctor_environment(self, file))
        return;
    doctor_settings(self, file);
    doctor_stores(self);
    doctor_machine(self);
}

static int run(struct cli *cli)
{
    struct doctor doctor = {.cli = cli, .rows = json_array()};
    const char *file = args_text(&cli->args, "env");
    bool inside = file || args_given(&cli->args, "here");
    if (!inside || args_given(&cli->args, "url"))
        look_from_outside(&doctor);
    if (inside)
        look_from_inside(&doctor, file);
    print(&doctor);
    json_decref(doctor.rows);
    if (cli_stop)
        return CLI_INTERRUPTED;
    return doctor.failed ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct option_row options[] = {
    {.name = "env", .letter = 'e', .type = OPTION_FILE, .value = "FILE",
     .help = "look at this machine, with the services' settings in this file"},
    {.name = "here", .help = "look at this machine, with the settings in the environment"},
    {.name = "json", .help = "JSON: a list of {check, state, said, remedy}"},
    {0}};
/* clang-format on */

const struct command doctor_command = {
    .name = "doctor",
    .summary = "Find what is wrong with a set-up, and say what to do",
    .details =
        "Each check is a line: ok, warn or fail, what was seen, and what helps. Of a "
        "server: address, certificate, clock, version, identity, services and their "
        "replicas, what they stand on, the search, the model, backups. Beside the "
        "services, as who runs them (--env, --here): their settings, also misspelt ones, "
        "files with secrets, PostgreSQL, its schema, Redis, the model, ports, limits, "
        "directories; with --url both.\n\nExit status 1 when something fails; what is "
        "only a warning does not count.",
    .options = options,
    .run = run};
