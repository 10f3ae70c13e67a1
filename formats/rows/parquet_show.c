#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "formats/rows/civil.h"
#include "formats/rows/parquet.h"

#define JULIAN_1970 2440588
#define DAY_NS INT64_C(86400000000000)

/*
 * Nanoseconds of a day, and a Julian day number (Impala, Hive, Spark).
 *
 * Spark counts microseconds from day 0 in 64 bits.  Of times beyond the year
 * 287396 they overflow, what it writes has a negative day, and it reads the
 * same time again because they overflow back: so by 2^64 microseconds.
 */
#define WRAP_DAYS INT64_C(213503982)
#define WRAP_NS INT64_C(28909551616000)

static void
show_int96(const struct parquet_value *v, struct rows_value *ret,
    char text[PARQUET_SHOW])
{
	uint64_t ns = 0;
	uint32_t word = 0;
	struct cursor c;
	int64_t day;

	cursor_init(&c, v->p, v->n, 0);
	if (!cursor_u64le(&c, &ns) || !cursor_u32le(&c, &word))
		return;
	day = (int32_t)word;
	if (day < 0 && (int64_t)ns > -DAY_NS && (int64_t)ns < DAY_NS) {
		day += WRAP_DAYS;
		ns += (uint64_t)WRAP_NS;
	}
	civil_stamp(ret, day - JULIAN_1970, (int64_t)ns, text);
}

static void
show_int(const struct parquet_node *node, uint64_t bits,
    struct rows_value *ret, char text[PARQUET_SHOW])
{
	int64_t v = (int64_t)bits;

	switch (node->kind) {
	case PARQUET_DATE:
		civil_stamp(ret, v, 0, text);
		return;
	case PARQUET_CLOCK:
		civil_clock(ret, v, node->unit, text);
		return;
	case PARQUET_STAMP:
		civil_units(ret, v, node->unit, text);
		return;
	case PARQUET_DECIMAL:
		civil_decimal64(ret, v, node->scale, text);
		return;
	case PARQUET_UNSIGNED:
		if (node->type == PARQUET_INT32)
			bits &= UINT32_MAX;
		break;
	case PARQUET_AS_IS:
	case PARQUET_TEXT:
	case PARQUET_HALF:
	case PARQUET_UUID:
	case PARQUET_LIST:
	case PARQUET_MAP:
		break;
	}
	ret->type = ROWS_INT;
	if (node->kind == PARQUET_UNSIGNED && bits > INT64_MAX) {
		ret->type = ROWS_UINT;
		ret->u = bits;
	}
	ret->i = (int64_t)bits;
}

/* Halves are little-endian; a UUID is in the order in which it is written. */
static void
show_bytes(const struct parquet_node *node, const struct parquet_value *v,
    struct rows_value *ret, char text[PARQUET_SHOW])
{
	char *at = text;

	ret->type = ROWS_BYTES;
	ret->p = v->p;
	ret->n = v->n;
	if (node->kind == PARQUET_TEXT) {
		ret->type = ROWS_TEXT;
	} else if (node->kind == PARQUET_DECIMAL) {
		civil_decimal(ret, v->p, v->n, node->scale, text);
	} else if (node->kind == PARQUET_HALF && v->n == 2) {
		ret->type = ROWS_REAL;
		ret->d = civil_half((uint16_t)(v->p[0] | v->p[1] << 8));
	} else if (node->kind == PARQUET_UUID && v->n == 16) {
		for (unsigned i = 0; i < 16; i++)
			at += snprintf(at, 4, "%s%02x", i == 4 || i == 6 ||
			    i == 8 || i == 10 ? "-" : "", v->p[i]);
		ret->type = ROWS_TEXT;
		ret->p = (const uint8_t *)text;
		ret->n = 36;
	}
}

void
parquet_show(const struct parquet_node *node, const struct parquet_value *v,
    struct rows_value *ret, char text[PARQUET_SHOW])
{
	uint32_t bits = (uint32_t)v->bits;
	float f;

	memset(ret, 0, sizeof(*ret));
	switch (node->type) {
	case PARQUET_BOOLEAN:
		ret->type = ROWS_BOOL;
		ret->i = (int64_t)v->bits;
		break;
	case PARQUET_INT32:
	case PARQUET_INT64:
		show_int(node, v->bits, ret, text);
		break;
	case PARQUET_INT96:
		show_int96(v, ret, text);
		break;
	case PARQUET_FLOAT:
		memcpy(&f, &bits, sizeof(f));
		ret->type = ROWS_REAL;
		ret->d = (double)f;
		break;
	case PARQUET_DOUBLE:
		ret->type = ROWS_REAL;
		memcpy(&ret->d, &v->bits, sizeof(ret->d));
		break;
	case PARQUET_BYTES:
	case PARQUET_FIXED:
		show_bytes(node, v, ret, text);
		break;
	case PARQUET_GROUP:
		break;
	}
}

const char *
parquet_show_type(const struct parquet_node *node)
{
	static const char *const types[] = {"boolean", "int32", "int64",
	    "timestamp", "float", "double", "bytes", "bytes", "struct"};

	if (node->repetition == PARQUET_REPEATED)
		return "list";
	switch (node->kind) {
	case PARQUET_TEXT:
	case PARQUET_UUID:
		return "string";
	case PARQUET_UNSIGNED:
		return node->type == PARQUET_INT32 ? "uint32" : "uint64";
	case PARQUET_DECIMAL:
		return "decimal";
	case PARQUET_DATE:
		return "date";
	case PARQUET_CLOCK:
		return "time";
	case PARQUET_STAMP:
		return "timestamp";
	case PARQUET_HALF:
		return "float";
	case PARQUET_LIST:
		return "list";
	case PARQUET_MAP:
		return "map";
	case PARQUET_AS_IS:
		break;
	}
	return types[node->type];
}
