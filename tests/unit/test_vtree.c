#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"
#include "formats/names.h"
#include "formats/vtree.h"

/*
 * A member as text: its kind, its name, and the target behind " -> ".
 * f file, e empty file, d folder, l symbolic link, h hard link, b device,
 * p fifo, s setuid file.
 */
static unsigned seen[ANOMALY_COUNT];
static uint64_t at[ANOMALY_COUNT];

static int
on_anomaly(void *ctx, const struct ev_anomaly *a)
{
	(void)ctx;
	at[a->id] = a->off;
	seen[a->id]++;
	return 0;
}

static const struct events events = {.anomaly = on_anomaly};

static struct vtree_member
member(const char *text, uint64_t off)
{
	static const struct {
		char letter;
		enum vtree_kind kind;
	} kinds[] = {{'f', VTREE_FILE}, {'e', VTREE_FILE}, {'s', VTREE_FILE},
	    {'d', VTREE_FOLDER}, {'l', VTREE_SYMLINK}, {'h', VTREE_HARDLINK},
	    {'b', VTREE_DEVICE}, {'p', VTREE_FIFO}};
	const char *arrow = strstr(text, " -> ");
	struct vtree_member m = {.name = text + 2, .off = off,
	    .name_len = strlen(text + 2), .empty = *text == 'e',
	    .mode = *text == 's' ? 04755 : 0644};

	if (arrow != NULL) {
		m.name_len = (size_t)(arrow - m.name);
		m.link = arrow + 4;
		m.link_len = strlen(m.link);
	}
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].letter == *text)
			m.kind = kinds[i].kind;
	return m;
}

/* How many anomalies come of the members, the list ending with NULL? */
static unsigned
replay(const char *const *list)
{
	struct parse p = {.ev = &events, .arena = arena_new(64 * MIB)};
	struct vtree *t = vtree_new(&p, ANOMALY_TAR_DUPLICATE);
	unsigned total = 0;

	memset(seen, 0, sizeof(seen));
	assert_non_null(t);
	for (uint64_t i = 0; list[i] != NULL; i++) {
		struct vtree_member m = member(list[i], i);

		assert_int_equal(vtree_add(t, &m), 0);
	}
	assert_int_equal(vtree_end(t), 0);
	for (unsigned i = 0; i < ANOMALY_COUNT; i++)
		total += seen[i];
	arena_free(p.arena);
	return total;
}

#define REPLAY(...) replay((const char *const[]){__VA_ARGS__, NULL})

static void
an_honest_archive_is_silent(void **state)
{
	(void)state;
	assert_int_equal(REPLAY("d ./", "d ./a/", "f ./a/x", "f ./a/y",
	    "l ./a/z -> x", "l ./b -> a/y", "h ./c -> ./a/x",
	    "l ./a/up -> ../b", "d ./a", "f ./B/x", "f ./b2/x"), 0);
}

static void
a_chain_of_links_is_followed_where_it_lies(void **state)
{
	(void)state;
	/* Each target looks harmless beside its own name. */
	REPLAY("l a -> .", "l a/b -> ..", "f a/b/x");
	assert_int_equal(seen[ANOMALY_LINK_OUTSIDE], 2);
	assert_true(seen[ANOMALY_LINK_THROUGH] > 0);
	REPLAY("d d", "l d/up -> ..", "l d/up/e -> ..", "f d/up/e/x");
	assert_true(seen[ANOMALY_LINK_OUTSIDE] > 0);
	REPLAY("l a -> b/../..");
	assert_int_equal(seen[ANOMALY_LINK_OUTSIDE], 1);
	REPLAY("l a -> /etc", "f a/passwd");
	assert_int_equal(seen[ANOMALY_LINK_OUTSIDE], 2);
	assert_int_equal(at[ANOMALY_LINK_OUTSIDE], 1);
}

static void
a_link_that_leaves_only_later_is_told_at_the_end(void **state)
{
	(void)state;
	/* x/y is inside until x is a link to the root. */
	REPLAY("l l -> x/../y/..", "l y -> .");
	assert_int_equal(seen[ANOMALY_LINK_OUTSIDE], 1);
}

static void
hard_links_are_names_in_the_archive(void **state)
{
	(void)state;
	REPLAY("h a -> ../b");
	assert_int_equal(seen[ANOMALY_LINK_OUTSIDE], 1);
	REPLAY("h a -> /b");
	assert_int_equal(seen[ANOMALY_LINK_OUTSIDE], 1);
	REPLAY("h a -> b");
	assert_int_equal(seen[ANOMALY_LINK_DANGLING], 1);
	/* In another folder the link's target leads out. */
	REPLAY("d d", "f x", "l d/l -> ../x", "h l -> d/l");
	assert_int_equal(seen[ANOMALY_LINK_OUTSIDE], 1);
}

static void
links_and_members_that_take_each_others_place_are_told(void **state)
{
	(void)state;
	REPLAY("l a -> b", "f a");
	assert_int_equal(seen[ANOMALY_LINK_REPLACED], 1);
	REPLAY("f a/x", "l a -> b");
	assert_int_equal(seen[ANOMALY_LINK_REPLACED], 1);
	REPLAY("l a -> b", "l a -> c");
	assert_int_equal(seen[ANOMALY_LINK_REPLACED], 1);
	REPLAY("l . -> b");
	assert_int_equal(seen[ANOMALY_LINK_REPLACED], 1);
	REPLAY("f a", "f ./a");
	assert_int_equal(seen[ANOMALY_TAR_DUPLICATE], 1);
	REPLAY("f a", "d a");
	assert_int_equal(seen[ANOMALY_NAME_CONFLICT], 1);
	assert_int_equal(REPLAY("e a", "f a/x"), 0);
	REPLAY("f a", "f a/x");
	assert_int_equal(seen[ANOMALY_NAME_CONFLICT], 1);
	assert_int_equal(REPLAY("l a -> b", "l a -> b"), 0);
}

static void
twins_are_files_that_one_file_system_holds_for_one(void **state)
{
	(void)state;
	assert_int_equal(REPLAY("f A/x", "f a/y", "f a/z"), 0);
	REPLAY("f A/x", "f a/x");
	assert_int_equal(seen[ANOMALY_NAME_CASE_TWIN], 1);
	REPLAY("f caf\xc3\xa9", "f cafe\xcc\x81");
	assert_int_equal(seen[ANOMALY_NAME_CASE_TWIN], 1);
	REPLAY("f \xd0\x96", "f \xd0\xb6");
	assert_int_equal(seen[ANOMALY_NAME_CASE_TWIN], 1);
}

static void
names_in_every_spelling_are_told(void **state)
{
	static const struct {
		const char *name;
		enum anomaly id;
	} rows[] = {{"f ../x", ANOMALY_NAME_TRAVERSAL},
	    {"f a/../../x", ANOMALY_NAME_TRAVERSAL},
	    {"f ..\\x", ANOMALY_NAME_TRAVERSAL},
	    {"f a/..", ANOMALY_NAME_TRAVERSAL},
	    {"f /x", ANOMALY_NAME_ABSOLUTE},
	    {"f \\x", ANOMALY_NAME_ABSOLUTE},
	    {"f C:/x", ANOMALY_NAME_ABSOLUTE},
	    {"f C:\\x", ANOMALY_NAME_ABSOLUTE},
	    {"f \xe2\x80\xa5/x", ANOMALY_NAME_LOOKALIKE},
	    {"f \xef\xbc\x8e\xef\xbc\x8e/x", ANOMALY_NAME_LOOKALIKE},
	    {"f ..\xef\xbc\x8fx", ANOMALY_NAME_LOOKALIKE},
	    {"f a/..\xc0\xafx", ANOMALY_NAME_LOOKALIKE},
	    {"f %2e%2E%2fx", ANOMALY_NAME_LOOKALIKE},
	    {"f \xe2\x88\x95" "etc", ANOMALY_NAME_LOOKALIKE},
	    {"f a\x1b[0m", ANOMALY_NAME_DECEPTIVE},
	    {"f a\xe2\x80\xae" "txt", ANOMALY_NAME_DECEPTIVE},
	    {"f a/nul.txt", ANOMALY_NAME_WINDOWS},
	    {"f COM1", ANOMALY_NAME_WINDOWS},
	    {"f model.txt:stream", ANOMALY_NAME_WINDOWS},
	    {"f model. ", ANOMALY_NAME_WINDOWS}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		REPLAY(rows[i].name);
		if (seen[rows[i].id] != 1)
			fail_msg("%s", rows[i].name);
	}
	assert_int_equal(names_oddities("a\0b", 3), NAMES_NUL);
	assert_int_equal(names_oddities("con/fig.py", 10), NAMES_WINDOWS);
	assert_int_equal(names_oddities("config.v1..py", 13), 0);
	assert_int_equal(names_oddities("a...b/..c", 9), 0);
	assert_int_equal(REPLAY("f 100%25", "f a\xe2\x80\xa6" "b"), 0);
}

static void
special_members_are_told(void **state)
{
	(void)state;
	REPLAY("b dev", "p fifo", "s tool");
	assert_int_equal(seen[ANOMALY_SPECIAL_MEMBER], 3);
}

static void
loops_end(void **state)
{
	(void)state;
	REPLAY("l a -> b", "l b -> a", "f a/x");
	assert_int_equal(seen[ANOMALY_LIMIT], 0);
	assert_int_equal(seen[ANOMALY_LINK_THROUGH], 1);
	REPLAY("l a -> a", "f a/x", "f a/y");
	assert_int_equal(seen[ANOMALY_LIMIT], 0);
}

/* 40 links, each of which names the one before it a thousand times. */
static void
a_bomb_of_links_ends_at_the_budget(void **state)
{
	struct parse p = {.ev = &events, .arena = arena_new(64 * MIB)};
	static char target[40][5000], name[40][8], file[2000][16];
	struct vtree *t = vtree_new(&p, ANOMALY_TAR_DUPLICATE);
	struct vtree_member m;

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "l%u", i);
		for (unsigned k = 0; k < 2000; k++)
			target[i][k] = k % 2 == 0 ? '.' : '/';
		(void)snprintf(target[i] + 2000, 8, "%s", i > 0 ?
		    name[i - 1] : "d");
		m = (struct vtree_member){.name = name[i], .off = i,
		    .name_len = strlen(name[i]), .link = target[i],
		    .link_len = strlen(target[i]), .kind = VTREE_SYMLINK};
		assert_int_equal(vtree_add(t, &m), 0);
	}
	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(file[i], sizeof(file[i]), "l39/f%u", i);
		m = (struct vtree_member){.name = file[i], .off = 40 + i,
		    .name_len = strlen(file[i]), .kind = VTREE_FILE};
		assert_int_equal(vtree_add(t, &m), 0);
	}
	assert_int_equal(vtree_end(t), 0);
	assert_int_equal(seen[ANOMALY_LIMIT], 1);
	arena_free(p.arena);
}

static void
many_members_have_their_places(void **state)
{
	struct parse p = {.ev = &events, .arena = arena_new(256 * MIB)};
	static char name[100000][16];
	struct vtree *t = vtree_new(&p, ANOMALY_TAR_DUPLICATE);
	struct vtree_member m;

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < 100000; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "D%u/f%u", i % 97,
		    i / 2);
		m = (struct vtree_member){.name = name[i], .off = i,
		    .name_len = strlen(name[i]), .kind = VTREE_FILE};
		assert_int_equal(vtree_add(t, &m), 0);
	}
	assert_int_equal(vtree_end(t), 0);
	assert_int_equal(seen[ANOMALY_TAR_DUPLICATE], 0);
	m.name = name[4242];
	m.name_len = strlen(m.name);
	assert_int_equal(vtree_add(t, &m), 0);
	assert_int_equal(seen[ANOMALY_TAR_DUPLICATE], 1);
	arena_free(p.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_honest_archive_is_silent),
	    cmocka_unit_test(a_chain_of_links_is_followed_where_it_lies),
	    cmocka_unit_test(a_link_that_leaves_only_later_is_told_at_the_end),
	    cmocka_unit_test(hard_links_are_names_in_the_archive),
	    cmocka_unit_test(
	    links_and_members_that_take_each_others_place_are_told),
	    cmocka_unit_test(
	    twins_are_files_that_one_file_system_holds_for_one),
	    cmocka_unit_test(names_in_every_spelling_are_told),
	    cmocka_unit_test(special_members_are_told),
	    cmocka_unit_test(loops_end),
	    cmocka_unit_test(a_bomb_of_links_ends_at_the_budget),
	    cmocka_unit_test(many_members_have_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
