#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/tarstream.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * A foreign tar.  No byte is passed over in silence: what lies between two
 * entries is a header, records, a map, padding or zeros; entries stand in
 * their order and do not overlap; and a stream gives the same as memory.
 */
#define MUST(x) \
	do { \
		if (!(x)) \
			abort(); \
	} while (0)

static uint64_t
mix(uint64_t h, const void *p, size_t n)
{
	const uint8_t *s = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ s[i]) * 0x100000001b3;
	return h;
}

static uint64_t
mix_entry(uint64_t h, const struct tarstream_entry *n)
{
	const uint64_t v[] = {n->kind, n->type, n->notes, n->name_len,
	    n->link_len, n->size, n->real_size, n->offset, n->data_offset,
	    n->npieces, n->head_len, n->pax_len, (uint64_t)n->mtime};

	h = mix(h, v, sizeof(v));
	if (n->name != NULL)
		h = mix(h, n->name, n->name_len);
	if (n->npieces > 0)
		h = mix(h, n->piece, n->npieces * sizeof(*n->piece));
	return n->head_len > 0 ? mix(h, n->head, n->head_len) : h;
}

static void
check_entry(const struct tarstream_entry *n, uint64_t at)
{
	uint64_t sum = 0, end = 0;

	MUST(n->kind < TARSTREAM_KINDS && n->offset >= at);
	MUST(n->data_offset >= n->offset && n->head_len <= n->size);
	MUST(n->name_len <= LIMIT_TAR_NAME && n->link_len <= LIMIT_TAR_NAME);
	MUST(n->real_size >= n->size);
	if (n->piece == NULL)
		MUST(n->real_size == n->size);
	for (size_t i = 0; i < n->npieces; i++) {
		MUST(n->piece[i].off >= end);
		end = n->piece[i].off + n->piece[i].n;
		sum += n->piece[i].n;
	}
	if (n->piece != NULL)
		MUST(sum == n->size && end <= n->real_size);
}

/* What the whole of it comes to. */
static uint64_t
walk(const struct bytesrc *src, size_t n, const uint8_t *p)
{
	const struct tarstream_entry *entry;
	enum tarstream_end end;
	struct arena *a = arena_new(16 * MIB);
	uint64_t h = 14695981039346656037U, at = 0;
	struct tarstream *t;
	int r;

	MUST(a != NULL && tarstream_new(src, a, &t, NULL) == 0);
	while ((r = tarstream_next(t, &entry, &end, NULL)) > 0) {
		check_entry(entry, at);
		if (entry->kind == TARSTREAM_UNPARSED)
			MUST(entry->offset + entry->size <= n &&
			    memcmp(entry->head, p + entry->offset,
			    entry->size) == 0);
		at = entry->data_offset + entry->size;
		h = mix_entry(h, entry);
	}
	MUST(r == 0 || r == ERR_FORMAT);
	arena_free(a);
	return mix(h, &r, sizeof(r));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct bytesrc *mem, *stream;

	MUST(fd >= 0 && write(fd, p, n) == (ssize_t)n &&
	    lseek(fd, 0, SEEK_SET) == 0);
	MUST((mem = bytesrc_mem(p, n, NULL)) != NULL);
	MUST((stream = bytesrc_stream(fd, NULL)) != NULL);
	MUST(walk(mem, n, p) == walk(stream, n, p));
	bytesrc_free(mem);
	bytesrc_free(stream);
	(void)close(fd);
	return 0;
}
