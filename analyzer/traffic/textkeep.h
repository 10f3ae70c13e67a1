#ifndef ANALYZER_TRAFFIC_TEXTKEEP_H_
#define ANALYZER_TRAFFIC_TEXTKEEP_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wordrun;

/*
 * Texts with their labels, kept to be looked at together: bytes and words,
 * up to LIMIT_TRAFFIC_KEPT texts and LIMIT_TRAFFIC_KEPT_BYTES in all, and an
 * index by all the words of a text.
 */
struct textkeep_text {
	size_t off;		/* of its bytes */
	uint32_t len, words, label;
	size_t word;		/* its first one */
	float best;		/* largest probability; -1: not known */
	bool near;		/* an earlier one of its caller */
	uint64_t number, hash;
};

struct textkeep;

struct textkeep *textkeep_new(void);	/* NULL: out of memory */
void textkeep_free(struct textkeep *k);
/* textkeep_add: 1 kept, 0 no room or there already; negative: no memory. */
int textkeep_add(struct textkeep *k, const struct textkeep_text *t,
    const char *p, const struct wordrun *w);
size_t textkeep_count(const struct textkeep *k);
const struct textkeep_text *textkeep_at(const struct textkeep *k, size_t i);
const char *textkeep_bytes(const struct textkeep *k, size_t i);
const uint32_t *textkeep_words(const struct textkeep *k, size_t i);
uint64_t textkeep_words_in_all(const struct textkeep *k);

/* The hash of words goes on from one to the next. */
static inline uint64_t
textkeep_step(uint64_t h, uint32_t word)
{
	return h * 0x9fb21c651e98df25U + word + 1;
}

/*
 * textkeep_find: the text whose words have this hash, textkeep_count when
 * there is none.  Equal hashes are not yet equal words.
 */
size_t textkeep_find(const struct textkeep *k, uint64_t hash);

#endif /* !ANALYZER_TRAFFIC_TEXTKEEP_H_ */
