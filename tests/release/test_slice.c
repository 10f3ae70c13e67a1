#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <signal.h>

#include "analyzer/intake/outbox.h"
#include "analyzer/intake/slice_worker.h"
#include "analyzer/intake/slicejob.h"
#include "base/bytesrc.h"
#include "collector/slice.h"
#include "custody/slicewire.h"
#include "tests/unit/collect_fixture.h"

/*
 * Slices by the worker that reads data sets, and by workers that die or lie.
 * The fence needs the release build.
 */
static const char rows[] = "{\"a\":1}\n{\"a\":2}\r\n{\"a\":3}\n{\"a\":4}";

struct said {
	uint64_t index, file, off, len, how, size;
};

static enum { NO_LIE, BACKWARDS, OUTSIDE, NO_FILE, OVERLAP, TOO_MUCH,
	UNASKED, NO_FORMAT, BAD_COUNT, NO_END, GO_ON, NOT_A_FRAME, ASK_MORE,
	DIE, FAIL } lie;

static void
say(struct slicejob *j, const struct said *t)
{
	struct field v[SLICE_T_COLUMNS] = {{0}};

	fields_u64(&v[SLICE_T_INDEX], t->index);
	fields_u64(&v[SLICE_T_FILE], t->file);
	fields_u64(&v[SLICE_T_OFF], t->off);
	fields_u64(&v[SLICE_T_LEN], t->len);
	fields_u64(&v[SLICE_T_HOW], t->how);
	fields_bool(&v[SLICE_T_DAMAGED], false);
	fields_u64(&v[SLICE_T_SIZE], t->size);
	(void)outbox_send(&j->out, SLICE_TAKEN, slicewire_taken,
	    SLICE_T_COLUMNS, v, j->e);
}

static void
say_data(struct slicejob *j, const char *text)
{
	struct field v[SLICE_D_COLUMNS] = {{0}};

	fields_text(&v[0], text, strlen(text));
	(void)outbox_send(&j->out, SLICE_DATA, slicewire_data,
	    SLICE_D_COLUMNS, v, j->e);
}

static void
say_format(struct slicejob *j)
{
	struct field v[SLICE_F_COLUMNS] = {{0}};

	fields_text(&v[SLICE_F_FORMAT], "jsonl", 5);
	fields_bool(&v[SLICE_F_LINES], true);
	(void)outbox_send(&j->out, SLICE_FORMAT, slicewire_format,
	    SLICE_F_COLUMNS, v, j->e);
}

static void
say_end(struct slicejob *j, uint64_t taken)
{
	struct field v[SLICE_E_COLUMNS] = {{0}};

	for (unsigned i = 0; i < SLICE_E_REACHED; i++)
		fields_u64(&v[i], 0);
	fields_u64(&v[SLICE_E_SEEN], taken);
	fields_u64(&v[SLICE_E_TAKEN], taken);
	fields_bool(&v[SLICE_E_REACHED], true);
	(void)outbox_send(&j->out, SLICE_END, slicewire_end, SLICE_E_COLUMNS,
	    v, j->e);
}

static void
say_ask(struct slicejob *j, uint64_t file)
{
	struct field v[SLICE_A_COLUMNS] = {{0}};

	fields_u64(&v[0], file);
	(void)outbox_send(&j->out, SLICE_ASK, slicewire_ask, SLICE_A_COLUMNS,
	    v, j->e);
}

/* After the first record, which is true: the lie. */
static void
tell_lie(struct slicejob *j)
{
	switch (lie) {
	case BACKWARDS:
		say(j, &(struct said){.index = 1, .off = 8, .len = 7});
		break;
	case OUTSIDE:
		say(j, &(struct said){.index = 2, .off = 20, .len = 1000});
		break;
	case NO_FILE:
		say(j, &(struct said){.index = 2, .file = 1, .len = 1});
		break;
	case OVERLAP:
		say(j, &(struct said){.index = 2, .off = 3, .len = 4});
		break;
	case TOO_MUCH:
		say(j, &(struct said){.index = 2, .how = SLICE_ROW,
		    .size = 3});
		say_data(j, "{\"a\":2}");
		break;
	case UNASKED:
		say_data(j, "x");
		break;
	case BAD_COUNT:
		say_end(j, 2);
		break;
	case GO_ON:
		say_end(j, 1);
		say_format(j);
		break;
	case NOT_A_FRAME:
		(void)outbox_send(&j->out, 99, NULL, 0, NULL, j->e);
		break;
	case ASK_MORE:
		say_ask(j, 1);
		break;
	case NO_LIE:
	case NO_FORMAT:
	case NO_END:
	case DIE:
	case FAIL:
		break;
	}
}

static int
lying_main(void *arg, int out_fd)
{
	struct err e = ERR_INIT;
	struct slicejob j;

	if (slicejob_receive(&j, arg, &e) < 0 ||
	    slicejob_fence(&j, out_fd) < 0 || slicejob_load(&j) < 0)
		return 2;
	if (lie == FAIL)
		return 3;
	if (lie != NO_FORMAT)
		say_format(&j);
	say(&j, &(struct said){.index = 1, .len = 7});
	tell_lie(&j);
	if (lie == NO_LIE)
		say_end(&j, 1);
	(void)outbox_flush(&j.out, &e);
	if (lie == DIE)
		(void)raise(SIGSEGV);
	return 0;
}

static void
take_slice(struct scene *s, int (*main)(void *, int), const char *name,
    const char *spec)
{
	const struct collect_source src = {.class = BAG_TRAINING,
	    .path = at(s, name), .slice = spec};
	struct slicer *slicer;

	assert_int_equal(slicer_new(main, &slicer, &s->e), 0);
	assert_int_equal(slicer_add(slicer, 0, NULL, 0, &s->e), 0);
	s->o.slicer = slicer;
	if (slice_source(&s->c, &src) != 0)
		fail_msg("slice: %s", s->e.msg);
	slicer_free(slicer);
}

static bool
bundle_holds(struct scene *s, const char *text)
{
	struct stat st;
	uint8_t *p;
	bool found;

	assert_int_equal(evidence_flush(s->w, &s->e), 0);
	assert_int_equal(fstat(s->fd, &st), 0);
	p = malloc((size_t)st.st_size);
	assert_int_equal(pread(s->fd, p, (size_t)st.st_size, 0), st.st_size);
	found = memmem(p, (size_t)st.st_size, text, strlen(text)) != NULL;
	free(p);
	return found;
}

static void
records_are_the_bytes_of_the_source(void **state)
{
	struct scene *s = *state;

	put(s, "d.jsonl", rows, sizeof(rows) - 1);
	take_slice(s, slice_worker_main, "d.jsonl", "rows=1..9");
	counts(s, 4, 4, 0);
	stored(s, "d.jsonl.slice-1/records",
	    "{\"a\":2}\r\n{\"a\":3}\n{\"a\":4}", 24);
	assert_true(bundle_holds(s, "{\"index\":1,\"file\":0,\"offset\":8,"
	    "\"length\":8,"));
	assert_true(bundle_holds(s, "\"in\":\"records\",\"at\":9,"
	    "\"stored\":8}\n"));
	assert_true(bundle_holds(s, "\"reached_end\":true}"));
	assert_true(bundle_holds(s, "\"end\":\"read to the end\""));
}

static void
a_second_slice_has_the_next_number(void **state)
{
	struct scene *s = *state;

	put(s, "d.jsonl", rows, sizeof(rows) - 1);
	take_slice(s, slice_worker_main, "d.jsonl", "rows=0..1");
	take_slice(s, slice_worker_main, "d.jsonl", "where=a=4");
	stored(s, "d.jsonl.slice-1/records", "{\"a\":1}\n", 8);
	stored(s, "d.jsonl.slice-2/records", "{\"a\":4}", 7);
}

static void
an_empty_slice_says_so(void **state)
{
	struct scene *s = *state;

	put(s, "d.jsonl", rows, sizeof(rows) - 1);
	take_slice(s, slice_worker_main, "d.jsonl", "where=a=9");
	counts(s, 3, 3, 0);
	stored(s, "d.jsonl.slice-1/records.jsonl", "", 0);
	assert_true(bundle_holds(s, "\"records\":{\"taken\":0,\"seen\":4,"));
}

static void
what_is_no_data_set_is_an_error(void **state)
{
	struct scene *s = *state;

	put(s, "x.bin", "\177nothing that is known", 22);
	take_slice(s, slice_worker_main, "x.bin", "rows=0..1");
	has(error_of(s, "x.bin"), "cannot be read to its end");
	assert_true(bundle_holds(s, "no known format of data sets"));
}

static void
a_record_that_cannot_be_judged_is_an_error(void **state)
{
	struct scene *s = *state;

	put_text(s, "d.jsonl", "{\"a\":1}\n{\"a\":\n{\"a\":3}\n");
	take_slice(s, slice_worker_main, "d.jsonl", "where=a=3");
	has(error_of(s, "d.jsonl"), "neither be taken nor left");
	assert_true(bundle_holds(s, "\"undecided\":[{\"index\":1,"));
	stored(s, "d.jsonl.slice-1/records", "{\"a\":3}\n", 8);
}

static void
a_folder_is_read_in_byte_order_and_links_are_no_part(void **state)
{
	struct scene *s = *state;

	put_dir(s, "set");
	put_text(s, "set/b.jsonl", "{\"a\":3}\n");
	put_text(s, "set/a.jsonl", "{\"a\":1}\n{\"a\":2}\n");
	assert_int_equal(symlink("a.jsonl", at(s, "set/c.jsonl")), 0);
	take_slice(s, slice_worker_main, "set", "rows=1..3");
	stored(s, "set.slice-1/records", "{\"a\":2}\n{\"a\":3}\n", 16);
	assert_non_null(nth_line(s, &s->c.log, "no part of the data set", 0));
	assert_true(bundle_holds(s, "\"name\":\"b.jsonl\""));
	assert_false(bundle_holds(s, "\"name\":\"c.jsonl\""));
}

static void
a_true_worker_of_the_test_is_believed(void **state)
{
	struct scene *s = *state;

	lie = NO_LIE;
	put(s, "d.jsonl", rows, sizeof(rows) - 1);
	take_slice(s, lying_main, "d.jsonl", "rows=0..1");
	counts(s, 4, 4, 0);
	stored(s, "d.jsonl.slice-1/records", "{\"a\":1}\n", 8);
}

static void
lies_end_it_and_what_was_certain_stands(void **state)
{
	static const int lies[] = {BACKWARDS, OUTSIDE, NO_FILE, OVERLAP,
	    TOO_MUCH, UNASKED, BAD_COUNT, GO_ON, NOT_A_FRAME, ASK_MORE};
	struct scene *s = *state;
	char name[32], member[64];

	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		lie = lies[i];
		(void)snprintf(name, sizeof(name), "d%u.jsonl", i);
		put(s, name, rows, sizeof(rows) - 1);
		take_slice(s, lying_main, name, "rows=0..1");
		has(error_of(s, name), "sent what it may not");
		(void)snprintf(member, sizeof(member), "%s.slice-1/records",
		    name);
		stored(s, member, "{\"a\":1}\n", 8);
		assert_int_equal(s->c.totals.errors, i + 1);
	}
	assert_true(bundle_holds(s, "\"end\":\"incomplete\""));
}

static void
records_before_the_format_are_a_lie(void **state)
{
	struct scene *s = *state;

	lie = NO_FORMAT;
	put(s, "d.jsonl", rows, sizeof(rows) - 1);
	take_slice(s, lying_main, "d.jsonl", "rows=0..1");
	has(error_of(s, "d.jsonl"), "sent what it may not");
	stored(s, "d.jsonl.slice-1/records.jsonl", "", 0);
}

static void
an_end_that_is_none_is_told(void **state)
{
	struct scene *s = *state;

	lie = NO_END;
	put(s, "d.jsonl", rows, sizeof(rows) - 1);
	take_slice(s, lying_main, "d.jsonl", "rows=0..1");
	has(error_of(s, "d.jsonl"), "did not say that it had come to its "
	    "end");
	stored(s, "d.jsonl.slice-1/records", "{\"a\":1}\n", 8);
}

static void
one_that_dies_or_fails_is_told(void **state)
{
	struct scene *s = *state;

	lie = DIE;
	put(s, "d.jsonl", rows, sizeof(rows) - 1);
	put(s, "e.jsonl", rows, sizeof(rows) - 1);
	take_slice(s, lying_main, "d.jsonl", "rows=0..1");
	has(error_of(s, "d.jsonl"), "was ended by a signal");
	stored(s, "d.jsonl.slice-1/records", "{\"a\":1}\n", 8);
	lie = FAIL;
	take_slice(s, lying_main, "e.jsonl", "rows=0..1");
	has(error_of(s, "e.jsonl"), "the process that reads the data set "
	    "failed");
	assert_int_equal(s->c.totals.errors, 2);
}

static void
without_workers_no_slice_is_taken(void **state)
{
	struct scene *s = *state;
	const struct collect_source src = {.class = BAG_TRAINING,
	    .path = at(s, "d.jsonl"), .slice = "rows=0..1"};

	put(s, "d.jsonl", rows, sizeof(rows) - 1);
	assert_int_equal(slice_source(&s->c, &src), 0);
	has(error_of(s, "d.jsonl"), "no slice is taken here");
	assert_int_equal(s->c.totals.stored, 0);
}

static void
a_link_and_a_special_file_are_refused(void **state)
{
	struct scene *s = *state;

	put(s, "d.jsonl", rows, sizeof(rows) - 1);
	assert_int_equal(symlink("d.jsonl", at(s, "l.jsonl")), 0);
	assert_int_equal(mkfifo(at(s, "f.jsonl"), 0600), 0);
	take_slice(s, slice_worker_main, "l.jsonl", "rows=0..1");
	has(error_of(s, "l.jsonl"), "is a symbolic link");
	take_slice(s, slice_worker_main, "f.jsonl", "rows=0..1");
	has(error_of(s, "f.jsonl"), "a slice is of a file or a folder");
	assert_int_equal(s->c.totals.stored, 0);
}

#define SCENE(f) cmocka_unit_test_setup_teardown(f, scene_setup, \
	scene_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE(records_are_the_bytes_of_the_source),
	    SCENE(a_second_slice_has_the_next_number),
	    SCENE(an_empty_slice_says_so),
	    SCENE(what_is_no_data_set_is_an_error),
	    SCENE(a_record_that_cannot_be_judged_is_an_error),
	    SCENE(a_folder_is_read_in_byte_order_and_links_are_no_part),
	    SCENE(a_true_worker_of_the_test_is_believed),
	    SCENE(lies_end_it_and_what_was_certain_stands),
	    SCENE(records_before_the_format_are_a_lie),
	    SCENE(an_end_that_is_none_is_told),
	    SCENE(one_that_dies_or_fails_is_told),
	    SCENE(without_workers_no_slice_is_taken),
	    SCENE(a_link_and_a_special_file_are_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
