/* config_value: one setting's value, from text and to text. */
#ifndef LIBSHARED_CONFIG_VALUE_H
#define LIBSHARED_CONFIG_VALUE_H

#include "shared/config.h"
#include "shared/mem.h"

union sh_config_value {
    const char *text;
    uint32_t u32;
    double f64;
    bool flag;
};

/* Check `text` against the row. A fault is one line, "name: what is wrong", without the
 * value of a secret. Texts are `text` itself, or the arena's. Errors: SH_INVALID,
 * SH_NOMEM. */
SH_CHECK enum sh_err sh_config_parse(const struct sh_setting *row, const char *name,
                                     const char *text, struct sh_arena *arena,
                                     union sh_config_value *out,
                                     struct sh_buffer *faults);
union sh_config_value sh_config_get(const struct sh_setting *row, const void *from);
void sh_config_put(const struct sh_setting *row, union sh_config_value value, void *into);
bool sh_config_same(const struct sh_setting *row, union sh_config_value a,
                    union sh_config_value b);
bool sh_config_is_text(const struct sh_setting *row);
/* As it may be shown: secrets and the passwords of URLs masked, control characters
 * escaped. */
void sh_config_show(const struct sh_setting *row, union sh_config_value value,
                    struct sh_buffer *out);
/* "1 to 65535", "a, b or c", "true or false"; nothing when anything goes. */
void sh_config_show_range(const struct sh_setting *row, struct sh_buffer *out);

/* The nth of "a|b|c"; data NULL behind the last. The choices of a choice end at a ';',
 * and its other names follow. */
struct sh_bytes sh_config_item(const char *list, size_t n);
/* Where the other names of the setting begin. */
const char *sh_config_aliases(const struct sh_setting *row);

#endif
