#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/scan.h"
#include "analyzer/sibling.h"
#include "analyzer/sink.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/sandbox.h"
#include "formats/format.h"

/*
 * A format that exists in this test alone: an object "ASK:" asks, from behind
 * the fence, for each name that it lists, and tells what it got.
 */
static char top[] = "/tmp/exhibit-sibling-XXXXXX";

static unsigned
ask_bid(struct cursor head, uint64_t size)
{
	(void)size;
	return cursor_match(&head, (const uint8_t *)"ASK:", 4) ? 56 : 0;
}

static int
ask_one(struct parse *p, const char *name, size_t n)
{
	struct fact facts[3] = {FACT_TEXT("name", name, n)};
	struct bytesrc *src;
	char text[32] = "";
	size_t got = 0;
	int r = format_sibling(p, name, n, &src);

	if (r < 0)
		return r;
	if (r == SIBLING_OPEN && bytesrc_read_some(src, 0, text,
	    sizeof(text), &got, p->e) < 0)
		return ERR_IO;
	bytesrc_free(src);
	facts[1] = (struct fact)FACT_NUM("status", (uint64_t)r);
	facts[2] = (struct fact)FACT_TEXT("content", text, got);
	return format_anomaly(p, ANOMALY_TRAILING_ZERO, 0, 0, facts, 3);
}

static int
ask_parse(struct parse *p)
{
	static char text[4096];
	size_t n, i = 4, len;
	int r = 0;

	if (bytesrc_read_some(p->src, 0, text, sizeof(text), &n, p->e) < 0)
		return ERR_IO;
	for (; i < n && r >= 0; i += len + 1) {
		const char *end = memchr(text + i, '\n', n - i);

		len = end != NULL ? (size_t)(end - (text + i)) : n - i;
		/* '@' stands for a NUL. */
		for (size_t k = i; k < i + len; k++)
			if (text[k] == '@')
				text[k] = '\0';
		r = ask_one(p, text + i, len);
	}
	return r;
}

static const struct format ask_format = {.name = "ask",
    .kind = FORMAT_MODEL, .bid = ask_bid, .parse = ask_parse};

#define SEEN_MAX 400
static struct {
	char path[128], name[64], content[64];
	uint64_t status;
} seen[SEEN_MAX];
static unsigned nseen;

static int
on_header(struct sink *s, const struct result_header *h, struct err *e)
{
	(void)s;
	(void)e;
	(void)h;
	return 0;
}

static int
on_object(struct sink *s, const struct result_object *o, struct err *e)
{
	(void)s;
	(void)o;
	(void)e;
	return 0;
}

static int
on_finding(struct sink *s, const struct result_finding *f, struct err *e)
{
	const struct detail *d = f->finding->details;

	(void)s;
	(void)e;
	if (f->finding->ndetails != 3)
		return 0;
	assert_true(nseen < SEEN_MAX);
	(void)snprintf(seen[nseen].path, sizeof(seen[0].path), "%s", f->path);
	(void)snprintf(seen[nseen].name, sizeof(seen[0].name), "%.*s",
	    (int)d[0].len, (const char *)d[0].text);
	(void)snprintf(seen[nseen].content, sizeof(seen[0].content), "%.*s",
	    (int)d[2].len, (const char *)d[2].text);
	seen[nseen++].status = d[1].num;
	return 0;
}

static int
on_call(struct sink *s, const struct result_call *c, struct err *e)
{
	(void)s;
	(void)c;
	(void)e;
	return 0;
}

static int
on_summary(struct sink *s, const struct result_summary *r, struct err *e)
{
	(void)s;
	(void)r;
	(void)e;
	return 0;
}

static const struct sink_ops remember = {
    "remember", on_header, on_object, on_finding, on_call, on_summary};

static void
scan(const char *path)
{
	const struct scan_options o = {.command = "scan", .fence = true,
	    .extra = &ask_format};
	struct sink sink = {.ops = &remember, .fd = -1};
	struct result_summary sum;
	struct err e = ERR_INIT;
	bool failed;

	nseen = 0;
	assert_int_equal(scan_run(&path, 1, &o, &sink, &sum, &failed, &e), 0);
	assert_false(failed);
}

static const char *
in_top(const char *name)
{
	static char path[4][160];
	static unsigned turn;

	turn = (turn + 1) % 4;
	(void)snprintf(path[turn], sizeof(path[0]), "%s/%s", top, name);
	return path[turn];
}

static void
put(const char *name, const char *text)
{
	int fd = open(in_top(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	size_t n = strlen(text);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	(void)close(fd);
}

/* What ${object} was told of ${name}; -1 when it did not ask. */
static int
told(const char *object, const char *name, const char **content)
{
	size_t n = strlen(object);

	for (unsigned i = 0; i < nseen; i++) {
		size_t m = strlen(seen[i].path);

		if (m >= n && strcmp(seen[i].path + m - n, object) == 0 &&
		    strcmp(seen[i].name, name) == 0) {
			*content = seen[i].content;
			return (int)seen[i].status;
		}
	}
	return -1;
}

static void
expect(const char *object, const char *name, enum sibling status,
    const char *content)
{
	const char *got = "";
	int r = told(object, name, &got);

	if (r != (int)status || strcmp(got, content) != 0)
		fail_msg("%s asks '%s': %d '%s', not %d '%s'", object, name, r,
		    got, (int)status, content);
}

#define QUESTIONS "beside.bin\n./beside.bin\nsub/below.bin\n" \
	"sub/../beside.bin\n../shared.bin\n../../outside.bin\nlink.bin\n" \
	"linked/below.bin\nsub\nfifo\nmissing.bin\n/etc/passwd\n" \
	"beside.bin@x\n../model/../../../../etc/passwd"

static void
a_file_gets_regular_files_beneath_the_root_and_nothing_else(void **state)
{
	(void)state;
	scan(in_top("root"));
	expect("model/ask", "beside.bin", SIBLING_OPEN, "beside");
	expect("model/ask", "./beside.bin", SIBLING_OPEN, "beside");
	expect("model/ask", "sub/below.bin", SIBLING_OPEN, "below");
	expect("model/ask", "sub/../beside.bin", SIBLING_OPEN, "beside");
	expect("model/ask", "../shared.bin", SIBLING_OPEN, "shared");
	expect("model/ask", "../../outside.bin", SIBLING_REFUSED, "");
	expect("model/ask", "link.bin", SIBLING_REFUSED, "");
	expect("model/ask", "linked/below.bin", SIBLING_REFUSED, "");
	expect("model/ask", "sub", SIBLING_REFUSED, "");
	expect("model/ask", "fifo", SIBLING_REFUSED, "");
	expect("model/ask", "missing.bin", SIBLING_NONE, "");
	expect("model/ask", "/etc/passwd", SIBLING_REFUSED, "");
	expect("model/ask", "../model/../../../../etc/passwd",
	    SIBLING_REFUSED, "");
}

static void
the_root_of_one_file_is_its_folder(void **state)
{
	(void)state;
	scan(in_top("root/model/ask"));
	expect("model/ask", "beside.bin", SIBLING_OPEN, "beside");
	expect("model/ask", "../shared.bin", SIBLING_REFUSED, "");
}

static void
add_member(struct archive *a, const char *name, const char *text)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0600);
	archive_entry_set_size(e, (int64_t)strlen(text));
	assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, text, strlen(text)),
	    strlen(text));
	archive_entry_free(e);
}

static void
a_member_gets_members_of_its_own_archive(void **state)
{
	struct archive *a = archive_write_new();

	(void)state;
	assert_int_equal(archive_write_set_format_ustar(a), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(a, in_top("all.tar")),
	    ARCHIVE_OK);
	add_member(a, "root/model/ask", "ASK:" QUESTIONS);
	add_member(a, "root/model/beside.bin", "beside");
	add_member(a, "root/model/sub/below.bin", "below");
	add_member(a, "root/shared.bin", "shared");
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	scan(in_top("all.tar"));
	/* Members behind the one that asks are known too. */
	expect("!root/model/ask", "beside.bin", SIBLING_OPEN, "beside");
	expect("!root/model/ask", "sub/below.bin", SIBLING_OPEN, "below");
	expect("!root/model/ask", "../shared.bin", SIBLING_OPEN, "shared");
	expect("!root/model/ask", "missing.bin", SIBLING_NONE, "");
	expect("!root/model/ask", "../../outside.bin", SIBLING_NONE, "");
	expect("!root/model/ask", "../model/../../../../etc/passwd",
	    SIBLING_REFUSED, "");
}

static void
paths_are_normalised_and_cannot_climb(void **state)
{
	char dst[16];

	(void)state;
	assert_true(sibling_path("a/b", "./x//y", 6, dst, sizeof(dst)));
	assert_string_equal(dst, "a/b/x/y");
	assert_true(sibling_path("a/b", "../../x", 7, dst, sizeof(dst)));
	assert_string_equal(dst, "x");
	assert_false(sibling_path("a/b", "../../../x", 10, dst,
	    sizeof(dst)));
	assert_false(sibling_path("", "/x", 2, dst, sizeof(dst)));
	assert_false(sibling_path("", "x\0y", 3, dst, sizeof(dst)));
	assert_false(sibling_path("a", "..", 2, dst, sizeof(dst)));
	assert_true(sibling_path("", "0123456789abcd", 14, dst,
	    sizeof(dst)));
	assert_string_equal(dst, "0123456789abcd");
	assert_false(sibling_path("a", "0123456789abcd", 14, dst,
	    sizeof(dst)));
}

static int
setup(void **state)
{
	static const char *const dirs[] = {"root", "root/model",
	    "root/model/sub", NULL};
	struct sandbox_status st;

	(void)state;
	sandbox_probe(&st);
	if (!st.seccomp) {
		(void)printf("SKIP: this kernel has no seccomp filter\n");
		exit(77);
	}
	if (mkdtemp(top) == NULL)
		return -1;
	for (const char *const *d = dirs; *d != NULL; d++)
		assert_int_equal(mkdir(in_top(*d), 0700), 0);
	put("root/model/ask", "ASK:" QUESTIONS);
	put("root/model/beside.bin", "beside");
	put("root/model/sub/below.bin", "below");
	put("root/shared.bin", "shared");
	put("outside.bin", "outside");
	assert_int_equal(symlink("beside.bin", in_top("root/model/link.bin")),
	    0);
	assert_int_equal(symlink("sub", in_top("root/model/linked")), 0);
	return mkfifo(in_top("root/model/fifo"), 0600);
}

static int
drop(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_file_gets_regular_files_beneath_the_root_and_nothing_else),
	    cmocka_unit_test(the_root_of_one_file_is_its_folder),
	    cmocka_unit_test(a_member_gets_members_of_its_own_archive),
	    cmocka_unit_test(paths_are_normalised_and_cannot_climb),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
