#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/format_case.h"
#include "tests/lib/pickle_script.h"

extern const struct format format_pickle;

static struct format_case c;

#define SYS "os.system('x')"
#define OS "G:importlib:import_module ( 'os t R"

/* A way to reach a call without naming it, and the call. */
static const struct {
	const char *script, *call;
} ways[] = {
    /* names */
    {"G:random:_os.system ( 'x t R .", SYS},
    {"G:pathlib:os.system ( 'x t R .", SYS},
    {"G:torch:serialization.os.system ( 'x t R .", SYS},
    {"G:builtins:eval.__call__ ( 'x t R .", "builtins.eval('x')"},
    {"G:builtins:print.__self__.eval ( 'x t R .", "builtins.eval('x')"},
    {"G:copy:copy.__globals__ 'zz #94 0 G:operator:getitem ( "
     "G:copy:__builtins__ 'eval t R ( 'x t R .", "builtins.eval('x')"},
    {"G:copy:__builtins__.get ( 'eval t R ( 'x t R .", "builtins.eval('x')"},
    {"G:sys:modules.get ( 'os t R 0 G:builtins:getattr ( G:sys:modules.get "
     "( 'os t R 'system t R ( 'x t R .", SYS},
    {"G:sys:modules 'zz " OS " s 0 G:zz:system ( 'x t R .", SYS},
    /* getters and callables */
    {"G:builtins:getattr ( " OS " 'system t R ( 'x t R .", SYS},
    {"G:builtins:object.__getattribute__ ( " OS " 'system t R ( 'x t R .",
     SYS},
    {"G:operator:attrgetter ( 'system t R ( " OS " t R ( 'x t R .", SYS},
    {"G:operator:attrgetter ( 'os.system t R ( G:importlib:import_module ( "
     "'pathlib t R t R ( 'x t R .", SYS},
    {"G:operator:methodcaller ( 'system 'x t R ( " OS " t R .", SYS},
    {"G:operator:itemgetter ( 'eval t R ( G:copy:__builtins__ t R ( 'x t R .",
     "builtins.eval('x')"},
    {"G:builtins:dict.get ( G:copy:__builtins__ 'eval t R ( 'x t R .",
     "builtins.eval('x')"},
    {"G:functools:partial ( G:os:system 'x t R ) R .", SYS},
    {"G:functools:partial ( G:os:system 'x t #81 ) R .", SYS},
    {"G:functools:partial ( G:functools:partial ( G:os:system t R 'x t R ) "
     "R .", SYS},
    {"G:types:MethodType ( G:os:system 'x t R ) R .", SYS},
    {"G:functools:reduce ( G:builtins:getattr ( " OS " 'system l t R "
     "( 'x t R .", SYS},
    {"G:pkgutil:resolve_name ( 'os:system t R ( 'x t R .", SYS},
    {"G:pydoc:locate ( 'os.system t R ( 'x t R .", SYS},
    /* callers */
    {"G:builtins:map ( G:os:system ( 'x l t R .", SYS},
    {"G:itertools:starmap ( G:os:system ( ( 'x t l t R .", SYS},
    {"G:atexit:register ( G:os:system 'x t R .", SYS},
    {"G:_thread:start_new_thread ( G:os:system ( 'x t t R .", SYS},
    {"G:weakref:finalize ( N G:os:system 'x t R .", SYS},
    {"G:collections:defaultdict ( G:os:getcwd t R .", "os.getcwd()"},
    {"G:torch._tensor:_rebuild_from_type_v2 ( G:os:system N ( 'x t N t R .",
     SYS},
    {"G:threading:Thread ) } 'target G:os:system s 'args ( 'x t s #92 .",
     SYS},
    /* planted */
    {"G:collections:Counter ) #81 } '__setstate__ G:os:system s b 'x b .",
     SYS},
    {"G:m:C ) #81 } 'append G:os:system s b 'x a .", SYS},
    {"G:m:C ) #81 } 'add G:os:system s b ( 'x #90 .", SYS},
    {"G:m:C ( N } 'append G:os:system s t b 0 G:m:C ) #81 'x a .", SYS},
    {"G:builtins:type ( 'X ) } 'append G:os:system s t R ) R 'x a .", SYS},
    {"G:builtins:type ( 'X ) } '__init__ G:os:system s t R ( 'x t R .", SYS},
    {"G:numpy:prod ( N } 'a 'os s t b 0 'numpy 'prod.a #93 'system #93 "
     "( 'x t R .", SYS},
    {"G:builtins:setattr ( G:m:f 'a G:os:system t R 0 G:m:f.a ( 'x t R .",
     SYS},
    {"G:copyreg:_inverted_registry K #07 ( 'os 'system t s 0 #82 #07 "
     "( 'x t R .", SYS},
    /* computed text */
    {"G:builtins:str.join ( ' ( 'o 's l t R 'system #93 ( 'x t R .", SYS},
    {"G:_codecs:decode ( 'bf 'rot13 t R 'system #93 ( 'x t R .", SYS},
    {"G:operator:add ( 'o 's t R 'system #93 ( 'x t R .", SYS},
    {"G:builtins:str.replace ( 'qs 'q 'o t R 'system #93 ( 'x t R .", SYS},
    {"G:builtins:str.lower ( 'OS t R 'system #93 ( 'x t R .", SYS},
    {"G:operator:getitem ( 'so G:builtins:slice ( N N J #ff #ff #ff #ff t R "
     "t R 'system #93 ( 'x t R .", SYS},
    {"G:builtins:str ( G:base64:b64decode ( 'b3M= t R 'utf-8 t R 'system #93 "
     "( 'x t R .", SYS},
    {"G:builtins:str ( G:binascii:unhexlify ( '6f73 t R 'ascii t R 'system "
     "#93 ( 'x t R .", SYS},
    {"G:builtins:str ( G:builtins:bytes ( ( K o K s l t R 'ascii t R 'system "
     "#93 ( 'x t R .", SYS},
};

static void
assembled(const char *script)
{
	char p[1024];
	size_t n = pickle_script(script, p, sizeof(p));

	format_case_run(&c, &format_pickle, p, n, 0);
}

static void
every_way_around_a_name_is_followed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		assembled(ways[i].script);
		if (!format_case_called(&c, ways[i].call))
			fail_msg("%s: %s is not seen (%u calls, last %s)",
			    ways[i].script, ways[i].call, c.calls,
			    c.calls > 0 ? c.call[c.calls - 1] : "none");
	}
}

static void
every_way_keeps_the_laws(void **state)
{
	const char *broken;
	char p[1024];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		n = pickle_script(ways[i].script, p, sizeof(p));
		if ((broken = format_case_laws(&format_pickle, p, n)) !=
		    NULL || (broken = format_case_truncate(&format_pickle, p,
		    n)) != NULL || (broken = format_case_mutate(
		    &format_pickle, p, n, 100, (uint32_t)i)) != NULL)
			fail_msg("%s: %s", ways[i].script, broken);
	}
}

/* What is no alias must not become one. */
static void
a_name_stays_what_it_is(void **state)
{
	static const char *const calls[][2] = {
	    {"G:timeit:timeit ( 'x t R .", "timeit.timeit('x')"},
	    {"G:os:path.join ( 'x t R .", "os.path.join('x')"},
	    {"G:pathlib:Path.glob ( 'x t R .", "pathlib.Path.glob('x')"},
	    {"G:numpy:random.rand ( 'x t R .", "numpy.random.rand('x')"},
	    {"G:torch:multiprocessing.Queue ( 'x t R .",
		"torch.multiprocessing.Queue('x')"},
	    {"G:datetime:datetime ( 'x t R .", "datetime.datetime('x')"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		assembled(calls[i][0]);
		if (!format_case_called(&c, calls[i][1]))
			fail_msg("%s: got %s", calls[i][1], c.call[0]);
	}
}

static void
what_the_unpickler_refuses_is_no_call(void **state)
{
	(void)state;
	assembled("G:os:system 'x } 'a N s #92 .");
	assert_int_equal(c.calls, 0);
	assert_true(format_case_has(&c, ANOMALY_PICKLE_BAD_ARGUMENT));
	assembled("G:os:system ( 'x t 'a #92 .");
	assert_true(format_case_has(&c, ANOMALY_PICKLE_BAD_ARGUMENT));
}

static void
a_stream_for_a_loader_is_a_member(void **state)
{
	(void)state;
	assembled("G:pickle:loads ( < G:os:system ( 'x t R . > t R .");
	assert_int_equal(c.members, 2);	/* the constant, and what is loaded */
	assert_int_equal(c.member_flags[0], MEMBER_VIRTUAL | MEMBER_DORMANT);
	assert_int_equal(c.member_flags[1], MEMBER_VIRTUAL);
	assert_memory_equal(c.member[1], "pickle.loads@", 13);
	assembled("G:torch:load ( G:io:BytesIO ( < K #01 . > t R t R .");
	assert_memory_equal(c.member[c.members - 1], "torch.load@", 11);
}

static void
a_constant_that_is_no_pickle_is_no_member(void **state)
{
	(void)state;
	assembled("C #03 a b c .");
	assert_int_equal(c.members, 0);
}

static void
an_unbuffered_reader_runs_another_program(void **state)
{
	static const char p[] = "\x80\x05N(\x95\x02\0\0\0\0\0\0\0B\x07\x01\0\0"
	    "\0\0" "0\x8c\x02os\x8c\x06system\x93(\x8c\x01xtR0";
	char whole[400];
	size_t n = sizeof(p) - 1;

	(void)state;
	memcpy(whole, p, n);
	memset(whole + n, 'N', sizeof(whole) - n);
	/* BINBYTES of 263 bytes, then POP_MARK and STOP. */
	memcpy(whole + 18 + 263, "1.", 2);
	format_case_run(&c, &format_pickle, whole, 18 + 263 + 2, 0);
	assert_true(format_case_has(&c, ANOMALY_PICKLE_FRAME));
	assert_true(format_case_called(&c, SYS));
}

static void
a_pickle_behind_junk_is_carved(void **state)
{
	static const char *const tails[] = {"\x80\x04\x8c\x02os\x8c\x06system"
	    "\x93(\x8c\x01xtR.", "cos\nsystem\n(S'x'\ntR.",
	    "(cos\nsystem\nS'x'\no.", "\x8c\x02os\x94\x8c\x06system\x94\x93("
	    "\x8c\x01xtR."};
	char p[256];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		memcpy(p, "N.\xff\xfe junk", 9);
		memcpy(p + 9, tails[i], strlen(tails[i]));
		format_case_run(&c, &format_pickle, p, 9 + strlen(tails[i]),
		    0);
		if (!format_case_called(&c, SYS))
			fail_msg("tail %zu is not found", i);
		p[0] = '\xff';	/* and behind what is no opcode */
		format_case_run(&c, &format_pickle, p, 9 + strlen(tails[i]),
		    0);
		assert_true(format_case_called(&c, SYS));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_way_around_a_name_is_followed),
	    cmocka_unit_test(every_way_keeps_the_laws),
	    cmocka_unit_test(a_name_stays_what_it_is),
	    cmocka_unit_test(what_the_unpickler_refuses_is_no_call),
	    cmocka_unit_test(a_stream_for_a_loader_is_a_member),
	    cmocka_unit_test(a_constant_that_is_no_pickle_is_no_member),
	    cmocka_unit_test(an_unbuffered_reader_runs_another_program),
	    cmocka_unit_test(a_pickle_behind_junk_is_carved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
