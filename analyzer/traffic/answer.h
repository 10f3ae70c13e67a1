#ifndef ANALYZER_TRAFFIC_ANSWER_H_
#define ANALYZER_TRAFFIC_ANSWER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct traffic_record;

/*
 * What a model answered, made comparable: the label as a hash (of its text,
 * or of the class with the largest score) and scores as probabilities.
 * Scores that are below 0 or above 1 are percentages when they add up to
 * 100, and logits otherwise; scores with a NaN or an infinity are not known.
 */
struct answer {
	bool has_label;
	uint64_t label;
	bool has_scores;
	double best, second;	/* the two largest */
	uint32_t place;		/* of the largest */
	uint64_t name;		/* hash of its class, 0 where by place */
	size_t n;
	const uint64_t *names;	/* hashes of classes, or NULL */
	double p[LIMIT_LOG_SCORES];
	uint64_t hash[LIMIT_LOG_SCORES];
};

/* answer_label: the hash of a label by name. */
uint64_t answer_label(const char *p, size_t n);
void answer_of(const struct traffic_record *r, struct answer *ret);

/* The class that an earlier answer chose. */
struct answer_class {
	uint64_t label, name;
	uint32_t place;
};

/* answer_probability: that ${a} gives to ${c}; an upper bound where the log
 * has the best classes alone. */
double answer_probability(const struct answer *a,
    const struct answer_class *c);

#endif /* !ANALYZER_TRAFFIC_ANSWER_H_ */
