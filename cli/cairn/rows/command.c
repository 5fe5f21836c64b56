/* cairn rows: documents of the rows of a table. */
#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/cli.h"
#include "cli/cairn/command.h"
#include "cli/cairn/rows/template.h"
#include "shared/buffer.h"

enum { COLUMNS_MAX = 4096, STEP_BYTES = 65536 };

struct reader {
    json_t *template;
    struct sh_buffer text[2]; /* the names; the cells of this row */
    size_t ends[2][COLUMNS_MAX];
    size_t count[2];
    unsigned long row; /* 0: the names */
    unsigned long faults;
    bool broken; /* nothing more can be read or written */
};

static void on_cell(void *data, size_t len, void *arg)
{
    struct reader *reader = arg;
    int part = reader->row > 0;

    if (reader->count[part] == COLUMNS_MAX)
        return; /* more cells than names do not matter; of names it is said below */
    sh_buffer_append(&reader->text[part], data, len);
    reader->ends[part][reader->count[part]++] = reader->text[part].len;
}

static struct sh_bytes cell_of(const struct reader *reader, int part, size_t i)
{
    size_t from = i > 0 ? reader->ends[part][i - 1] : 0;

    if (i >= reader->count[part] || reader->ends[part][i] == from)
        return (struct sh_bytes){"", 0};
    return (struct sh_bytes){reader->text[part].data + from,
                             reader->ends[part][i] - from};
}

static void print_row(struct reader *reader)
{
    static struct sh_bytes names[COLUMNS_MAX];
    static struct sh_bytes cells[COLUMNS_MAX];
    struct template_row row = {.names = names, .cells = cells, .count = reader->count[0]};

    for (size_t i = 0; i < row.count; i++) {
        names[i] = cell_of(reader, 0, i);
        cells[i] = cell_of(reader, 1, i);
    }
    json_t *document = template_fill(reader->template, &row);
    if (document == NULL) {
        cli_say("row %lu: %s", reader->row,
                row.problem[0] != '\0' ? row.problem : "nothing is in it");
        reader->faults++;
        return;
    }
    if (json_dumpf(document, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15)) != 0 ||
        putchar('\n') == EOF)
        reader->broken = true;
    json_decref(document);
}

static void on_row(int end, void *arg)
{
    struct reader *reader = arg;
    bool empty = reader->count[1] <= 1 && reader->text[1].len == 0;

    (void)end;
    if (reader->text[0].err != SH_OK || reader->text[1].err != SH_OK)
        reader->broken = true;
    else if (reader->row > 0 && !empty && !reader->broken)
        print_row(reader);
    sh_buffer_clear(&reader->text[1]);
    reader->count[1] = 0;
    reader->row++;
}

static bool read_table(FILE *file, struct reader *reader)
{
    static char step[STEP_BYTES];
    struct csv_parser parser;
    size_t len;
    bool good = csv_init(&parser, CSV_APPEND_NULL) == 0;

    while (good && !reader->broken && (len = fread(step, 1, sizeof step, file)) > 0)
        good = csv_parse(&parser, step, len, on_cell, on_row, reader) == len;
    if (good)
        good = csv_fini(&parser, on_cell, on_row, reader) == 0 && !ferror(file);
    csv_free(&parser);
    return good && !reader->broken && fflush(stdout) == 0;
}

static int convert(struct reader *reader, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");

    if (file == NULL) {
        cli_say("%s: %s", path, strerror(errno));
        return CLI_USAGE;
    }
    bool good = read_table(file, reader);
    if (!good)
        cli_say("%s: it cannot be read, or what comes of it not be written", path);
    if (file != stdin)
        (void)fclose(file); /* only read */
    return good && reader->faults == 0 ? CLI_OK : CLI_FAILED;
}

static int run_rows(struct cli *cli)
{
    json_error_t error;
    struct reader *reader = calloc(1, sizeof *reader);
    int code = CLI_USAGE;

    if (reader == NULL)
        return CLI_FAILED;
    reader->template = json_load_file(cli->args.words[0], JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(reader->template))
        cli_say("%s: %s", cli->args.words[0],
                reader->template ? "it must be an object" : error.text);
    else
        code = convert(reader, cli->args.words[1]);
    json_decref(reader->template);
    sh_buffer_free(&reader->text[0]);
    sh_buffer_free(&reader->text[1]);
    free(reader);
    return code;
}

const struct command rows_command = {
    .name = "rows",
    .arguments = "TEMPLATE TABLE",
    .summary = "Make documents of the rows of a CSV table",
    .details =
        "TEMPLATE is a document in JSON with columns in its texts: {name} for a text, "
        "{name:number}, {name:flag}, {name:list} (separated by semicolons) for what "
        "becomes a value of that type and is left out where the cell is empty. The "
        "first row has the names. Documents come one a line, for `cairn ingest`.\n\n"
        "Rows that cannot be read so are told of and left out; the exit status is then "
        "1. TABLE may be - for standard input.",
    .run = run_rows,
    .kind = ARGUMENT_PATH,
    .least = 2,
    .most = 2};
