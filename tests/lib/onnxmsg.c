#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/onnxmsg.h"

#define ROOM (1 << 20)

struct msg {
	uint8_t p[ROOM];
	size_t n;
};

static struct msg model, graph, node, part, piece;

static void
put(struct msg *m, const void *p, size_t n)
{
	assert_true(n <= ROOM - m->n);
	if (n > 0)
		memcpy(m->p + m->n, p, n);
	m->n += n;
}

static void
varint(struct msg *m, uint64_t v)
{
	uint8_t b;

	do {
		b = (uint8_t)(v & 0x7f);
		v >>= 7;
		if (v != 0)
			b |= 0x80;
		put(m, &b, 1);
	} while (v != 0);
}

static void
number(struct msg *m, unsigned field, uint64_t v)
{
	varint(m, field << 3);
	varint(m, v);
}

static void
bytes(struct msg *m, unsigned field, const void *p, size_t n)
{
	varint(m, field << 3 | 2);
	varint(m, n);
	put(m, p, n);
}

static void
text(struct msg *m, unsigned field, const char *p)
{
	if (*p != '\0')
		bytes(m, field, p, strlen(p));
}

static void
close_node(void)
{
	if (node.n > 0)
		bytes(&graph, 1, node.p, node.n);
	node.n = 0;
}

void
onnxmsg_begin(void)
{
	model.n = graph.n = node.n = 0;
}

void
onnxmsg_node(const char *op, const char *name)
{
	close_node();
	text(&node, 4, op);
	text(&node, 3, name);
}

void
onnxmsg_in(const char *name)
{
	bytes(&node, 1, name, strlen(name));
}

void
onnxmsg_out(const char *name)
{
	bytes(&node, 2, name, strlen(name));
}

static void
attribute(const char *key)
{
	part.n = 0;
	text(&part, 1, key);
}

void
onnxmsg_int(const char *key, uint64_t v)
{
	attribute(key);
	number(&part, 3, v);
	number(&part, 20, 2);
	bytes(&node, 5, part.p, part.n);
}

void
onnxmsg_ints(const char *key, const uint64_t *v, unsigned n)
{
	attribute(key);
	piece.n = 0;
	for (unsigned i = 0; i < n; i++)
		varint(&piece, v[i]);
	bytes(&part, 8, piece.p, piece.n);
	bytes(&node, 5, part.p, part.n);
}

void
onnxmsg_float(const char *key, uint32_t bits)
{
	uint8_t raw[4];

	attribute(key);
	for (unsigned i = 0; i < 4; i++)
		raw[i] = (uint8_t)(bits >> (8 * i));
	varint(&part, 2 << 3 | 5);
	put(&part, raw, 4);
	bytes(&node, 5, part.p, part.n);
}

void
onnxmsg_text(const char *key, const char *v)
{
	attribute(key);
	text(&part, 4, v);
	bytes(&node, 5, part.p, part.n);
}

static void
tensor(const char *name, unsigned type, const void *raw, size_t n,
    uint64_t dim)
{
	piece.n = 0;
	number(&piece, 1, dim);
	number(&piece, 2, type);
	text(&piece, 8, name);
	if (n > 0)
		bytes(&piece, 9, raw, n);
}

void
onnxmsg_tensor(const char *key, unsigned type, const void *raw, size_t n,
    uint64_t dim)
{
	attribute(key);
	tensor("", type, raw, n, dim);
	bytes(&part, 5, piece.p, piece.n);
	bytes(&node, 5, part.p, part.n);
}

void
onnxmsg_graph(const char *key, const uint8_t *p, size_t n)
{
	attribute(key);
	bytes(&part, 6, p, n);
	bytes(&node, 5, part.p, part.n);
}

void
onnxmsg_value(unsigned field, const char *name, unsigned type,
    const char *param, uint64_t dim)
{
	struct msg *shape = &piece, *type_of = &part;
	static struct msg value;
	uint8_t one[300];
	size_t n;

	shape->n = value.n = type_of->n = 0;
	if (param != NULL) {
		text(&value, 2, param);
		bytes(shape, 1, value.p, value.n);
		value.n = 0;
	}
	number(&value, 1, dim);
	bytes(shape, 1, value.p, value.n);
	number(type_of, 1, type);
	bytes(type_of, 2, shape->p, shape->n);
	/* TypeProto.tensor_type around it. */
	n = type_of->n;
	assert_true(n <= sizeof(one));
	memcpy(one, type_of->p, n);
	type_of->n = 0;
	bytes(type_of, 1, one, n);
	value.n = 0;
	text(&value, 1, name);
	bytes(&value, 2, type_of->p, type_of->n);
	close_node();
	bytes(&graph, field, value.p, value.n);
}

void
onnxmsg_init(const char *name, uint64_t dim)
{
	static const uint8_t zero[256];

	close_node();
	assert_true(4 * dim <= sizeof(zero));
	tensor(name, 1, zero, (size_t)(4 * dim), dim);
	bytes(&graph, 5, piece.p, piece.n);
}

void
onnxmsg_meta(const char *key, const char *value)
{
	part.n = 0;
	text(&part, 1, key);
	text(&part, 2, value);
	bytes(&model, 14, part.p, part.n);
}

void
onnxmsg_opset(const char *domain, uint64_t version)
{
	part.n = 0;
	text(&part, 1, domain);
	number(&part, 2, version);
	bytes(&model, 8, part.p, part.n);
}

static uint8_t *
copy(const struct msg *m, size_t *n)
{
	uint8_t *p = malloc(m->n + 1);

	assert_non_null(p);
	memcpy(p, m->p, m->n);
	*n = m->n;
	return p;
}

uint8_t *
onnxmsg_take_graph(size_t *n)
{
	close_node();
	return copy(&graph, n);
}

uint8_t *
onnxmsg_take(size_t *n)
{
	close_node();
	number(&model, 1, 8);
	bytes(&model, 7, graph.p, graph.n);
	return copy(&model, n);
}
