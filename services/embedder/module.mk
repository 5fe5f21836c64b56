EMBEDDER := $(filter-out %/main.c,$(wildcard services/embedder/*.c services/embedder/*/*.c))
$(eval $(call library,embedder,$(EMBEDDER)))
ifneq ($(wildcard services/embedder/main.c),)
$(eval $(call program,cairn-embedder,services/embedder/main.c,embedder.a libproto.a libshared.a))
endif

# The arithmetic is optimised in every flavour, else a debug build embeds 20 times slower;
# each kernel is compiled for its own instruction set and chosen at run time.
KERNELS  := services/embedder/model/kernel_
FAST     := -O3 -ffp-contract=fast -fno-math-errno -fno-trapping-math -U_FORTIFY_SOURCE
CFLAGS_$(KERNELS)generic.c := $(FAST)
CFLAGS_services/embedder/model/use_lite.c := $(FAST)
CFLAGS_services/embedder/lsa/matrix.c := $(FAST)
CFLAGS_services/embedder/lsa/lsa.c := $(FAST)
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine)),)
CFLAGS_$(KERNELS)avx2.c    := $(FAST) -mavx2 -mfma
CFLAGS_$(KERNELS)avx512.c  := $(FAST) -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma \
                              -mprefer-vector-width=512
CFLAGS_$(KERNELS)amx.c     := $(CFLAGS_$(KERNELS)avx512.c) -mamx-tile -mamx-int8
CFLAGS_$(KERNELS)vnni.c    := $(CFLAGS_$(KERNELS)avx512.c) -mavx512vnni
CFLAGS_$(KERNELS)amx_attention.c := $(CFLAGS_$(KERNELS)avx512.c)
endif
