#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/diff/sides.h"
#include "base/buf.h"
#include "base/err.h"
#include "tests/lib/tree_fixture.h"

static char top[] = "/tmp/exhibit-sides-XXXXXX";
static char text[4096];

static const char *
at(const char *name)
{
	static char path[4][512];
	static unsigned turn;

	turn = (turn + 1) % 4;
	(void)snprintf(path[turn], sizeof(path[0]), "%s/%s", top, name);
	return path[turn];
}

static void
put(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, name, strlen(name)), strlen(name));
	(void)close(fd);
}

/* "a b (beside)" and the notes behind a bar. */
static const char *
parts(const struct side *s)
{
	size_t n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < s->job.n; i++) {
		const struct job_part *p = &s->job.v[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s%s",
		    i > 0 ? " " : "", *p->path != '\0' ? p->path : ".",
		    (p->flags & PART_BESIDE) != 0 ? "+" : "");
		assert_true(fcntl(p->fd, F_GETFD) >= 0);
	}
	for (size_t i = 0; i < s->nnotes; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " | %s %s",
		    s->notes[i].path, finding_info(s->notes[i].id)->name);
	return text;
}

static const char *
opened(const char *path, unsigned what, struct side *s)
{
	struct err e = ERR_INIT;
	int r = sides_open(s, path, what, &e);

	if (r >= 0)
		return parts(s);
	(void)snprintf(text, sizeof(text), "%s", e.msg);
	return text;
}

static void
a_directory_is_every_file_below_it_in_byte_order(void **state)
{
	struct side s;

	(void)state;
	assert_int_equal(mkdir(at("d"), 0700), 0);
	assert_int_equal(mkdir(at("d/a"), 0700), 0);
	assert_int_equal(mkdir(at("d/.git"), 0700), 0);
	put("d/a/x");
	put("d/a.txt");
	put("d/.git/config");
	put("d/.gitattributes");
	assert_int_equal(symlink("a.txt", at("d/link")), 0);
	assert_int_equal(mkfifo(at("d/pipe"), 0600), 0);
	assert_string_equal(opened(at("d"), SIDES_ALONE, &s),
	    ".gitattributes a.txt a/x | link SCAN-LINK | pipe "
	    "SCAN-UNREADABLE");
	assert_true(s.history);
	assert_true(s.bytes == 16 + 7 + 5);
	sides_close(&s);
}

static void
a_file_comes_with_what_may_belong_to_it(void **state)
{
	struct side s;

	(void)state;
	assert_int_equal(mkdir(at("f"), 0700), 0);
	put("f/model.onnx");
	put("f/model.onnx.data");
	put("f/weights.bin");
	put("f/other.onnx");
	put("f/config.json");
	put("f/tokenizer.model");
	put("f/b.pt");
	put("f/.hidden");
	assert_int_equal(symlink("config.json", at("f/link.json")), 0);
	assert_string_equal(opened(at("f/model.onnx"), SIDES_BESIDE, &s),
	    ". config.json+ model.onnx.data+ tokenizer.model+ weights.bin+");
	assert_true(s.bytes == strlen("f/model.onnx"));
	sides_close(&s);
	assert_string_equal(opened(at("f/b.pt"), SIDES_BESIDE, &s),
	    ". config.json+ model.onnx.data+ tokenizer.model+");
	sides_close(&s);
	assert_string_equal(opened(at("f/b.pt"), SIDES_ALONE, &s), ".");
	sides_close(&s);
}

static void
one_shard_stands_for_its_set(void **state)
{
	struct side s;

	(void)state;
	assert_int_equal(mkdir(at("s"), 0700), 0);
	put("s/m-00001-of-00002.safetensors");
	put("s/m-00002-of-00002.safetensors");
	put("s/m-00001-of-00003.safetensors");
	put("s/mm-00001-of-00002.safetensors");
	put("s/m-00001-of-00002.bin");
	put("s/m.bin.index.json");
	assert_string_equal(opened(at("s/m-00002-of-00002.safetensors"),
	    SIDES_BESIDE, &s), "m-00001-of-00002.safetensors "
	    "m-00002-of-00002.safetensors m.bin.index.json+");
	sides_close(&s);
	assert_string_equal(opened(at("s/m-00001-of-00003.safetensors"),
	    SIDES_ALONE, &s),
	    "m-00001-of-00003.safetensors |  REPO-SHARD-MISSING");
	sides_close(&s);
	assert_string_equal(opened(at("s/m.bin.index.json"), SIDES_BESIDE,
	    &s), "m-00001-of-00002.bin |  REPO-SHARD-MISSING");
	sides_close(&s);
}

static void
an_index_without_shards_is_a_file(void **state)
{
	struct side s;

	(void)state;
	assert_int_equal(mkdir(at("i"), 0700), 0);
	put("i/x.safetensors.index.json");
	assert_string_equal(opened(at("i/x.safetensors.index.json"),
	    SIDES_ALONE, &s), ".");
	sides_close(&s);
}

static void
a_member_is_split_off_behind_the_first_file(void **state)
{
	struct side s;
	struct buf b;

	(void)state;
	put("odd!name.tar");
	put("b.tar");
	assert_string_equal(opened(at("b.tar!data/w!x.pt"), SIDES_BESIDE,
	    &s), ".");
	assert_string_equal(s.job.member, "data/w!x.pt");
	buf_init(&b, 1024);
	sides_path(&b, &s, "data/w!x.pt!archive", 19);
	assert_string_equal(buf_str(&b), at("b.tar!data/w!x.pt!archive"));
	buf_clear(&b);
	sides_path(&b, &s, "", 0);
	assert_string_equal(buf_str(&b), at("b.tar!data/w!x.pt"));
	buf_release(&b);
	sides_close(&s);
	/* As results print it. */
	assert_string_equal(opened(at("odd\\x21name.tar!m"), SIDES_BESIDE,
	    &s), ".");
	assert_string_equal(s.job.member, "m");
	assert_string_equal(s.given, at("odd\\x21name.tar!m"));
	sides_close(&s);
	/* A file whose name has a mark in it is a file. */
	assert_string_equal(opened(at("odd!name.tar"), SIDES_BESIDE, &s),
	    ".");
	assert_null(s.job.member);
	assert_string_equal(s.given, at("odd\\x21name.tar"));
	sides_close(&s);
}

static void
paths_below_are_shown_as_results_show_them(void **state)
{
	struct side s;
	struct buf b;

	(void)state;
	put("d/y");
	assert_non_null(strstr(opened(at("d/"), SIDES_ALONE, &s), "y"));
	buf_init(&b, 1024);
	sides_path(&b, &s, "a/x!\\x1B\x1b", 9);
	assert_string_equal(buf_str(&b), at("d/a/x!\\x1B\\x1B"));
	buf_clear(&b);
	sides_path(&b, &s, "", 0);
	assert_string_equal(buf_str(&b), at("d/"));
	buf_release(&b);
	sides_close(&s);
}

/* A file's members, and what lies beside it, are told apart. */
static void
members_are_not_files_beside(void **state)
{
	struct side s;
	struct buf b;

	(void)state;
	assert_int_equal(mkdir(at("m"), 0700), 0);
	put("m/a.npz");
	put("m/config!.json");
	assert_string_equal(opened(at("m/a.npz"), SIDES_BESIDE, &s),
	    ". config!.json+");
	buf_init(&b, 1024);
	sides_path(&b, &s, "w.npy", 5);
	assert_string_equal(buf_str(&b), at("m/a.npz!w.npy"));
	buf_clear(&b);
	sides_path(&b, &s, "config\\x21.json", 15);
	assert_string_equal(buf_str(&b), at("m/config\\x21.json"));
	buf_release(&b);
	sides_close(&s);
}

static void
what_is_not_there_is_an_error(void **state)
{
	struct err e = ERR_INIT;
	struct side s;

	(void)state;
	assert_int_equal(sides_open(&s, at("none"), SIDES_ALONE, &e),
	    ERR_NOTFOUND);
	sides_close(&s);
	err_reset(&e);
	assert_int_equal(sides_open(&s, "", SIDES_ALONE, &e), ERR_NOTFOUND);
	sides_close(&s);
	err_reset(&e);
	assert_int_equal(sides_open(&s, at("none!x"), SIDES_ALONE, &e),
	    ERR_NOTFOUND);
	sides_close(&s);
	err_reset(&e);
	assert_int_equal(mkdir(at("empty"), 0700), 0);
	assert_int_equal(sides_open(&s, at("empty"), SIDES_ALONE, &e),
	    ERR_NOTFOUND);
	sides_close(&s);
	err_reset(&e);
	assert_int_equal(sides_open(&s, at("d/pipe"), SIDES_ALONE, &e),
	    ERR_UNSUPPORTED);
	sides_close(&s);
}

static void
two_models_in_one_folder_are_kept_apart(void **state)
{
	struct side a, b;

	(void)state;
	assert_int_equal(mkdir(at("two"), 0700), 0);
	put("two/old");
	put("two/new");
	put("two/config.json");
	assert_string_equal(opened(at("two/old"), SIDES_BESIDE, &a),
	    ". config.json+ new+");
	assert_string_equal(opened(at("two/new"), SIDES_BESIDE, &b),
	    ". config.json+ old+");
	sides_apart(&a, &b);
	sides_apart(&b, &a);
	assert_string_equal(parts(&a), ". config.json+");
	assert_string_equal(parts(&b), ". config.json+");
	sides_close(&a);
	sides_close(&b);
}

static void
names_of_shards_are_told_apart(void **state)
{
	struct sides_shard x;

	(void)state;
	assert_true(sides_shard("a-b-00012-of-00034.gguf", &x));
	assert_true(x.number == 12 && x.total == 34);
	assert_int_equal(x.stem, 3);
	assert_int_equal(x.tail, 18);
	assert_false(sides_shard("a-00012-of-34.gguf", &x));
	assert_false(sides_shard("-00012-of-00034.gguf", &x));
	assert_false(sides_shard("a-00012-of-00034", &x));
	assert_false(sides_shard("a-00001-of-00000.bin", &x));
	assert_false(sides_shard("-of-.bin", &x));
	assert_false(sides_shard("", &x));
	assert_true(sides_index("m.bin.index.json", &x));
	assert_int_equal(x.stem, 1);
	assert_int_equal(x.tail_len, 4);
	assert_false(sides_index(".bin.index.json", &x));
	assert_false(sides_index(".index.json", &x));
	assert_false(sides_index("index.json", &x));
}

static int
setup(void **state)
{
	(void)state;
	return mkdtemp(top) != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	return tree_fixture_remove(top);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_directory_is_every_file_below_it_in_byte_order),
		cmocka_unit_test(a_file_comes_with_what_may_belong_to_it),
		cmocka_unit_test(one_shard_stands_for_its_set),
		cmocka_unit_test(an_index_without_shards_is_a_file),
		cmocka_unit_test(a_member_is_split_off_behind_the_first_file),
		cmocka_unit_test(paths_below_are_shown_as_results_show_them),
		cmocka_unit_test(members_are_not_files_beside),
		cmocka_unit_test(what_is_not_there_is_an_error),
		cmocka_unit_test(two_models_in_one_folder_are_kept_apart),
		cmocka_unit_test(names_of_shards_are_told_apart),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
