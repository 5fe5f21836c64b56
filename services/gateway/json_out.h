/* json_out: writing JSON into a buffer, piece by piece. The caller places braces and
 * commas; these write values so that the result is valid JSON. */
#ifndef GATEWAY_JSON_OUT_H
#define GATEWAY_JSON_OUT_H

#include "shared/buffer.h"

/* A string with its quotes. The text must be UTF-8. */
void json_text(struct sh_buffer *out, struct sh_bytes text);
void json_cstr(struct sh_buffer *out, const char *text);
/* `"name":"text"`, with a comma in front unless it is the first of an object. */
void json_member_text(struct sh_buffer *out, const char *name, struct sh_bytes text);
/* `"name":` with a comma in front unless it is the first of an object. */
void json_member(struct sh_buffer *out, const char *name);
/* As short as `digits` significant digits allow; null for what JSON cannot say. */
void json_number(struct sh_buffer *out, double value, int digits);
void json_u64(struct sh_buffer *out, uint64_t value);
void json_bool(struct sh_buffer *out, bool value);
/* Nine significant digits, enough to get the same float back; made for long vectors. */
void json_float(struct sh_buffer *out, float value);
/* JSON that somebody else made; `fallback` when it is empty. */
void json_raw(struct sh_buffer *out, struct sh_bytes json, const char *fallback);
/* The member "pagination" of a list: `page` from 1, of `total` entries, `per_page` not 0.
 */
void json_pagination(struct sh_buffer *out, uint32_t page, uint32_t per_page,
                     uint64_t total);
/* RFC 3339 in UTC, or null when 0. */
void json_time(struct sh_buffer *out, double unix_seconds);
/* The same of a timestamptz in SQL; NULL when it is. */
#define JSON_TIME_SQL(expression)                                                        \
    "to_char(" expression " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

#endif
