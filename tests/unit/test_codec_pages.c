#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "formats/codec_pages.h"
#include "tests/lib/make.h"

#define N 5000

static uint8_t plain[N];

/* Of each codec, its number in parquet.thrift (what make_packed takes). */
static const struct {
	enum page_codec codec;
	int number;
} codecs[] = {
	{PAGE_PLAIN, 0}, {PAGE_SNAPPY, 1}, {PAGE_GZIP, 2}, {PAGE_BROTLI, 4},
	{PAGE_LZ4, 5}, {PAGE_ZSTD, 6}, {PAGE_LZ4_RAW, 7}, {PAGE_LZ4, 7},
};
#define CODECS (sizeof(codecs) / sizeof(codecs[0]))

static void
fill(void)
{
	for (size_t i = 0; i < N; i++)
		plain[i] = (uint8_t)(i * i >> 7);
}

/* Exactly ${want} bytes of room: ASan sees one byte more. */
static int
decode(struct codec_pages *c, enum page_codec codec, const void *p, size_t n,
    size_t want, bool equal)
{
	uint8_t *in = malloc(n + 1), *out = malloc(want + 1);
	const char *why = NULL;
	int r;

	in = realloc(in, n > 0 ? n : 1);
	out = realloc(out, want > 0 ? want : 1);
	if (n > 0)
		memcpy(in, p, n);
	r = codec_pages_decode(c, codec, in, n, out, want, &why, NULL);
	if (r == 0 && equal)
		assert_memory_equal(out, plain, want);
	assert_true(r <= 0 || why != NULL);
	free(in);
	free(out);
	return r;
}

static void
every_codec_gives_its_page(void **state)
{
	struct arena *a = arena_new(8 << 20);
	struct codec_pages c;
	struct buf b;

	(void)state;
	fill();
	codec_pages_init(&c, a);
	for (size_t i = 0; i < CODECS; i++) {
		buf_init(&b, 1 << 20);
		make_packed(&b, codecs[i].number, plain, N);
		assert_int_equal(decode(&c, codecs[i].codec, b.p, b.len, N,
		    true), 0);
		assert_int_equal(decode(&c, codecs[i].codec, b.p, b.len,
		    N - 1, false), 1);
		assert_int_equal(decode(&c, codecs[i].codec, b.p, b.len,
		    N + 1, false), 1);
		buf_release(&b);
	}
	arena_free(a);
}

static void
cuts_and_flips_stay_inside(void **state)
{
	struct arena *a = arena_new(8 << 20);
	struct codec_pages c;
	struct buf b;

	(void)state;
	fill();
	codec_pages_init(&c, a);
	for (size_t i = 1; i < CODECS; i++) {
		buf_init(&b, 1 << 20);
		make_packed(&b, codecs[i].number, plain, 300);
		for (size_t n = 0; n < b.len; n++)
			assert_int_equal(decode(&c, codecs[i].codec, b.p, n,
			    300, false), 1);
		for (size_t k = 0; k < b.len * 8; k++) {
			b.p[k / 8] ^= (uint8_t)(1 << k % 8);
			assert_true(decode(&c, codecs[i].codec, b.p, b.len,
			    300, false) >= 0);
			b.p[k / 8] ^= (uint8_t)(1 << k % 8);
		}
		buf_release(&b);
	}
	arena_free(a);
}

/* What a page needs is used again: no more memory for the next thousand. */
static void
memory_is_used_again(void **state)
{
	struct arena *a = arena_new(8 << 20);
	struct codec_pages c;
	struct buf b;
	size_t used = 0;

	(void)state;
	fill();
	codec_pages_init(&c, a);
	for (int round = 0; round < 100; round++) {
		for (size_t i = 0; i < CODECS; i++) {
			buf_init(&b, 1 << 20);
			make_packed(&b, codecs[i].number, plain, N);
			assert_int_equal(decode(&c, codecs[i].codec, b.p,
			    b.len, N, true), 0);
			buf_release(&b);
		}
		if (round == 0)
			used = arena_used(a);
	}
	assert_int_equal(arena_used(a), used);
	arena_free(a);
}

static void
no_memory_is_our_failure(void **state)
{
	static const int with[] = {2, 4, 6};
	struct arena *a = arena_new(1024);
	struct codec_pages c;
	struct buf b;

	(void)state;
	fill();
	codec_pages_init(&c, a);
	for (size_t i = 0; i < CODECS; i++) {
		bool needs = false;

		for (size_t k = 0; k < 3; k++)
			needs |= codecs[i].number == with[k];
		buf_init(&b, 1 << 20);
		make_packed(&b, codecs[i].number, plain, N);
		assert_int_equal(decode(&c, codecs[i].codec, b.p, b.len, N,
		    true), needs ? ERR_LIMIT : 0);
		buf_release(&b);
	}
	arena_free(a);
}

static void
frames_of_lz4_are_read(void **state)
{
	/* Two blocks: one packed ("a" * 25), one stored, which ends it. */
	static const char frame[] = "\x04\x22\x4d\x18\x40\x40\0"
	    "\x0b\0\0\0" "\x1f" "a\1\0" "\0" "\x50" "aaaaa"
	    "\x03\0\0\x80" "xyz" "\0\0\0\0";
	struct arena *a = arena_new(8 << 20);
	struct codec_pages c;

	(void)state;
	codec_pages_init(&c, a);
	memset(plain, 'a', 25);
	memcpy(plain + 25, "xyz", 3);
	for (size_t n = 0; n < sizeof(frame) - 1; n++)
		assert_int_equal(decode(&c, PAGE_LZ4_FRAME, frame, n, 28,
		    false), 1);
	assert_int_equal(decode(&c, PAGE_LZ4_FRAME, frame, sizeof(frame) - 1,
	    28, true), 0);
	arena_free(a);
}

/* Formats from before zstd 1.0 have other magic numbers (here 0.7). */
static void
old_zstd_is_refused(void **state)
{
	static const char old[] = "\x27\xb5\x2f\xfd\x20\0\1\0\0";
	struct arena *a = arena_new(8 << 20);
	struct codec_pages c;

	(void)state;
	codec_pages_init(&c, a);
	assert_int_equal(decode(&c, PAGE_ZSTD, old, sizeof(old), 0, false), 1);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_codec_gives_its_page),
	    cmocka_unit_test(cuts_and_flips_stay_inside),
	    cmocka_unit_test(memory_is_used_again),
	    cmocka_unit_test(no_memory_is_our_failure),
	    cmocka_unit_test(frames_of_lz4_are_read),
	    cmocka_unit_test(old_zstd_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
