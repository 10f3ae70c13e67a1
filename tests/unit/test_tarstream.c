#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/tarstream.h"

/* A tar that grows by blocks. */
struct tar {
	uint8_t p[256 * 1024];
	size_t n;
};

static void
put_octal(uint8_t *dst, size_t digits, uint64_t v)
{
	(void)snprintf((char *)dst, digits + 1, "%0*llo", (int)digits,
	    (unsigned long long)v);
}

static uint8_t *
put_header(struct tar *t, uint8_t type, const char *name, uint64_t size)
{
	uint8_t *h = t->p + t->n;
	unsigned sum = 0;

	memset(h, 0, 512);
	memcpy(h, name, strlen(name) < 100 ? strlen(name) : 100);
	put_octal(h + 100, 7, 0644);
	put_octal(h + 108, 7, 1000);
	put_octal(h + 116, 7, 100);
	put_octal(h + 124, 11, size);
	put_octal(h + 136, 11, 1234567890);
	h[156] = type;
	memcpy(h + 257, "ustar\0" "00", 8);
	memcpy(h + 265, "user", 4);
	memcpy(h + 297, "group", 5);
	memset(h + 148, ' ', 8);
	for (unsigned i = 0; i < 512; i++)
		sum += h[i];
	put_octal(h + 148, 6, sum);
	h[154] = '\0';
	t->n += 512;
	return h;
}

static void
put_content(struct tar *t, const void *p, size_t n)
{
	memset(t->p + t->n, 0, (n + 511) / 512 * 512);
	memcpy(t->p + t->n, p, n);
	t->n += (n + 511) / 512 * 512;
}

static void
put_file(struct tar *t, uint8_t type, const char *name, const char *text)
{
	(void)put_header(t, type, name, strlen(text));
	put_content(t, text, strlen(text));
}

static void
put_zeros(struct tar *t, unsigned blocks)
{
	memset(t->p + t->n, 0, (size_t)blocks * 512);
	t->n += (size_t)blocks * 512;
}

/* The walk as a text: one line for each entry, and how it ended. */
static char *
walk(const struct bytesrc *src)
{
	static const char *const ends[] = {"ended", "no end", "cut"};
	const struct tarstream_entry *n;
	enum tarstream_end end;
	struct arena *a = arena_new(16 * MIB);
	struct tarstream *t;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	int r;

	assert_non_null(a);
	assert_int_equal(tarstream_new(src, a, &t, NULL), 0);
	while ((r = tarstream_next(t, &n, &end, NULL)) > 0) {
		(void)fprintf(f, "%d %.*s %.*s %llu/%llu @%llu %lld.%u n%x\n",
		    (int)n->kind, (int)n->name_len, (const char *)n->name,
		    (int)n->link_len, (const char *)n->link,
		    (unsigned long long)n->size,
		    (unsigned long long)n->real_size,
		    (unsigned long long)n->offset, (long long)n->mtime,
		    n->mtime_ns, n->notes);
		for (size_t i = 0; i < n->npieces; i++)
			(void)fprintf(f, " %llu+%llu",
			    (unsigned long long)n->piece[i].off,
			    (unsigned long long)n->piece[i].n);
	}
	(void)fprintf(f, "%s\n", r == 0 ? ends[end] : "refused");
	(void)fclose(f);
	arena_free(a);
	return text;
}

static char *
walk_mem(const struct tar *t)
{
	struct bytesrc *s = bytesrc_mem(t->p, t->n, NULL);
	char *text = walk(s);

	bytesrc_free(s);
	return text;
}

static void
says(const struct tar *t, const char *want)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);
	struct bytesrc *s;
	char *mem = walk_mem(t), *stream;

	assert_string_equal(mem, want);
	assert_int_equal(write(fd, t->p, t->n), (ssize_t)t->n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	s = bytesrc_stream(fd, NULL);
	stream = walk(s);
	assert_string_equal(stream, want);
	bytesrc_free(s);
	(void)close(fd);
	free(mem);
	free(stream);
}

#define T "1234567890.0"

static void
entries_of_each_type_are_told(void **state)
{
	static struct tar t;
	uint8_t *h;

	(void)state;
	t.n = 0;
	put_file(&t, '0', "a", "hello");
	(void)put_header(&t, '5', "d/", 0);
	(void)put_header(&t, '0', "old/", 0);
	h = put_header(&t, '2', "l", 0);
	(void)h;
	(void)put_header(&t, '6', "p", 0);
	put_file(&t, 'Z', "strange", "content");
	put_zeros(&t, 2);
	says(&t, "0 a  5/5 @0 " T " n0\n5 d/  0/0 @1024 " T " n0\n"
	    "5 old/  0/0 @1536 " T " n0\n2 l  0/0 @2048 " T " n0\n"
	    "6 p  0/0 @2560 " T " n0\n7 strange  7/7 @3072 " T " n20\n"
	    "ended\n");
}

static void
records_speak_of_the_next_entry_alone(void **state)
{
	static struct tar t;
	char text[301], want[600];

	(void)state;
	t.n = 0;
	put_file(&t, 'x', "pax", "18 path=long/name\n22 mtime=-1.250000000\n"
	    "10 size=3\n11 uid=777\n");
	(void)put_header(&t, '0', "short", 0);
	put_content(&t, "abc", 3);
	put_file(&t, '0', "next", "x");
	memset(text, 'n', 300);
	text[300] = '\0';
	put_file(&t, 'L', "././@LongLink", text);
	put_file(&t, 'K', "././@LongLink", "target");
	(void)put_header(&t, '2', "nnn", 0);
	put_zeros(&t, 2);
	(void)snprintf(want, sizeof(want), "0 long/name  3/3 @0 -2.750000000"
	    " n0\n0 next  1/1 @2048 " T " n0\n2 %s target 0/0 @3072 " T
	    " n0\nended\n", text);
	says(&t, want);
}

static void
holes_are_put_in_their_places_or_told(void **state)
{
	static struct tar t;

	(void)state;
	t.n = 0;
	put_file(&t, 'x', "pax", "22 GNU.sparse.major=1\n"
	    "22 GNU.sparse.minor=0\n21 GNU.sparse.name=s\n"
	    "29 GNU.sparse.realsize=10000\n");
	(void)put_header(&t, '0', "GNUSparseFile.0/s", 512 + 5);
	put_content(&t, "2\n100\n2\n9000\n3\n", 15);
	put_content(&t, "abcde", 5);
	put_file(&t, 'x', "pax", "25 GNU.sparse.size=10000\n"
	    "29 GNU.sparse.map=0,2,9990,3\n");
	put_file(&t, '0', "v01", "abcde");
	/* More in the map than there is. */
	put_file(&t, 'x', "pax", "25 GNU.sparse.size=10000\n"
	    "29 GNU.sparse.map=0,2,9999,3\n");
	put_file(&t, '0', "bad", "abcde");
	put_zeros(&t, 2);
	says(&t, "0 s  5/10000 @0 " T " n400\n 100+2 9000+3"
	    "0 v01  5/10000 @2560 " T " n400\n 0+2 9990+3"
	    "0 bad  5/5 @4608 " T " nc00\nended\n");
}

static void
what_is_no_header_is_an_entry(void **state)
{
	static struct tar t;

	(void)state;
	t.n = 0;
	put_file(&t, '0', "a", "hello");
	(void)memset(t.p + t.n, 'g', 1000);
	t.n += 1024;
	put_file(&t, '0', "b", "hello");
	put_zeros(&t, 1);
	put_file(&t, '0', "c", "hello");
	put_zeros(&t, 2);
	put_file(&t, '0', "../d", "hello");
	put_zeros(&t, 2);
	memset(t.p + t.n, 'x', 7);
	t.n += 7;
	says(&t, "0 a  5/5 @0 " T " n0\n8   1024/1024 @1024 0.0 n0\n"
	    "0 b  5/5 @2048 " T " n0\n0 c  5/5 @3584 " T " n4\n"
	    "0 ../d  5/5 @5632 " T " na\n8   7/7 @7680 0.0 n8\ncut\n");
}

static void
links_have_content_only_if_it_is_there(void **state)
{
	static struct tar t;

	(void)state;
	t.n = 0;
	(void)put_header(&t, '1', "h", 5);	/* says so, has none */
	put_file(&t, '0', "a", "hello");
	(void)put_header(&t, '1', "i", 5);
	put_content(&t, "world", 5);
	put_zeros(&t, 2);
	says(&t, "1 h  0/0 @0 " T " n0\n0 a  5/5 @512 " T " n0\n"
	    "1 i  5/5 @1536 " T " n1000\nended\n");
}

static void
cut_anywhere_is_never_taken_for_whole(void **state)
{
	static struct tar t, part;
	char *text;

	(void)state;
	t.n = 0;
	put_file(&t, 'x', "pax", "18 path=long/name\n");
	put_file(&t, '0', "a", "hello");
	put_zeros(&t, 2);
	for (size_t n = 0; n < t.n - 512; n++) {
		memcpy(part.p, t.p, n);
		part.n = n;
		text = walk_mem(&part);
		assert_null(strstr(text, "ended"));
		free(text);
	}
}

static void
what_is_no_tar_is_refused(void **state)
{
	static struct tar t;

	(void)state;
	t.n = 2000;
	memset(t.p, 'x', t.n);
	says(&t, "refused\n");
	t.n = 0;
	says(&t, "refused\n");
	put_zeros(&t, 20);
	says(&t, "ended\n");
}

static void
each_note_has_its_words(void **state)
{
	(void)state;
	for (unsigned bit = 1; bit < TARSTREAM_NOTES; bit <<= 1)
		assert_non_null(tarstream_note_text(bit));
	assert_null(tarstream_note_text(1U << 30));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entries_of_each_type_are_told),
	    cmocka_unit_test(records_speak_of_the_next_entry_alone),
	    cmocka_unit_test(holes_are_put_in_their_places_or_told),
	    cmocka_unit_test(what_is_no_header_is_an_entry),
	    cmocka_unit_test(links_have_content_only_if_it_is_there),
	    cmocka_unit_test(cut_anywhere_is_never_taken_for_whole),
	    cmocka_unit_test(what_is_no_tar_is_refused),
	    cmocka_unit_test(each_note_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
