#ifndef FORMATS_ONNX_OUTLINE_VALUE_H_
#define FORMATS_ONNX_OUTLINE_VALUE_H_

#include "formats/onnx_outline_parts.h"

/*
 * Attributes, tensors and types as text.  Private to onnx_outline*.c.
 *
 * Actions for their fields, and what ends them: a tensor's text goes to the
 * attribute that has it, or is an initializer's type.
 */
outline_act onnx_outline_attribute_field, onnx_outline_tensor_field,
    onnx_outline_dim_field, onnx_outline_element_field;

/* The text of ${b} as a value; ${f}: where its bytes are. */
int onnx_outline_value(struct outline_read *r, const struct buf *b,
    bool whole, const struct outline_frame *f, struct outline_value *ret);

/* "F32[2,3]" of the tensor just read. */
void onnx_outline_tensor_type(const struct outline_tensor *t, struct buf *b);
/* ... with its elements; false: there are too many, or other than numbers. */
int onnx_outline_tensor_text(struct outline_read *r, struct buf *b,
    bool *whole);
/* "sequence(F32[N,3])" of the ValueInfoProto just read. */
void onnx_outline_type(struct outline_read *r, struct buf *b);

#endif /* !FORMATS_ONNX_OUTLINE_VALUE_H_ */
