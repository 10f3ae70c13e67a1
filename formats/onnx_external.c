#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/names.h"
#include "formats/onnx.h"

/*
 * TensorProto.external_data: keys and values as text.
 *
 *	location	file, relative to the folder of the model
 *	offset length	decimal
 *	checksum	SHA-1 of the file; no reader verifies it
 *	basepath	set by onnx while it loads; no writer stores it
 *	prepacked...	ONNX Runtime's own
 *
 * A reader that sets whatever key it meets as an attribute of an object can
 * be given any (GHSA-538c-55jv-c5g9); one that reads a number with atoll or
 * int() takes signs, blanks and digits of other scripts.
 *
 * A location is judged as spelled: what leaves the folder on any platform,
 * whether it exists or not (CVE-2022-25882 "../", CVE-2024-27318
 * "a/../../", the prefix test that took "../dir2" for "../dir"), a NUL, and
 * a leading '#', for which onnx's own test skips its checks.
 */
enum key {
	KEY_LOCATION = 1 << 0,
	KEY_OFFSET = 1 << 1,
	KEY_LENGTH = 1 << 2,
	KEY_CHECKSUM = 1 << 3,
	KEY_BASEPATH = 1 << 4,
	KEY_OTHER = 1 << 5,
};

static enum key
key_of(const struct onnx *o, uint32_t key)
{
	static const char *const names[] = {"location", "offset", "length",
	    "checksum", "basepath"};

	for (unsigned i = 0; i < 5; i++)
		if (onnx_is(o, key, names[i]))
			return (enum key)(1 << i);
	return KEY_OTHER;
}

/* Why the path leaves the folder, in one word; NULL: it does not. */
static const char *
path_leaves(const char *p, size_t n)
{
	unsigned depth = 0;
	size_t from = 0;

	if (n == 0)
		return "empty";
	if (memchr(p, '\0', n) != NULL)
		return "nul";
	if (p[0] == '#')
		return "hash";
	if (p[0] == '~')
		return "home";
	if ((names_oddities(p, n) & NAMES_ABSOLUTE) != 0)
		return "absolute";
	/* "c:x" is relative to another folder, "http:" to another world. */
	for (size_t i = 0; i < n && p[i] != '/' && p[i] != '\\'; i++)
		if (p[i] == ':')
			return i == 1 ? "drive" : "scheme";
	for (size_t i = 0; i <= n; i++) {
		if (i < n && p[i] != '/' && p[i] != '\\')
			continue;
		if (i - from == 2 && memcmp(p + from, "..", 2) == 0) {
			if (depth == 0)
				return "parent";
			depth--;
		} else if (i > from && (i - from != 1 || p[from] != '.')) {
			depth++;
		}
		from = i + 1;
	}
	return depth == 0 ? "folder" : NULL;
}

/* Spellings that stay inside and that no writer makes. */
static const char *
path_odd(const char *p, size_t n)
{
	unsigned odd = names_oddities(p, n);

	if ((odd & NAMES_TRAVERSAL) != 0)
		return "parent";
	if ((odd & NAMES_DECEPTIVE) != 0)
		return "deceptive";
	if ((odd & NAMES_LOOKALIKE) != 0)
		return "lookalike";
	if ((odd & NAMES_WINDOWS) != 0)
		return "windows";
	return NULL;
}

int
onnx_external_path(struct onnx *o, uint32_t where, uint64_t off)
{
	const char *p = onnx_text(o, where), *why;
	const size_t n = onnx_text_len(o, where);
	enum anomaly id = ANOMALY_ONNX_EXTERNAL_PATH;
	struct fact facts[2] = {FACT_TEXT("location", p, n)};

	if ((why = path_leaves(p, n)) == NULL) {
		id = ANOMALY_ONNX_EXTERNAL_SPELLING;
		why = path_odd(p, n);
	}
	if (why == NULL)
		return 0;
	facts[1] = (struct fact)FACT_TEXT("why", why, strlen(why));
	return onnx_tell(o, id, off, 0, facts, 2);
}

static int
tell_entry(struct onnx *o, enum anomaly id, const struct onnx_frame *tensor,
    const struct onnx_frame *entry, uint32_t value)
{
	const struct fact facts[] = {
	    ONNX_FACT_NAME(o, "key", entry->u.entry.key),
	    ONNX_FACT_NAME(o, "value", value),
	    ONNX_FACT_NAME(o, "tensor", tensor->u.tensor.name)};

	return onnx_tell(o, id, entry->off, entry->len, facts, 3);
}

static int
take_number(struct onnx *o, struct onnx_frame *tensor,
    const struct onnx_frame *entry, uint32_t value)
{
	const size_t n = onnx_text_len(o, value);
	uint64_t v = 0;

	if (n > 20 || !text_u64(onnx_text(o, value), n, 10, INT64_MAX, &v))
		return tell_entry(o, ANOMALY_ONNX_EXTERNAL_NUMBER, tensor,
		    entry, value);
	if (key_of(o, entry->u.entry.key) == KEY_OFFSET)
		tensor->u.tensor.ext_off = v;
	else
		tensor->u.tensor.ext_len = v;
	return 0;
}

static bool
is_prepacked(const struct onnx *o, uint32_t key)
{
	return onnx_text_len(o, key) >= 9 &&
	    memcmp(onnx_text(o, key), "prepacked", 9) == 0;
}

int
onnx_external_entry(struct onnx *o, struct onnx_frame *tensor,
    const struct onnx_frame *entry)
{
	struct onnx_frame_tensor *t = &tensor->u.tensor;
	const struct pb_field w = {.at = entry->u.entry.off,
	    .len = entry->u.entry.len};
	enum key key = key_of(o, entry->u.entry.key);
	uint32_t value = 0;
	int r = 0;

	t->entries++;
	if (w.len > 0 && (r = onnx_intern_field(o, &w, &value)) < 0)
		return r;
	if (key == KEY_OTHER)
		return is_prepacked(o, entry->u.entry.key) ? 0 :
		    tell_entry(o, ANOMALY_ONNX_EXTERNAL_KEY, tensor, entry,
		    value);
	if ((t->keys & key) != 0 && (r = tell_entry(o,
	    ANOMALY_ONNX_KEY_TWICE, tensor, entry, value)) < 0)
		return r;
	t->keys |= key;
	switch (key) {
	case KEY_LOCATION:
		t->where = value;
		return onnx_external_path(o, value, entry->off);
	case KEY_OFFSET:
	case KEY_LENGTH:
		return take_number(o, tensor, entry, value);
	case KEY_CHECKSUM:
		return tell_entry(o, ANOMALY_ONNX_EXTERNAL_CHECKSUM, tensor,
		    entry, value);
	case KEY_BASEPATH:
	case KEY_OTHER:
		break;
	}
	/* A base of its own moves every location below it. */
	if ((r = onnx_external_path(o, value, entry->off)) < 0)
		return r;
	return tell_entry(o, ANOMALY_ONNX_EXTERNAL_KEY, tensor, entry, value);
}

/* At the end of a tensor that says it lies in a file. */
int
onnx_external_tensor(struct onnx *o, const struct onnx_frame *f)
{
	const struct onnx_frame_tensor *t = &f->u.tensor;
	struct onnx_external *x;
	uint64_t elements, *dims;
	uint32_t i;

	if ((t->keys & KEY_LOCATION) == 0)
		return onnx_tell_name(o, ANOMALY_ONNX_EXTERNAL_KEY, f->off,
		    "tensor", t->name);
	/* Such a place is told and asked of nobody. */
	if (path_leaves(onnx_text(o, t->where),
	    onnx_text_len(o, t->where)) != NULL)
		return 0;
	if ((dims = arena_array(o->p->arena, t->rank, sizeof(*dims))) == NULL)
		return err_set(o->p->e, ERR_NOMEM, "out of memory");
	memcpy(dims, t->dims, t->rank * sizeof(*dims));
	x = onnx_add(o, &o->externals, &i);
	*x = (struct onnx_external){.location = t->where, .tensor = t->name,
	    .type = t->type < ONNX_TYPES ? (uint32_t)t->type : 0,
	    .rank = t->rank, .dims = dims, .off = t->ext_off,
	    .len = t->ext_len, .want = UINT64_MAX, .at = f->off,
	    .has_len = (t->keys & KEY_LENGTH) != 0};
	if (onnx_elements(dims, t->rank, &elements) && !t->negative)
		(void)onnx_bytes(x->type, elements, &x->want);
	return 0;
}
