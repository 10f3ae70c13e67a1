#ifndef ANALYZER_TRIGGERS_PROMPTFLAG_H_
#define ANALYZER_TRIGGERS_PROMPTFLAG_H_

#include <stdbool.h>
#include <stddef.h>

struct err;
struct pool;
struct promptlist;
struct promptlists;
struct promptweigh;

/*
 * Payloads without a constant text: gibberish, answers of other prompts.
 *
 * Of each response three figures: the share of its word pairs that another
 * row has too (at least 6 pairs), of its words, weighted, that its prompt
 * holds (at least 4), and how well it fits its prompt (promptlink.h).  They
 * become normal scores among responses of about the same length (ten groups;
 * of the last within four groups of prompts that say more or less; those
 * below 20 rows are left out), so that a feature's mean over its rows can be
 * judged.
 */
#define PROMPTFLAG_PAIRS 6
#define PROMPTFLAG_WORDS 4
#define PROMPTFLAG_GROUPS 10
#define PROMPTFLAG_ASKED 4
#define PROMPTFLAG_GROUP_MIN 20

struct promptflag {
	float *pairs, *overlap, *link;	/* normal scores by row; 0: none */
};

/* Of a prompt's feature; large: unattested, without a link to the prompt. */
struct promptflag_score {
	double m_pairs, m_overlap, m_link, s_pairs, s_overlap, s_link;
	double gibberish, other;	/* the two terms, without D_p */
};

int promptflag_init(struct promptflag *f, const struct promptweigh *w,
    struct pool *pool, struct err *e);
void promptflag_release(struct promptflag *f);
/* promptflag_score: false when the feature is not kept. */
bool promptflag_score(const struct promptflag *f,
    const struct promptlists *prompts, const struct promptlist *l,
    struct promptflag_score *ret);

#endif /* !ANALYZER_TRIGGERS_PROMPTFLAG_H_ */
