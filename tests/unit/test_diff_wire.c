#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/diff/diff_wire.h"
#include "analyzer/wire.h"
#include "base/err.h"
#include "tests/lib/rowwire.h"

/* What is sent is what is read, and it is sent together. */

static void
every_row_survives_the_wire(void **state)
{
	struct basis s;

	(void)state;
	rowwire_basis(&s);
	rowwire_send_all(&s);
	rowwire_receive();
	assert_string_equal(rowwire_row(), "input 1 x/y safetensors 77 5 1 8");
	assert_string_equal(rowwire_row(), "tensor h.0.w reshaped F32/2/abc/"
	    "-1,4,3 BF16/3/0/99,2,2,3 1 0.25 1 3 {r 8, list [0.5]}");
	assert_string_equal(rowwire_row(), "merged-adapter strong 2/3000 last "
	    "w2 alt two {r 8, list [0.5]}");
	assert_string_equal(rowwire_row(), "lead token cf 12.5 q 0.01 none #1 "
	    "embedding-row {r 8, list [0.5]}");
	assert_string_equal(rowwire_row(), "template moved p k old 9999 new 0 "
	    "{r 8, list [0.5]}");
	assert_string_equal(rowwire_row(), "class-margin 0 needs a base "
	    "{r 8, list [0.5]}");
	assert_string_equal(rowwire_row(), "version v1 2 nan 8/9 10 "
	    "{r 8, list [0.5]}");
	assert_string_equal(rowwire_row(), "caller key at none 12 2 "
	    "evasion-boundary -5 6 {r 8, list [0.5]}");
	assert_string_equal(rowwire_row(), "finding OBJ-TRAILING 1 w1 1");
	assert_string_equal(rowwire_row(), "no frame");
	basis_release(&s);
}

static void
frames_without_rows_survive_too(void **state)
{
	struct sandbox_status st = {true, 4, true};
	struct wire_carve piece;
	const char *what, *why;
	uint64_t done = 0, total = 0;
	struct frame f;

	(void)state;
	assert_int_equal(diff_wire_status(&rowwire_out, &st), 0);
	assert_int_equal(diff_wire_progress(&rowwire_out, 50, 100), 0);
	assert_int_equal(diff_wire_skip(&rowwire_out, "a", "b c"), 0);
	assert_int_equal(diff_wire_carve(&rowwire_out, "\0\1", 2), 0);
	assert_int_equal(diff_wire_done(&rowwire_out, 1234), 0);
	rowwire_receive();
	memset(&st, 0, sizeof(st));
	assert_true(rowwire_next(&f) && diff_wire_read_status(&f, &st));
	assert_true(st.seccomp && st.rlimits && st.landlock_abi == 4);
	assert_int_equal(diff_wire_take(&rowwire_in, &f, &rowwire_told),
	    ERR_FORMAT);
	assert_true(rowwire_next(&f) &&
	    diff_wire_read_progress(&f, &done, &total));
	assert_true(done == 50 && total == 100);
	assert_true(rowwire_next(&f) &&
	    diff_wire_read_skip(&rowwire_in, &f, &what, &why));
	assert_string_equal(what, "a");
	assert_string_equal(why, "b c");
	assert_false(diff_wire_read_progress(&f, &done, &total));
	assert_true(rowwire_next(&f) && diff_wire_read_carve(&f, &piece));
	assert_int_equal(piece.n, 2);
	assert_memory_equal(piece.p, "\0\1", 2);
	assert_true(rowwire_next(&f) && diff_wire_read_done(&f, &done));
	assert_true(done == 1234);
	assert_false(rowwire_next(&f));
}

static void
progress_is_told_at_most_two_hundred_times(void **state)
{
	struct frame f;
	unsigned n = 0;

	(void)state;
	for (uint64_t i = 0; i <= 1000000; i++)
		assert_int_equal(diff_wire_progress(&rowwire_out, i,
		    1000000), 0);
	rowwire_receive();
	while (rowwire_next(&f))
		n++;
	assert_in_range(n, 100, 200);
}

static void
many_rows_go_out_together(void **state)
{
	struct rows w = diff_wire_rows(&rowwire_out);
	struct row_tensor t = rowwire_tensor(NULL);
	off_t before, after;
	unsigned writes = 0;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		before = lseek(rowwire_fd, 0, SEEK_CUR);
		assert_int_equal(w.tensor(w.ctx, &t), 0);
		after = lseek(rowwire_fd, 0, SEEK_CUR);
		writes += after != before;
	}
	assert_in_range(writes, 1, 50);
	rowwire_receive();
	rowwire_rows = 0;
	while (strcmp(rowwire_row(), "no frame") != 0)
		;
	assert_int_equal(rowwire_rows, 5000);
}

/* Names that do not fit are left out, and the count in all stays. */
static void
a_conclusion_lists_as_many_names_as_fit(void **state)
{
	static struct row_text names[ROW_TENSORS];
	static char name[DIFF_WIRE_NAME + 5];
	struct rows w = diff_wire_rows(&rowwire_out);
	struct row_conclusion c = {.kind = CONCLUSION_PRUNED,
	    .tensors = names, .ntensors = ROW_TENSORS,
	    .tensors_in_all = ROW_TENSORS};

	(void)state;
	memset(name, 'n', sizeof(name));
	for (size_t i = 0; i < ROW_TENSORS; i++)
		names[i] = (struct row_text){name, sizeof(name)};
	assert_int_equal(w.conclusion(w.ctx, &c), 0);
	rowwire_receive();
	assert_int_equal(strncmp(rowwire_row(), "pruned weak 31/1000 last nnn",
	    28), 0);
}

/* The sender never trips its own gate, whatever text a parser hands it. */
static void
texts_of_our_own_are_made_printable(void **state)
{
	struct rows w = diff_wire_rows(&rowwire_out);
	struct row_tensor t = rowwire_tensor(NULL);

	(void)state;
	t.half[ROW_OLD].dtype = "F\x1b[32m\xff";
	t.half[ROW_NEW].dtype = NULL;
	t.half[ROW_NEW].name = (struct row_text){NULL, 0};
	t.rel_l2 = NAN;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	t.half[ROW_OLD].dtype = "";
	t.name = (struct row_text){NULL, 0};
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	rowwire_receive();
	assert_string_equal(rowwire_row(), "tensor h.0.w reshaped F?[32m?/2/"
	    "abc/-1,4,3 unknown/3/0/99,2,2,3 1 nan 1 3 {}");
	assert_int_equal(strncmp(rowwire_row(), "tensor  reshaped unknown/2",
	    26), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_survives_the_wire),
		cmocka_unit_test(frames_without_rows_survive_too),
		cmocka_unit_test(progress_is_told_at_most_two_hundred_times),
		cmocka_unit_test(many_rows_go_out_together),
		cmocka_unit_test(a_conclusion_lists_as_many_names_as_fit),
		cmocka_unit_test(texts_of_our_own_are_made_printable),
	};

	return cmocka_run_group_tests(tests, rowwire_setup, rowwire_teardown);
}
