#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "collector/process.h"
#include "collector/survey.h"
#include "tests/unit/collect_fixture.h"

/* A child that holds what open_read opened, and waits. */
struct holder {
	pid_t pid;
	char number[16];
	struct collect_source source;
};

static int kept[4];
static unsigned nkept;

static bool
is_kept(int fd)
{
	for (unsigned i = 0; i < nkept; i++)
		if (kept[i] == fd)
			return true;
	return false;
}

static void
hold(struct holder *h)
{
	int ready[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	if ((h->pid = fork()) == 0) {
		/* A check that fails must not leave it behind. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The bundle and the records of the scene are not its own. */
		for (int fd = 3; fd < 1024; fd++)
			if (!is_kept(fd) && fd != ready[1])
				(void)close(fd);
		if (write(ready[1], "", 1) == 1)
			(void)close(ready[1]);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	assert_true(h->pid > 0);
	(void)snprintf(h->number, sizeof(h->number), "%d", (int)h->pid);
	h->source = (struct collect_source){.class = BAG_HOST,
	    .kind = SOURCE_PROCESS, .path = h->number};
}

static void
let_go(struct holder *h)
{
	assert_int_equal(kill(h->pid, SIGKILL), 0);
	assert_int_equal(waitpid(h->pid, NULL, 0), h->pid);
}

static int
open_read(struct scene *s, const char *name)
{
	int fd = open(at(s, name), O_RDONLY);

	assert_true(fd >= 0 && nkept < 4);
	kept[nkept++] = fd;
	return fd;
}

/* The row of processes.jsonl for a file of the scene. */
static const char *
row_of(struct scene *s, const char *name, unsigned n)
{
	char part[PATH_MAX + 64];
	const char *line;

	(void)snprintf(part, sizeof(part), "\"path\":\"%s/%s\"", s->dir,
	    name);
	if ((line = nth_line(s, &s->c.processes, part, n)) == NULL)
		fail_msg("no row for '%s'", name);
	return line;
}

static void
take_process(struct scene *s, const struct holder *h)
{
	if (collect_source(&s->c, &h->source) != 0)
		fail_msg("%s", s->e.msg);
}

static int
setup(void **state)
{
	int r = scene_setup(state);
	struct scene *s = *state;

	nkept = 0;
	s->c.processes.fd = -1;
	scope_open(&s->c);
	return r;
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	record_close(&s->c.processes);
	process_release(&s->c);
	scope_close(&s->c);
	return scene_teardown(state);
}

static void
a_deleted_file_is_recovered_through_its_descriptor(void **state)
{
	struct scene *s = *state;
	uint8_t *p = pattern(600000);
	struct holder h;
	uint64_t off;
	char key[64];
	int fd;

	put(s, "m.safetensors", p, 600000);
	fd = open_read(s, "m.safetensors");
	assert_int_equal(unlink(at(s, "m.safetensors")), 0);
	hold(&h);
	take_process(s, &h);
	has(row_of(s, "m.safetensors", 0), "\"state\":\"deleted\"");
	(void)snprintf(key, sizeof(key), "\"member\":\"data/host/proc/%s/fd/%d"
	    "\"", h.number, fd);
	has(row_of(s, "m.safetensors", 0), key);
	off = number_of(nth_line(s, &s->c.files, key, 0),
	    "\"data_offset\":");
	bundle_has(s, off, p, 600000);
	assert_int_equal(s->c.served.recovered, 1);
	assert_int_equal(s->c.served.deleted, 1);
	let_go(&h);
	(void)close(fd);
	free(p);
}

static void
what_was_put_in_its_place_is_told_apart(void **state)
{
	struct scene *s = *state;
	struct holder h;
	int a, b, c;

	put_text(s, "a.pt", "served");
	put_text(s, "b.pt", "served");
	put_text(s, "c (deleted)", "still there");
	a = open_read(s, "a.pt");
	b = open_read(s, "b.pt");
	c = open_read(s, "c (deleted)");
	put_text(s, "new", "other");
	assert_int_equal(rename(at(s, "new"), at(s, "a.pt")), 0);
	put_text(s, "new", "served");
	assert_int_equal(rename(at(s, "new"), at(s, "b.pt")), 0);
	hold(&h);
	take_process(s, &h);
	has(row_of(s, "a.pt", 0), "\"state\":\"replaced\"");
	has(row_of(s, "a.pt", 0), "\"equal\":false");
	has(row_of(s, "b.pt", 0), "\"state\":\"replaced\"");
	has(row_of(s, "b.pt", 0), "\"equal\":true");
	/* A name may end as the kernel ends those that are gone. */
	has(row_of(s, "c (deleted)", 0), "\"state\":\"same\"");
	assert_int_equal(s->c.served.replaced, 2);
	assert_int_equal(s->c.served.replaced_equal, 1);
	assert_int_equal(s->c.served.recovered, 2);
	let_go(&h);
	(void)close(a);
	(void)close(b);
	(void)close(c);
}

static void
two_processes_with_one_inode_store_it_once(void **state)
{
	struct scene *s = *state;
	struct holder h, k;
	uint64_t before;
	int fd;

	put_text(s, "m.pt", "served");
	fd = open_read(s, "m.pt");
	assert_int_equal(unlink(at(s, "m.pt")), 0);
	hold(&h);
	hold(&k);
	take_process(s, &h);
	before = s->c.totals.stored;
	take_process(s, &k);
	has(row_of(s, "m.pt", 1), "\"member\":\"data/host/proc/");
	has(row_of(s, "m.pt", 1), h.number);
	assert_int_equal(s->c.served.recovered, 2);
	assert_true(s->c.totals.stored > before);
	assert_null(nth_line(s, &s->c.files,
	    "through its own link", 1));
	let_go(&h);
	let_go(&k);
	(void)close(fd);
}

static void
a_limit_of_bytes_holds_and_is_said(void **state)
{
	struct scene *s = *state;
	uint8_t *p = pattern(3000000);
	struct holder h;
	int fd;

	put(s, "m.pt", p, 3000000);
	fd = open_read(s, "m.pt");
	assert_int_equal(unlink(at(s, "m.pt")), 0);
	hold(&h);
	h.source.max_bytes = 2000000;
	take_process(s, &h);
	has(nth_line(s, &s->c.errors, "limit of bytes", 0), h.number);
	assert_int_equal(s->c.served.not_recovered, 1);
	has(row_of(s, "m.pt", 0), "\"member\":null");
	let_go(&h);
	(void)close(fd);
	free(p);
}

static void
values_of_the_environment_are_masked_unless_asked_for(void **state)
{
	static const struct collect_setting values[] = {{"environ", "values"}};
	struct scene *s = *state;
	struct holder h;

	hold(&h);
	take_process(s, &h);
	has(nth_line(s, &s->c.processes, "\"type\":\"process\"", 0),
	    "\"environ_policy\":\"names\"");
	lacks(nth_line(s, &s->c.processes, "\"type\":\"process\"", 0),
	    "\"value\":\"");
	assert_null(nth_line(s, &s->c.files, "/environ\"", 0));
	h.source.settings = values;
	h.source.nsettings = 1;
	s->c.classes = 0;
	take_process(s, &h);
	has(nth_line(s, &s->c.processes, "\"type\":\"process\"", 1),
	    "\"environ_policy\":\"values\"");
	assert_non_null(nth_line(s, &s->c.files, "/environ\"", 0));
	let_go(&h);
}

static void
a_process_that_is_gone_is_an_error(void **state)
{
	struct scene *s = *state;
	struct process p;
	struct holder h;

	hold(&h);
	assert_int_equal(process_open(&p, &s->c, &h.source, h.number), 1);
	let_go(&h);
	assert_int_equal(process_take(&p), 0);
	process_close(&p);
	assert_int_equal(s->c.served.ended, 1);
	assert_non_null(nth_line(s, &s->c.errors,
	    "ended while it was looked at", 0));
	take_process(s, &h);
	assert_non_null(nth_line(s, &s->c.errors, "no such process", 0));
}

static int
no_row(void *ctx, const struct survey_row *row)
{
	uint64_t *bytes = ctx;

	if (row->kind == SURVEY_SUMMARY)
		*bytes = row->bytes;
	return 0;
}

static void
a_survey_counts_what_would_be_recovered(void **state)
{
	struct scene *s = *state;
	uint8_t *p = pattern(3000000);
	uint64_t bytes = 0;
	struct survey v = {.row = no_row, .ctx = &bytes};
	struct holder h;
	int fd;

	put(s, "m.pt", p, 3000000);
	fd = open_read(s, "m.pt");
	assert_int_equal(unlink(at(s, "m.pt")), 0);
	hold(&h);
	s->o.sources = &h.source;
	s->o.nsources = 1;
	assert_int_equal(survey_run(&s->o, &v, &s->e), 0);
	assert_true(bytes > 3000000);
	assert_int_equal(s->c.totals.bytes, 0);
	let_go(&h);
	(void)close(fd);
	free(p);
}

#define PROCESS_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    PROCESS_TEST(a_deleted_file_is_recovered_through_its_descriptor),
	    PROCESS_TEST(what_was_put_in_its_place_is_told_apart),
	    PROCESS_TEST(two_processes_with_one_inode_store_it_once),
	    PROCESS_TEST(a_limit_of_bytes_holds_and_is_said),
	    PROCESS_TEST(
		values_of_the_environment_are_masked_unless_asked_for),
	    PROCESS_TEST(a_process_that_is_gone_is_an_error),
	    PROCESS_TEST(a_survey_counts_what_would_be_recovered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
