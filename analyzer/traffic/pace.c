#include <math.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/traffic/pace.h"

#define NS ((int64_t)1000000000)
#define QUIET_HOURS 6

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

void
pace_time(struct pace *p, int64_t ns)
{
	int64_t second = floor_div(ns, NS), minute = floor_div(second, 60);

	if (p->timed == 0)
		p->first_ns = ns;
	else if (ns >= p->last_ns)
		figures_sample_add(&p->interval,
		    ((double)ns - (double)p->last_ns) / 1e9);
	p->last_ns = ns;
	if (p->timed++ == 0 || second != p->second)
		p->in_second = 0;
	if (p->timed == 1 || minute != p->minute)
		p->in_minute = 0;
	p->second = second;
	p->minute = minute;
	if (++p->in_second > p->most_second)
		p->most_second = p->in_second;
	if (++p->in_minute > p->most_minute)
		p->most_minute = p->in_minute;
	second = floor_div(second, 3600);
	p->hour[(second % PACE_HOURS + PACE_HOURS) % PACE_HOURS]++;
}

void
pace_label(struct pace *p, uint64_t label)
{
	unsigned i = 0;

	while (i < p->labels && p->label[i] != label)
		i++;
	if (i == PACE_LABELS) {
		p->other_labels++;
		return;
	}
	if (i == p->labels) {
		p->label[p->labels] = label;
		p->labelled[p->labels++] = 0;
	}
	p->labelled[i]++;
}

static uint64_t
hours_from(const uint64_t *hour, unsigned from)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < QUIET_HOURS; i++)
		n += hour[(from + i) % PACE_HOURS];
	return n;
}

unsigned
pace_quiet(const uint64_t hour[PACE_HOURS])
{
	unsigned best = 0;

	for (unsigned i = 1; i < PACE_HOURS; i++)
		if (hours_from(hour, i) < hours_from(hour, best))
			best = i;
	return best;
}

static void
tell_times(struct pace *p, unsigned quiet, struct basis *b)
{
	size_t n = figures_sample_count(&p->interval);
	double span = ((double)p->last_ns - (double)p->first_ns) / 1e9;
	uint64_t hour[PACE_HOURS];
	double median;

	if (p->timed == 0)
		return;
	if (span > 0)
		basis_f64(b, "requests_per_second", (double)p->timed / span);
	basis_u64(b, "burst_second", p->most_second);
	basis_u64(b, "burst_minute", p->most_minute);
	if (n > 0) {
		median = figures_median(p->interval.v, n);
		basis_f64(b, "interval_median", median);
		if (median > 0)
			basis_f64(b, "interval_spread",
			    (figures_quantile(p->interval.v, n, 0.75) -
			    figures_quantile(p->interval.v, n, 0.25)) /
			    median);
	}
	for (unsigned i = 0; i < PACE_HOURS; i++)
		hour[i] = p->hour[i];
	basis_f64(b, "quiet_share", (double)hours_from(hour, quiet) /
	    (double)p->timed);
}

void
pace_tell(struct pace *p, unsigned quiet, uint64_t labels, struct basis *b)
{
	double n = (double)p->other_labels, entropy = 0;

	tell_times(p, quiet, b);
	for (unsigned i = 0; i < p->labels; i++)
		n += (double)p->labelled[i];
	for (unsigned i = 0; i < p->labels; i++) {
		double q = (double)p->labelled[i] / n;

		entropy -= q > 0 ? q * log2(q) : 0;
	}
	if (n > 0) {
		basis_u64(b, "labels", p->labels);
		if (labels > 0)
			basis_f64(b, "label_coverage", (double)p->labels /
			    (double)labels);
		basis_f64(b, "label_entropy", entropy);
	}
	if (p->errors > 0)
		basis_u64(b, "errors", p->errors);
}
