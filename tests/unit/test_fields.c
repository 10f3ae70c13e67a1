#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fields.h"
#include "base/frame.h"
#include "base/json_write.h"
#include "base/limits.h"

static const struct field_def table[] = {{"text", FIELD_TEXT},
    {"count", FIELD_U64}, {"delta", FIELD_I64}, {"time", FIELD_TIME},
    {"sha256", FIELD_HEX}, {"cut", FIELD_BOOL}, {"scores", FIELD_REALS}};
#define COLUMNS (sizeof(table) / sizeof(table[0]))

static void
fill(struct field v[COLUMNS], const double *scores, size_t n)
{
	memset(v, 0, COLUMNS * sizeof(*v));
	fields_text(&v[0], "a\x1b\"", 3);
	fields_u64(&v[1], 7);
	fields_i64(&v[2], -3);
	fields_i64(&v[3], 1500000001);
	fields_hex(&v[4], "\xab\x01", 2);
	fields_bool(&v[5], true);
	fields_reals(&v[6], scores, n);
}

/* One frame there and back; false when the gate refuses it. */
static bool
travel(struct buf *b, const struct field *v, struct field *back,
    double *reals, size_t cap)
{
	struct frame f;

	fields_put(b, 9, table, COLUMNS, v);
	assert_int_equal(frame_seal(b, NULL), 0);
	assert_true(frame_parse(&f, b->p[4], b->p + FRAME_HEADER,
	    b->len - FRAME_HEADER));
	assert_int_equal(f.type, 9);
	return fields_get(&f, table, COLUMNS, back, reals, cap);
}

static void
every_type_arrives_as_json(void **state)
{
	static const double scores[] = {0.25, -1.5};
	struct field v[COLUMNS], back[COLUMNS];
	struct buf b, out;
	struct json_write w;
	double reals[4];

	(void)state;
	buf_init(&b, LIMIT_FRAME);
	buf_init(&out, KIB);
	fill(v, scores, 2);
	assert_true(travel(&b, v, back, reals, 4));
	json_init(&w, &out, JSON_COMPACT);
	json_begin_object(&w);
	fields_json(&w, table, COLUMNS, back);
	json_end_object(&w);
	assert_string_equal(buf_str(&out), "{\"text\":\"a\\\\x1B\\\"\","
	    "\"count\":7,\"delta\":-3,"
	    "\"time\":\"1970-01-01T00:00:01.500000001Z\",\"sha256\":\"ab01\","
	    "\"cut\":true,\"scores\":[0.25,-1.5]}");
	buf_release(&out);
	buf_release(&b);
}

static void
what_is_not_set_is_null(void **state)
{
	struct field v[COLUMNS] = {{0}}, back[COLUMNS];
	struct buf b, out;
	struct json_write w;

	(void)state;
	buf_init(&b, LIMIT_FRAME);
	buf_init(&out, KIB);
	assert_true(travel(&b, v, back, NULL, 0));
	json_init(&w, &out, JSON_COMPACT);
	json_begin_object(&w);
	fields_json(&w, table, 2, back);
	json_end_object(&w);
	assert_string_equal(buf_str(&out), "{\"text\":null,\"count\":null}");
	buf_release(&out);
	buf_release(&b);
}

static void
the_gate_refuses_other_columns_and_sizes(void **state)
{
	static const double scores[] = {1, 2, 3};
	struct field v[COLUMNS], back[COLUMNS];
	struct frame f = {0};
	double reals[3];
	struct buf b;

	(void)state;
	buf_init(&b, LIMIT_FRAME);
	fill(v, scores, 3);
	assert_true(travel(&b, v, back, reals, 3));
	buf_clear(&b);
	/* More numbers than the reader has room for. */
	assert_false(travel(&b, v, back, reals, 2));
	/* A column that the table does not have. */
	f.field[COLUMNS + 1] = (struct cursor){(const uint8_t *)"x", 1, 0, 0};
	assert_false(fields_get(&f, table, COLUMNS, back, reals, 3));
	memset(&f, 0, sizeof(f));
	f.field[0] = (struct cursor){(const uint8_t *)"x", 1, 0, 0};
	assert_false(fields_get(&f, table, COLUMNS, back, reals, 3));
	/* A number of three bytes, a truth of two, numbers cut short. */
	memset(&f, 0, sizeof(f));
	f.field[2] = (struct cursor){(const uint8_t *)"xyz", 3, 0, 0};
	assert_false(fields_get(&f, table, COLUMNS, back, reals, 3));
	memset(&f, 0, sizeof(f));
	f.field[6] = (struct cursor){
	    (const uint8_t *)"\2\0\0\0\0\0\0\0", 8, 0, 0};
	assert_false(fields_get(&f, table, COLUMNS, back, reals, 3));
	memset(&f, 0, sizeof(f));
	f.field[7] = (struct cursor){(const uint8_t *)"1234567", 7, 0, 0};
	assert_false(fields_get(&f, table, COLUMNS, back, reals, 3));
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_type_arrives_as_json),
	    cmocka_unit_test(what_is_not_set_is_null),
	    cmocka_unit_test(the_gate_refuses_other_columns_and_sizes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
