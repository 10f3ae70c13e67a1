#define ZLIB_CONST	/* next_in is only read */
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"

#define CHUNK (64 * KIB)

struct inflater {
	z_stream z;
	struct arena *a;
	uint8_t *out;
	size_t n, cap, max;
	uint64_t used;
};

/* zlib allocates from the arena; what it frees goes with the arena. */
static voidpf
from_arena(voidpf opaque, uInt items, uInt size)
{
	return arena_array(opaque, items, size);
}

static void
free_nothing(voidpf opaque, voidpf p)
{
	(void)opaque;
	(void)p;
}

static int
grow(struct inflater *f)
{
	size_t cap = f->cap < f->max / 2 ? 2 * f->cap : f->max;
	uint8_t *p;

	if (cap <= f->cap || (p = arena_alloc(f->a, cap)) == NULL)
		return ERR_LIMIT;
	memcpy(p, f->out, f->n);
	f->out = p;
	f->cap = cap;
	return 0;
}

static bool
over_ratio(const struct inflater *f)
{
	return f->n > LIMIT_INFLATE_RATIO_FROM &&
	    f->n / LIMIT_INFLATE_RATIO > f->used;
}

/* Feed one chunk; returns zlib's last word, or Z_BUF_ERROR at a limit. */
static int
feed(struct inflater *f, uint8_t *in, size_t n)
{
	int z = Z_OK;

	f->z.next_in = in;
	f->z.avail_in = (uInt)n;
	while (f->z.avail_in > 0 && z == Z_OK) {
		if (f->n == f->cap && grow(f) < 0)
			return Z_BUF_ERROR;
		f->z.next_out = f->out + f->n;
		f->z.avail_out = (uInt)(f->cap - f->n > 1U << 30 ? 1U << 30 :
		    f->cap - f->n);
		z = inflate(&f->z, Z_NO_FLUSH);
		f->n = (size_t)(f->z.next_out - f->out);
		if (z == Z_BUF_ERROR && f->z.avail_out == 0)
			z = Z_OK;
	}
	f->used += n - f->z.avail_in;
	return z;
}

static int
run(struct inflater *f, const struct bytesrc *src, uint64_t off, uint64_t len,
    struct codec_result *ret, struct err *e)
{
	uint8_t *in;
	uint64_t done = 0;
	size_t n;
	int r, z = Z_OK;

	if ((in = arena_alloc(f->a, CHUNK)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory to inflate");
	while (done < len && z == Z_OK) {
		n = len - done < CHUNK ? (size_t)(len - done) : CHUNK;
		if ((r = bytesrc_read(src, off + done, in, n, e)) < 0)
			return r;
		z = feed(f, in, n);
		done += n;
		if (z == Z_OK && over_ratio(f))
			z = Z_BUF_ERROR;
	}
	ret->ended = z == Z_STREAM_END;
	ret->cut = z == Z_BUF_ERROR;
	ret->broken = z != Z_STREAM_END && z != Z_BUF_ERROR && z != Z_OK;
	ret->short_input = z == Z_OK;
	return 0;
}

int
codec_inflate(enum codec_kind kind, const struct bytesrc *src, uint64_t off,
    uint64_t len, uint64_t hint, size_t max, struct arena *a,
    struct codec_result *ret, struct err *e)
{
	static const int bits[] = {-15, 15, 15 + 16};
	struct inflater f = {.a = a, .max = max};
	int r;

	if (kind == CODEC_XZ)
		return codec_xz(src, off, len, max, a, ret, e);
	memset(ret, 0, sizeof(*ret));
	f.cap = hint > 0 && hint < max ? (size_t)hint : 64 * KIB;
	if (f.cap > max)
		f.cap = max;
	if ((f.out = arena_alloc(a, f.cap + 1)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory to inflate");
	f.z.zalloc = from_arena;
	f.z.zfree = free_nothing;
	f.z.opaque = a;
	if (inflateInit2(&f.z, bits[kind]) != Z_OK)
		return err_set(e, ERR_NOMEM, "cannot start to inflate");
	r = run(&f, src, off, len, ret, e);
	(void)inflateEnd(&f.z);
	if (r < 0)
		return r;
	ret->p = f.out;
	ret->n = f.n;
	ret->used = f.used;
	ret->crc = codec_crc_mem(f.out, f.n);
	return 0;
}

/* A bump allocator over the caller's space: inflate needs some 40 KiB. */
struct space {
	uint8_t *p;
	size_t left;
};

static voidpf
from_space(voidpf opaque, uInt items, uInt size)
{
	struct space *s = opaque;
	size_t n = (size_t)items * size;
	uint8_t *p = s->p;

	n += (16 - n % 16) % 16;
	if (n > s->left)
		return NULL;
	s->p += n;
	s->left -= n;
	return p;
}

int
codec_inflate_into(enum codec_kind kind, const uint8_t *src, size_t n,
    uint8_t *dst, size_t cap, void *space, size_t *in, size_t *out,
    struct err *e)
{
	static const int bits[] = {-15, 15, 15 + 16};
	struct space s = {space, CODEC_INTO_SPACE};
	z_stream z;
	int r;

	if (kind == CODEC_XZ || n > UINT32_MAX || cap > UINT32_MAX)
		return 1;
	memset(&z, 0, sizeof(z));
	memset(space, 0, CODEC_INTO_SPACE);
	z.zalloc = from_space;
	z.zfree = free_nothing;
	z.opaque = &s;
	if (inflateInit2(&z, bits[kind]) != Z_OK)
		return err_set(e, ERR_NOMEM, "cannot start to inflate");
	z.next_in = src;
	z.avail_in = (uInt)n;
	z.next_out = dst;
	z.avail_out = (uInt)cap;
	r = inflate(&z, Z_FINISH);
	*in = n - z.avail_in;
	*out = cap - z.avail_out;
	(void)inflateEnd(&z);
	if (r == Z_MEM_ERROR)
		return err_set(e, ERR_NOMEM, "no memory to inflate");
	return r != Z_STREAM_END;
}

uint32_t
codec_crc_mem(const uint8_t *p, size_t n)
{
	uLong crc = 0;

	for (size_t at = 0, part; at < n; at += part) {
		part = n - at < 1U << 30 ? n - at : 1U << 30;
		crc = crc32(crc, p + at, (uInt)part);
	}
	return (uint32_t)crc;
}

int
codec_crc(const struct bytesrc *src, uint64_t off, uint64_t len,
    uint32_t *ret, struct err *e)
{
	uint8_t chunk[16 * KIB];
	uLong crc = 0;
	size_t n;
	int r;

	while (len > 0) {
		n = len < sizeof(chunk) ? (size_t)len : sizeof(chunk);
		if ((r = bytesrc_read(src, off, chunk, n, e)) < 0)
			return r;
		crc = crc32(crc, chunk, (uInt)n);
		off += n;
		len -= n;
	}
	*ret = (uint32_t)crc;
	return 0;
}

bool
codec_probe_zlib(const uint8_t *p, size_t n)
{
	uint8_t in[512], out[256];
	z_stream z;
	int r;

	if (n < 8 || (p[0] & 15) != 8 || p[0] >> 4 > 7 ||
	    ((unsigned)p[0] << 8 | p[1]) % 31 != 0 || (p[1] & 32) != 0)
		return false;
	if (n > sizeof(in))
		n = sizeof(in);
	memcpy(in, p, n);
	memset(&z, 0, sizeof(z));
	if (inflateInit(&z) != Z_OK)
		return false;
	z.next_in = in;
	z.avail_in = (uInt)n;
	z.next_out = out;
	z.avail_out = sizeof(out);
	r = inflate(&z, Z_NO_FLUSH);
	(void)inflateEnd(&z);
	return (r == Z_OK || r == Z_STREAM_END) &&
	    (z.avail_out < sizeof(out) || r == Z_STREAM_END);
}
