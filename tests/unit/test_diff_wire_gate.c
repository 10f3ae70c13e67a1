#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/diff_wire.h"
#include "base/err.h"
#include "tests/lib/rowwire.h"

#define TEXT(s) {(s), sizeof(s) - 1}

/* What the gate refuses: whatever breaks the protocol. */

static void
a_side_that_the_status_denies_is_refused(void **state)
{
	struct rows w = diff_wire_rows(&rowwire_out);
	struct row_tensor t = rowwire_tensor(NULL);

	(void)state;
	t.status = ROW_ADDED;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	t.half[ROW_OLD].there = false;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	t.status = ROW_CHANGED;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	t.status = ROW_ADDED;
	t.changed = t.elements + 1;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	rowwire_receive();
	assert_string_equal(rowwire_row(), "refused");
	assert_int_equal(strncmp(rowwire_row(), "tensor h.0.w added", 18), 0);
	assert_string_equal(rowwire_row(), "refused");
	assert_string_equal(rowwire_row(), "refused");
}

/* Two readers of the JSON would see two rows. */
static void
a_key_that_would_be_there_twice_is_refused(void **state)
{
	struct rows w = diff_wire_rows(&rowwire_out);
	struct row_tensor t;
	struct row_change g = {.path = TEXT("p")};
	struct basis s;

	(void)state;
	basis_init(&s);
	basis_object(&s, "rank");
	basis_u64(&s, "status", 1);
	basis_end(&s);
	t = rowwire_tensor(&s);
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	basis_u64(&s, "status", 1);
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	g.more = &s;
	assert_int_equal(w.change(w.ctx, &g), 0);
	basis_u64(&s, "twice", 1);
	basis_u64(&s, "twice", 2);
	assert_int_equal(w.change(w.ctx, &g), 0);
	rowwire_receive();
	assert_int_equal(strncmp(rowwire_row(), "tensor h.0.w reshaped",
	    21), 0);
	assert_string_equal(rowwire_row(), "refused");
	assert_string_equal(rowwire_row(), "config added p  old 9999 new 9999 "
	    "{rank (status 1), status 1}");
	assert_string_equal(rowwire_row(), "refused");
	basis_release(&s);
}

/*
 * Whatever one bit of a frame becomes: the row is refused, or every row
 * function's asserts hold (ranges, lists, trees) and reading stays inside.
 */
static void
a_mutated_row_is_read_safely_or_refused(void **state)
{
	unsigned refused = 0, taken = 0;
	struct basis s;
	const char *got;

	(void)state;
	rowwire_basis(&s);
	rowwire_send_all(&s);
	rowwire_receive();
	for (size_t i = 0; i < rowwire_sent_n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			rowwire_sent[i] ^= (uint8_t)(1U << bit);
			rowwire_at = 0;
			while (strcmp(got = rowwire_row(), "no frame") != 0)
				if (strcmp(got, "refused") == 0)
					refused++;
				else
					taken++;
			rowwire_sent[i] ^= (uint8_t)(1U << bit);
		}
	assert_true(refused > rowwire_sent_n);
	assert_true(taken > rowwire_sent_n);
	basis_release(&s);
}

static void
a_truncated_field_is_refused(void **state)
{
	struct rows w = diff_wire_rows(&rowwire_out);
	struct row_tensor t = rowwire_tensor(NULL);
	struct frame f;

	(void)state;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	rowwire_receive();
	assert_true(rowwire_next(&f));
	assert_int_equal(diff_wire_take(&rowwire_in, &f, &rowwire_told), 0);
	for (uint8_t tag = 1; tag < 6; tag++) {
		struct cursor was = f.field[tag];

		if (tag == 1)	/* a name may have any length */
			continue;
		for (size_t n = 0; n < was.len; n++) {
			f.field[tag].len = n;
			assert_int_equal(diff_wire_take(&rowwire_in, &f,
			    &rowwire_told), ERR_FORMAT);
		}
		f.field[tag] = was;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_side_that_the_status_denies_is_refused),
		cmocka_unit_test(a_key_that_would_be_there_twice_is_refused),
		cmocka_unit_test(a_mutated_row_is_read_safely_or_refused),
		cmocka_unit_test(a_truncated_field_is_refused),
	};

	return cmocka_run_group_tests(tests, rowwire_setup, rowwire_teardown);
}
