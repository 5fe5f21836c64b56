/* AMX: the matrix units of Sapphire Rapids and later multiply bytes, 16 × 64 by 64 × 16
 * at a time. Values are quantised to 16 bits per row and split in two bytes, like the
 * weights; of the four products high·high and the two mixed ones are computed (low·low
 * lies below what 16 bits hold), and the sums are exact. */
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <math.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "services/embedder/model/kernel.h"

enum { TILE = 16, PLANE = Q16_TILE_BYTES, TILES = 2 * Q16_TILE_BYTES };

/* Linux gives the eight kilobytes of tile state to processes that ask. */
static bool supported(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (!kernel_avx512.supported() || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0)
        return false;
    bool tiles = (d >> 24 & 1) != 0 && (d >> 25 & 1) != 0; /* AMX-TILE, AMX-INT8 */
    return tiles && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

struct tile_config {
    uint8_t palette;
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
};

static void configure(void)
{
    struct tile_config config = {.palette = 1};
    for (size_t t = 0; t < 8; t++) {
        config.bytes[t] = 64;
        config.rows[t] = TILE;
    }
    _tile_loadconfig(&config);
}

/* One row into the tiles of its block of 16 rows; its scale is returned. */
static float quantise_row(const float *x, size_t k, int8_t *out)
{
    __m512 most = _mm512_setzero_ps();
    for (size_t j = 0; j < k; j += 16)
        most = _mm512_max_ps(most, _mm512_abs_ps(_mm512_loadu_ps(x + j)));
    float top = _mm512_reduce_max_ps(most);
    __m512 inverse = _mm512_set1_ps(top > 0 ? Q16_MAX / top : 0);
    for (size_t j = 0; j < k; j += 16) {
        __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + j), inverse));
        __m512i high = _mm512_srai_epi32(_mm512_add_epi32(q, _mm512_set1_epi32(128)), 8);
        int8_t *to = out + j / 64 * TILES + j % 64;
        /* the low byte of q is q - 256 * high, as a signed byte */
        _mm_storeu_si128((__m128i *)(void *)to, _mm512_cvtepi32_epi8(high));
        _mm_storeu_si128((__m128i *)(void *)(to + PLANE), _mm512_cvtepi32_epi8(q));
    }
    return top / Q16_MAX;
}

static void quantise(const struct kernel_product *p, int8_t *tiles, float *scale)
{
    size_t block = p->w->rows / 64 * TILES;
    for (size_t i = 0; i < p->m; i++)
        scale[i] = quantise_row(p->a + i * p->lda, p->w->rows,
                                tiles + i / TILE * block + i % TILE * 64);
}

/* Sums of 16 × 32 results, the left tile and the right one. */
struct sums {
    int32_t high[2][TILE * TILE];
    int32_t mixed[2][TILE * TILE];
};

/* Registers 0 and 1 gather high·high, 2 and 3 the mixed products. */
static void multiply(const int8_t *a, const int8_t *b0, size_t k, struct sums *out)
{
    size_t end = k / 64 * TILES;
    const int8_t *b1 = b0 + end;

    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t at = 0; at < end; at += TILES) {
        _tile_loadd(4, a + at, 64);
        _tile_loadd(5, b0 + at, 64);
        _tile_dpbssd(0, 4, 5);
        _tile_loadd(6, b1 + at, 64);
        _tile_dpbssd(1, 4, 6);
        _tile_loadd(7, b0 + at + PLANE, 64);
        _tile_dpbssd(2, 4, 7);
        _tile_loadd(7, b1 + at + PLANE, 64);
        _tile_dpbssd(3, 4, 7);
        _tile_loadd(4, a + at + PLANE, 64);
        _tile_dpbssd(2, 4, 5);
        _tile_dpbssd(3, 4, 6);
    }
    _tile_stored(0, out->high[0], 64);
    _tile_stored(1, out->high[1], 64);
    _tile_stored(2, out->mixed[0], 64);
    _tile_stored(3, out->mixed[1], 64);
}

static inline __m512 finish(const struct kernel_product *p, __m512 v, const float *c)
{
    if (p->op == KERNEL_RELU)
        return _mm512_max_ps(v, _mm512_setzero_ps());
    return p->op == KERNEL_ADD ? _mm512_add_ps(v, _mm512_loadu_ps(c)) : v;
}

static void finish_block(const struct kernel_product *p, const struct sums *sums,
                         const float *scale, size_t row, size_t column)
{
    size_t rows = p->m - row < TILE ? p->m - row : TILE;
    for (size_t half = 0; half < 2; half++) {
        size_t j = column + half * TILE;
        __m512 w = _mm512_mul_ps(_mm512_loadu_ps(p->w->scale + j), _mm512_set1_ps(256));
        __m512 bias = p->bias ? _mm512_loadu_ps(p->bias + j) : _mm512_setzero_ps();
        for (size_t i = 0; i < rows; i++) {
            float *c = p->c + (row + i) * p->ldc + j;
            __m512i h = _mm512_loadu_si512(sums->high[half] + i * TILE);
            __m512i x = _mm512_loadu_si512(sums->mixed[half] + i * TILE);
            __m512 v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(h), _mm512_set1_ps(256),
                                       _mm512_cvtepi32_ps(x));
            v = _mm512_fmadd_ps(v, _mm512_mul_ps(w, _mm512_set1_ps(scale[row + i])),
                                bias);
            _mm512_storeu_ps(c, finish(p, v, c));
        }
    }
}

static void product(const struct kernel_product *p)
{
    size_t strip = p->w->rows / 64 * TILES;
    size_t blocks = (p->m + TILE - 1) / TILE;
    int8_t *tiles = p->scratch;
    float *scale = (float *)(void *)(tiles + blocks * strip);
    struct sums sums __attribute__((aligned(64)));

    quantise(p, tiles, scale);
    configure();
    for (size_t j = 0; j < p->w->columns; j += 2 * TILE) {
        for (size_t i = 0; i < blocks; i++) {
            multiply(tiles + i * strip, p->w->tiles + j / TILE * strip, p->w->rows,
                     &sums);
            finish_block(p, &sums, scale, i * TILE, j);
        }
    }
    _tile_release();
}

static void attention(const struct kernel_attention *a)
{
    kernel_avx512.attention(a);
}

static void normalise(const float *x, const float *scale, const float *bias, float *out,
                      size_t n, size_t width)
{
    kernel_avx512.normalise(x, scale, bias, out, n, width);
}

const struct kernel kernel_amx = {"amx", supported, product, attention, normalise};
#else
typedef int kernel_amx_is_for_x86;
#endif
