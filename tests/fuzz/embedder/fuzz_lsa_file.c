/* Any bytes as the file of a fitted model. The first byte says whether the checksum is
 * put right, else nothing but the checksum would be tried. */
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "services/embedder/lsa/lsa.h"
#include "services/embedder/model/pack_format.h"
#include "shared/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_right(uint8_t *file, size_t size)
{
    struct pack_header header;
    if (size < sizeof(header))
        return;
    memcpy(&header, file, sizeof(header));
    header.bytes = size;
    if (EVP_Digest(file + sizeof(header), size - sizeof(header), header.digest, NULL,
                   EVP_sha256(), NULL) != 1)
        abort();
    memcpy(file, &header, sizeof(header));
}

static void use(const struct lsa *model)
{
    struct lsa_area *area = NULL;
    float *vector = sh_alloc_array(lsa_dimension(model), sizeof(*vector));
    size_t words = 0;
    double squares = 0;
    if (!vector || lsa_area_create(&area) != SH_OK)
        abort();
    enum sh_err err = lsa_embed(model, area, sh_bytes_of("flour water yeast wing air a"),
                                false, vector, &words);
    for (size_t i = 0; i < lsa_dimension(model); i++)
        squares += (double)vector[i] * (double)vector[i];
    if (err == SH_OK ? fabs(squares - 1) > 1e-3 : squares > 0)
        abort();
    lsa_area_free(&area);
    sh_free(vector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct lsa *model = NULL;
    const char *why = NULL;
    if (size == 0)
        return 0;
    uint8_t *file = sh_alloc(size);
    int fd = memfd_create("lsa", MFD_CLOEXEC);
    if (!file || fd < 0)
        abort();
    memcpy(file, data + 1, size - 1);
    if (data[0] & 1)
        put_right(file, size - 1);
    if (write(fd, file, size - 1) != (ssize_t)(size - 1))
        abort();
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (lsa_open(path, &model, &why) == SH_OK)
        use(model);
    else if (!why)
        abort();
    lsa_close(&model);
    close(fd);
    sh_free(file);
    return 0;
}
