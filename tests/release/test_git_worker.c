#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <git2.h>

#include "analyzer/intake/git_worker.h"
#include "analyzer/intake/regwire.h"
#include "base/sandbox.h"
#include "collector/intake.h"
#include "custody/derive.h"
#include "tests/unit/collect_fixture.h"

/*
 * A git repository, made by libgit2, that is collected and read by the fenced
 * worker from its copy.
 */
#define POINTER "version https://git-lfs.github.com/spec/v1\n" \
	"oid sha256:" \
	"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\n" \
	"size 5\n"

static git_repository *repo;

static int
git_setup(void **state)
{
	char tmp[] = "/tmp/exhibit-git-test-XXXXXX";

	assert_true(git_libgit2_init() > 0);
	assert_non_null(mkdtemp(tmp));
	/* Copies are made here, so that the test sees what is left of them. */
	assert_int_equal(setenv("TMPDIR", tmp, 1), 0);
	return scene_setup(state);
}

static int
git_teardown(void **state)
{
	git_repository_free(repo);
	repo = NULL;
	/* Nothing of any copy is left: the folder is empty. */
	assert_int_equal(rmdir(getenv("TMPDIR")), 0);
	assert_int_equal(unsetenv("TMPDIR"), 0);
	return scene_teardown(state);
}

static void
commit_all(const char *message, int64_t when)
{
	git_index *index;
	git_oid tree_id, id, head;
	git_tree *tree;
	git_commit *parent = NULL;
	git_signature *who;

	assert_int_equal(git_repository_index(&index, repo), 0);
	assert_int_equal(git_index_add_all(index, NULL, 0, NULL, NULL), 0);
	assert_int_equal(git_index_write(index), 0);
	assert_int_equal(git_index_write_tree(&tree_id, index), 0);
	assert_int_equal(git_tree_lookup(&tree, repo, &tree_id), 0);
	assert_int_equal(git_signature_new(&who, "Eve Example",
	    "eve@example.org", when, 0), 0);
	if (git_reference_name_to_id(&head, repo, "HEAD") == 0)
		assert_int_equal(git_commit_lookup(&parent, repo, &head), 0);
	assert_int_equal(git_commit_create_v(&id, repo, "HEAD", who, who,
	    NULL, message, tree, parent != NULL ? 1 : 0, parent), 0);
	git_signature_free(who);
	git_commit_free(parent);
	git_tree_free(tree);
	git_index_free(index);
}

static void
make_repository(struct scene *s)
{
	put_dir(s, "repo");
	assert_int_equal(git_repository_init(&repo, at(s, "repo"), 0), 0);
	put_text(s, "repo/model.safetensors", "first weights");
	put_text(s, "repo/big.weights", POINTER);
	put_text(s, "repo/README.md", "a model");
	commit_all("first model", 1700000000);
	put_text(s, "repo/model.safetensors", "other weights");
	commit_all("swap it", 1700000100);
	put_text(s, "repo/README.md", "the model");
	commit_all("words", 1700000200);
}

/* A line of files.jsonl as a machine that lies would write it. */
static void
put_line(struct scene *s, const char *type, const char *path, uint64_t off,
    uint64_t size)
{
	struct buf b;

	buf_init(&b, 64 * KIB);
	buf_printf(&b, "{\"type\":\"%s\",\"class\":\"registry\","
	    "\"path_hex\":\"", type);
	for (const char *p = path; *p != '\0'; p++)
		buf_printf(&b, "%02x", (unsigned char)*p);
	buf_printf(&b, "\",\"data_offset\":%llu,\"stat\":{\"size\":%llu,"
	    "\"mtime\":\"1.000000000\"}}", (unsigned long long)off,
	    (unsigned long long)size);
	assert_int_equal(record_line(&s->c, &s->c.files, b.p, b.len), 0);
	buf_release(&b);
}

/* Of a repository of nobody's, which comes before the one that was taken. */
static void
put_evil(struct scene *s, const char *path, uint64_t off, uint64_t size)
{
	put_line(s, "file", "/evil/.git/HEAD", 0, 5);
	put_line(s, "directory", "/evil/.git/objects", 0, 0);
	put_line(s, "directory", "/evil/.git/refs", 0, 0);
	put_line(s, "file", path, off, size);
}

static const struct lie {
	const char *path, *why;
	uint64_t off, size;
} *lie;

/* Collect, interpret, and keep what was derived and what went wrong. */
static void
interpret(struct scene *s)
{
	const struct intake_kind kind = {"git", 1U << BAG_REGISTRY,
	    "HEAD", git_worker_main, regwire_line};
	struct collect_source src = {.class = BAG_REGISTRY};
	char path[PATH_MAX];
	struct intake *in;

	(void)snprintf(path, sizeof(path), "%s", at(s, "repo"));
	src.path = path;
	s->o.bundle_fd = s->fd;
	assert_int_equal(intake_start(&kind, 1, &in, &s->e), 0);
	assert_int_equal(walk_source(&s->c, &src), 0);
	if (lie != NULL)
		put_evil(s, lie->path, lie->off, lie->size);
	assert_int_equal(intake_run(in, &s->c), 0);
	assert_int_equal(s->c.totals.errors, 0);
	intake_free(in);
}

static unsigned
lines_with(struct scene *s, const char *a, const char *b)
{
	struct stat st;
	unsigned n = 0;
	char *p, *line;

	assert_int_equal(evidence_flush(s->w, &s->e), 0);
	assert_int_equal(fstat(s->fd, &st), 0);
	p = calloc(1, (size_t)st.st_size + 1);
	assert_int_equal(pread(s->fd, p, (size_t)st.st_size, 0), st.st_size);
	/* What stands behind the payload is text with zeros in between. */
	for (off_t i = 0; i < st.st_size; i++)
		if (p[i] == '\0')
			p[i] = ' ';
	for (line = p; line != NULL && *line != '\0';) {
		char *next = strchr(line, '\n');

		if (next != NULL)
			*next++ = '\0';
		n += strstr(line, a) != NULL && strstr(line, b) != NULL;
		line = next;
	}
	free(p);
	return n;
}

static void
history_and_references_are_told(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	interpret(s);
	assert_int_equal(lines_with(s, "\"type\":\"alias\"",
	    "\"alias\":\"HEAD\""), 1);
	assert_int_equal(lines_with(s, "\"type\":\"alias\"",
	    "\"alias\":\"refs/heads/master\""), 1);
	/* Two commits touched the model, one added the pointer. */
	assert_int_equal(lines_with(s, "\"type\":\"revision\"",
	    "\"artifact\":\"model.safetensors\""), 2);
	assert_int_equal(lines_with(s, "\"description\":\"swap it\"",
	    "\"user\":\"Eve Example <eve@example.org>\",\"created\":"
	    "\"2023-11-14T22:15:00.000000000Z\""), 1);
	assert_int_equal(lines_with(s, "\"type\":\"revision\"",
	    "\"algorithm\":\"sha256\",\"digest\":\"2cf24dba5f"), 1);
	assert_int_equal(lines_with(s, "\"description\":\"words\"",
	    "revision"), 0);
	assert_int_equal(lines_with(s, "\"key\":\"reflog\"",
	    "\"alias\":\"HEAD\""), 3);
	/* All is as HEAD has it; the pointer's content was not fetched. */
	assert_int_equal(lines_with(s, "REG-", "\"rule\""), 1);
	assert_int_equal(lines_with(s, "REG-POINTER", "big.weights"), 1);
}

static void
a_working_folder_that_differs_is_told(void **state)
{
	struct scene *s = *state;
	git_index *index;

	make_repository(s);
	put_text(s, "repo/model.safetensors", "poisoned weights");
	put_text(s, "repo/big.weights", "hellO");
	assert_int_equal(unlink(at(s, "repo/README.md")), 0);
	put_text(s, "repo/new.onnx", "staged");
	assert_int_equal(git_repository_index(&index, repo), 0);
	assert_int_equal(git_index_add_bypath(index, "new.onnx"), 0);
	assert_int_equal(git_index_write(index), 0);
	git_index_free(index);
	interpret(s);
	assert_int_equal(lines_with(s, "REG-DISAGREES",
	    "repo/model.safetensors"), 1);
	assert_int_equal(lines_with(s, "REG-DIGEST", "repo/big.weights"), 1);
	assert_int_equal(lines_with(s, "REG-MISSING", "README.md"), 1);
	assert_int_equal(lines_with(s, "\"key\":\"staged\"",
	    "\"artifact\":\"new.onnx\""), 1);
	assert_int_equal(lines_with(s, "\"agrees\":false",
	    "\"artifact\":\"model.safetensors\""), 1);
}

/* core.autocrlf, "eol=crlf": git would call such a folder clean. */
static void
text_with_other_line_ends_is_what_head_has(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	put_text(s, "repo/README.md", "one\ntwo\n");
	put_text(s, "repo/other.md", "one\ntwo\n");
	commit_all("lines", 1700000300);
	put_text(s, "repo/README.md", "one\r\ntwo\r\n");
	put_text(s, "repo/other.md", "one\r\nTwo\r\n");
	interpret(s);
	assert_int_equal(lines_with(s, "REG-DISAGREES", "\"rule\""), 1);
	assert_int_equal(lines_with(s, "REG-DISAGREES", "other.md"), 1);
}

static void
links_are_held_against_head(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	assert_int_equal(symlink("model.safetensors", at(s, "repo/same")), 0);
	assert_int_equal(symlink("model.safetensors", at(s, "repo/moved")),
	    0);
	commit_all("links", 1700000300);
	assert_int_equal(unlink(at(s, "repo/moved")), 0);
	assert_int_equal(symlink("/etc/hostname", at(s, "repo/moved")), 0);
	assert_int_equal(unlink(at(s, "repo/model.safetensors")), 0);
	assert_int_equal(symlink("README.md",
	    at(s, "repo/model.safetensors")), 0);
	interpret(s);
	assert_int_equal(lines_with(s, "REG-DISAGREES", "repo/moved"), 1);
	assert_int_equal(lines_with(s, "REG-DISAGREES",
	    "a link where HEAD has a file"), 1);
	assert_int_equal(lines_with(s, "REG-DISAGREES", "\"rule\""), 2);
}

static void
a_repository_without_its_folder_is_one_statement(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	assert_int_equal(unlink(at(s, "repo/README.md")), 0);
	assert_int_equal(unlink(at(s, "repo/big.weights")), 0);
	assert_int_equal(unlink(at(s, "repo/model.safetensors")), 0);
	interpret(s);
	assert_int_equal(lines_with(s, "REG-MISSING", "\"rule\""), 1);
	assert_int_equal(lines_with(s, "\"type\":\"artifact\"",
	    "\"artifact\":\"model.safetensors\""), 1);
}

static void
what_was_fetched_agrees_with_its_pointer(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	put_text(s, "repo/big.weights", "hello");
	interpret(s);
	assert_int_equal(lines_with(s, "\"agrees\":true",
	    "\"artifact\":\"big.weights\""), 1);
	assert_int_equal(lines_with(s, "REG-", "\"rule\""), 0);
}

/* GIT_LFS_SKIP_SMUDGE: the content is there, in LFS' own folder. */
static void
a_pointer_whose_object_was_taken_is_no_finding(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	put_dir(s, "repo/.git/lfs");
	put_dir(s, "repo/.git/lfs/objects");
	put_dir(s, "repo/.git/lfs/objects/2c");
	put_dir(s, "repo/.git/lfs/objects/2c/f2");
	put_text(s, "repo/.git/lfs/objects/2c/f2/"
	    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
	    "hello");
	interpret(s);
	assert_int_equal(lines_with(s, "REG-", "\"rule\""), 0);
}

static void
what_was_reset_away_is_told_from_the_reflog(void **state)
{
	struct scene *s = *state;
	git_object *first;

	make_repository(s);
	assert_int_equal(git_revparse_single(&first, repo, "HEAD~2"), 0);
	assert_int_equal(git_reset(repo, first, GIT_RESET_HARD, NULL), 0);
	git_object_free(first);
	interpret(s);
	assert_int_equal(lines_with(s, "\"description\":\"swap it\"",
	    "\"type\":\"revision\""), 1);
}

/* The file of an object, given as hex. */
static void
break_object(struct scene *s, const git_oid *id)
{
	char hex[41], path[128];

	(void)git_oid_tostr(hex, sizeof(hex), id);
	(void)snprintf(path, sizeof(path), "repo/.git/objects/%.2s/%s", hex,
	    hex + 2);
	assert_int_equal(unlink(at(s, path)), 0);
	put_text(s, path, "no object");
}

static void
an_object_that_cannot_be_read_is_told(void **state)
{
	struct scene *s = *state;
	git_oid head;

	make_repository(s);
	assert_int_equal(git_reference_name_to_id(&head, repo, "HEAD"), 0);
	break_object(s, &head);
	interpret(s);
	assert_true(lines_with(s, "REG-MALFORMED", "repo/.git") >= 1);
	assert_int_equal(lines_with(s, "\"alias\":\"HEAD\"",
	    "leads to no commit"), 1);
}

static void
hostile_settings_lead_nowhere(void **state)
{
	struct scene *s = *state;

	make_repository(s);
	/* Other files, programs, and objects of elsewhere. */
	put_text(s, "repo/.git/config", "[include]\n\tpath = /etc/passwd\n"
	    "[core]\n\tworktree = /\n\tfsmonitor = touch /tmp/pwned\n"
	    "\trepositoryformatversion = 99\n");
	put_text(s, "repo/.git/objects/info/alternates", "/proc/self/root\n");
	interpret(s);
	assert_int_equal(lines_with(s, "\"type\":\"revision\"",
	    "\"artifact\":\"model.safetensors\""), 2);
	assert_int_not_equal(access("/tmp/pwned", F_OK), 0);
}

static void
lies_about_a_repository_copy_nothing_and_hide_no_other(void **state)
{
	static const struct lie lies[] = {
	    {"/evil/.git/../../../tmp/pwned", "goes up", 0, 5},
	    {"/evil/.git/a/..", "goes up", 0, 5},
	    {"/evil/.git//tmp/pwned", "goes up", 0, 5},
	    {"/evil/.git/x", "not in the bundle", UINT64_MAX, 5},
	    {"/evil/.git/x", "not in the bundle", 5, UINT64_MAX},
	    {"/evil/.git/x", "not in the bundle", 5, (uint64_t)1 << 40},
	    {"/evil/.git/HEAD/x", "cannot copy", 0, 5}};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct scene *s;

		if (i > 0) {
			(void)git_teardown(state);
			(void)git_setup(state);
		}
		s = *state;
		make_repository(s);
		lie = &lies[i];
		interpret(s);
		lie = NULL;
		assert_int_equal(lines_with(s, "REG-UNREAD", lies[i].why), 1);
		assert_int_equal(lines_with(s, "\"type\":\"revision\"",
		    "\"artifact\":\"model.safetensors\""), 2);
		assert_int_not_equal(access("/tmp/pwned", F_OK), 0);
	}
}

#define GIT(f) cmocka_unit_test_setup_teardown(f, git_setup, git_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    GIT(history_and_references_are_told),
	    GIT(a_working_folder_that_differs_is_told),
	    GIT(what_was_fetched_agrees_with_its_pointer),
	    GIT(a_pointer_whose_object_was_taken_is_no_finding),
	    GIT(text_with_other_line_ends_is_what_head_has),
	    GIT(links_are_held_against_head),
	    GIT(a_repository_without_its_folder_is_one_statement),
	    GIT(what_was_reset_away_is_told_from_the_reflog),
	    GIT(an_object_that_cannot_be_read_is_told),
	    GIT(hostile_settings_lead_nowhere),
	    GIT(lies_about_a_repository_copy_nothing_and_hide_no_other)};
	struct sandbox_status st;

	sandbox_probe(&st);
	if (!st.seccomp || st.landlock_abi == 0) {
		(void)printf("SKIP: no seccomp or no Landlock here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
