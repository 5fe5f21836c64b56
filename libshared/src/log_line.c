#include "libshared/src/log_line.h"

#include <math.h>
#include <stdio.h>

#include "libshared/src/escape.h"
#include "libshared/src/number.h"
#include "shared/clock.h"

/* A message is cut here, a member after it at a quarter; the end of the line has a place
 * of its own. */
enum { MESSAGE_MAX = 12288, FIELD_MAX = 2048, END_MAX = 2 };

static const char *const levels[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};

const char *sh_log_level_text(enum sh_log_level level)
{
    return (unsigned)level < SH_COUNT(levels) ? levels[level] : "ERROR";
}

static bool put(struct sh_log_line *line, const char *data, size_t len)
{
    if (SH_LOG_LINE_MAX - END_MAX - line->len < len)
        return false;
    memcpy(line->data + line->len, data, len);
    line->len += len;
    return true;
}

static bool put_text(struct sh_log_line *line, const char *text)
{
    return put(line, text, strlen(text));
}

/* At most `max` bytes, cut between characters; false when not even that fits. */
static bool put_escaped(struct sh_log_line *line, const char *text, size_t max)
{
    const char *end = text + strlen(text);
    char escaped[SH_ESCAPE_MAX];
    size_t left = max;

    while (text < end) {
        const char *piece = text;
        size_t len = sh_escape_plain(text, end);
        if (len > 0) {
            text += len;
        } else {
            piece = escaped;
            len = sh_escape_next(&text, end, escaped);
        }
        if (len > left)
            return (piece == escaped || put(line, piece, left)) && put_text(line, "…");
        if (!put(line, piece, len))
            return false;
        left -= len;
    }
    return true;
}

static void number_text(double number, char out[static 32])
{
    if (isfinite(number))
        sh_number_text(number, out);
    else
        memcpy(out, "null", 5);
}

/* A member that does not fit is left out as a whole. */
static void json_text(struct sh_log_line *line, const char *name, const char *text,
                      size_t max)
{
    size_t before = line->len;
    bool fits = put_text(line, line->len > 1 ? ",\"" : "\"") && put_text(line, name) &&
                put_text(line, "\":\"") && put_escaped(line, text, max) &&
                put_text(line, "\"");
    if (!fits)
        line->len = before;
}

static void json_number(struct sh_log_line *line, const char *name, double number)
{
    size_t before = line->len;
    char text[32];
    number_text(number, text);
    bool fits = put_text(line, ",\"") && put_text(line, name) && put_text(line, "\":") &&
                put_text(line, text);
    if (!fits)
        line->len = before;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void sh_log_module(const char *path, char out[static 64])
{
    (void)snprintf(out, 64, "%s", base_name(path));
    char *dot = strrchr(out, '.');
    if (dot)
        *dot = '\0';
}

static void json_trace(struct sh_log_line *line, const struct sh_trace *trace)
{
    char ids[56]; /* 00-<trace>-<span>-<flags> */
    sh_trace_format(trace, ids);
    ids[35] = '\0';
    ids[52] = '\0';
    json_text(line, "request_id", trace->request_id, FIELD_MAX);
    json_text(line, "trace_id", ids + 3, FIELD_MAX);
    json_text(line, "span_id", ids + 36, FIELD_MAX);
}

/* The service, unless the line says itself what it belongs to ("access"). */
static const char *logger_of(const struct sh_log_record *record)
{
    for (size_t i = 0; i < record->count; i++)
        if (strcmp(record->fields[i].name, "logger") == 0 && record->fields[i].text)
            return record->fields[i].text;
    return record->service;
}

void sh_log_line_json(struct sh_log_line *line, const struct sh_log_record *record)
{
    char time[32];
    char module[64];
    line->len = 0;
    sh_wall_text(sh_wall_time(), time);
    sh_log_module(record->site->file, module);

    (void)put_text(line, "{");
    json_text(line, "timestamp", time, FIELD_MAX);
    json_text(line, "level", sh_log_level_text(record->level), FIELD_MAX);
    json_text(line, "service", record->service, FIELD_MAX);
    json_text(line, "logger", logger_of(record), FIELD_MAX);
    json_text(line, "message", record->message, MESSAGE_MAX);
    json_text(line, "module", module, FIELD_MAX);
    json_text(line, "function", record->site->function, FIELD_MAX);
    json_number(line, "line", record->site->line);
    if (record->trace)
        json_trace(line, record->trace);
    for (size_t i = 0; i < record->count; i++) {
        const struct sh_log_field *field = &record->fields[i];
        if (strcmp(field->name, "logger") == 0)
            continue;
        if (field->text)
            json_text(line, field->name, field->text, FIELD_MAX);
        else
            json_number(line, field->name, field->number);
    }
    memcpy(line->data + line->len, "}\n", END_MAX);
    line->len += END_MAX;
}

static void text_field(struct sh_log_line *line, const char *name, const char *text)
{
    size_t before = line->len;
    bool fits = put_text(line, " ") && put_text(line, name) && put_text(line, "=") &&
                put_escaped(line, text, FIELD_MAX);
    if (!fits)
        line->len = before;
}

void sh_log_line_text(struct sh_log_line *line, const struct sh_log_record *record)
{
    char time[32];
    char place[96];
    char number[32];
    line->len = 0;
    sh_wall_text(sh_wall_time(), time);
    (void)snprintf(place, sizeof(place), " [%s:%d]", base_name(record->site->file),
                   record->site->line);

    (void)put_text(line, time);
    (void)put_text(line, " ");
    (void)put_text(line, sh_log_level_text(record->level));
    (void)put_text(line, " ");
    (void)put_escaped(line, record->message, MESSAGE_MAX);
    (void)put_text(line, place);
    if (record->trace)
        text_field(line, "request_id", record->trace->request_id);
    for (size_t i = 0; i < record->count; i++) {
        number_text(record->fields[i].number, number);
        const char *text = record->fields[i].text;
        text_field(line, record->fields[i].name, text ? text : number);
    }
    line->data[line->len++] = '\n';
}
