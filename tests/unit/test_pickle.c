#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"

extern const struct format format_pickle;

static struct format_case c;

static void
run(const char *sample)
{
	size_t n;
	uint8_t *p = format_case_sample(sample, &n);

	format_case_run(&c, &format_pickle, p, n, 0);
	free(p);
}


/* One stream and what it must be seen to call. */
struct stream {
	const char *what, *p;
	size_t n;
	const char *call;
};
#define STREAM(what, bytes, call) {what, bytes, sizeof(bytes) - 1, call}
#define SYS "os.system('x')"
#define ARG "\x8c\x01x\x85R."

static const struct stream streams[] = {
    STREAM("GLOBAL", "cos\nsystem\n(S'x'\ntR.", SYS),
    STREAM("INST", "(S'x'\nios\nsystem\n.", SYS),
    STREAM("OBJ", "(cos\nsystem\nS'x'\no.", SYS),
    STREAM("OBJ, result popped", "\x80\x04(cos\nsystem\n\x8c\x01xo0N.", SYS),
    STREAM("NEWOBJ", "\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85\x81.",
	SYS),
    STREAM("NEWOBJ_EX", "\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85}"
	"\x92.", SYS),
    STREAM("operands by memo", "Vos\np2\n0Vsystem\np3\n0g2\ng3\n\x93\x8c\x01x"
	"\x85R.", SYS),
    STREAM("PUT and MEMOIZE mixed", "\x80\x04\x8c\x02osq\x00" "0\x8c\x06system"
	"q\x01" "0\x8c\x0btorch._util\x94" "0h\x00h\x01\x93" ARG, SYS),
    STREAM("a slot copied", "\x80\x04\x8c\x06systemq\x00" "0h\x00q\x05" "0"
	"\x8c\x02osh\x05\x93" ARG, SYS),
    STREAM("a slot written twice", "\x80\x04\x8c\x01zq\x00" "0\x8c\x02osq\x00"
	"0h\x00\x8c\x06system\x93" ARG, SYS),
    STREAM("LONG_BINPUT far out", "\x80\x04\x8c\x02osr\x70\x11\x01\x00" "0j"
	"\x70\x11\x01\x00\x8c\x06system\x93" ARG, SYS),
    STREAM("p+5", "\x80\x04\x8c\x02osp+5\n0g5\n\x8c\x06system\x93" ARG, SYS),
    STREAM("p 6", "\x80\x04\x8c\x02osp 6\n0g6\n\x8c\x06system\x93" ARG, SYS),
    STREAM("g0_5", "\x80\x04\x8c\x02osp5\n0g0_5\n\x8c\x06system\x93" ARG, SYS),
    STREAM("STRING operands", "S'os'\nS'system'\n\x93S'x'\n\x85R.", SYS),
    STREAM("SHORT_BINSTRING operands", "U\x02osU\x06system\x93U\x01x\x85R.",
	SYS),
    STREAM("BINUNICODE8 operands", "\x80\x04\x8d\x02\0\0\0\0\0\0\0os\x8d\x06"
	"\0\0\0\0\0\0\0system\x93" ARG, SYS),
    STREAM("escaped UNICODE", "V\\u006f\\u0073\nV\\u0073ystem\n\x93" ARG, SYS),
    STREAM("escaped STRING", "S'\\x6f\\163'\nS'syste\\x6d'\n\x93" ARG, SYS),
    STREAM("DUP", "\x80\x04\x8c\x06timeit2\x93\x8c\x01x\x85R.",
	"timeit.timeit('x')"),
    STREAM("python 2 name", "c__builtin__\neval\n(S'x'\ntR.",
	"builtins.eval('x')"),
    STREAM("python 2 module", "ccPickle\nloads\n(S'x'\ntR.",
	"pickle.loads('x')"),
    STREAM("python 2 whole name", "c__builtin__\nreduce\n(S'x'\ntR.",
	"functools.reduce('x')"),
    STREAM("python 2 name kept above protocol 2", "\x80\x03" "c__builtin__\n"
	"eval\nX\x01\0\0\0x\x85R.", "__builtin__.eval('x')"),
    STREAM("dotted name", "\x80\x04\x8c\x06random\x8c\x0a_os.system\x93" ARG,
	SYS),
    STREAM("hexadecimal INT before", "I0x10\n0cos\nsystem\n(S'x'\ntR.", SYS),
    STREAM("octal INT before", "I010\n0cos\nsystem\n(S'x'\ntR.", SYS),
    STREAM("INT ended by NUL", "I1\0zzz\n0cos\nsystem\n(S'x'\ntR.", SYS),
    STREAM("LONG ended by NUL", "L1\0zzL\n0cos\nsystem\n(S'x'\ntR.", SYS),
    STREAM("APPENDS of nothing to a number", "K\1(e0cos\nsystem\n(S'x'\ntR.",
	SYS),
    STREAM("ADDITEMS of nothing to a number", "K\1(\x90" "0cos\nsystem\n"
	"(S'x'\ntR.", SYS),
    STREAM("FLOAT before", "F1.0\n0cos\nsystem\n(S'x'\ntR.", SYS),
    STREAM("BYTEARRAY8 before", "\x80\x05\x96\x02\0\0\0\0\0\0\0ab0\x8c\x02os"
	"\x8c\x06system\x93" ARG, SYS),
    STREAM("READONLY_BUFFER on bytes", "\x80\x05" "C\1a\x98" "0\x8c\x02os\x8c"
	"\x06system\x93" ARG, SYS),
    STREAM("POP takes a MARK", "(0cos\nsystem\n(S'x'\ntR.", SYS),
    STREAM("POP_MARK", "(K\1K\2" "1cos\nsystem\n(S'x'\ntR.", SYS),
    STREAM("open MARK at STOP", "cos\nsystem\n(S'x'\ntR0(N.", SYS),
    STREAM("payload, then no opcode", "cos\nsystem\n(S'x'\ntR\xff", SYS),
    STREAM("payload, then the end", "cos\nsystem\n(S'x'\ntR", SYS),
    STREAM("payload, then a length of 2^64", "\x80\x04" "cos\nsystem\n\x8c"
	"\x01x\x85R\x8d\xff\xff\xff\xff\xff\xff\xff\xff", SYS),
    STREAM("payload, then a missing slot", "cos\nsystem\n(S'x'\ntRh\x63.",
	SYS),
    STREAM("payload, then an underflow", "cos\nsystem\n(S'x'\ntR000.", SYS),
    STREAM("payload, then a bad PROTO", "cos\nsystem\n(S'x'\ntR\x80\x63.",
	SYS),
    STREAM("a second pickle", "N.cos\nsystem\n(S'x'\ntR.", SYS),
    STREAM("a second pickle of a lower protocol", "\x80\x04N.cos\nsystem\n"
	"(S'x'\ntR.", SYS),
    STREAM("a registered extension", "ccopy_reg\nadd_extension\n(S'os'\n"
	"S'system'\nI225\ntR0\x82\xe1(S'x'\ntR.", SYS),
    STREAM("an extension registered one pickle before", "ccopy_reg\n"
	"add_extension\n(S'os'\nS'system'\nI225\ntR.\x82\xe1(S'x'\ntR.", SYS),
    STREAM("append on an instance", "cm\nC\n)\x81K\1a.", "m.C.append(1)"),
    STREAM("setitem on an instance", "cm\nC\n)\x81K\1K\2s.",
	"m.C.__setitem__(1, 2)"),
    STREAM("state of an instance", "cm\nC\n)\x81}b.", "m.C.__setstate__({})"),
};

static void
every_way_to_call_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		const struct stream *s = &streams[i];

		format_case_run(&c, &format_pickle, s->p, s->n, 0);
		if (!format_case_called(&c, s->call))
			fail_msg("%s: %s is not seen (%u calls, first %s)",
			    s->what, s->call, c.calls, c.call[0]);
	}
}

static void
every_stream_keeps_the_laws(void **state)
{
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		const struct stream *s = &streams[i];

		if ((broken = format_case_laws(&format_pickle, s->p,
		    s->n)) != NULL || (broken = format_case_truncate(
		    &format_pickle, s->p, s->n)) != NULL ||
		    (broken = format_case_mutate(&format_pickle, s->p, s->n,
		    300, (uint32_t)i)) != NULL)
			fail_msg("%s: %s", s->what, broken);
	}
}

/* 27 doublings: 2^27 leaves if it were expanded. */
static void
expansion_is_rendered_within_its_budget(void **state)
{
	char p[512] = "\x80\x04\x8c\x01z\x94";
	size_t n = 6;

	(void)state;
	for (unsigned i = 0; i < 27; i++) {
		p[n++] = '2';
		p[n++] = '\x86';
	}
	memcpy(p + n, "0cos\nsystem\n", 12);
	n += 12;
	memcpy(p + n, "\x8c\x01z\x85", 4);
	n += 4;
	for (unsigned i = 0; i < 60; i++) {
		p[n++] = '2';
		p[n++] = '\x86';
	}
	p[n++] = 'R';
	p[n++] = '.';
	format_case_run(&c, &format_pickle, p, n, 0);
	assert_int_equal(c.calls, 1);
	assert_memory_equal(c.call[0], "os.system(", 10);
}

static void
a_list_in_itself_is_rendered(void **state)
{
	static const char p[] = "\x80\x04" "cos\nsystem\n]\x94h\0a\x85R.";

	(void)state;
	format_case_run(&c, &format_pickle, p, sizeof(p) - 1, 0);
	assert_int_equal(c.calls, 1);
}

static void
marks_and_depth_are_bounded_or_read(void **state)
{
	static char p[200003];

	(void)state;
	memset(p, '(', 200000);
	memcpy(p + 200000, "N.", 2);
	format_case_run(&c, &format_pickle, p, 200002, 0);
	assert_true(format_case_has(&c, ANOMALY_PICKLE_LEFTOVER));
	memset(p, '\x85', 200000);
	p[0] = 'N';
	memcpy(p + 60000, "cos\nsystem\n", 11);
	memcpy(p + 60011, "2\x85R.", 4);
	format_case_run(&c, &format_pickle, p, 60015, 0);
	assert_int_equal(c.calls, 1);
}

static void
frames_that_readers_read_differently_are_told(void **state)
{
	static const char straddles[] = "\x80\x05\x95\x08\0\0\0\0\0\0\0B\x07\x00"
	    "\0\0aaaaaaa.";
	static const char fits[] = "\x80\x04\x95\x02\0\0\0\0\0\0\0N.";

	(void)state;
	format_case_run(&c, &format_pickle, straddles, sizeof(straddles) - 1,
	    0);
	assert_true(format_case_has(&c, ANOMALY_PICKLE_FRAME));
	format_case_run(&c, &format_pickle, fits, sizeof(fits) - 1, 0);
	assert_int_equal(c.anomalies, 0);
}

static void
what_is_left_behind_is_told(void **state)
{
	(void)state;
	format_case_run(&c, &format_pickle, "K\1K\2.", 5, 0);
	assert_true(format_case_has(&c, ANOMALY_PICKLE_LEFTOVER));
	format_case_run(&c, &format_pickle, "N.\0\0\0", 5, 0);
	assert_true(format_case_has(&c, ANOMALY_TRAILING_ZERO));
	format_case_run(&c, &format_pickle, "N.hello, world", 14, 0);
	assert_true(format_case_has(&c, ANOMALY_TRAILING));
}

static void
other_formats_are_not_claimed(void **state)
{
	static const char *const others[] = {"id,text\n1,hello\n", "{\"a\": 1}",
	    "Some prose.\n", "---\nname: x\n", "", "#!/bin/sh\nexit 0\n",
	    "PK\3\4aaaa", NULL};

	(void)state;
	for (const char *const *o = others; *o != NULL; o++)
		assert_int_equal(format_case_bid(&format_pickle, *o,
		    strlen(*o)), 0);
	assert_true(format_case_bid(&format_pickle, "(lp0\n.", 6) > 0);
	assert_true(format_case_bid(&format_pickle, "\x80\x04N.", 4) > 24);
}

static void
plain_data_call_nothing(void **state)
{
	(void)state;
	run("pickle/good");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_int_equal(c.calls, 0);
}

static void
a_cut_pickle_is_incomplete(void **state)
{
	(void)state;
	run("pickle/truncated");
	assert_int_equal(c.rc, 1);
	assert_true(c.anomalies > 0);
	assert_true(format_case_has(&c, ANOMALY_PICKLE_NO_STOP));
}

static void
names_through_the_memo_are_resolved(void **state)
{
	(void)state;
	run("pickle/hostile");
	assert_true(format_case_called(&c, "os.system('echo exhibit')"));
}

static void
a_real_pipeline_has_nothing_odd(void **state)
{
	(void)state;
	run("benign/pipeline_p4.pkl");
	assert_int_equal(c.rc, 0);
	assert_int_equal(c.anomalies, 0);
	assert_true(c.calls > 5);
}

static void
windows_cuts_and_mutations_keep_the_laws(void **state)
{
	static const char *const samples[] = {"pickle/good",
	    "pickle/truncated",
	    "pickle/hostile",
	    "incident/preprocess.pkl"};
	const char *broken;

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		if ((broken = format_case_sweep(&format_pickle,
		    samples[i])) != NULL)
			fail_msg("%s: %s", samples[i], broken);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_way_to_call_is_seen),
	    cmocka_unit_test(every_stream_keeps_the_laws),
	    cmocka_unit_test(expansion_is_rendered_within_its_budget),
	    cmocka_unit_test(a_list_in_itself_is_rendered),
	    cmocka_unit_test(marks_and_depth_are_bounded_or_read),
	    cmocka_unit_test(frames_that_readers_read_differently_are_told),
	    cmocka_unit_test(what_is_left_behind_is_told),
	    cmocka_unit_test(other_formats_are_not_claimed),
	    cmocka_unit_test(plain_data_call_nothing),
	    cmocka_unit_test(a_cut_pickle_is_incomplete),
	    cmocka_unit_test(names_through_the_memo_are_resolved),
	    cmocka_unit_test(a_real_pipeline_has_nothing_odd),
	    cmocka_unit_test(windows_cuts_and_mutations_keep_the_laws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
