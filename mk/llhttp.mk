# llhttp: a library where Debian has one (trixie), else built from the C sources that the
# package node-llhttp installs (bookworm). Strict mode: a lone CR is no line end.
ifneq ($(shell pkg-config --exists libllhttp 2>/dev/null && echo yes),)
LLHTTP_LIBS := $(shell pkg-config --libs libllhttp)
else ifneq ($(wildcard /usr/share/llhttp/llhttp.c),)
LLHTTP_SRC  := $(wildcard /usr/share/llhttp/*.c)
LLHTTP_INC  := -isystem /usr/share/include/llhttp
LLHTTP_LIBS := $(OUT)/libllhttp.a
$(OUT)/libllhttp.a: $(LLHTTP_SRC) $(OUT)/flags.stamp
	@mkdir -p $(OUT)/llhttp
	$(Q)echo CC llhttp; for f in $(LLHTTP_SRC); do \
	    $(CC) -O2 -g $(filter -f%,$(MODE)) -w -DLLHTTP_STRICT_MODE=1 -I/usr/share/include/llhttp \
	        -c $$f -o $(OUT)/llhttp/$$(basename $$f .c).o || exit 1; done
	$(Q)rm -f $@ && $(AR) rcs $@ $(OUT)/llhttp/*.o
endif
