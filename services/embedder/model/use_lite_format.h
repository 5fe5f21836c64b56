/* use_lite_format: the tensors of the model, declared once for the converter and the
 * reader. */
#ifndef EMBEDDER_USE_LITE_FORMAT_H
#define EMBEDDER_USE_LITE_FORMAT_H

#include "services/embedder/model/pack.h"

enum {
    USE_LITE_PIECES = 8000,
    USE_LITE_ROWS = 8002, /* of the embedding table */
    USE_LITE_RESERVED = 6 /* pieces below are marks, not text */
};

/* T(member, kind, rows, columns, part of its name in model.json); {l} is the layer */
/* clang-format off */
#define USE_LITE_TENSORS(T)                                                              \
    T(embeddings, PACK_ROWS, 8002, 256, "Embeddings_en")                                 \
    T(frequency,  PACK_F32,     1, 128, "TimingSignal/ExpandDims_1")                     \
    T(dense,      PACK_Q16,   256, 512, "Layer_0/TransformerLayer/dense/kernel")         \
    T(dense_bias, PACK_F32,     1, 512, "Layer_0/TransformerLayer/dense/bias")           \
    T(head,       PACK_Q16,   512, 512, "tanh_layer_0/weights")                          \
    T(head_bias,  PACK_F32,     1, 512, "tanh_layer_0/bias")                             \
    USE_LITE_LAYER(T, 0, 256)                                                            \
    USE_LITE_LAYER(T, 1, 512)

#define USE_LITE_AT(l) "Layer_" #l "/TransformerLayer/"
#define USE_LITE_LAYER(T, l, width)                                                      \
    T(scale_a##l,   PACK_F32,     1,     (width), USE_LITE_AT(l) "layer_prepostprocess/layer_norm/layer_norm_scale") \
    T(bias_a##l,    PACK_F32,     1,     (width), USE_LITE_AT(l) "layer_prepostprocess/layer_norm/layer_norm_bias")  \
    T(qkv##l,       PACK_Q16, (width), ((size_t)(width) * 3), USE_LITE_AT(l) "MultiheadAttention/qkv_transform_single/kernel")   \
    T(qkv_bias##l,  PACK_F32,     1, ((size_t)(width) * 3), USE_LITE_AT(l) "MultiheadAttention/qkv_transform_single/bias")     \
    T(join##l,      PACK_Q16, (width),         512, USE_LITE_AT(l) "MultiheadAttention/output_transform_single/kernel") \
    T(join_bias##l, PACK_F32,     1,         512, USE_LITE_AT(l) "MultiheadAttention/output_transform_single/bias")  \
    T(scale_f##l,   PACK_F32,     1,         512, USE_LITE_AT(l) "FFN/layer_prepostprocess/layer_norm/layer_norm_scale") \
    T(bias_f##l,    PACK_F32,     1,         512, USE_LITE_AT(l) "FFN/layer_prepostprocess/layer_norm/layer_norm_bias")  \
    T(widen##l,     PACK_Q16,   512,        1536, USE_LITE_AT(l) "FFN/conv1/Tensordot/Reshape_1")                    \
    T(widen_bias##l, PACK_F32,    1,        1536, USE_LITE_AT(l) "FFN/conv1/bias")                                   \
    T(narrow##l,    PACK_Q16,  1536,         512, USE_LITE_AT(l) "FFN/conv2/Tensordot/Reshape_1")                    \
    T(narrow_bias##l, PACK_F32,   1,         512, USE_LITE_AT(l) "FFN/conv2/bias")
/* clang-format on */

#endif
