#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/format.h"

extern const struct format format_pickle;

/*
 * What an attacker can make the machine spend: at most one second of CPU and
 * 256 MiB for each of these.  The sanitizers make the machine some five times
 * slower, so the bound on time is that of the release build times five.
 */
#define MEMORY (256 * MIB)
#define SECONDS 5.0

struct told {
	unsigned calls, limits, anomalies;
};

static int
on_call(void *ctx, const struct ev_call *c)
{
	struct told *t = ctx;
	struct buf b;

	buf_init(&b, LIMIT_RENDER);
	format_call_args(c, &b);	/* rendering is bounded too */
	buf_release(&b);
	t->calls++;
	return 0;
}

static int
on_anomaly(void *ctx, const struct ev_anomaly *a)
{
	struct told *t = ctx;

	t->anomalies++;
	t->limits += a->id == ANOMALY_LIMIT;
	return 0;
}

static struct told
run(struct buf *b)
{
	static const struct events ev = {.call = on_call,
	    .anomaly = on_anomaly};
	struct told told = {0};
	struct err e = ERR_INIT;
	struct parse p = {.ev = &ev, .ctx = &told, .e = &e};
	struct bytesrc *src;
	clock_t begin = clock();
	int r;

	assert_int_equal(buf_failed(b), 0);
	assert_non_null(src = bytesrc_mem(b->p, b->len, &e));
	assert_non_null(p.arena = arena_new(MEMORY));
	p.src = src;
	p.size = b->len;
	r = format_pickle.parse(&p);
	assert_true(r >= 0 || r == ERR_NOMEM || r == ERR_LIMIT);
	arena_free(p.arena);
	bytesrc_free(src);
	buf_release(b);
	assert_true((double)(clock() - begin) / CLOCKS_PER_SEC < SECONDS);
	return told;
}

static void
start(struct buf *b)
{
	buf_init(b, 64 * MIB);
	buf_put(b, "\x80\x04", 2);
}

static void
put_call(struct buf *b)
{
	buf_put(b, "\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R0", 18);
}

static void
put_u32(struct buf *b, char op, uint32_t v)
{
	const char p[5] = {op, (char)(uint8_t)v, (char)(uint8_t)(v >> 8),
	    (char)(uint8_t)(v >> 16), (char)(uint8_t)(v >> 24)};

	buf_put(b, p, 5);
}

static void
ten_to_the_27_leaves_cost_nothing(void **state)
{
	struct told t;
	struct buf b;

	(void)state;
	start(&b);
	put_call(&b);
	buf_puts(&b, "cos\nsystem\n\x8c\x01z\x85");
	for (unsigned i = 0; i < 90; i++)
		buf_puts(&b, "2\x86");
	buf_puts(&b, "R.");
	t = run(&b);
	assert_int_equal(t.calls, 2);
}

static void
tuples_60_000_deep_cost_nothing(void **state)
{
	struct told t;
	struct buf b;

	(void)state;
	start(&b);
	buf_puts(&b, "cos\nsystem\nN");
	for (unsigned i = 0; i < 60000; i++)
		buf_putc(&b, '\x85');
	buf_puts(&b, "R.");
	t = run(&b);
	assert_int_equal(t.calls, 1);
}

static void
a_call_before_an_endless_length_is_told(void **state)
{
	struct told t;
	struct buf b;

	(void)state;
	start(&b);
	put_call(&b);
	buf_put(&b, "\x8e\0\0\0\0\0\1\0\0abc", 12);	/* 1 TiB of bytes */
	t = run(&b);
	assert_int_equal(t.calls, 1);
	assert_true(t.anomalies > 0);
}

static void
memo_slots_far_apart_are_bounded(void **state)
{
	struct told t;
	struct buf b;

	(void)state;
	start(&b);
	put_call(&b);
	buf_putc(&b, 'N');
	put_u32(&b, 'r', UINT32_MAX);
	put_u32(&b, 'j', UINT32_MAX);
	buf_puts(&b, "0.");
	t = run(&b);
	assert_int_equal(t.limits, 0);

	/* A million slots in reach of nothing. */
	start(&b);
	put_call(&b);
	buf_putc(&b, 'N');
	for (uint32_t i = 1; i < 1000000; i++)
		put_u32(&b, 'r', i * 2654435761U | 0x80000000U);
	buf_putc(&b, '.');
	t = run(&b);
	assert_int_equal(t.calls, 1);
	assert_int_equal(t.limits, 1);
}

/* A hundred thousand times each opcode that looks something up. */
static void
lookups_do_not_grow_with_the_stream(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} bodies[] = {
	    {"h\0" "0", 3},			/* the memo */
	    {"h\1h\0a0", 6},			/* append on an instance */
	    {"h\1(h\0h\0u0", 8},		/* setitems on one */
	    {"cm\nf\n0", 6},			/* a global */
	    {"cos\n_os._os._os.a.b.c\n0", 24},	/* a walk */
	    {"h\1}b0", 5},			/* BUILD */
	    {"h\2)R0", 5},			/* a call of a call */
	};
	struct told t;
	struct buf b;

	(void)state;
	for (size_t k = 0; k < sizeof(bodies) / sizeof(bodies[0]); k++) {
		start(&b);
		put_call(&b);
		buf_put(&b, "Nq\0" "0cm\nC\n)\x81q\1" "0cm\nf\n)Rq\2" "0",
		    25);
		for (unsigned i = 0; i < 100000; i++)
			buf_put(&b, bodies[k].p, bodies[k].n);
		buf_puts(&b, "N.");
		t = run(&b);
		assert_true(t.calls >= 3);
	}
}

static void
a_hundred_thousand_names_are_a_limit(void **state)
{
	struct told t;
	struct buf b;

	(void)state;
	start(&b);
	put_call(&b);
	for (unsigned i = 0; i < 100000; i++)
		buf_printf(&b, "cm\nf%u\n0", i);
	buf_puts(&b, "N.");
	t = run(&b);
	assert_int_equal(t.calls, 1);
	assert_true(t.limits >= 1);
}

static void
what_folding_makes_is_bounded(void **state)
{
	struct told t;
	struct buf b;

	(void)state;
	start(&b);
	put_call(&b);
	buf_puts(&b, "\x8c\x0a" "0123456789q\1");
	for (unsigned i = 0; i < 64; i++)	/* s = s + s */
		buf_puts(&b, "0coperator\nadd\nh\1h\1\x86Rq\1");
	buf_puts(&b, ".");
	t = run(&b);
	assert_int_equal(t.calls, 65);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ten_to_the_27_leaves_cost_nothing),
	    cmocka_unit_test(tuples_60_000_deep_cost_nothing),
	    cmocka_unit_test(a_call_before_an_endless_length_is_told),
	    cmocka_unit_test(memo_slots_far_apart_are_bounded),
	    cmocka_unit_test(lookups_do_not_grow_with_the_stream),
	    cmocka_unit_test(a_hundred_thousand_names_are_a_limit),
	    cmocka_unit_test(what_folding_makes_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
