#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/cursor.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "collector/mounts.h"

static const char table[] =
    "22 1 0:20 / / rw,relatime - overlay overlay rw,lowerdir=/l\n"
    "36 22 98:0 /sub /mnt/two\\040words rw,noatime shared:1 master:2 - ext4 "
    "/dev/\\134odd ro,errors=continue\n"
    "40 22 0:31 / /snap ro - zfs tank/models@before-incident ro,xattr\n"
    "41 22 0:32 / /zfs rw - zfs tank/models rw,xattr\n"
    "42 22 8:1 / /nil ro - nilfs2 /dev/sda1 ro,cp=17\n"
    "43 22 8:2 / /bind ro,nosuid - xfs /dev/sda2 rw,attr2\n"
    "44 22 8:3 / /cut rw - ext4\n"
    "45 22 8-3 / /bad rw - ext4 /dev/x rw\n";

static struct mounts_facts
find(uint64_t id, size_t n)
{
	struct mounts_facts m;
	struct cursor c;

	mounts_init(&m);
	cursor_init(&c, (const uint8_t *)table, n, 0);
	mounts_parse(&m, c, id);
	return m;
}

static const char *
text(const struct mounts_facts *m, size_t at)
{
	return (const char *)m->text.p + at;
}

static void
a_line_is_taken_apart(void **state)
{
	struct mounts_facts m = find(36, sizeof(table) - 1);

	(void)state;
	assert_true(m.known);
	assert_int_equal(m.major, 98);
	assert_int_equal(m.minor, 0);
	assert_string_equal(text(&m, m.root), "/sub");
	assert_string_equal(text(&m, m.point), "/mnt/two words");
	assert_string_equal(text(&m, m.type), "ext4");
	assert_string_equal(text(&m, m.source), "/dev/\\odd");
	assert_string_equal(text(&m, m.options), "rw,noatime");
	assert_string_equal(text(&m, m.super), "ro,errors=continue");
	/* The file system is read-only, this mount does not say so. */
	assert_true(m.read_only);
	assert_false(m.mount_read_only);
	assert_false(m.snapshot);
	mounts_release(&m);
}

static void
a_mount_that_is_read_only_is_no_file_system_that_is(void **state)
{
	struct mounts_facts m = find(43, sizeof(table) - 1);

	(void)state;
	assert_true(m.mount_read_only);
	assert_false(m.read_only);
	mounts_release(&m);
}

static void
snapshots_are_known_by_their_own_kind(void **state)
{
	static const struct {
		uint64_t id;
		bool snapshot;
	} cases[] = {{22, false}, {40, true}, {41, false}, {42, true},
	    {43, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mounts_facts m = find(cases[i].id, sizeof(table) - 1);

		assert_true(m.known);
		assert_int_equal(m.snapshot, cases[i].snapshot);
		mounts_release(&m);
	}
}

static void
what_is_no_line_is_not_known(void **state)
{
	static const uint64_t ids[] = {1, 44, 45, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct mounts_facts m = find(ids[i], sizeof(table) - 1);

		assert_false(m.known);
		mounts_release(&m);
	}
	/* Cut anywhere: known or not, never beyond the bytes. */
	for (size_t n = 0; n < sizeof(table) - 1; n++) {
		struct mounts_facts m = find(36, n);

		mounts_release(&m);
	}
}

static void
the_root_of_this_machine_is_found(void **state)
{
	struct mounts_facts m;
	struct json_write w;
	struct statx st;
	struct buf b;

	(void)state;
	assert_int_equal(statx(AT_FDCWD, "/", 0, STATX_MNT_ID, &st), 0);
	mounts_init(&m);
	mounts_find(&m, st.stx_mnt_id);
	buf_init(&b, MIB);
	json_init(&w, &b, JSON_COMPACT);
	json_begin_object(&w);
	mounts_json(&w, "mount", &m);
	json_end_object(&w);
	assert_true(m.known);
	assert_non_null(strstr(buf_str(&b), "\"point\":\"/\""));
	buf_release(&b);
	mounts_release(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_taken_apart),
	    cmocka_unit_test(
		a_mount_that_is_read_only_is_no_file_system_that_is),
	    cmocka_unit_test(snapshots_are_known_by_their_own_kind),
	    cmocka_unit_test(what_is_no_line_is_not_known),
	    cmocka_unit_test(the_root_of_this_machine_is_found)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
