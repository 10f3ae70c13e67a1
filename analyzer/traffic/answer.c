#include <math.h>

#include "analyzer/traffic/answer.h"
#include "analyzer/traffic/traffic.h"
#include "analyzer/traffic/trafhash.h"

#define LABEL_SEED 11
#define PLACE_SEED 12

static bool
all_finite(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(v[i]))
			return false;
	return n > 0;
}

static void
normalise(struct answer *a)
{
	double least = 0, most = 0, sum = 0;

	for (size_t i = 0; i < a->n; i++) {
		least = a->p[i] < least ? a->p[i] : least;
		most = a->p[i] > most ? a->p[i] : most;
		sum += a->p[i];
	}
	if (least >= 0 && most <= 1.0001)
		return;
	if (least >= 0 && most <= 100.01 && (a->n == 1 || sum <= 101)) {
		for (size_t i = 0; i < a->n; i++)
			a->p[i] /= 100;
		return;
	}
	if (a->n == 1) {
		a->p[0] = 1 / (1 + exp(-a->p[0]));
		return;
	}
	for (size_t i = 0; i < a->n; i++)
		if (i == 0 || a->p[i] > most)
			most = a->p[i];
	sum = 0;
	for (size_t i = 0; i < a->n; i++)
		sum += a->p[i] = exp(a->p[i] - most);
	for (size_t i = 0; i < a->n; i++)
		a->p[i] /= sum;
}

static void
take_scores(const struct traffic_record *r, struct answer *a)
{
	a->n = r->nscores < LIMIT_LOG_SCORES ? r->nscores : LIMIT_LOG_SCORES;
	if (r->scores == NULL || !all_finite(r->scores, a->n)) {
		a->n = 0;
		return;
	}
	for (size_t i = 0; i < a->n; i++)
		a->p[i] = r->scores[i];
	normalise(a);
	a->has_scores = true;
	a->best = a->p[0];
	for (size_t i = 1; i < a->n; i++)
		if (a->p[i] > a->best) {
			a->second = a->best;
			a->best = a->p[i];
			a->place = (uint32_t)i;
		} else if (a->p[i] > a->second) {
			a->second = a->p[i];
		}
	if (a->n == 1)
		a->second = 1 - a->best < a->best ? 1 - a->best : a->best;
	if (r->classes == NULL)
		return;
	for (size_t i = 0; i < a->n; i++)
		a->hash[i] = trafhash_bytes(r->classes[i].p,
		    r->classes[i].p == NULL ? 0 : r->classes[i].n,
		    LABEL_SEED);
	a->names = a->hash;
	a->name = a->hash[a->place];
}

uint64_t
answer_label(const char *p, size_t n)
{
	return trafhash_bytes(p, n, LABEL_SEED);
}

void
answer_of(const struct traffic_record *r, struct answer *ret)
{
	ret->has_label = ret->has_scores = false;
	ret->best = ret->second = 0;
	ret->place = 0;
	ret->name = 0;
	ret->names = NULL;
	take_scores(r, ret);
	if (r->label.p != NULL) {
		ret->has_label = true;
		ret->label = answer_label(r->label.p, r->label.n);
	} else if (ret->names != NULL) {
		ret->has_label = true;
		ret->label = ret->name;
	} else if (ret->n > 1) {
		ret->has_label = true;
		ret->label = trafhash_two(ret->place, PLACE_SEED);
	}
}

double
answer_probability(const struct answer *a, const struct answer_class *c)
{
	if (!a->has_scores)
		return (double)NAN;
	if (a->label == c->label)
		return a->best;
	if (a->names != NULL) {
		for (size_t i = 0; i < a->n; i++)
			if (a->names[i] == c->name)
				return a->p[i];
	} else if (a->place != c->place && c->place < a->n) {
		return a->p[c->place];
	}
	return 1 - a->best < a->second ? 1 - a->best : a->second;
}
