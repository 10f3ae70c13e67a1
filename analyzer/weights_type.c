#include <string.h>

#include "analyzer/weights_type.h"

static const struct weights_type types[] = {
    {"F32", WEIGHTS_F32, 4}, {"<f4", WEIGHTS_F32, 4},
    {"=f4", WEIGHTS_F32, 4}, {"f4", WEIGHTS_F32, 4},
    {"BF16", WEIGHTS_BF16, 2},
    {"F16", WEIGHTS_F16, 2}, {"<f2", WEIGHTS_F16, 2},
    {"=f2", WEIGHTS_F16, 2}, {"f2", WEIGHTS_F16, 2},
    {"F64", WEIGHTS_F64, 8}, {"<f8", WEIGHTS_F64, 8},
    {"=f8", WEIGHTS_F64, 8}, {"f8", WEIGHTS_F64, 8},
    /* A complex number is two floats in a row. */
    {"C64", WEIGHTS_F32, 4}, {"<c8", WEIGHTS_F32, 4},
    {"C128", WEIGHTS_F64, 8}, {"<c16", WEIGHTS_F64, 8},
    {">f4", WEIGHTS_BYTES, 4}, {">f8", WEIGHTS_BYTES, 8},
    {">f2", WEIGHTS_BYTES, 2},
    {"I64", WEIGHTS_BYTES, 8}, {"U64", WEIGHTS_BYTES, 8},
    {"<i8", WEIGHTS_BYTES, 8}, {"<u8", WEIGHTS_BYTES, 8},
    {"I32", WEIGHTS_BYTES, 4}, {"U32", WEIGHTS_BYTES, 4},
    {"<i4", WEIGHTS_BYTES, 4}, {"<u4", WEIGHTS_BYTES, 4},
    {"I16", WEIGHTS_BYTES, 2}, {"U16", WEIGHTS_BYTES, 2},
    {"<i2", WEIGHTS_BYTES, 2}, {"<u2", WEIGHTS_BYTES, 2}};
static const struct weights_type bytes = {"bytes", WEIGHTS_BYTES, 1};

const struct weights_type *
weights_type_find(const char *dtype)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, dtype) == 0)
			return &types[i];
	return &bytes;
}
