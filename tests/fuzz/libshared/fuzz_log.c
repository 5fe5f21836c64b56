/* A message is one line of valid JSON, whatever its bytes. */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "libshared/src/log_line.h"
#include "shared/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sh_log_site site = {"fuzz_log.c", "fuzz", 1};
    static struct sh_log_line line;
    char *message = sh_strndup(data, size);
    if (!message)
        return 0;
    struct sh_log_field fields[] = {{"a", message, 0}, {"b", message, 0}};
    struct sh_log_record record = {SH_INFO, "fuzz", &site, NULL, message, fields, 2};

    sh_log_line_json(&line, &record);
    if (memchr(line.data, '\n', line.len) != line.data + line.len - 1)
        abort();
    json_t *json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        abort();
    json_decref(json);
    sh_log_line_text(&line, &record);
    if (memchr(line.data, '\n', line.len) != line.data + line.len - 1)
        abort();
    sh_free(message);
    return 0;
}
