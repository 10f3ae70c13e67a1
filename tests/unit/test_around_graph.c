#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/around_graph.h"
#include "tests/lib/onnxmsg.h"
#include "tests/lib/row_case.h"

/* Graphs made here, compared, and the rows that say how they differ. */
static struct row_case told = {.format = "onnx", .area = CHANGE_GRAPH,
    .around = around_graph};

static void
compare(const uint8_t *p, size_t n, const uint8_t *q, size_t m)
{
	row_case_run(&told, p, n, q, m);
}

static void
compare_and_free(uint8_t *p, size_t n, uint8_t *q, size_t m)
{
	compare(p, n, q, m);
	free(p);
	free(q);
}

static bool
has(const char *want)
{
	return row_case_has(&told, want);
}

/* How a chain of convolutions is made; see chain(). */
struct how {
	unsigned n;		/* layers */
	const char *prefix;	/* of every name */
	unsigned insert;	/* before this layer a node more; 0: none */
	unsigned replace;	/* this layer has another activation */
	unsigned dilate;	/* and this one another attribute */
	unsigned swap;		/* this layer has the next one's weight */
	bool numbered;		/* names by place, as old exporters do */
};

static void
name_node(char *dst, size_t cap, const struct how *h, const char *op,
    unsigned layer, unsigned *place)
{
	if (h->numbered)
		(void)snprintf(dst, cap, "%s_%u", op, (*place)++);
	else
		(void)snprintf(dst, cap, "%sl%u_%s", h->prefix, layer, op);
}

/* x, then for each layer a convolution and an activation, then y. */
static uint8_t *
chain(const struct how *h, size_t *n)
{
	char name[64], in[64] = "x", out[64];
	unsigned place = 0;
	uint64_t dilations[] = {1, 1};

	onnxmsg_begin();
	onnxmsg_opset("", 13);
	for (unsigned i = 1; i <= h->n; i++) {
		const char *act = i == h->replace ? "Tanh" : "Relu";

		if (i == h->insert) {
			(void)snprintf(name, sizeof(name), "Where_%u",
			    place++);
			onnxmsg_node("Where", name);
			onnxmsg_in(in);
			(void)snprintf(in, sizeof(in), "%sinserted",
			    h->prefix);
			onnxmsg_out(in);
		}
		name_node(name, sizeof(name), h, "Conv", i, &place);
		onnxmsg_node("Conv", name);
		onnxmsg_in(in);
		(void)snprintf(out, sizeof(out), "%sw%u", h->prefix,
		    i == h->swap ? i + 1 : h->swap != 0 &&
		    i == h->swap + 1 ? i - 1 : i);
		onnxmsg_in(out);
		(void)snprintf(out, sizeof(out), "%sc%u", h->prefix, i);
		onnxmsg_out(out);
		dilations[0] = i == h->dilate ? 2 : 1;
		onnxmsg_ints("dilations", dilations, 2);
		name_node(name, sizeof(name), h, act, i, &place);
		onnxmsg_node(act, name);
		onnxmsg_in(out);
		(void)snprintf(in, sizeof(in), "%sr%u", h->prefix, i);
		onnxmsg_out(i == h->n ? "y" : in);
	}
	for (unsigned i = 1; i <= h->n; i++) {
		(void)snprintf(name, sizeof(name), "%sw%u", h->prefix, i);
		onnxmsg_init(name, 16);
	}
	onnxmsg_value(11, "x", 1, "N", 3);
	onnxmsg_value(12, "y", 1, "N", 3);
	return onnxmsg_take(n);
}

static void
compare_chains(const struct how *old, const struct how *new)
{
	uint8_t *p, *q;
	size_t n, m;

	p = chain(old, &n);
	q = chain(new, &m);
	compare_and_free(p, n, q, m);
}

static const struct how plain = {12, "", 0, 0, 0, 0, false};

static void
the_same_graph_gives_no_row(void **state)
{
	(void)state;
	compare_chains(&plain, &plain);
	assert_int_equal(told.n, 0);
}

static void
other_names_alone_are_one_row(void **state)
{
	static const struct how other = {12, "export/", 0, 0, 0, 0, false};

	(void)state;
	compare_chains(&plain, &other);
	assert_int_equal(told.n, 1);
	assert_true(has("moved node names:  > 24 of 24 have another name"));
}

static void
an_inserted_node_is_found_though_all_numbers_shift(void **state)
{
	static const struct how old = {12, "", 0, 0, 0, 0, true};
	static const struct how new = {12, "", 5, 0, 0, 0, true};

	(void)state;
	compare_chains(&old, &new);
	assert_int_equal(told.n, 3);
	assert_true(has("added node Where_8:  > Where(Relu_7 (Relu))"));
	assert_true(has("changed node Conv_9 input 0: Relu_7 (Relu) > "
	    "Where_8 (Where)"));
	assert_true(has("moved node names:  > 16 of 24 have another name"));
}

static void
a_replaced_operator_is_a_change_of_one_node(void **state)
{
	static const struct how new = {12, "z", 0, 6, 0, 0, false};

	(void)state;
	compare_chains(&plain, &new);
	assert_int_equal(told.n, 2);
	assert_true(has("changed node zl6_Tanh: Relu(l6_Conv (Conv)) > "
	    "Tanh(zl6_Conv (Conv))"));
}

static void
a_changed_attribute_has_both_values(void **state)
{
	static const struct how new = {12, "z", 0, 0, 4, 0, false};

	(void)state;
	compare_chains(&plain, &new);
	assert_int_equal(told.n, 2);
	assert_true(has("changed node zl4_Conv attribute dilations: [1, 1] "
	    "> [2, 1]"));
}

static void
exchanged_weights_are_two_inputs_that_changed(void **state)
{
	static const struct how new = {12, "", 0, 0, 0, 7, false};

	(void)state;
	compare_chains(&plain, &new);
	assert_int_equal(told.n, 2);
	assert_true(has("changed node l7_Conv input 1: initializer w7 F32[16]"
	    " > initializer w8 F32[16]"));
}

static void
a_layer_that_went_is_what_is_told(void **state)
{
	static const struct how fewer = {11, "", 0, 0, 0, 0, false};

	(void)state;
	compare_chains(&plain, &fewer);
	assert_int_equal(told.n, 3);
	assert_true(has("changed output y source: l12_Relu (Relu) > "
	    "l11_Relu (Relu)"));
	assert_true(has("removed node l12_Conv: Conv(l11_Relu (Relu), "
	    "initializer w12 F32[16]) > "));
}

static uint8_t *
described(unsigned opset, const char *meta, unsigned type, size_t *n)
{
	onnxmsg_begin();
	onnxmsg_opset("", opset);
	onnxmsg_meta("task", meta);
	onnxmsg_node("Relu", "r");
	onnxmsg_in("x");
	onnxmsg_out("y");
	onnxmsg_value(11, "x", type, NULL, 4);
	onnxmsg_value(12, "y", type, NULL, 4);
	return onnxmsg_take(n);
}

static void
what_is_said_of_the_model_is_compared_by_key(void **state)
{
	uint8_t *p, *q;
	size_t n, m;

	(void)state;
	p = described(13, "a", 1, &n);
	q = described(17, "b", 10, &m);
	compare_and_free(p, n, q, m);
	assert_int_equal(told.n, 4);
	assert_true(has("changed opset_import[ai.onnx]: 13 > 17"));
	assert_true(has("changed metadata_props[task]: a > b"));
	assert_true(has("changed input x: F32[4] > F16[4]"));
	assert_true(has("changed output y: F32[4] > F16[4]"));
}

static uint8_t *
with_inputs(const unsigned *types, unsigned count, size_t *n)
{
	onnxmsg_begin();
	for (unsigned i = 0; i < count; i++)
		onnxmsg_value(11, "x", types[i], NULL, 4);
	return onnxmsg_take(n);
}

static void
an_input_that_is_there_twice_is_two(void **state)
{
	static const unsigned types[] = {1, 10};
	uint8_t *p, *q;
	size_t n, m;

	(void)state;
	p = with_inputs(types, 2, &n);
	compare(p, n, p, n);
	assert_int_equal(told.n, 0);
	q = with_inputs(types, 1, &m);
	compare_and_free(p, n, q, m);
	assert_int_equal(told.n, 1);
	assert_true(has("removed input x: F16[4] > "));
}

/* An If whose branch multiplies by a constant. */
static uint8_t *
branch(const char *op, uint32_t bits, size_t *n)
{
	uint8_t raw[4], *g;
	size_t m;

	for (unsigned i = 0; i < 4; i++)
		raw[i] = (uint8_t)(bits >> (8 * i));
	onnxmsg_begin();
	onnxmsg_node("Constant", "");
	onnxmsg_out("c");
	onnxmsg_tensor("value", 1, raw, 4, 1);
	onnxmsg_node(op, "inner");
	onnxmsg_in("x");
	onnxmsg_in("c");
	onnxmsg_out("t");
	g = onnxmsg_take_graph(&m);
	onnxmsg_begin();
	onnxmsg_node("If", "if");
	onnxmsg_in("cond");
	onnxmsg_out("y");
	onnxmsg_graph("then_branch", g, m);
	onnxmsg_value(11, "x", 1, NULL, 4);
	free(g);
	return onnxmsg_take(n);
}

static void
graphs_inside_of_nodes_are_compared_too(void **state)
{
	uint8_t *p, *q;
	size_t n, m;

	(void)state;
	p = branch("Mul", 0x3f800000, &n);
	q = branch("Mul", 0x40000000, &m);
	compare_and_free(p, n, q, m);
	assert_int_equal(told.n, 1);
	assert_true(has("changed node c attribute value: F32[1] {1.0} > "
	    "F32[1] {2.0}"));
	p = branch("Mul", 0x3f800000, &n);
	q = branch("Add", 0x3f800000, &m);
	compare_and_free(p, n, q, m);
	assert_int_equal(told.n, 1);
	assert_true(has("changed node inner: Mul(input x F32[4], c "
	    "(Constant)) > Add(input x F32[4], c (Constant))"));
}

static void
more_rows_than_are_listed_are_counted(void **state)
{
	static const struct how none = {1, "", 0, 0, 0, 0, false};
	static const struct how many = {700, "", 0, 0, 0, 0, false};

	(void)state;
	compare_chains(&none, &many);
	assert_true(told.n > AROUND_GRAPH_ROWS && told.n <
	    AROUND_GRAPH_ROWS + 10);
	assert_true(has("changed nodes not listed:  > 898"));
}

static void
a_graph_that_is_cut_is_said_to_be(void **state)
{
	uint8_t *p;
	size_t n;

	(void)state;
	p = chain(&plain, &n);
	compare(p, n, p, n - 5);
	assert_true(has("changed graph not read to its end: whole > "
	    "in part"));
	compare(p, n, p, 0);
	assert_true(told.n > 20);
	free(p);
}

static void
mutated_graphs_are_compared_without_harm(void **state)
{
	uint8_t *p;
	size_t n;

	(void)state;
	p = branch("Mul", 0x3f800000, &n);
	for (size_t i = 0; i < n; i++)
		compare(p, n, p, i);
	free(p);
	p = chain(&plain, &n);
	row_case_mutate(&told, p, n, 3000, 1, 0);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_graph_gives_no_row),
	    cmocka_unit_test(other_names_alone_are_one_row),
	    cmocka_unit_test(
		an_inserted_node_is_found_though_all_numbers_shift),
	    cmocka_unit_test(a_replaced_operator_is_a_change_of_one_node),
	    cmocka_unit_test(a_changed_attribute_has_both_values),
	    cmocka_unit_test(exchanged_weights_are_two_inputs_that_changed),
	    cmocka_unit_test(a_layer_that_went_is_what_is_told),
	    cmocka_unit_test(what_is_said_of_the_model_is_compared_by_key),
	    cmocka_unit_test(an_input_that_is_there_twice_is_two),
	    cmocka_unit_test(graphs_inside_of_nodes_are_compared_too),
	    cmocka_unit_test(more_rows_than_are_listed_are_counted),
	    cmocka_unit_test(a_graph_that_is_cut_is_said_to_be),
	    cmocka_unit_test(mutated_graphs_are_compared_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
