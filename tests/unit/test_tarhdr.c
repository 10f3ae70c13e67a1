#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#include "custody/tarhdr.h"

/*
 * Headers that GNU tar 1.34 wrote with --format=ustar --owner=0 --group=0
 * --numeric-owner --mode=0444 -b1; every byte that is not given is zero.
 */
#define D40 "dddddddddddddddddddddddddddddddddddddddd"
#define F42 "ffffffffffffffffffffffffffffffffffffffffff"

struct run {
	size_t off;
	const char *bytes;
};

#define OWNER {108, "0000000"}, {116, "0000000"}
#define TAIL {155, " 0"}, {257, "ustar"}, {263, "00"}, {329, "0000000"}, \
	    {337, "0000000"}

static const struct sample {
	struct tarhdr h;
	struct run runs[14];
} samples[] = {
    {{"a.txt", 5, 1700000000, '0'},
	{{0, "a.txt"}, {100, "0000444"}, OWNER, {124, "00000000005"},
	    {136, "14524770400"}, {148, "010221"}, TAIL}},
    {{"E01/data/weights/" D40 "/" F42, 123456789, 1790000000, '0'},
	{{0, "E01/data/weights/" D40 "/" F42 "0000444"}, OWNER,
	    {124, "00726746425"}, {136, "15254235600"}, {148, "032432"},
	    TAIL}},
    {{"big.bin", 8589934591, 0, '0'},
	{{0, "big.bin"}, {100, "0000444"}, OWNER, {124, "77777777777"},
	    {136, "00000000000"}, {148, "010541"}, TAIL}},
    {{"caf\xc3\xa9/\xff.bin", 0, 8589934591, '0'},
	{{0, "caf\xc3\xa9/\xff.bin"}, {100, "0000444"}, OWNER,
	    {124, "00000000000"}, {136, "77777777777"}, {148, "011763"},
	    TAIL}},
};

#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

static void
expand(uint8_t out[TARHDR_SIZE], const struct sample *s)
{
	size_t i;

	memset(out, 0, TARHDR_SIZE);
	for (i = 0; i < 14 && s->runs[i].bytes != NULL; i++)
		memcpy(out + s->runs[i].off, s->runs[i].bytes,
		    strlen(s->runs[i].bytes));
}

static void
assert_same(const struct tarhdr *a, const struct tarhdr *b)
{
	assert_string_equal(a->name, b->name);
	assert_true(a->size == b->size);
	assert_true(a->mtime == b->mtime);
	assert_int_equal(a->type, b->type);
}

static void
written_header_is_that_of_gnu_tar(void **state)
{
	uint8_t want[TARHDR_SIZE], got[TARHDR_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < SAMPLES; i++) {
		expand(want, &samples[i]);
		memset(got, 0xee, sizeof(got));
		assert_true(tarhdr_write(got, &samples[i].h));
		assert_memory_equal(got, want, TARHDR_SIZE);
	}
}

static void
header_of_gnu_tar_is_read(void **state)
{
	uint8_t in[TARHDR_SIZE];
	struct tarhdr h;
	size_t i;

	(void)state;
	for (i = 0; i < SAMPLES; i++) {
		expand(in, &samples[i]);
		assert_true(tarhdr_read(in, &h));
		assert_same(&h, &samples[i].h);
	}
}

static void
all_sizes_round_trip(void **state)
{
	static const uint64_t sizes[] = {0, 1, 511, 512, 8589934591,
	    8589934592, 68719476735, 68719476736, UINT64_C(1) << 40,
	    UINT64_C(0x0102030405060708), UINT64_MAX - 1, UINT64_MAX};
	struct tarhdr h = {"n", 0, 1, 'x'}, back;
	uint8_t out[TARHDR_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		h.size = sizes[i];
		assert_true(tarhdr_write(out, &h));
		assert_true(tarhdr_read(out, &back));
		assert_same(&back, &h);
	}
}

static void
large_sizes_have_the_stated_forms(void **state)
{
	struct tarhdr h = {"n", 8589934592, 1, '0'};
	uint8_t out[TARHDR_SIZE];

	(void)state;
	assert_true(tarhdr_write(out, &h));
	assert_memory_equal(out + 124, "100000000000", 12);
	h.size = 68719476735;
	assert_true(tarhdr_write(out, &h));
	assert_memory_equal(out + 124, "777777777777", 12);
	h.size = 68719476736;
	assert_true(tarhdr_write(out, &h));
	assert_memory_equal(out + 124, "\x80\0\0\0\0\0\0\x10\0\0\0\0", 12);
}

static void
one_changed_byte_is_never_the_same_header(void **state)
{
	uint8_t in[TARHDR_SIZE], again[TARHDR_SIZE];
	struct tarhdr h;
	unsigned v, accepted = 0;
	uint8_t old;
	size_t i;

	(void)state;
	expand(in, &samples[0]);
	for (i = 0; i < TARHDR_SIZE; i++) {
		old = in[i];
		for (v = 0; v < 256; v++) {
			if (v == old)
				continue;
			in[i] = (uint8_t)v;
			memset(&h, 0x55, sizeof(h));
			if (tarhdr_read(in, &h)) {
				accepted++;
			} else {
				assert_int_equal(h.name[0], 0x55);
				assert_int_equal(h.type, 0x55);
			}
		}
		in[i] = old;
	}
	/* The sum covers every byte, so nothing else can be accepted. */
	assert_int_equal(accepted, 0);
	assert_true(tarhdr_read(in, &h));
	assert_true(tarhdr_write(again, &h));
	assert_memory_equal(in, again, TARHDR_SIZE);
}

/* Make the sum right again, as a forger would. */
static void
resum(uint8_t in[TARHDR_SIZE])
{
	unsigned sum = 0;
	size_t i;

	memset(in + 148, ' ', 8);
	for (i = 0; i < TARHDR_SIZE; i++)
		sum += in[i];
	for (i = 0; i < 6; i++)
		in[148 + i] = (uint8_t)('0' + (sum >> (15 - 3 * i) & 7));
	in[154] = 0;
}

static void
right_sum_does_not_help_a_second_spelling(void **state)
{
	static const struct {
		size_t off;
		size_t n;
		const char *bytes;
	} rows[] = {
	    {100, 8, "0000644"},		     /* mode */
	    {100, 8, "000444 "},		     /* other padding */
	    {108, 8, "0000001"},		     /* uid */
	    {116, 8, "0001750"},		     /* gid */
	    {124, 12, "0000000005 "},		     /* blank for NUL */
	    {124, 12, "000000000005"},		     /* 12 digits, small */
	    {124, 12, "          5"},		     /* blanks */
	    {124, 12, "\x80\0\0\0\0\0\0\0\0\0\0\5"}, /* base 256, small */
	    {124, 12, "\x81\0\0\0\0\0\0\x10\0\0\0"}, /* other mark */
	    {124, 12, "\x80\1\0\0\0\0\0\x10\0\0\0"}, /* over 64 bits */
	    {124, 12, "0000000000\xb5"},	     /* not a digit */
	    {136, 12, "145247704008"},		     /* no NUL */
	    {136, 12, "14524770 00"},		     /* blank inside */
	    {155, 1, ""},			     /* end of the sum */
	    {156, 1, ""},			     /* type NUL */
	    {156, 1, "5"},			     /* directory */
	    {157, 1, "l"},			     /* link name */
	    {257, 8, "ustar  "},		     /* GNU magic */
	    {263, 2, "01"},			     /* version */
	    {265, 4, "root"},			     /* user name */
	    {297, 4, "root"},			     /* group name */
	    {329, 8, "0000001"},		     /* device */
	    {345, 3, "../"},			     /* prefix */
	    {500, 4, "tar"},			     /* padding */
	    {6, 4, "evil"},			     /* after the name's NUL */
	    {0, 5, "\0.txt"},			     /* no name */
	};
	uint8_t in[TARHDR_SIZE];
	struct tarhdr h;
	size_t i;

	(void)state;
	expand(in, &samples[0]);
	resum(in);
	assert_true(tarhdr_read(in, &h));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		expand(in, &samples[0]);
		if (rows[i].off == 155) {
			in[155] = 0;
		} else {
			memcpy(in + rows[i].off, rows[i].bytes, rows[i].n);
			resum(in);
		}
		if (tarhdr_read(in, &h))
			fail_msg("row %zu was accepted", i);
	}
	expand(in, &samples[0]);
	memcpy(in, "b", 1);
	resum(in);
	assert_true(tarhdr_read(in, &h));
	assert_string_equal(h.name, "b.txt");
}

static void
bad_fields_are_not_written(void **state)
{
	struct tarhdr h = {"n", 1, 1, '0'};
	uint8_t out[TARHDR_SIZE], before[TARHDR_SIZE];

	(void)state;
	memset(out, 0xee, sizeof(out));
	memcpy(before, out, sizeof(out));
	h.type = '5';
	assert_false(tarhdr_write(out, &h));
	h.type = '0';
	h.mtime = 8589934592;
	assert_false(tarhdr_write(out, &h));
	h.mtime = 1;
	h.name[0] = '\0';
	assert_false(tarhdr_write(out, &h));
	memset(h.name, 'a', sizeof(h.name));
	assert_false(tarhdr_write(out, &h));
	assert_memory_equal(out, before, sizeof(out));
	h.name[100] = '\0';
	assert_true(tarhdr_write(out, &h));
}

static void
bytes_after_the_name_are_not_written(void **state)
{
	struct tarhdr a = {"n", 1, 1, '0'}, b = {"nothing else", 1, 1, '0'};
	uint8_t x[TARHDR_SIZE], y[TARHDR_SIZE];

	(void)state;
	b.name[1] = '\0';
	assert_true(tarhdr_write(x, &a));
	assert_true(tarhdr_write(y, &b));
	assert_memory_equal(x, y, sizeof(x));
}

static void
zero_block_has_no_other_byte(void **state)
{
	uint8_t in[TARHDR_SIZE] = {0};
	struct tarhdr h;
	size_t i;

	(void)state;
	assert_true(tarhdr_zero(in));
	assert_false(tarhdr_read(in, &h));
	for (i = 0; i < TARHDR_SIZE; i++) {
		in[i] = 1;
		assert_false(tarhdr_zero(in));
		in[i] = 0;
	}
}

static void
padding_fills_the_block(void **state)
{
	(void)state;
	assert_int_equal(tarhdr_padding(0), 0);
	assert_int_equal(tarhdr_padding(1), 511);
	assert_int_equal(tarhdr_padding(511), 1);
	assert_int_equal(tarhdr_padding(512), 0);
	assert_int_equal(tarhdr_padding(513), 511);
	assert_int_equal(tarhdr_padding(UINT64_MAX), 1);
	assert_int_equal(tarhdr_padding(UINT64_MAX - 511), 0);
	assert_int_equal(tarhdr_padding(UINT64_MAX - 510), 511);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(written_header_is_that_of_gnu_tar),
	    cmocka_unit_test(header_of_gnu_tar_is_read),
	    cmocka_unit_test(all_sizes_round_trip),
	    cmocka_unit_test(large_sizes_have_the_stated_forms),
	    cmocka_unit_test(one_changed_byte_is_never_the_same_header),
	    cmocka_unit_test(right_sum_does_not_help_a_second_spelling),
	    cmocka_unit_test(bad_fields_are_not_written),
	    cmocka_unit_test(bytes_after_the_name_are_not_written),
	    cmocka_unit_test(zero_block_has_no_other_byte),
	    cmocka_unit_test(padding_fills_the_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
