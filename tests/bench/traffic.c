#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "analyzer/traffic/traffic.h"
#include "base/err.h"

/*
 * The judge of callers on logs that are made while it runs: traffic
 * [MILLIONS].  Records a second of CPU time, both passes and the end, without
 * the making of records (which is timed alone and taken off), and the largest
 * memory.  Images are 32 x 32 x 3 of a hundred callers, of which half search
 * around one image: every one of their 600 earlier ones is near.
 */
#define SIDE 32
#define PIXELS (SIDE * SIDE * 3)

struct log {
	uint64_t callers, records;
	bool images;
	uint8_t base[64][PIXELS], now[PIXELS];
	char text[512], name[32];
	double p[10];
};

static uint64_t
mixed(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

static void
make_image(struct log *l, uint64_t i, uint64_t who)
{
	if (who % 2 == 0) {
		memcpy(l->now, l->base[who % 64], PIXELS);
		for (unsigned k = 0; k < 8; k++)
			l->now[mixed(i * 8 + k) % PIXELS] ^= 0x30;
		return;
	}
	memcpy(l->now, l->base[mixed(i) % 64], PIXELS);
	for (unsigned k = 0; k < PIXELS; k += 8)
		l->now[k] = (uint8_t)(l->now[k] + mixed(i + k));
}

static size_t
make_text(struct log *l, uint64_t i)
{
	size_t n = 0;

	/* Words of a language: few are frequent, most are rare. */
	for (uint64_t k = 0, m = 12 + mixed(i) % 17; k < m; k++) {
		uint64_t w = mixed(i * 32 + k) >> 40;

		w = w * w / ((uint64_t)1 << 24) * w / ((uint64_t)1 << 24) %
		    30000;
		l->text[n++] = k > 0 ? ' ' : '<';
		for (w++; w > 0; w /= 26)
			l->text[n++] = (char)('a' + w % 26);
		l->text[n++] = 's';
	}
	return n;
}

static void
make(struct log *l, uint64_t i, struct traffic_record *r)
{
	uint64_t who = mixed(i) % l->callers;
	int n = snprintf(l->name, sizeof(l->name), "key-%llu",
	    (unsigned long long)who);

	*r = (struct traffic_record){.number = i, .has_time = true,
	    .ns = (int64_t)i * 1000000, .caller = {l->name, (size_t)n},
	    .endpoint = {"/v1", 3}, .label = {i % 3 == 0 ? "a" : "b", 1},
	    .scores = l->p, .nscores = 10};
	l->p[0] = 0.4 + (double)(i % 50) / 100;
	if (l->images) {
		make_image(l, i, who);
		r->kind = TRAFFIC_IMAGE;
		r->pixels = l->now;
		r->width = r->height = SIDE;
		r->channels = 3;
	} else {
		r->kind = TRAFFIC_TEXT;
		r->text = (struct row_text){l->text, make_text(l, i)};
	}
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static int
on_caller(void *ctx, const struct row_caller *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
pass(struct log *l, struct traffic *t,
    int (*take)(struct traffic *t, const struct traffic_record *r))
{
	struct traffic_record r;

	for (uint64_t i = 0; i < l->records; i++) {
		make(l, i, &r);
		if (t != NULL && take(t, &r) < 0) {
			(void)fprintf(stderr, "bench: traffic failed\n");
			exit(1);
		}
	}
}

static void
measure(const char *name, struct log *l)
{
	struct err e = ERR_INIT;
	struct rows rows = {.candidate = on_candidate,
	    .detector = on_detector};
	struct traffic_out o = {.d = {.rows = &rows, .e = &e},
	    .caller = on_caller};
	struct traffic *t = traffic_new(&o);
	double t0 = now(), t1, t2;
	struct rusage u;

	if (t == NULL)
		exit(1);
	pass(l, NULL, NULL);
	t1 = now();
	pass(l, t, traffic_count);
	if (traffic_ready(t) < 0)
		exit(1);
	pass(l, t, traffic_add);
	if (traffic_end(t) < 0)
		exit(1);
	t2 = now();
	traffic_free(t);
	(void)getrusage(RUSAGE_SELF, &u);
	(void)printf("%-8s %8llu records %8llu callers %7.2f us each, %8.0f "
	    "a second, %5ld MB\n", name, (unsigned long long)l->records,
	    (unsigned long long)l->callers,
	    (t2 - t1 - 2 * (t1 - t0)) / (double)l->records * 1e6,
	    (double)l->records / (t2 - t1 - 2 * (t1 - t0)),
	    u.ru_maxrss / 1024);
}

int
main(int argc, char **argv)
{
	static struct log l;
	uint64_t millions = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;

	for (unsigned i = 0; i < 64; i++)
		for (unsigned k = 0; k < PIXELS; k++)
			l.base[i][k] = (uint8_t)(mixed(i * 64 + k / 96) % 200 +
			    mixed(i) % 40 + k % 96 / 8);
	l.callers = 100;
	l.records = 200000;
	measure("texts", &l);
	l.records = 100000;
	l.images = true;
	measure("images", &l);
	if (millions == 0)
		return 0;
	l.records = millions * 1000000;
	l.callers = 6000;
	measure("images", &l);
	l.images = false;
	measure("texts", &l);
	l.callers = millions * 1000000;
	measure("texts", &l);
	return 0;
}
