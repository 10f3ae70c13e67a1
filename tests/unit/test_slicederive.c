#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "analyzer/intake/slice_worker.h"
#include "analyzer/intake/slicederive.h"
#include "analyzer/intake/slicejob.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "custody/digest.h"

/* What a specification takes of files in memory, written down as text. */
struct scene {
	char text[4096];
	bool quiet;		/* nothing of what is told */
};

static void
note(struct scene *s, const char *what, uint64_t a, uint64_t b)
{
	size_t n = strlen(s->text);

	(void)snprintf(s->text + n, sizeof(s->text) - n, "%s %llu %llu\n",
	    what, (unsigned long long)a, (unsigned long long)b);
}

static int
begin(void *ctx, struct rowset *rs, bool lines)
{
	(void)rs;
	note(ctx, "lines", lines, 0);
	return 0;
}

static int
take(void *ctx, const struct slicederive_record *r)
{
	static const char *const hows[] = {"verbatim", "unpacked", "row",
	    "nothing"};
	uint8_t sha[32];

	assert_int_equal(slicederive_digest(r, sha, NULL), 0);
	note(ctx, hows[r->how], r->rec.index, r->rec.len * 10 + r->ends);
	return 0;
}

static int
undecided(void *ctx, const struct rows_record *r)
{
	note(ctx, "undecided", r->index, r->len);
	return 0;
}

static void
tell(void *ctx, uint32_t file, uint64_t off, const char *what)
{
	struct scene *s = ctx;

	if (!s->quiet)
		note(s, what, file, off);
}

/* ${files}: name, content, ... NULL. */
static struct slicederive
derive(struct scene *s, const char *spec, const struct slicejob_ids *ids,
    size_t nids, const char *const *files)
{
	struct rows_file f[4];
	struct slicejob j = {.file = f};
	struct slicederive d = {.j = &j, .spec = spec,
	    .spec_len = strlen(spec), .ids = ids, .nids = nids,
	    .begin = begin, .take = take, .undecided = undecided,
	    .tell = tell, .ctx = s};
	struct bytesrc *src[4];

	s->text[0] = '\0';
	for (; files[0] != NULL; files += 2, j.files++) {
		src[j.files] = bytesrc_mem(files[1], strlen(files[1]), NULL);
		f[j.files] = (struct rows_file){files[0], strlen(files[0]),
		    src[j.files]};
	}
	assert_int_equal(slicederive_run(&d, NULL), 0);
	for (size_t i = 0; i < j.files; i++)
		bytesrc_free(src[i]);
	return d;
}

static const char *const one[] = {"a.jsonl",
    "{\"a\":1}\n{\"a\":\r\n{\"a\":33}\r\n{\"a\":4}", NULL};

static void
lines_end_with_a_line_feed_or_without(void **state)
{
	struct scene s = {.quiet = true};
	struct slicederive d;

	(void)state;
	d = derive(&s, "rows=0..", NULL, 0, one);
	assert_string_equal(s.text, "lines 1 0\nverbatim 0 71\n"
	    "verbatim 1 61\nverbatim 2 91\nverbatim 3 70\n");
	assert_true(d.reached);
	assert_int_equal(d.seen, 4);
	assert_int_equal(d.taken, 4);
	assert_int_equal(d.damaged, 1);
	assert_int_equal(d.broken, 0);
}

static void
what_lies_behind_the_range_is_not_looked_at(void **state)
{
	struct scene s = {.quiet = true};
	struct slicederive d;

	(void)state;
	d = derive(&s, "rows=2..3", NULL, 0, one);
	assert_string_equal(s.text, "lines 1 0\nverbatim 2 91\n");
	assert_false(d.reached);
	assert_int_equal(d.seen, 1);
}

static void
a_damaged_record_is_undecided_when_its_field_is_asked_for(void **state)
{
	struct scene s = {.quiet = true};
	struct slicederive d;

	(void)state;
	d = derive(&s, "where=a=4", NULL, 0, one);
	assert_string_equal(s.text, "lines 1 0\nundecided 1 6\n"
	    "verbatim 3 70\n");
	assert_int_equal(d.undecided_count, 1);
}

static void
records_are_numbered_through_all_files(void **state)
{
	static const char *const two[] = {"a.jsonl", "{\"a\":1}\n{\"a\":2}\n",
	    "b.jsonl", "{\"a\":3}\n", NULL};
	struct scene s = {.quiet = true};

	(void)state;
	(void)derive(&s, "rows=1..", NULL, 0, two);
	assert_string_equal(s.text, "lines 1 0\nverbatim 1 71\n"
	    "verbatim 2 71\n");
}

static void
ids_come_from_files(void **state)
{
	const struct slicejob_ids ids = {"33\n4", 4};
	struct scene s = {.quiet = true};

	(void)state;
	(void)derive(&s, "ids=file:x@a", &ids, 1, one);
	assert_string_equal(s.text, "lines 1 0\nundecided 1 6\n"
	    "verbatim 2 91\nverbatim 3 70\n");
}

static void
no_format_is_told_and_broken(void **state)
{
	static const char *const none[] = {"x", "\177what is it", NULL};
	struct scene s = {.quiet = false};
	struct slicederive d;

	(void)state;
	d = derive(&s, "rows=0..", NULL, 0, none);
	assert_string_equal(s.text, "no known format of data sets 0 0\n");
	assert_int_equal(d.broken, 1);
	assert_int_equal(d.seen, 0);
}

static void
a_sample_is_of_the_records_bytes(void **state)
{
	struct scene s = {.quiet = true};
	struct slicederive d, e;

	(void)state;
	d = derive(&s, "hash=1", NULL, 0, one);
	e = derive(&s, "hash=0", NULL, 0, one);
	assert_int_equal(d.taken, 4);
	assert_int_equal(e.taken, 0);
	assert_int_equal(e.seen, 4);
	assert_int_equal(e.undecided_count, 0);
}

static int
count_names(void *ctx, const char *name, struct err *e)
{
	unsigned *n = ctx;

	(void)e;
	++*n;
	assert_string_equal(name, *n == 1 ? "x" : "y z");
	return 0;
}

static void
a_specification_is_judged_before_anything_is_read(void **state)
{
	struct err e = ERR_INIT;
	unsigned n = 0;

	(void)state;
	assert_int_equal(slice_spec("rows=1..2&hash=0.5", NULL, NULL, &e), 0);
	assert_int_equal(slice_spec("ids=file:x@a&rows=0..&ids=file:y%20z@b",
	    count_names, &n, &e), 0);
	assert_int_equal(n, 2);
	assert_int_equal(slice_spec("rows=1..2&every=3", NULL, NULL, &e),
	    ERR_ARG);
	assert_int_equal(e.off, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_end_with_a_line_feed_or_without),
	    cmocka_unit_test(what_lies_behind_the_range_is_not_looked_at),
	    cmocka_unit_test(
		a_damaged_record_is_undecided_when_its_field_is_asked_for),
	    cmocka_unit_test(records_are_numbered_through_all_files),
	    cmocka_unit_test(ids_come_from_files),
	    cmocka_unit_test(no_format_is_told_and_broken),
	    cmocka_unit_test(a_sample_is_of_the_records_bytes),
	    cmocka_unit_test(
		a_specification_is_judged_before_anything_is_read)};

	return slicederive_start(NULL) < 0 ? 1 :
	    cmocka_run_group_tests(tests, NULL, NULL);
}
