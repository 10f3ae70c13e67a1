#ifndef TESTS_LIB_ONNXMSG_H_
#define TESTS_LIB_ONNXMSG_H_

#include <stddef.h>
#include <stdint.h>

/*
 * ONNX models made field by field (onnx.proto).  One at a time; a test fails
 * when it does not fit.
 */

/* onnxmsg_begin: a model without anything. */
void onnxmsg_begin(void);

/* onnxmsg_node: the node that is made from now on; "" leaves a text out. */
void onnxmsg_node(const char *op, const char *name);
void onnxmsg_in(const char *name);
void onnxmsg_out(const char *name);
/* Attributes of that node.  ${bits}: of an IEEE 754 single. */
void onnxmsg_int(const char *key, uint64_t v);
void onnxmsg_ints(const char *key, const uint64_t *v, unsigned n);
void onnxmsg_float(const char *key, uint32_t bits);
void onnxmsg_text(const char *key, const char *v);
void onnxmsg_tensor(const char *key, unsigned type, const void *raw,
    size_t n, uint64_t dim);
/* ... a graph, as onnxmsg_take_graph gave it. */
void onnxmsg_graph(const char *key, const uint8_t *p, size_t n);

/*
 * onnxmsg_value: field 11 (input) or 12 (output) of the graph, of shape
 * [param, dim], or [dim] when param is NULL.
 */
void onnxmsg_value(unsigned field, const char *name, unsigned type,
    const char *param, uint64_t dim);
void onnxmsg_init(const char *name, uint64_t dim);	/* F32[dim] */
void onnxmsg_meta(const char *key, const char *value);
void onnxmsg_opset(const char *domain, uint64_t version);

/* The whole model, or its graph alone; free() it. */
uint8_t *onnxmsg_take(size_t *n);
uint8_t *onnxmsg_take_graph(size_t *n);

#endif /* !TESTS_LIB_ONNXMSG_H_ */
