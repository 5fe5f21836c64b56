/* Manifests as they lie in a folder that others may write to. */
#include <stdint.h>
#include <stdlib.h>

#include "services/backup/manifest/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sh_arena arena = {0};
    struct backup_set set;
    char fault[128] = "";
    enum sh_err err =
        manifest_parse((struct sh_bytes){data, size}, "a", &arena, &set, fault);

    if (err == SH_OK && set.id.len != 1)
        abort();
    if (err != SH_OK && fault[0] == '\0')
        abort();
    sh_arena_free(&arena);
    return 0;
}
