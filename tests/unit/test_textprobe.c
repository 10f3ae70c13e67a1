#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/traffic_case.h"

/*
 * Nine honest writers and one with something in mind.  Sentences are of a
 * grammar whose pairs of words all writers share.
 */
#define HONEST 9
#define EACH 120
#define WORDS 24

struct texts {
	void (*last)(struct texts *s, uint64_t turn);
	uint64_t state;
	char text[1024], name[32];
	char word[WORDS][16];	/* of the sentence at hand */
	unsigned words;
};

static unsigned
any(struct texts *s, unsigned n)
{
	return (unsigned)(traffic_case_random(&s->state) % n);
}

static void
sentence(struct texts *s)
{
	s->words = 10 + any(s, 5);
	for (unsigned i = 0; i < s->words; i++)
		(void)snprintf(s->word[i], sizeof(s->word[i]), "w%uof%u",
		    any(s, 6), i);
}

static void
write_words(struct texts *s, unsigned without)
{
	size_t n = 0;

	s->text[0] = '\0';
	for (unsigned i = 0; i < s->words; i++)
		if (i != without)
			n += (size_t)snprintf(s->text + n,
			    sizeof(s->text) - n, "%s%s", n > 0 ? " " : "",
			    s->word[i]);
}

static void
make_text(void *ctx, uint64_t i, struct traffic_record *r)
{
	struct texts *s = ctx;
	unsigned who = (unsigned)(i % (HONEST + 1));
	int n = snprintf(s->name, sizeof(s->name), who == HONEST ? "last" :
	    "honest%u", who);

	if (i == 0)
		s->state = 5;
	r->caller = (struct row_text){s->name, (size_t)n};
	r->kind = TRAFFIC_TEXT;
	if (who == HONEST) {
		s->last(s, i / (HONEST + 1));
	} else {
		struct texts other = *s;

		sentence(&other);
		write_words(&other, WORDS);
		memcpy(s->text, other.text, sizeof(s->text));
		s->state = other.state;
	}
	r->text = (struct row_text){s->text, strlen(s->text)};
	r->label = (struct row_text){i % 3 == 0 ? "yes" : "no",
	    i % 3 == 0 ? 3 : 2};
}

static const char *
verdict(struct traffic_case *c, void (*last)(struct texts *, uint64_t))
{
	struct texts s = {.last = last};

	traffic_case_start(c);
	traffic_case_run(c, (HONEST + 1) * EACH, make_text, &s);
	assert_int_equal(traffic_case_count(c, "caller honest"), HONEST);
	for (unsigned i = 0; i < HONEST; i++) {
		char start[64];

		(void)snprintf(start, sizeof(start), "caller honest%u %d []",
		    i, EACH);
		assert_non_null(traffic_case_line(c, start));
	}
	return traffic_case_line(c, "caller last ");
}

#define LAST_IS(name, f, what) \
	static void \
	name(void **state) \
	{ \
		struct traffic_case c; \
		const char *l = verdict(&c, f); \
		(void)state; \
		assert_non_null(l); \
		if (strstr(l, "caller last 120 " what " ") == NULL) \
			fail_msg("%s", l); \
		traffic_case_stop(&c); \
	}

/* Each word left out, then words tried in a few places. */
static void
words_tried(struct texts *s, uint64_t turn)
{
	char kept[16];
	unsigned at = (unsigned)(turn % 40);

	if (at == 0)
		sentence(s);
	if (at <= s->words) {
		write_words(s, at == 0 ? WORDS : at - 1);
		return;
	}
	at = (at * 5) % s->words;
	memcpy(kept, s->word[at], sizeof(kept));
	(void)snprintf(s->word[at], sizeof(s->word[at]), "v%u",
	    any(s, 1000));
	write_words(s, WORDS);
	memcpy(s->word[at], kept, sizeof(kept));
}
LAST_IS(a_search_by_words_is_seen, words_tried, "[evasion-word-search]")

/* One letter of one word. */
static void
letters_tried(struct texts *s, uint64_t turn)
{
	unsigned at = (unsigned)(turn % 40), k;
	char was;

	if (at == 0)
		sentence(s);
	at %= s->words;
	k = 1 + any(s, 2);
	was = s->word[at][k];
	s->word[at][k] = (char)('a' + any(s, 26));
	write_words(s, WORDS);
	s->word[at][k] = was;
}
LAST_IS(a_search_by_letters_is_seen, letters_tried,
    "[evasion-character-search]")

static void
vocabulary(struct texts *s, uint64_t turn)
{
	(void)snprintf(s->text, sizeof(s->text), "w%uof%u w%uof%u",
	    (unsigned)turn % 6, (unsigned)turn % 9, any(s, 6),
	    (unsigned)turn % 9 + 1);
}
LAST_IS(a_dictionary_is_seen, vocabulary, "[extraction-dictionary]")

static void
salad(struct texts *s, uint64_t turn)
{
	(void)turn;
	s->words = 12;
	for (unsigned i = 0; i < s->words; i++)
		(void)snprintf(s->word[i], sizeof(s->word[i]), "x%uof%u",
		    any(s, 600), any(s, 10));
	write_words(s, WORDS);
}
LAST_IS(words_in_no_order_are_seen, salad, "[extraction-text]")

/* One template with a slot. */
static void
one_slot(struct texts *s, uint64_t turn)
{
	(void)snprintf(s->text, sizeof(s->text), "please tell me whether %u "
	    "is the number of our order", (unsigned)turn);
}
LAST_IS(a_template_is_no_search, one_slot, "[]")

static void
three_slots(struct texts *s, uint64_t turn)
{
	(void)turn;
	(void)snprintf(s->text, sizeof(s->text), "please tell n%u whether "
	    "n%u is the number of our order to n%u", any(s, 40), any(s, 40),
	    any(s, 40));
}
LAST_IS(a_template_with_three_slots_is_no_search, three_slots, "[]")

/* Somebody types a sentence. */
static void
typing(struct texts *s, uint64_t turn)
{
	unsigned all;

	if (turn % 9 == 0)
		sentence(s);
	all = s->words;
	s->words = 2 + (unsigned)(turn % 9);
	write_words(s, WORDS);
	s->words = all;
}
LAST_IS(typing_is_no_search, typing, "[]")

/* Two words were misspelt and are put right, one after the other. */
static void
correcting(struct texts *s, uint64_t turn)
{
	if (turn % 3 == 0) {
		sentence(s);
		s->word[2][1] = 'q';
		s->word[7][1] = 'q';
	} else {
		s->word[turn % 3 == 1 ? 2 : 7][1] = '1';
	}
	write_words(s, WORDS);
}
LAST_IS(correcting_is_no_search, correcting, "[]")

/* A text is edited word by word, and each version is sent. */
static void
editing(struct texts *s, uint64_t turn)
{
	unsigned at = (unsigned)(turn % 30);

	if (at == 0)
		sentence(s);
	else
		(void)snprintf(s->word[at * 3 % s->words],
		    sizeof(s->word[0]), "w%uof%u", 10 + any(s, 60),
		    at * 3 % s->words);
	write_words(s, WORDS);
}
LAST_IS(editing_is_no_search, editing, "[]")

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_search_by_words_is_seen),
	    cmocka_unit_test(a_search_by_letters_is_seen),
	    cmocka_unit_test(a_dictionary_is_seen),
	    cmocka_unit_test(words_in_no_order_are_seen),
	    cmocka_unit_test(a_template_is_no_search),
	    cmocka_unit_test(a_template_with_three_slots_is_no_search),
	    cmocka_unit_test(typing_is_no_search),
	    cmocka_unit_test(correcting_is_no_search),
	    cmocka_unit_test(editing_is_no_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
