#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/sink.h"
#include "base/err.h"
#include "tests/lib/parent.h"

#define TEXT(s) {(s), sizeof(s) - 1}

char parent_top[] = "/tmp/exhibit-session-XXXXXX";
char parent_told[1 << 16];
struct diff_summary parent_sum;
bool parent_failed;
struct diff_wire parent_wire;
struct rows parent_rows;
static size_t told_n;

static void say(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

static void
say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	told_n += (size_t)vsnprintf(parent_told + told_n,
	    sizeof(parent_told) - told_n, fmt, ap);
	va_end(ap);
	assert_true(told_n < sizeof(parent_told));
}

/* The path without the scratch folder. */
static const char *
bare(const char *path)
{
	size_t n = strlen(parent_top);

	return path == NULL ? "-" : strncmp(path, parent_top, n) == 0 ?
	    path + n + 1 : path;
}

static int
on_header(struct sink *s, const struct result_header *h, struct err *e)
{
	(void)s;
	(void)e;
	say("header %s %s %s\n", h->command, bare(h->old), bare(h->new));
	return 0;
}

static int
on_finding(struct sink *s, const struct result_finding *f, struct err *e)
{
	(void)s;
	(void)e;
	say("finding %s %s", finding_info(f->finding->id)->name,
	    bare(f->path));
	for (unsigned i = 0; i < f->finding->ndetails; i++)
		if (f->finding->details[i].text != NULL)
			say(" %.*s", (int)f->finding->details[i].len,
			    f->finding->details[i].text);
	say("\n");
	return 0;
}

static int
on_carved(struct sink *s, const struct result_carved *c, struct err *e)
{
	(void)s;
	(void)e;
	say("carved %s %llu %llu %.8s\n", bare(c->path),
	    (unsigned long long)c->off, (unsigned long long)c->len, c->file);
	return 0;
}

static int
on_summary(struct sink *s, const struct result_summary *r, struct err *e)
{
	(void)s;
	(void)e;
	assert_non_null(r->diff);
	say("summary %llu incomplete, %llu high\n",
	    (unsigned long long)r->incomplete,
	    (unsigned long long)r->severities[SEVERITY_HIGH]);
	return 0;
}

static int
on_diff(struct sink *s, const struct result_diff *r, struct err *e)
{
	static const char *const types[] = {"input", "tensor", "conclusion",
	    "candidate", "change", "detector", "version"};

	(void)s;
	(void)e;
	say("%s", types[r->type]);
	if (r->type == DIFF_ROW_TENSOR)
		say(" %s %s", bare(r->half[ROW_OLD]), bare(r->half[ROW_NEW]));
	else if (r->path != NULL)
		say(" %s", bare(r->path));
	if (r->type == DIFF_ROW_VERSION)
		say(" #%u %.2f%s%s", r->row.version->rank,
		    r->row.version->distance,
		    r->row.version->parent ? " parent" : "",
		    r->row.version->rollback ? " rollback" : "");
	if (r->type == DIFF_ROW_DETECTOR)
		say(" %s %d", r->row.detector->method,
		    r->row.detector->applied);
	say("\n");
	return 0;
}

static const struct sink_ops remember = {"remember", on_header, NULL,
    on_finding, NULL, on_carved, on_summary, on_diff};

const char *
parent_at(const char *name)
{
	static char path[16][512];
	static unsigned turn;

	turn = (turn + 1) % 16;
	(void)snprintf(path[turn], sizeof(path[0]), "%s/%s", parent_top, name);
	return path[turn];
}

void
parent_put(const char *name, size_t n)
{
	int fd = open(parent_at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	(void)close(fd);
}

void
parent_begin(int fd)
{
	const struct sandbox_status st = {true, 1, true};

	diff_wire_init(&parent_wire, fd, NULL);
	parent_rows = diff_wire_rows(&parent_wire);
	(void)diff_wire_status(&parent_wire, &st);
}

void
parent_tensor(void)
{
	static const uint64_t shape[1] = {4};
	struct row_tensor t = {.name = TEXT("w"), .status = ROW_CHANGED,
	    .elements = 4, .measured = true, .changed = 1};

	t.half[ROW_OLD] = t.half[ROW_NEW] = (struct row_half){.there = true,
	    .name = TEXT("w"), .path = TEXT(""), .dtype = "F32",
	    .shape = shape, .rank = 1};
	(void)parent_rows.tensor(parent_rows.ctx, &t);
}

int
parent_run(const struct diff_options *o, struct err *e)
{
	struct sink sink = {.ops = &remember, .fd = -1};

	told_n = 0;
	parent_told[0] = '\0';
	return diff_run(o, &sink, &parent_sum, &parent_failed, e);
}

int
parent_setup(void **state)
{
	(void)state;
	return mkdtemp(parent_top) != NULL &&
	    mkdir(parent_at("carved"), 0700) == 0 ? 0 : -1;
}

static int
drop(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int
parent_teardown(void **state)
{
	(void)state;
	return nftw(parent_top, drop, 8, FTW_DEPTH | FTW_PHYS);
}
