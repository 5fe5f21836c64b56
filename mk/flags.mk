# Toolchain and build flavours. BUILD=debug|release|asan|tsan|fuzz
BUILD ?= debug
OUT   ?= build/$(BUILD)
ifeq ($(origin CC),default)
CC := gcc
endif
Q := $(if $(V),,@)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
        -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
        -Wcast-qual -Wcast-align -Wpointer-arith -Wwrite-strings -Wundef \
        -Wvla -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference \
        -Wunused-result -Wdouble-promotion
WERROR ?= -Werror

HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fPIE
MODE_debug   := -O0 -g3
MODE_release := -O2 -g $(HARDEN)
MODE_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
# (gcc sees null pointers in instrumented code that are not there)
MODE_tsan    := -O1 -g -fsanitize=thread -Wno-null-dereference
# libFuzzer is clang's: `make BUILD=fuzz CC=clang`
MODE_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
MODE := $(or $(MODE_$(BUILD)),$(error unknown BUILD=$(BUILD)))

LINK_release := -pie -Wl,-z,relro,-z,now,-z,noexecstack
LDFLAGS += $(LINK_$(BUILD)) -Wl,--as-needed

# Debian's node-llhttp ships C sources; trixie's libllhttp-dev a library. See mk/llhttp.mk.
include mk/llhttp.mk

PKGS     := libuv libzmq libczmq libpq hiredis msgpack libcurl jansson zlib libutf8proc openssl \
            libxxhash libsodium libzstd ldap lber expat openblas lapacke \
            poppler-glib libzip libxml-2.0 libseccomp icu-i18n icu-uc md4c libpcre2-8
ifneq ($(shell pkg-config --exists msgpack-c 2>/dev/null && echo yes),)
PKGS     := $(subst msgpack,msgpack-c,$(PKGS))
endif
PKG_INC  := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags-only-I $(PKGS) 2>/dev/null))
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lstemmer -lroaring -lcsv
VERSION  := $(shell cat VERSION)

CPPFLAGS += -D_GNU_SOURCE -DCAIRN_VERSION='"$(VERSION)"' -I. -Ilibshared/include \
            $(PKG_INC) $(LLHTTP_INC)
CFLAGS   := -std=c17 -fno-omit-frame-pointer -fno-common $(WARN) $(WERROR) $(MODE)
LDLIBS   := $(PKG_LIBS) $(LLHTTP_LIBS) -lm -lpthread
