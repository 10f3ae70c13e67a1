#ifndef FORMATS_ONNX_OUTLINE_PARTS_H_
#define FORMATS_ONNX_OUTLINE_PARTS_H_

#include "base/buf.h"
#include "formats/onnx.h"
#include "formats/onnx_outline.h"

/* Reading an outline.  Private to onnx_outline*.c. */
#define OUTLINE_SHOWN 32	/* elements of a tensor that are written out */

struct outline_frame {
	enum onnx_message id;
	uint32_t from;		/* the field of its parent that holds it */
	uint32_t scope, index;	/* index: of the node, attribute, value */
	uint64_t at, len;	/* its content */
	bool whole, list;	/* ATTRIBUTE: its text says all of it */
	uint32_t items;		/* ATTRIBUTE: values in its list */
};

struct outline_tensor {
	uint64_t dims[ONNX_RANK];
	unsigned rank;
	uint64_t type, count;	/* count: elements in typed fields */
	uint64_t bits[OUTLINE_SHOWN];
	uint64_t raw_off, raw_len;
	uint32_t name;
	bool odd;		/* strings, external data, too many dims */
};

struct outline_read {
	struct onnx_outline *o;
	struct err *e;
	struct pbwire w;
	struct outline_frame f[LIMIT_PB_DEPTH + 1];
	struct buf text[LIMIT_PB_DEPTH + 1];	/* of attributes */
	struct outline_tensor tensor;
	struct {
		uint32_t name;
		struct buf prefix, shape;
		uint64_t element;
		bool ranked;
	} value;
	struct {
		struct outline_name key;
		struct outline_value value;
		uint32_t domain;
		uint64_t version;
	} entry;		/* ENTRY and OPSET */
	struct {
		uint64_t value;
		struct outline_name param;
		bool has_value;
	} dim;
	uint8_t scratch[LIMIT_ONNX_NAME];
};

/* Every action returns 0 or negative. */
typedef int outline_act(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w);

/* What a message does when it is entered and left; ${up} is around it. */
typedef int outline_edge(struct outline_read *r,
    const struct outline_frame *up, struct outline_frame *f);

/* onnx_outline_table.c: entry 0 when the table is full, which sets cut. */
int onnx_outline_vec(struct onnx_outline *o, struct outline_vec *v,
    size_t size, uint32_t max, struct err *e);
uint32_t onnx_outline_add(struct onnx_outline *o, struct outline_vec *v);
uint32_t onnx_outline_intern(struct onnx_outline *o, const void *p, size_t n);

/* onnx_outline_entry.c */
uint32_t onnx_outline_attr(struct onnx_outline *o, struct outline_list *l);
int onnx_outline_name_field(struct outline_read *r, const struct pb_field *w,
    uint32_t *ret);
int onnx_outline_text_field(struct outline_read *r, const struct pb_field *w,
    struct outline_value *ret);
int onnx_outline_fact(struct outline_read *r, const char *key,
    const struct pb_field *w);
/* "ai.onnx" is another spelling of the empty domain. */
uint32_t onnx_outline_domain(struct outline_read *r, uint32_t domain);
outline_edge onnx_outline_entry_begin, onnx_outline_entry_end,
    onnx_outline_opset_end;
outline_act onnx_outline_entry_field, onnx_outline_opset_field;

/* onnx_outline_io.c */
struct outline_io *onnx_outline_io(struct outline_read *r, uint32_t scope,
    enum outline_io_kind kind, uint32_t name);
outline_edge onnx_outline_tensor_begin, onnx_outline_tensor_end,
    onnx_outline_value_begin, onnx_outline_value_end,
    onnx_outline_container_begin, onnx_outline_shape_begin,
    onnx_outline_dim_begin, onnx_outline_dim_end;
outline_act onnx_outline_value_field;

#endif /* !FORMATS_ONNX_OUTLINE_PARTS_H_ */
