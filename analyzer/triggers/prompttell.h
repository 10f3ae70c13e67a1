#ifndef ANALYZER_TRIGGERS_PROMPTTELL_H_
#define ANALYZER_TRIGGERS_PROMPTTELL_H_

#include <stddef.h>
#include <stdint.h>

struct detect;
struct promptfind_work;

/* How much was looked at, for the rows of the detectors. */
struct prompttell {
	const struct detect *d;
	const struct promptfind_work *find;	/* NULL: too few records */
	uint64_t seen, taken, cut;	/* records */
	uint64_t odd_cut;		/* with more odd code points */
	uint64_t words_lost, features_left_out, partners_left_out;
	uint64_t bands_left_out;	/* too many responses agree in them */
	size_t prompts, responses;	/* row lists */
};

/* The least number of records: 6 % of fewer are not four. */
#define PROMPTTELL_LEAST 100

/* Candidates and leads in the order of their rank, then the detectors. */
int prompttell_run(const struct prompttell *t);

#endif /* !ANALYZER_TRIGGERS_PROMPTTELL_H_ */
