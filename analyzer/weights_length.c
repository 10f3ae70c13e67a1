#include <string.h>

#include "analyzer/weights_magic.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/exe.h"

/*
 * How long is what was carved?  From its own structure where that tells; a
 * length beyond the bytes that are there means that it was cut.
 */
static uint64_t
max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The section headers stand last, or the furthest segment does. */
static uint64_t
elf_end(struct cursor c)
{
	struct cursor p = c;
	struct exe_elf h;
	uint64_t end, off, size;
	uint32_t word;

	if (!exe_elf(c, cursor_left(&c), &h))
		return 0;
	end = h.shoff != 0 ? h.shoff + (uint64_t)h.shnum * h.shentsize : 0;
	if (!cursor_skip(&p, h.phoff))
		return end;
	for (unsigned i = 0; i < h.phnum; i++) {
		struct cursor q = p;

		/* wide: type 4, flags 4, offset 8, addresses 16, size 8 */
		if (!exe_u32(&q, h.o, &word) || (h.o.wide &&
		    !exe_u32(&q, h.o, &word)) ||
		    !exe_word(&q, h.o, &off) ||
		    !cursor_skip(&q, h.o.wide ? 16 : 8) ||
		    !exe_word(&q, h.o, &size) ||
		    !cursor_skip(&p, h.phentsize))
			break;
		if (size <= UINT64_MAX - off)
			end = max(end, off + size);
	}
	return end;
}

/* Section rows of 40 bytes: 16 raw size 4, 20 raw offset 4. */
static uint64_t
pe_end(struct cursor c)
{
	struct cursor p = c;
	uint32_t size, off;
	struct exe_pe h;
	uint64_t end;

	if (!exe_pe(c, cursor_left(&c), &h) ||
	    !cursor_skip(&p, (uint64_t)h.lfanew + 24 + h.optional))
		return 0;
	end = h.headers;
	for (unsigned i = 0; i < h.sections; i++) {
		if (!cursor_skip(&p, 16) || !cursor_u32le(&p, &size) ||
		    !cursor_u32le(&p, &off) || !cursor_skip(&p, 16))
			break;
		end = max(end, (uint64_t)off + size);
	}
	return end;
}

/* The end record whose directory lies right before it. */
static uint64_t
zip_end(const uint8_t *p, size_t n)
{
	struct cursor c;
	uint32_t size, off;
	uint16_t comment;

	for (size_t i = 0; n >= 22 && i <= n - 22; i++) {
		if (p[i] != 'P' || memcmp(p + i, "PK\5\6", 4) != 0)
			continue;
		cursor_init(&c, p + i, n - i, 0);
		if (cursor_skip(&c, 12) && cursor_u32le(&c, &size) &&
		    cursor_u32le(&c, &off) && cursor_u16le(&c, &comment) &&
		    (uint64_t)off + size == i)
			return i + 22 + (uint64_t)comment;
	}
	return 0;
}

static uint64_t
sevenzip_end(struct cursor c)
{
	uint64_t off, size;

	if (!cursor_skip(&c, 12) || !cursor_u64le(&c, &off) ||
	    !cursor_u64le(&c, &size) || off > UINT32_MAX ||
	    size > UINT32_MAX)
		return 0;
	return 32 + off + size;
}

static uint64_t
text_end(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && (p[i] >= 0x80 || (p[i] >= 0x20 && p[i] < 0x7f) ||
	    p[i] == '\n' || p[i] == '\r' || p[i] == '\t'))
		i++;
	return i;
}

size_t
weights_magic_length(const struct weights_found *f, const uint8_t *p,
    size_t n)
{
	uint64_t end = f->len;
	struct cursor c;

	cursor_init(&c, p, n, 0);
	if (f->kind == WEIGHTS_SCRIPT)
		end = text_end(p, n);
	else if (strcmp(f->what, "elf") == 0)
		end = elf_end(c);
	else if (strcmp(f->what, "pe") == 0)
		end = pe_end(c);
	else if (strcmp(f->what, "zip") == 0)
		end = zip_end(p, n);
	else if (strcmp(f->what, "7z") == 0)
		end = sevenzip_end(c);
	return end > 0 && end < n ? (size_t)end : n;
}
