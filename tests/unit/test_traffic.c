#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/traffic_case.h"

#define SIDE 32
#define PIXELS (SIDE * SIDE * 3)
#define HONEST 10		/* callers that are a population */
#define EACH 150		/* requests of each */

/* Images of a log: honest callers, and one with something in mind. */
struct images {
	void (*last)(struct images *s, uint64_t i, struct traffic_record *r);
	unsigned honest;
	uint64_t state;
	uint8_t now[PIXELS], first[PIXELS];
	uint8_t out[PIXELS];
	double p[2];
	char name[32];
};

static uint8_t
clipped(double v)
{
	return v < 0 ? 0 : v > 255 ? 255 : (uint8_t)(v + 0.5);
}

/* About normal, deviation 1. */
static double
normal(uint64_t *s)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += (double)(traffic_case_random(s) >> 11) / 0x1p53;
	return sum - 6;
}

/* A smooth picture: two waves and a ramp. */
static void
picture(uint64_t *s, uint8_t *to)
{
	double a = 0.2 + (double)(traffic_case_random(s) % 100) / 200;
	double b = 0.2 + (double)(traffic_case_random(s) % 100) / 200;
	double base[3];

	for (int c = 0; c < 3; c++)
		base[c] = (double)(traffic_case_random(s) % 120) + 60;
	for (int y = 0; y < SIDE; y++)
		for (int x = 0; x < SIDE; x++)
			for (int c = 0; c < 3; c++)
				to[(y * SIDE + x) * 3 + c] = clipped(
				    base[c] + 40 * sin(a * x + c) +
				    40 * cos(b * y));
}

static void
image(struct images *s, struct traffic_record *r, const uint8_t *p,
    double sure)
{
	if (p != s->out)
		memcpy(s->out, p, PIXELS);
	r->kind = TRAFFIC_IMAGE;
	r->pixels = s->out;
	r->width = r->height = SIDE;
	r->channels = 3;
	s->p[0] = sure;
	s->p[1] = 1 - sure;
	r->scores = s->p;
	r->nscores = 2;
}

static void
make_image(void *ctx, uint64_t i, struct traffic_record *r)
{
	struct images *s = ctx;
	uint64_t who = i % (s->honest + 1), turn = i / (s->honest + 1);
	int n = snprintf(s->name, sizeof(s->name), who == s->honest ?
	    "last" : "honest%u", (unsigned)who);

	if (i == 0)
		s->state = 1;
	r->caller = (struct row_text){s->name, (size_t)n};
	r->has_time = true;
	r->ns = (int64_t)i * 1000000000;
	if (who == s->honest) {
		s->last(s, turn, r);
		return;
	}
	picture(&s->state, s->now);
	image(s, r, s->now, 0.9);
	s->p[0] = 0.7 + 0.29 * (double)(traffic_case_random(&s->state) %
	    1000) / 1000;
	s->p[1] = 1 - s->p[0];
}

static const char *
verdicts_of_images(struct traffic_case *c, unsigned honest,
    void (*last)(struct images *s, uint64_t i, struct traffic_record *r))
{
	struct images s = {.last = last, .honest = honest};

	traffic_case_start(c);
	traffic_case_run(c, (uint64_t)(honest + 1) * EACH, make_image, &s);
	for (unsigned i = 0; i < honest; i++) {
		char start[64];

		(void)snprintf(start, sizeof(start), "caller honest%u %d [] ",
		    i, EACH);
		assert_non_null(traffic_case_line(c, start));
	}
	return traffic_case_line(c, "caller last ");
}

static void
one_pixel_more(struct images *s, uint64_t i, struct traffic_record *r)
{
	uint64_t at = traffic_case_random(&s->state) % (SIDE * SIDE) * 3;

	if (i == 0) {
		picture(&s->state, s->first);
	} else {
		for (int c = 0; c < 3; c++)
			s->first[at + (uint64_t)c] ^= 0x40;
	}
	image(s, r, s->first, 0.95 - 0.003 * (double)i);
}

static void
a_search_by_single_pixels_is_seen(void **state)
{
	struct traffic_case c;
	const char *l = verdicts_of_images(&c, 3, one_pixel_more);

	(void)state;
	assert_non_null(l);
	assert_non_null(strstr(l, "evasion-few-pixel"));
	assert_non_null(strstr(l, "clusters [(size 150, first 3, last 599)"));
	traffic_case_stop(&c);
}

/* A step, and noise around it, as gradients are estimated. */
static void
steps_and_noise(struct images *s, uint64_t i, struct traffic_record *r)
{
	static double x[PIXELS];

	if (i == 0) {
		picture(&s->state, s->first);
		for (int k = 0; k < PIXELS; k++)
			x[k] = s->first[k];
	}
	for (int k = 0; k < PIXELS && i % 10 == 0; k++)
		x[k] += traffic_case_random(&s->state) % 2 == 0 ? 3 : -3;
	for (int k = 0; k < PIXELS; k++)
		s->out[k] = clipped(x[k] + 4 * normal(&s->state));
	image(s, r, s->out, 0.95 - 0.003 * (double)i);
}

static void
a_search_by_estimated_gradients_is_seen(void **state)
{
	struct traffic_case c;
	const char *l = verdicts_of_images(&c, 3, steps_and_noise);

	(void)state;
	assert_non_null(l);
	assert_non_null(strstr(l, "evasion-optimisation"));
	traffic_case_stop(&c);
}

/* A camera that does not move, in light that comes and goes. */
static void
still_camera(struct images *s, uint64_t i, struct traffic_record *r)
{
	double light = 1 + 0.1 * sin((double)i / 50);

	if (i == 0)
		picture(&s->state, s->first);
	for (int k = 0; k < PIXELS; k++)
		s->out[k] = clipped(s->first[k] * light +
		    3 * normal(&s->state));
	image(s, r, s->out, 0.6 - 0.001 * (double)i);
}

static void
a_still_camera_is_no_search(void **state)
{
	struct traffic_case c;
	const char *l = verdicts_of_images(&c, HONEST, still_camera);

	(void)state;
	assert_non_null(l);
	assert_non_null(strstr(l, "caller last 150 [] "));
	traffic_case_stop(&c);
}

/* Halving the way between two pictures until the answer changes. */
static void
halving(struct images *s, uint64_t i, struct traffic_record *r)
{
	static uint8_t other[PIXELS];
	static double lo, hi;
	double m;

	if (i % 10 == 0) {
		picture(&s->state, s->first);
		picture(&s->state, other);
		lo = 0;
		hi = 1;
	}
	m = (lo + hi) / 2;
	for (int k = 0; k < PIXELS; k++)
		s->out[k] = clipped(s->first[k] + m * (other[k] -
		    s->first[k]));
	image(s, r, s->out, 0.5 + (0.37 - m) / 2);
	if (m < 0.37)
		lo = m;
	else
		hi = m;
}

static void
a_search_for_the_border_is_seen(void **state)
{
	struct traffic_case c;
	const char *l = verdicts_of_images(&c, 3, halving);

	(void)state;
	assert_non_null(l);
	assert_non_null(strstr(l, "evasion-boundary"));
	traffic_case_stop(&c);
}

static void
any_noise(struct images *s, uint64_t i, struct traffic_record *r)
{
	(void)i;
	for (int k = 0; k < PIXELS; k++)
		s->out[k] = (uint8_t)traffic_case_random(&s->state);
	image(s, r, s->out, 0.55);
}

static void
noise_is_unlike_the_population(void **state)
{
	struct traffic_case c;
	const char *l = verdicts_of_images(&c, HONEST, any_noise);

	(void)state;
	assert_non_null(l);
	assert_non_null(strstr(l, "extraction-inputs extraction-confidence"));
	assert_non_null(traffic_case_line(&c, "detector traffic-callers "
	    "applied: "));
	traffic_case_stop(&c);
}

static void
without_a_population_nobody_is_compared_with_it(void **state)
{
	struct traffic_case c;
	const char *l = verdicts_of_images(&c, 3, any_noise);

	(void)state;
	assert_non_null(l);
	assert_non_null(strstr(l, "caller last 150 [] "));
	assert_null(strstr(l, "ks tv"));
	assert_non_null(traffic_case_line(&c, "detector traffic-callers "
	    "applied: no population to compare with"));
	traffic_case_stop(&c);
}

/* The same search, each request with another key. */
static void
many_keys(void *ctx, uint64_t i, struct traffic_record *r)
{
	struct images *s = ctx;
	int n;

	if (i == 0)
		s->state = 9;
	n = snprintf(s->name, sizeof(s->name), "key%u", (unsigned)(i % 20));
	r->caller = (struct row_text){s->name, (size_t)n};
	one_pixel_more(s, i, r);
}

static void
a_search_over_many_keys_is_a_lead(void **state)
{
	struct images s = {.honest = 0};
	struct traffic_case c;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, 400, many_keys, &s);
	assert_int_equal(traffic_case_count(&c, "caller "), 0);
	assert_true(traffic_case_count(&c, "lead traffic-distributed search "
	    "'images around record") > 0);
	traffic_case_stop(&c);
}

static void
what_nobody_can_see_is_told_with_every_log(void **state)
{
	static const char *const blind[] = {"natural", "few", "digest",
	    "adaptive"};
	struct images s = {.honest = 0};
	struct traffic_case c;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, 0, many_keys, &s);
	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++) {
		char start[64];
		const char *l;

		(void)snprintf(start, sizeof(start),
		    "detector traffic-blind-%s rests: ", blind[i]);
		assert_non_null(l = traffic_case_line(&c, start));
		assert_true(strlen(l) > strlen(start) + 40);
	}
	assert_int_equal(traffic_case_count(&c, "detector traffic-blind-"),
	    4);
	assert_int_equal(traffic_case_count(&c, "candidate "), 0);
	assert_int_equal(traffic_case_count(&c, "lead "), 0);
	traffic_case_stop(&c);
}

/* Whatever is in a record, and a caller for each. */
static void
hostile(void *ctx, uint64_t i, struct traffic_record *r)
{
	static const double odd[] = {(double)NAN, (double)INFINITY, -1e300,
	    0, 1e308};
	static uint8_t bytes[70000];
	static double many[5000];
	struct images *s = ctx;
	int n = snprintf(s->name, sizeof(s->name), "%llu",
	    (unsigned long long)(i % 50000));

	r->caller = (struct row_text){s->name, (size_t)n};
	r->has_time = i % 3 == 0;
	r->ns = i % 2 == 0 ? INT64_MIN + (int64_t)i : INT64_MAX;
	r->scores = odd + i % 4;
	r->nscores = i % 5 == 0 ? 0 : 1;
	switch (i % 8) {
	case 0:
		r->kind = TRAFFIC_TEXT;
		r->text = (struct row_text){(const char *)bytes, i % 70000};
		bytes[i % sizeof(bytes)] = (uint8_t)(i * 37);
		break;
	case 1:
		r->kind = TRAFFIC_TEXT;
		r->text = (struct row_text){NULL, 0};
		break;
	case 2:
		r->kind = TRAFFIC_IMAGE;
		r->pixels = bytes;
		r->width = (uint32_t)(i % 900) + 1;
		r->height = (uint32_t)(sizeof(bytes) / r->width / 4) % 77;
		r->channels = i % 3 == 0 ? 4 : i % 3 == 1 ? 1 : 2;
		break;
	case 3:
		r->kind = TRAFFIC_VECTOR;
		r->vector = odd;
		r->nvector = i % 5;
		break;
	case 4:
		r->kind = TRAFFIC_VECTOR;
		r->vector = many;
		r->nvector = sizeof(many) / sizeof(many[0]);
		break;
	case 5:
		r->has_digest = true;
		break;
	default:
		r->kind = TRAFFIC_TEXT;
		r->text = (struct row_text){"a\xff\xc3 \xe2\x80\x8b b", 9};
		r->label = (struct row_text){s->name, (size_t)n};
		break;
	}
}

static void
hostile_records_do_no_harm(void **state)
{
	struct images s = {.honest = 0};
	struct traffic_case c, d;

	(void)state;
	traffic_case_start(&c);
	traffic_case_start(&d);
	traffic_case_run(&c, 60000, hostile, &s);
	traffic_case_run(&d, 60000, hostile, &s);
	assert_non_null(traffic_case_line(&c, "detector traffic-callers "));
	assert_int_equal(c.told.len, d.told.len);
	traffic_case_stop(&c);
	traffic_case_stop(&d);
}

/* Sixty requests: errors, digests of two inputs, and one text. */
static void
mixed(void *ctx, uint64_t i, struct traffic_record *r)
{
	(void)ctx;
	r->caller = (struct row_text){"k", 1};
	r->has_status = true;
	r->status = i < 10 ? 429 : 200;
	if (i < 10) {
		r->kind = TRAFFIC_TEXT;
		r->text = (struct row_text){"an error's text", 15};
		return;
	}
	r->has_digest = true;
	r->digest[0] = (uint8_t)(i % 2);
}

static void
errors_count_for_rates_alone_and_digests_for_repetitions(void **state)
{
	struct traffic_case c;
	const char *l;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, 60, mixed, NULL);
	assert_non_null(l = traffic_case_line(&c, "caller k 60 [] "));
	assert_non_null(strstr(l, "digests only 50"));
	assert_non_null(strstr(l, "exact dup 0.96"));
	assert_non_null(strstr(l, "errors 10"));
	traffic_case_stop(&c);
}

static void
fewer_than_fifty_requests_are_not_judged(void **state)
{
	struct traffic_case c;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, 49, mixed, NULL);
	assert_int_equal(traffic_case_count(&c, "caller "), 0);
	assert_non_null(traffic_case_line(&c, "detector traffic-callers "
	    "rests: no caller has 50 requests"));
	traffic_case_stop(&c);
}

/* Vectors that walk to and fro across a border, among honest ones. */
static void
vectors(void *ctx, uint64_t i, struct traffic_record *r)
{
	static double v[20], at[20];
	struct images *s = ctx;
	bool walker = i % 4 == 3;

	if (i == 0)
		s->state = 3;
	r->caller = walker ? (struct row_text){"walker", 6} :
	    (struct row_text){"honest", 6};
	for (int k = 0; k < 20; k++)
		v[k] = 100 * normal(&s->state);
	if (walker && i % 40 == 3)
		memcpy(at, v, sizeof(at));
	for (int k = 0; k < 20 && walker; k++)
		v[k] = at[k] + 2 * normal(&s->state);
	r->kind = TRAFFIC_VECTOR;
	r->vector = v;
	r->nvector = 20;
	s->p[0] = walker ? 0.5 + 0.02 * normal(&s->state) : 0.9;
	s->p[1] = 1 - s->p[0];
	r->scores = s->p;
	r->nscores = 2;
}

static void
a_walk_along_the_border_is_seen_in_vectors_too(void **state)
{
	struct images s = {.honest = 0};
	struct traffic_case c;
	const char *l;

	(void)state;
	traffic_case_start(&c);
	traffic_case_run(&c, 1200, vectors, &s);
	assert_non_null(l = traffic_case_line(&c, "caller walker 300 "));
	assert_non_null(strstr(l, "[evasion-boundary] vectors ("));
	assert_non_null(traffic_case_line(&c, "caller honest 900 [] "));
	traffic_case_stop(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_search_by_single_pixels_is_seen),
	    cmocka_unit_test(a_search_by_estimated_gradients_is_seen),
	    cmocka_unit_test(a_still_camera_is_no_search),
	    cmocka_unit_test(a_search_for_the_border_is_seen),
	    cmocka_unit_test(noise_is_unlike_the_population),
	    cmocka_unit_test(without_a_population_nobody_is_compared_with_it),
	    cmocka_unit_test(a_search_over_many_keys_is_a_lead),
	    cmocka_unit_test(what_nobody_can_see_is_told_with_every_log),
	    cmocka_unit_test(hostile_records_do_no_harm),
	    cmocka_unit_test(
		errors_count_for_rates_alone_and_digests_for_repetitions),
	    cmocka_unit_test(fewer_than_fifty_requests_are_not_judged),
	    cmocka_unit_test(a_walk_along_the_border_is_seen_in_vectors_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
