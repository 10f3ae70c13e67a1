#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/onnx_outline.h"
#include "tests/lib/onnxmsg.h"

static struct arena *a;
static struct onnx_outline *o;
static struct bytesrc *src;
static uint8_t *model;

static int
setup(void **state)
{
	(void)state;
	a = arena_new((size_t)64 * MIB);
	o = arena_alloc(a, sizeof(*o));
	return a != NULL && o != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	bytesrc_free(src);
	src = NULL;
	free(model);
	model = NULL;
	arena_free(a);
	return 0;
}

/* The model that was made, without its last ${cut} bytes. */
static void
read_model(size_t cut)
{
	struct outline_names *names = arena_alloc(a, sizeof(*names));
	struct err e = ERR_INIT;
	size_t n;

	assert_non_null(names);
	model = onnxmsg_take(&n);
	src = bytesrc_mem(model, n - cut, NULL);
	assert_int_equal(onnx_outline_names(names, a, &e), 0);
	assert_int_equal(onnx_outline_read(src, names, a, o, &e), 0);
}

/* Is the text of the only attribute of the only node this one? */
static void
attribute_is(const char *want)
{
	const struct outline_value *v;

	read_model(0);
	assert_false(o->cut);
	assert_int_equal(o->attrs.count, 2);
	v = &OUTLINE_AT(outline_attr, &o->attrs, 1)->value;
	assert_int_equal(v->len, strlen(want));
	assert_memory_equal(v->text, want, v->len);
	assert_true(v->whole);
}

static void
numbers_are_written_so_that_they_can_be_read_back(void **state)
{
	static const uint64_t dims[] = {1, UINT64_MAX};

	(void)state;
	onnxmsg_begin();
	onnxmsg_node("N", "n");
	onnxmsg_ints("k", dims, 2);
	attribute_is("[1, -1]");
}

static void
a_float_is_never_written_like_an_integer(void **state)
{
	(void)state;
	onnxmsg_begin();
	onnxmsg_node("N", "n");
	onnxmsg_float("k", 0x3f800000);
	attribute_is("1.0");
}

static void
what_is_no_number_is_written_as_its_bits(void **state)
{
	(void)state;
	onnxmsg_begin();
	onnxmsg_node("N", "n");
	onnxmsg_float("k", 0x7fc00001);
	attribute_is("nan(0x7fc00001)");
}

static void
quotes_inside_a_string_make_no_second_one(void **state)
{
	(void)state;
	onnxmsg_begin();
	onnxmsg_node("N", "n");
	onnxmsg_text("k", "a\", \"b");
	attribute_is("\"a\\\", \\\"b\"");
}

static void
a_small_tensor_has_its_elements(void **state)
{
	static const uint8_t raw[] = {0, 0, 128, 63, 0, 0, 0, 192};

	(void)state;
	onnxmsg_begin();
	onnxmsg_node("Constant", "n");
	onnxmsg_tensor("value", 1, raw, sizeof(raw), 2);
	attribute_is("F32[2] {1.0, -2.0}");
}

static void
large_tensor(const uint8_t *raw, size_t n)
{
	onnxmsg_begin();
	onnxmsg_node("Constant", "n");
	onnxmsg_tensor("value", 2, raw, n, n);
	read_model(0);
}

static void
a_large_tensor_is_compared_by_its_bytes(void **state)
{
	static uint8_t raw[8192];
	struct bytesrc *old_src;
	uint8_t *old_model;
	const struct outline_value *v, *w;

	(void)state;
	large_tensor(raw, sizeof(raw));
	v = &OUTLINE_AT(outline_attr, &o->attrs, 1)->value;
	old_src = src;
	old_model = model;
	assert_false(v->whole);
	assert_int_equal(onnx_outline_same(src, v, src, v, NULL), 1);
	o = arena_alloc(a, sizeof(*o));
	raw[8000] = 1;
	large_tensor(raw, sizeof(raw));
	w = &OUTLINE_AT(outline_attr, &o->attrs, 1)->value;
	assert_int_equal(w->len, v->len);
	assert_memory_equal(w->text, v->text, v->len);
	assert_int_equal(onnx_outline_same(old_src, v, src, w, NULL), 0);
	bytesrc_free(old_src);
	free(old_model);
}

static void
types_and_places_of_inputs_are_kept(void **state)
{
	const struct outline_io *io;

	(void)state;
	onnxmsg_begin();
	onnxmsg_node("N", "n");
	onnxmsg_value(11, "x", 1, "N", 3);
	onnxmsg_value(12, "y", 7, NULL, 5);
	read_model(0);
	assert_int_equal(o->ios.count, 3);
	io = OUTLINE_AT(outline_io, &o->ios, 1);
	assert_int_equal(io->kind, OUTLINE_INPUT);
	assert_memory_equal(io->type.text, "F32[N,3]", io->type.len);
	io = OUTLINE_AT(outline_io, &o->ios, 2);
	assert_int_equal(io->kind, OUTLINE_OUTPUT);
	assert_memory_equal(io->type.text, "I64[5]", io->type.len);
}

static void
a_cut_model_says_so(void **state)
{
	(void)state;
	onnxmsg_begin();
	onnxmsg_node("N", "n");
	onnxmsg_float("k", 1);
	read_model(3);
	assert_true(o->cut);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define ONE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    ONE(numbers_are_written_so_that_they_can_be_read_back),
	    ONE(a_float_is_never_written_like_an_integer),
	    ONE(what_is_no_number_is_written_as_its_bits),
	    ONE(quotes_inside_a_string_make_no_second_one),
	    ONE(a_small_tensor_has_its_elements),
	    ONE(a_large_tensor_is_compared_by_its_bytes),
	    ONE(types_and_places_of_inputs_are_kept),
	    ONE(a_cut_model_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
