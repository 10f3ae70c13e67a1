#include "tests/release/scan_fixture.h"

#include <archive.h>
#include <archive_entry.h>

#include "analyzer/sibling.h"
#include "base/bytesrc.h"
#include "formats/format.h"

/*
 * A format that exists in this test alone: an object "ASK:" asks, from behind
 * the fence, for each name that it lists, and tells what it got.
 */
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

static void
scan(const char *name)
{
	const struct scan_options o = {.command = "scan", .fence = true,
	    .extra = &ask_format};

	scan_do(scan_path(name), &o);
}

/* What ${object} was told of ${name}; -1 when it did not ask. */
static int
told(const char *object, const char *name, const char **content)
{
	for (unsigned i = 0; i < scan_nfindings; i++) {
		if (!scan_ends(scan_findings[i].path, object) ||
		    scan_findings[i].ndetails != 3 ||
		    strcmp(scan_findings[i].details[0].text, name) != 0)
			continue;
		*content = scan_findings[i].details[2].text;
		return (int)scan_findings[i].details[1].num;
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
	scan("root");
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
	scan("root/model/ask");
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
	assert_int_equal(archive_write_open_filename(a, scan_path("all.tar")),
	    ARCHIVE_OK);
	add_member(a, "root/model/ask", "ASK:" QUESTIONS);
	add_member(a, "root/model/beside.bin", "beside");
	add_member(a, "root/model/sub/below.bin", "below");
	add_member(a, "root/shared.bin", "shared");
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	scan("all.tar");
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

static void
put(const char *name, const char *text)
{
	scan_put(name, text, strlen(text));
}

static int
setup(void **state)
{
	static const char *const dirs[] = {"root", "root/model",
	    "root/model/sub", NULL};

	if (scan_setup(state) != 0)
		return -1;
	for (const char *const *d = dirs; *d != NULL; d++)
		assert_int_equal(mkdir(scan_path(*d), 0700), 0);
	put("root/model/ask", "ASK:" QUESTIONS);
	put("root/model/beside.bin", "beside");
	put("root/model/sub/below.bin", "below");
	put("root/shared.bin", "shared");
	put("outside.bin", "outside");
	assert_int_equal(symlink("beside.bin",
	    scan_path("root/model/link.bin")), 0);
	assert_int_equal(symlink("sub", scan_path("root/model/linked")), 0);
	return mkfifo(scan_path("root/model/fifo"), 0600);
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

	return cmocka_run_group_tests(tests, setup, scan_teardown);
}
