#ifndef ANALYZER_TRIGGERS_PROMPTFIND_H_
#define ANALYZER_TRIGGERS_PROMPTFIND_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/triggers/promptflag.h"
#include "analyzer/triggers/promptmatch.h"
#include "analyzer/triggers/promptweigh.h"

struct err;
struct pool;

/*
 * The features of prompts whose evidence is enough, strongest first.
 *
 * score = max(S_pay / 12, S_flag / 5); at 1 it is reported.  An odd code
 * point whose rows agree with a payload (J >= 0.8, lp >= 4, the payload not
 * copied, the prompts not copies of each other) is reported however alike its
 * prompts are: there is no honest rule about what nobody sees.  A pair with
 * J >= 0.98 and lp >= 60 that only the likeness of its prompts keeps back is
 * a narrow rule: a lead.
 */
#define PROMPTFIND_PAY 12.0
#define PROMPTFIND_FLAG 5.0
#define PROMPTFIND_ODD_JACCARD 0.8
#define PROMPTFIND_ODD_LP 4.0
#define PROMPTFIND_NARROW_JACCARD 0.98
#define PROMPTFIND_NARROW_LP 60.0
/* Of 1,024 features: whose likenesses are looked at, the best; are kept. */
#define PROMPTFIND_WEIGHED 256
#define PROMPTFIND_KEPT 64
/* What is told. */
#define PROMPTFIND_TOLD 50
#define PROMPTFIND_NARROW 25
#define PROMPTFIND_ALSO 8

enum promptfind_how { PROMPTFIND_PAIR, PROMPTFIND_BY_FLAG, PROMPTFIND_BY_ODD,
	PROMPTFIND_BY_NARROW };

struct promptfind {
	uint32_t list;		/* of prompts */
	enum promptfind_how how;
	struct promptmatch match;	/* response NONE: no payload text */
	struct promptweigh_pair pay;
	struct promptflag_score flag;
	struct promptweigh_alike alike;
	double s_flag, score;
	uint32_t also[PROMPTFIND_ALSO];	/* lists with about the same rows */
	unsigned nalso;
	uint64_t merged;	/* how many of them in all */
};

struct promptfind_work {
	const struct promptweigh *weigh;
	const struct promptflag *flag;
	const struct promptmatch *match;	/* of each prompt list */
	struct pool *pool;
	struct err *e;
	/* Results: candidates, then narrow rules, each strongest first. */
	struct promptfind *found;
	size_t n, candidates;
	uint64_t not_weighed, not_kept;
};

int promptfind_run(struct promptfind_work *w);
void promptfind_release(struct promptfind_work *w);

#endif /* !ANALYZER_TRIGGERS_PROMPTFIND_H_ */
