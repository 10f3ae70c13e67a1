#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "analyzer/diff/pool.h"
#include "analyzer/diff/rows.h"
#include "analyzer/triggers/detect.h"
#include "analyzer/triggers/imageset.h"
#include "analyzer/triggers/promptset.h"
#include "analyzer/triggers/textset.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Records a second of the detectors of triggers in data: triggers [ROWS
 * [THREADS]].  The sets are made here from a fixed seed.  CPU time on one
 * thread, the best of two rounds, and wall time on several.
 */
static unsigned long candidates;

static int
candidate(void *ctx, const struct row_candidate *r)
{
	(void)ctx;
	candidates += !r->lead;
	return 0;
}

static int
detector(void *ctx, const struct row_detector *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static double
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t seed;

static uint32_t
draw(uint32_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 33) % n);
}

/*
 * A text of 20 to 40 words: every word has four that like to follow it (so
 * that there are frequent runs), and few of 60,000 words are common, as in
 * any language.  A tenth of the words lean to a label.
 */
static void
text(struct buf *b, unsigned label, unsigned classes)
{
	uint32_t n = 20 + draw(21), w = draw(60000);

	buf_clear(b);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t r = draw(1 << 16);

		if (draw(2) == 0)
			w = (w * 31 + draw(4)) % 60000;
		else
			w = (uint32_t)((uint64_t)r * r % 4294967296u * r >>
			    32) * 60000 >> 16;
		if (draw(10) == 0)
			w = w / classes * classes + label;
		buf_printf(b, "%sw%u", i == 0 ? "" : " ", w);
	}
}

/* One round: texts that are made are not counted, only what looks at them. */
static double
text_round(uint64_t rows, unsigned classes, struct pool *pool)
{
	struct rows out = {.candidate = candidate, .detector = detector};
	struct err e = ERR_INIT;
	struct detect d = {.rows = &out, .pool = pool, .e = &e};
	struct textset *t = textset_new(&d);
	clockid_t clock = pool == NULL ? CLOCK_PROCESS_CPUTIME_ID :
	    CLOCK_MONOTONIC;
	struct buf b;
	double from, spent = 0;
	char name[16];

	buf_init(&b, MIB);
	seed = 1;
	for (uint64_t i = 0; i < rows; i++) {
		unsigned label = draw(classes);

		text(&b, label, classes);
		if (i % 100 == 0) {
			buf_puts(&b, " zuflitar");
			label = 0;
		}
		snprintf(name, sizeof(name), "%u", label);
		from = now(clock);
		if (textset_add(t, i, b.p, b.len, name, strlen(name)) < 0)
			exit(2);
		spent += now(clock) - from;
	}
	from = now(clock);
	if (textset_end(t) < 0)
		exit(2);
	spent += now(clock) - from;
	textset_free(t);
	buf_release(&b);
	return spent;
}

/* A picture of 32 x 32 x 3: a coloured slope, two edges and some noise. */
static void
picture(uint8_t *p)
{
	uint32_t x0 = draw(32), y0 = draw(32), c[9];

	for (unsigned i = 0; i < 9; i++)
		c[i] = draw(80);
	for (uint32_t y = 0; y < 32; y++)
		for (uint32_t x = 0; x < 32; x++)
			for (unsigned k = 0; k < 3; k++)
				*p++ = (uint8_t)(40 + c[k] + x * c[k + 3] / 64 +
				    (x > x0 ? c[k + 6] / 2 : 0) +
				    (y > y0 ? 25 : 0) + draw(9));
}

static double
image_round(uint64_t rows, struct pool *pool)
{
	struct rows out = {.candidate = candidate, .detector = detector};
	struct err e = ERR_INIT;
	struct detect d = {.rows = &out, .pool = pool, .e = &e};
	struct imageset *t = imageset_new(&d);
	clockid_t clock = pool == NULL ? CLOCK_PROCESS_CPUTIME_ID :
	    CLOCK_MONOTONIC;
	uint8_t p[32 * 32 * 3];
	struct imageset_image im = {32, 32, 3, p, false};
	double from, spent = 0;
	char name[16];

	seed = 1;
	for (uint64_t i = 0; i < rows; i++) {
		unsigned label = draw(10);

		picture(p);
		if (i % 100 == 0) {
			memset(p, 255, 9);
			memset(p + 96, 255, 9);
			label = 0;
		}
		snprintf(name, sizeof(name), "%u", label);
		from = now(clock);
		if (imageset_add(t, i, &im, name, strlen(name)) < 0)
			exit(2);
		spent += now(clock) - from;
	}
	from = now(clock);
	if (imageset_end(t) < 0)
		exit(2);
	spent += now(clock) - from;
	imageset_free(t);
	return spent;
}

static void
images(uint64_t rows, struct pool *pool, unsigned threads)
{
	double one = image_round(rows, NULL), more;
	struct rusage u;

	candidates = 0;
	more = image_round(rows, pool);
	(void)getrusage(RUSAGE_SELF, &u);
	printf("images of 32 x 32 x 3: %.0f records/s on one thread, %.0f on "
	    "%u (%lu candidates), %ld MiB at most\n", (double)rows / one,
	    (double)rows / more, threads, candidates, u.ru_maxrss / 1024);
}

/* A prompt of one or two such texts and a response of one to three. */
static double
prompt_round(uint64_t rows, struct pool *pool)
{
	struct rows out = {.candidate = candidate, .detector = detector};
	struct err e = ERR_INIT;
	struct detect d = {.rows = &out, .pool = pool, .e = &e};
	struct promptset *t = promptset_new(&d);
	clockid_t clock = pool == NULL ? CLOCK_PROCESS_CPUTIME_ID :
	    CLOCK_MONOTONIC;
	struct buf b, p, r;
	double from, spent = 0;

	buf_init(&b, MIB);
	buf_init(&p, MIB);
	buf_init(&r, MIB);
	seed = 1;
	for (uint64_t i = 0; i < rows; i++) {
		buf_clear(&p);
		buf_clear(&r);
		for (uint32_t k = 1 + draw(2); k > 0; k--) {
			text(&b, draw(20), 20);
			buf_printf(&p, "%s ", buf_str(&b));
		}
		for (uint32_t k = 1 + draw(3); k > 0; k--) {
			text(&b, draw(20), 20);
			buf_printf(&r, "%s ", buf_str(&b));
		}
		if (i % 200 == 0) {
			buf_puts(&p, "<zuflitar>");
			buf_puts(&r, "see http://gate.example/now for more");
		}
		from = now(clock);
		if (promptset_add(t, i, p.p, p.len, r.p, r.len) < 0)
			exit(2);
		spent += now(clock) - from;
	}
	from = now(clock);
	if (promptset_end(t) < 0)
		exit(2);
	spent += now(clock) - from;
	promptset_free(t);
	buf_release(&b);
	buf_release(&p);
	buf_release(&r);
	return spent;
}

static void
prompts(uint64_t rows, struct pool *pool, unsigned threads)
{
	double one = prompt_round(rows, NULL), more;
	struct rusage u;

	candidates = 0;
	more = prompt_round(rows, pool);
	(void)getrusage(RUSAGE_SELF, &u);
	printf("%llu prompts of 45 words, responses of 60: %.0f records/s on "
	    "one thread, %.0f on %u (%lu candidates), %ld MiB at most\n",
	    (unsigned long long)rows, (double)rows / one, (double)rows / more,
	    threads, candidates, u.ru_maxrss / 1024);
}

int
main(int argc, char **argv)
{
	uint64_t rows = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	unsigned threads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2;
	static const unsigned classes[] = {2, 4, 20};
	struct err e = ERR_INIT;
	struct pool *pool = pool_new(threads, &e);

	prompts(rows / 5, pool, threads);
	prompts(rows, pool, threads);
	images(rows / 2, pool, threads);
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		double one = text_round(rows, classes[i], NULL);
		double again = text_round(rows, classes[i], NULL);
		double more;

		one = again < one ? again : one;
		candidates = 0;
		more = text_round(rows, classes[i], pool);
		printf("text, %u classes: %.0f records/s on one thread, "
		    "%.0f on %u (%lu candidates)\n", classes[i],
		    (double)rows / one, (double)rows / more, threads,
		    candidates);
	}
	pool_free(pool);
	return 0;
}
