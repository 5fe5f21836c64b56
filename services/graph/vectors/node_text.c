#include "services/graph/vectors/node_text.h"

#include <string.h>

void node_text_read_keys(const char *names, const struct symbols *symbols,
                         struct node_text_keys *out)
{
    out->count = 0;
    while (*names != '\0' && out->count < NODE_TEXT_KEYS) {
        size_t len = strcspn(names, ",");
        uint32_t key;
        if (len > 0 && symbols_find(symbols, (struct sh_bytes){names, len}, &key))
            out->keys[out->count++] = key;
        names += len + (names[len] == ',');
    }
}

/* So many bytes at most, no character cut. */
static struct sh_bytes cut(struct sh_bytes text, size_t max)
{
    const unsigned char *bytes = text.data;
    if (text.len <= max)
        return text;
    while (max > 0 && (bytes[max] & 0xC0) == 0x80)
        max--;
    return (struct sh_bytes){text.data, max};
}

void node_text_write(const struct node *node, const struct node_text_keys *keys,
                     struct sh_buffer *out)
{
    size_t left = NODE_TEXT_MAX;
    for (size_t i = 0; i < keys->count && left > 2; i++) {
        struct value value;
        if (!values_get(node->body->properties, keys->keys[i], &value) ||
            value.type != VALUE_STRING || value.text.len == 0)
            continue;
        if (left < NODE_TEXT_MAX) {
            sh_buffer_text(out, ". ");
            left -= 2;
        }
        struct sh_bytes part = cut(value.text, left);
        sh_buffer_append(out, part.data, part.len);
        left -= part.len;
    }
}
