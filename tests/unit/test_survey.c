#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "collector/survey.h"
#include "tests/unit/collect_fixture.h"

struct seen_rows {
	unsigned count[SURVEY_SUMMARY + 1];
	struct survey_row last, source;
	char path[PATH_MAX];
};

static int
keep(void *ctx, const struct survey_row *row)
{
	struct seen_rows *seen_now = ctx;

	seen_now->count[row->kind]++;
	seen_now->last = *row;
	if (row->kind == SURVEY_SOURCE)
		seen_now->source = *row;
	if (row->kind == SURVEY_ERROR)
		(void)snprintf(seen_now->path, sizeof(seen_now->path), "%s",
		    row->path);
	return 0;
}

static struct seen_rows
look(struct scene *s, const struct collect_source *sources, size_t n)
{
	struct seen_rows rows = {0};
	struct survey v = {.row = keep, .ctx = &rows};

	s->o.sources = sources;
	s->o.nsources = n;
	assert_int_equal(survey_run(&s->o, &v, &s->e), 0);
	assert_int_equal(rows.count[SURVEY_SUMMARY], 1);
	assert_int_equal(rows.last.kind, SURVEY_SUMMARY);
	return rows;
}

static void
a_survey_counts_what_a_collection_takes(void **state)
{
	static const char *const globs[] = {"*.tmp"};
	struct scene *s = *state;
	const struct collect_source source = {.class = BAG_WEIGHTS,
	    .path = s->dir};
	struct seen_rows rows;

	put_dir(s, "d");
	put_text(s, "d/a", "12345");
	put_text(s, "b", "123");
	put_text(s, "x.tmp", "1");
	assert_int_equal(symlink("b", at(s, "l")), 0);
	s->o.excludes = globs;
	s->o.nexcludes = 1;
	rows = look(s, &source, 1);
	assert_int_equal(rows.source.objects, 6);
	assert_int_equal(rows.source.files, 2);
	assert_int_equal(rows.source.bytes, 8);
	assert_int_equal(rows.source.excluded, 1);
	assert_int_equal(rows.last.errors, 0);
	take(s, "");
	counts(s, rows.last.objects, rows.last.files, 0);
	assert_int_equal(s->c.totals.bytes, rows.last.bytes);
	assert_int_equal(s->chunks, 2);
}

static void
what_cannot_be_read_is_named(void **state)
{
	struct scene *s = *state;
	const struct collect_source sources[] = {
	    {.class = BAG_WEIGHTS, .path = s->dir},
	    {.class = BAG_WEIGHTS, .path = "/none/of/it"}};
	struct seen_rows rows;

	put_text(s, "secret", "12345");
	assert_int_equal(chmod(at(s, "secret"), 0), 0);
	assert_int_equal(chmod(s->dir, 0755), 0);
	be_nobody();
	rows = look(s, sources, 1);
	be_root_again();
	assert_int_equal(rows.count[SURVEY_ERROR], 1);
	assert_string_equal(rows.path, at(s, "secret"));
	assert_int_equal(rows.source.files, 0);
	rows = look(s, sources + 1, 1);
	assert_int_equal(rows.count[SURVEY_ERROR], 1);
	assert_string_equal(rows.path, "/none/of/it");
}

static void
nothing_is_read_and_no_time_changes(void **state)
{
	struct scene *s = *state;
	const struct collect_source source = {.class = BAG_WEIGHTS,
	    .path = s->dir};
	const struct timespec old[2] = {{1000, 0}, {2000, 0}};
	struct stat st;

	put_dir(s, "d");
	put_text(s, "d/a", "12345");
	assert_int_equal(utimensat(AT_FDCWD, at(s, "d/a"), old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, at(s, "d"), old, 0), 0);
	(void)look(s, &source, 1);
	assert_int_equal(stat(at(s, "d/a"), &st), 0);
	assert_int_equal(st.st_atime, 1000);
	assert_int_equal(stat(at(s, "d"), &st), 0);
	assert_int_equal(st.st_atime, 1000);
	assert_int_equal(s->c.files.b.len + s->c.errors.b.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(a_survey_counts_what_a_collection_takes),
	    SCENE_TEST(what_cannot_be_read_is_named),
	    SCENE_TEST(nothing_is_read_and_no_time_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
