#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <sched.h>
#include <sys/mount.h>

#include "base/json_write.h"
#include "tests/unit/collect_fixture.h"

static void
mounts_that_are_not_followed_are_named(void **state)
{
	struct scene *s = *state;
	struct json_write w;
	struct buf b;

	put_dir(s, "m");
	put_dir(s, "n");
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", at(s, "m"), "tmpfs", 0, NULL) < 0 ||
	    mount("none", at(s, "n"), "proc", 0, NULL) < 0)
		SKIP("mounting is refused here");
	put_text(s, "m/f", "elsewhere");
	scope_open(&s->c);
	s->o.mounts = COLLECT_MOUNTS_NONE;
	take(s, "");
	has(record_of(s, "m"), "\"note\":\"a mount that is not followed\"");
	has(record_of(s, "n"), "\"note\":\"a mount that is not followed\"");
	assert_null(seen(s, "m/f"));
	has(nth_line(s, &s->c.log, "skipped a mount", 0), "/m\"");
	counts(s, 3, 0, 0);
	/* What the kernel makes up is not local, a file system in memory is. */
	s->o.mounts = COLLECT_MOUNTS_LOCAL;
	take(s, "");
	stored(s, "m/f", "elsewhere", 9);
	counts(s, 7, 1, 0);
	assert_int_equal(umount(at(s, "m")), 0);
	assert_int_equal(umount(at(s, "n")), 0);
	buf_init(&b, MIB);
	json_init(&w, &b, JSON_COMPACT);
	json_begin_object(&w);
	scope_put_coverage(&w, &s->c);
	json_end_object(&w);
	assert_true(is_json(buf_str(&b), b.len));
	has(buf_str(&b), "\"mounts_entered\":1,\"mounts_skipped\":3");
	has(buf_str(&b), "{\"what\":\"skipped\",\"path\":");
	buf_release(&b);
	scope_close(&s->c);
}

static void
what_is_excluded_is_recorded_and_not_entered(void **state)
{
	static const char *const globs[] = {"*.tmp", "*/cache/*"};
	struct scene *s = *state;

	put_dir(s, "cache");
	put_text(s, "cache/a", "a");
	put_dir(s, "x.tmp");
	put_text(s, "x.tmp/b", "b");
	put_text(s, "c.tmp", "c");
	put_text(s, "d", "d");
	s->o.excludes = globs;
	s->o.nexcludes = 2;
	take(s, "");
	has(record_of(s, "cache/a"), "\"note\":\"excluded\"");
	has(record_of(s, "x.tmp"), "\"note\":\"excluded\"");
	has(record_of(s, "c.tmp"), "\"note\":\"excluded\"");
	assert_null(seen(s, "x.tmp/b"));
	stored(s, "d", "d", 1);
	counts(s, 6, 1, 0);
	assert_int_equal(s->c.coverage.excluded, 3);
	/* What a person named is not excluded. */
	take(s, "c.tmp");
	counts(s, 7, 2, 0);
}

static void
what_passes_the_limit_of_its_source_is_an_error(void **state)
{
	struct scene *s = *state;
	struct collect_source source = {.class = BAG_TRAINING,
	    .path = s->dir, .max_bytes = 10};

	put_text(s, "a", "12345678");
	put_text(s, "b", "123");
	put_text(s, "c", "12");
	assert_int_equal(collect_source(&s->c, &source), 0);
	has(error_of(s, "b"), "limit of bytes");
	counts(s, 3, 2, 1);
	assert_int_equal(s->c.totals.bytes, 10);
}

static void
a_database_comes_with_its_log(void **state)
{
	struct scene *s = *state;
	struct collect_source source = {.class = BAG_REGISTRY,
	    .kind = SOURCE_MLFLOW};
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/mlflow.db", s->dir);
	source.path = path;
	put_text(s, "mlflow.db", "db");
	put_text(s, "mlflow.db-wal", "wal");
	put_text(s, "mlflow.db-shm", "shm");
	put_text(s, "mlflow.dbx", "another");
	assert_int_equal(collect_source(&s->c, &source), 0);
	stored(s, "mlflow.db-wal", "wal", 3);
	stored(s, "mlflow.db-shm", "shm", 3);
	counts(s, 3, 3, 0);
	has(nth_line(s, &s->c.log, "belongs to the source", 0), "-wal");
}

static void
a_snapshot_comes_with_its_blobs_once(void **state)
{
	struct scene *s = *state;
	struct collect_source source = {.class = BAG_REGISTRY,
	    .kind = SOURCE_HF};

	put_dir(s, "m");
	put_dir(s, "m/blobs");
	put_dir(s, "m/refs");
	put_dir(s, "m/snapshots");
	put_dir(s, "m/snapshots/c");
	put_text(s, "m/blobs/b", "blob");
	put_text(s, "m/refs/main", "c");
	assert_int_equal(symlink("../../blobs/b", at(s, "m/snapshots/c/f")),
	    0);
	source.path = at(s, "m/snapshots/c");
	assert_int_equal(collect_source(&s->c, &source), 0);
	has(record_of(s, "m/snapshots/c/f"), "\"type\":\"symlink\"");
	stored(s, "m/blobs/b", "blob", 4);
	counts(s, 6, 2, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SCENE_TEST(mounts_that_are_not_followed_are_named),
	    SCENE_TEST(what_is_excluded_is_recorded_and_not_entered),
	    SCENE_TEST(what_passes_the_limit_of_its_source_is_an_error),
	    SCENE_TEST(a_database_comes_with_its_log),
	    SCENE_TEST(a_snapshot_comes_with_its_blobs_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
