/* AMX: the matrix units of Sapphire Rapids and later multiply bytes, 16 × 64 by 64 × 16
 * at a time: the tiles of kernel_bytes.h and q16.h. */
/* Compiled with the flags of module.mk only; without them there is nothing here. */
#if defined(__AMX_INT8__) && defined(__AVX512F__)
#include "services/embedder/model/kernel_amx.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "services/embedder/model/kernel_bytes.h"

enum { FETCH_LINES = 6 };

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

/* Eight registers of 16 rows of 64 bytes. Constant, since GCC's _tile_loadconfig() does
 * not tell the compiler that it reads more than eight bytes of it. */
static const struct {
    uint8_t palette;
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} config = {
    .palette = 1,
    .bytes = {64, 64, 64, 64, 64, 64, 64, 64},
    .rows = {TILE, TILE, TILE, TILE, TILE, TILE, TILE, TILE},
};

/* Sums of 16 × 32 results, the left tile and the right one. */
struct sums {
    int32_t high[2][TILE * TILE];
    int32_t mixed[2][TILE * TILE];
};

/* Sums that wait to become results: while the matrix unit works on a block, the vector
 * units finish the one before. */
struct due {
    __m512 scale[2];
    __m512 bias[2];
    const struct sums *sums;
    const float *row_scale;
    float *c;
    size_t ldc;
    size_t rows; /* at most 16 */
    enum kernel_op op;
};

static inline __attribute__((always_inline)) void finish_row(const struct due *due,
                                                             size_t i)
{
    __m512 row_scale = _mm512_set1_ps(due->row_scale[i]);
    for (size_t half = 0; half < 2; half++) {
        float *c = due->c + i * due->ldc + half * TILE;
        __m512i high = _mm512_load_si512(due->sums->high[half] + i * TILE);
        __m512i mixed = _mm512_load_si512(due->sums->mixed[half] + i * TILE);
        __m512 v = _mm512_fmadd_ps(_mm512_cvtepi32_ps(high), _mm512_set1_ps(256),
                                   _mm512_cvtepi32_ps(mixed));
        v = _mm512_fmadd_ps(v, _mm512_mul_ps(due->scale[half], row_scale),
                            due->bias[half]);
        if (due->op == KERNEL_RELU)
            v = _mm512_max_ps(v, _mm512_setzero_ps());
        else if (due->op == KERNEL_ADD)
            v = _mm512_add_ps(v, _mm512_loadu_ps(c));
        _mm512_storeu_ps(c, v);
    }
}

/* Registers 0 and 1 gather high·high, 2 and 3 the mixed products. */
static inline __attribute__((always_inline)) void step(const int8_t *a, const int8_t *b0,
                                                       const int8_t *b1)
{
    _tile_loadd(4, a, 64);
    _tile_loadd(5, b0 + PLANE, 64);
    _tile_dpbssd(2, 4, 5);
    _tile_loadd(6, b1 + PLANE, 64);
    _tile_dpbssd(3, 4, 6);
    _tile_loadd(7, b0, 64);
    _tile_dpbssd(0, 4, 7);
    _tile_loadd(5, a + PLANE, 64);
    _tile_dpbssd(2, 5, 7);
    _tile_loadd(6, b1, 64);
    _tile_dpbssd(3, 5, 6);
    _tile_dpbssd(1, 4, 6);
}

/* Bring what the next strips hold closer, a few lines per step: the weights do not fit in
 * the second cache beside what is computed from them. Addresses past the end of the
 * matrix do no harm. */
static inline void fetch_ahead(const int8_t *from)
{
    for (size_t line = 0; line < FETCH_LINES; line++)
        _mm_prefetch((const char *)from + line * 64, _MM_HINT_T1);
}

/* `b` holds two strips of as many bytes as a. */
static void multiply(const int8_t *a, const int8_t *b, size_t strip, struct sums *out,
                     const struct due *due, const int8_t *ahead)
{
    size_t at_once =
        ((size_t)TILE * TILES + strip - 1) / strip; /* rows to finish per step */
    size_t row = 0;

    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (size_t at = 0; at < strip; at += TILES) {
        step(a + at, b + at, b + strip + at);
        fetch_ahead(ahead + at / TILES * FETCH_LINES * 64);
        for (size_t r = 0; r < at_once && row < due->rows; r++)
            finish_row(due, row++);
    }
    _tile_stored(0, out->high[0], 64);
    _tile_stored(1, out->high[1], 64);
    _tile_stored(2, out->mixed[0], 64);
    _tile_stored(3, out->mixed[1], 64);
}

static void prepare(struct due *due, const struct kernel_product *p, size_t column)
{
    for (size_t half = 0; half < 2; half++) {
        size_t j = column + half * TILE;
        due->scale[half] =
            _mm512_mul_ps(_mm512_loadu_ps(p->w->scale + j), _mm512_set1_ps(256));
        due->bias[half] = p->bias ? _mm512_loadu_ps(p->bias + j) : _mm512_setzero_ps();
    }
    due->ldc = p->ldc;
    due->op = p->op;
}

void kernel_amx_product(const struct kernel_product *p)
{
    size_t strip = p->w->strip;
    size_t blocks = (p->m + TILE - 1) / TILE;
    int8_t *tiles = p->scratch;
    float *scale = (float *)(void *)(tiles + blocks * strip);
    struct sums sums[2] __attribute__((aligned(64)));
    struct due due = {.rows = 0};
    size_t turn = 0;

    quantise(p, tiles, scale);
    /* the tile loads below do not tell the compiler what they read */
    __asm__ volatile("" ::: "memory");
    _tile_loadconfig(&config);
    for (size_t j = 0; j < p->w->columns; j += 2 * TILE) {
        const int8_t *b = q16_tile(p->w, j / TILE, 0);
        for (size_t i = 0; i < blocks; i++, turn ^= 1) {
            const int8_t *ahead = b + 2 * strip + i * (strip / TILES) * FETCH_LINES * 64;
            multiply(tiles + i * strip, b, strip, &sums[turn], &due, ahead);
            prepare(&due, p, j);
            due.sums = &sums[turn];
            due.row_scale = scale + i * TILE;
            due.c = p->c + i * TILE * p->ldc + j;
            due.rows = p->m - i * TILE < TILE ? p->m - i * TILE : TILE;
        }
    }
    _tile_release();
    for (size_t r = 0; r < due.rows; r++)
        finish_row(&due, r);
}

static void normalise(const float *x, const float *scale, const float *bias, float *out,
                      size_t n, size_t width)
{
    kernel_avx512.normalise(x, scale, bias, out, n, width);
}

const struct kernel kernel_amx = {"amx", supported, kernel_amx_product,
                                  kernel_amx_attention, normalise};
#else
typedef int kernel_amx_is_for_x86;
#endif
