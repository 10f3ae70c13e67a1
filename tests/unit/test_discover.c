#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/buf.h"
#include "collector/discover.h"
#include "collector/plan.h"
#include "tests/unit/collect_fixture.h"

/* The proposal for the scene's directory, which must be a plan. */
static struct plan *
propose(struct scene *s, const struct discover_limits *l, unsigned want)
{
	struct plan *p = NULL;
	unsigned n = 0;

	buf_clear(&s->line);
	if (discover(s->dir, l, &s->line, &n, &s->e) != 0)
		fail_msg("%s", s->e.msg);
	assert_int_equal(n, want);
	if (n > 0 && plan_parse("p", s->line.p, s->line.len, &p, &s->e) != 0)
		fail_msg("%s", s->e.msg);
	if (p != NULL)
		assert_int_equal(p->nsources, want);
	return p;
}

static const struct collect_source *
source(struct scene *s, const struct plan *p, const char *name)
{
	const char *path = *name != '\0' ? at(s, name) : s->dir;

	for (size_t i = 0; i < p->nsources; i++)
		if (strcmp(p->sources[i].path, path) == 0)
			return &p->sources[i];
	fail_msg("no '%s' in %s", name, buf_str(&s->line));
	return NULL;
}

static void
is(struct scene *s, const struct plan *p, const char *name,
    enum bag_class class, enum source_system kind)
{
	const struct collect_source *found = source(s, p, name);

	assert_int_equal(found->class, class);
	assert_int_equal(found->kind, kind);
}

static void
folders_are_known_by_their_shape(void **state)
{
	static const char *const dirs[] = {"mlruns", "hub",
	    "hub/models--org--name", "hub/models--org--name/blobs", "repo",
	    "repo/.git", "data", "data/.dvc", "oci", "triton", "triton/m",
	    "wandb", "wandb/run-20260101_000000-abc", "bare", "bare/objects",
	    "bare/refs", "plain"};
	struct scene *s = *state;
	const struct discover_limits l = DISCOVER_LIMITS;
	struct plan *p;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		put_dir(s, dirs[i]);
	put_text(s, "oci/oci-layout", "{}");
	put_text(s, "oci/index.json", "{}");
	put_text(s, "triton/m/config.pbtxt", "");
	put_text(s, "bare/HEAD", "");
	put_text(s, "repo/model.safetensors", "not listed alone");
	put_text(s, "plain/README", "");
	put_text(s, "mlflow.db", "");
	p = propose(s, &l, 9);
	is(s, p, "mlruns", BAG_REGISTRY, SOURCE_MLFLOW);
	is(s, p, "mlflow.db", BAG_REGISTRY, SOURCE_MLFLOW);
	is(s, p, "hub", BAG_REGISTRY, SOURCE_HF);
	is(s, p, "repo", BAG_REGISTRY, SOURCE_GIT);
	is(s, p, "bare", BAG_REGISTRY, SOURCE_GIT);
	is(s, p, "data", BAG_REGISTRY, SOURCE_DVC);
	is(s, p, "oci", BAG_REGISTRY, SOURCE_OCI);
	is(s, p, "triton/m", BAG_REGISTRY, SOURCE_TRITON);
	is(s, p, "wandb", BAG_REGISTRY, SOURCE_WANDB);
	plan_free(p);
}

static void
files_are_known_by_their_names(void **state)
{
	static const char *const logs[] = {"app.log", "app.log.1",
	    "app.log.2.gz"};
	struct scene *s = *state;
	const struct discover_limits l = DISCOVER_LIMITS;
	struct plan *p;
	char name[64];

	put_text(s, "m.safetensors", "");
	put_text(s, "M.GGUF", "");
	put_text(s, "rows.parquet", "");
	put_text(s, "state.sqlite3", "");
	put_text(s, "notes.txt", "");
	put_dir(s, "requests");
	put_text(s, "requests/r.jsonl", "");
	put_dir(s, "l");
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		(void)snprintf(name, sizeof(name), "l/%s", logs[i]);
		put_text(s, name, "");
	}
	put_dir(s, "many");
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "many/%02u.jsonl", i);
		put_text(s, name, "");
	}
	p = propose(s, &l, 9);
	is(s, p, "m.safetensors", BAG_WEIGHTS, SOURCE_FILES);
	is(s, p, "M.GGUF", BAG_WEIGHTS, SOURCE_FILES);
	is(s, p, "rows.parquet", BAG_TRAINING, SOURCE_FILES);
	is(s, p, "state.sqlite3", BAG_OTHER, SOURCE_FILES);
	is(s, p, "requests/r.jsonl", BAG_API_LOGS, SOURCE_FILES);
	is(s, p, "l/app.log.1", BAG_API_LOGS, SOURCE_FILES);
	is(s, p, "l/app.log.2.gz", BAG_API_LOGS, SOURCE_FILES);
	is(s, p, "many", BAG_TRAINING, SOURCE_FILES);
	plan_free(p);
}

static void
any_name_comes_back_as_it_is(void **state)
{
	static const char *const names[] = {"a\"b.pt", "a\\b.pt", "a\nb.pt",
	    "a\377b.pt", "a: b.pt", "# a.pt", "\xe2\x80\xae.pt", "'a'.pt",
	    "\xc3\xbc.pt", "*a.pt"};
	struct scene *s = *state;
	const struct discover_limits l = DISCOVER_LIMITS;
	struct plan *p;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put_text(s, names[i], "");
	p = propose(s, &l, sizeof(names) / sizeof(names[0]));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		is(s, p, names[i], BAG_WEIGHTS, SOURCE_FILES);
	plan_free(p);
}

static void
what_ends_the_search_is_said(void **state)
{
	struct discover_limits l = DISCOVER_LIMITS;
	struct scene *s = *state;

	put_dir(s, "a");
	put_dir(s, "a/b");
	put_text(s, "a/b/m.pt", "");
	put_text(s, "m.pt", "");
	l.depth = 1;
	plan_free(propose(s, &l, 1));
	has(buf_str(&s->line), "1 folders lie deeper");
	l = (struct discover_limits)DISCOVER_LIMITS;
	plan_free(propose(s, &l, 2));
	lacks(buf_str(&s->line), "NOT ALL");
	l.entries = 1;
	(void)unlink(at(s, "m.pt"));
	assert_null(propose(s, &l, 0));
	has(buf_str(&s->line), "NOT ALL OF IT");
	has(buf_str(&s->line), "Nothing was found");
}

static void
links_are_not_followed_and_what_is_not_there_is_an_error(void **state)
{
	struct scene *s = *state;
	const struct discover_limits l = DISCOVER_LIMITS;
	unsigned n;

	put_dir(s, "a");
	assert_int_equal(symlink(s->dir, at(s, "a/loop")), 0);
	assert_null(propose(s, &l, 0));
	assert_int_equal(discover(at(s, "none"), &l, &s->line, &n, &s->e),
	    ERR_NOTFOUND);
}

/* Listed, but closed: names are seen, and not what they are. */
static void
what_cannot_be_looked_at_is_not_passed_over(void **state)
{
	struct scene *s = *state;
	const struct discover_limits l = DISCOVER_LIMITS;

	if (getuid() != 0)
		SKIP("needs root, to be somebody else");
	put_dir(s, "closed");
	put_text(s, "closed/m.safetensors", "");
	assert_int_equal(chmod(s->dir, 0755), 0);
	assert_int_equal(chmod(at(s, "closed"), 0744), 0);
	be_nobody();
	assert_null(propose(s, &l, 0));
	be_root_again();
	has(buf_str(&s->line), "1 folders cannot be read");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(folders_are_known_by_their_shape),
	    SCENE_TEST(files_are_known_by_their_names),
	    SCENE_TEST(any_name_comes_back_as_it_is),
	    SCENE_TEST(what_ends_the_search_is_said),
	    SCENE_TEST(what_cannot_be_looked_at_is_not_passed_over),
	    SCENE_TEST(
		links_are_not_followed_and_what_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
