#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/pickle_decode.h"
#include "formats/pickle_fold.h"

/*
 * Pure functions of text and bytes, so that names and streams that are put
 * together while loading are seen as what they become.  A function that is
 * given something else than constants gives nothing (*ret stays NULL) and
 * its call stays a call.
 *
 * What is made counts against LIMIT_PICKLE_FOLD, and each function is asked
 * at most once for each call of the stream, so the time is bounded too.
 */
char *
pickle_fold_room(struct pickle_vm *vm, size_t n)
{
	if (n > LIMIT_PICKLE_FOLD - vm->w->folded)
		return NULL;
	vm->w->folded += n;
	return arena_alloc(vm->p->arena, n + 1);
}

void
pickle_fold_give(const struct fold *f, enum pv_kind kind, const void *p,
    size_t n)
{
	if (p != NULL)
		*f->ret = pv_text(f->vm, kind, p, n);
}

static const struct pv *
arg(const struct fold *f, size_t i)
{
	return pv_item(f->args, i);
}

bool
pickle_fold_constant(const struct pv *v)
{
	return pv_is_kept_text(v) || pv_is_kept_bytes(v);
}

enum pv_kind
pickle_fold_kind(const struct pv *v)
{
	return v->kind == PV_STR ? PV_STR : PV_BYTES;
}

static void
fold_decoded(const struct fold *f, enum pickle_codec codec,
    enum pv_kind kind)
{
	const struct pv *v = arg(f, 0);
	size_t n, max;
	char *dst;

	if (!pickle_fold_constant(v))
		return;
	max = pickle_decode_max(codec, v->n);
	if ((dst = pickle_fold_room(f->vm, max)) != NULL &&
	    pickle_decode(codec, v->u.p, v->n, dst, &n))
		pickle_fold_give(f, kind, dst, n);
}

static void
fold_inflate(const struct fold *f, enum codec_kind kind)
{
	const struct pv *v = arg(f, 0);
	struct codec_result out;
	struct bytesrc *src;

	if (!pickle_fold_constant(v) || v->n == 0 ||
	    (src = bytesrc_mem(v->u.p, v->n, NULL)) == NULL)
		return;
	if (codec_inflate(kind, src, 0, v->n, 0, LIMIT_PICKLE_FOLD -
	    f->vm->w->folded, f->vm->p->arena, &out, NULL) >= 0 &&
	    out.n > 0) {
		f->vm->w->folded += out.n;
		pickle_fold_give(f, PV_BYTES, out.p, out.n);
	}
	bytesrc_free(src);
}

/* encode and decode, of text or bytes, by a codec's name. */
static void
fold_codec(const struct fold *f, const struct pv *name, bool encode)
{
	static const struct pv utf8 = {.kind = PV_STR, .u = {.p = "utf-8"},
	    .n = 5};
	const struct pv *v = arg(f, 0);
	enum pickle_codec c;

	if (name == NULL)
		name = &utf8;
	if (!pickle_fold_constant(v) || !pv_is_kept_text(name) ||
	    !pickle_codec_named(name->u.p, name->n, encode, &c))
		return;
	if (c == PICKLE_ZLIB)
		fold_inflate(f, CODEC_ZLIB);
	else
		fold_decoded(f, c, c == PICKLE_ROT13 ? PV_STR : encode ||
		    pickle_codec_of_bytes(c) ? PV_BYTES : PV_STR);
}

static void
encode(const struct fold *f)
{
	fold_codec(f, arg(f, 1), true);
}

static void
decode(const struct fold *f)
{
	fold_codec(f, arg(f, 1), false);
}

/* utf_8_decode and its kin give (text, length). */
static void
decode_pair(const struct fold *f)
{
	struct pv *text = NULL, *n;
	const struct fold inner = {f->vm, f->args, &text};

	fold_codec(&inner, NULL, false);
	if (text != NULL && (n = pv_int(f->vm, (int64_t)text->n)) != NULL)
		*f->ret = pv_pair(f->vm, PV_TUPLE, text, n);
}

static void
base64(const struct fold *f)
{
	fold_decoded(f, PICKLE_BASE64, PV_BYTES);
}

static void
base32(const struct fold *f)
{
	fold_decoded(f, PICKLE_BASE32, PV_BYTES);
}

static void
base85(const struct fold *f)
{
	fold_decoded(f, PICKLE_BASE85, PV_BYTES);
}

static void
ascii85(const struct fold *f)
{
	fold_decoded(f, PICKLE_ASCII85, PV_BYTES);
}

static void
hex(const struct fold *f)
{
	fold_decoded(f, PICKLE_HEX, PV_BYTES);
}

static void
unquote(const struct fold *f)
{
	fold_decoded(f, PICKLE_PERCENT, PV_STR);
}

static void
inflate_zlib(const struct fold *f)
{
	fold_inflate(f, CODEC_ZLIB);
}

static void
inflate_gzip(const struct fold *f)
{
	fold_inflate(f, CODEC_GZIP);
}

/* a + b, of two of the same kind. */
static void
add(const struct fold *f)
{
	const struct pv *a = arg(f, 0), *b = arg(f, 1);
	char *dst;

	if (!pickle_fold_constant(a) || !pickle_fold_constant(b) ||
	    pickle_fold_kind(a) != pickle_fold_kind(b) ||
	    (dst = pickle_fold_room(f->vm, a->n + b->n)) == NULL)
		return;
	memcpy(dst, a->u.p, a->n);
	memcpy(dst + a->n, b->u.p, b->n);
	pickle_fold_give(f, pickle_fold_kind(a), dst, a->n + b->n);
}

/* s * k */
static void
mul(const struct fold *f)
{
	const struct pv *a = arg(f, 0), *k = arg(f, 1);
	char *dst;

	if (!pickle_fold_constant(a) || k == NULL || k->kind != PV_INT ||
	    k->u.num < 0 || (uint64_t)k->u.num > LIMIT_PICKLE_FOLD ||
	    a->n > LIMIT_PICKLE_FOLD / ((size_t)k->u.num + 1) ||
	    (dst = pickle_fold_room(f->vm, a->n * (size_t)k->u.num)) == NULL)
		return;
	for (int64_t i = 0; i < k->u.num; i++)
		memcpy(dst + a->n * (size_t)i, a->u.p, a->n);
	pickle_fold_give(f, pickle_fold_kind(a), dst, a->n * (size_t)k->u.num);
}

/* chr(65) */
static void
character(const struct fold *f)
{
	const struct pv *v = arg(f, 0);
	char *dst;

	if (v == NULL || v->kind != PV_INT || v->u.num < 0 ||
	    v->u.num > 0x10ffff || (dst = pickle_fold_room(f->vm, 4)) == NULL)
		return;
	pickle_fold_give(f, PV_STR, dst, pickle_put_utf8(dst, (uint32_t)v->u.num));
}

/* bytes([111, 115]), bytes(b''), bytes('os', 'utf-8'), bytes(3) */
static void
bytes(const struct fold *f)
{
	const struct pv *v = arg(f, 0);
	char *dst;

	if (v != NULL && v->kind == PV_STR && arg(f, 1) != NULL) {
		fold_codec(f, arg(f, 1), true);
	} else if (pv_is_kept_bytes(v)) {
		pickle_fold_give(f, PV_BYTES, v->u.p, v->n);
	} else if (v != NULL && (v->kind == PV_LIST || v->kind == PV_TUPLE) &&
	    v->more == 0) {
		if ((dst = pickle_fold_room(f->vm, v->n)) == NULL)
			return;
		for (size_t i = 0; i < v->n; i++) {
			const struct pv *b = v->u.item[i];

			if (b->kind != PV_INT || b->u.num < 0 ||
			    b->u.num > 255)
				return;
			dst[i] = (char)(uint8_t)b->u.num;
		}
		pickle_fold_give(f, PV_BYTES, dst, v->n);
	}
}

/* str('os'), str(b'os', 'utf-8') */
static void
string(const struct fold *f)
{
	const struct pv *v = arg(f, 0);

	if (pv_is_kept_text(v))
		pickle_fold_give(f, PV_STR, v->u.p, v->n);
	else if (pv_is_kept_bytes(v) && arg(f, 1) != NULL)
		fold_codec(f, arg(f, 1), false);
}

/* list('os'), reversed('so'), tuple([..]): a list of what there is. */
static void
listed(const struct fold *f, bool backwards)
{
	const struct pv *v = arg(f, 0);
	struct pv *list, *item;
	size_t n, k;

	if (v == NULL || (!pv_is_kept_text(v) && v->kind != PV_LIST &&
	    v->kind != PV_TUPLE) || v->n > PV_KEEP ||
	    (v->kind != PV_STR && v->more > 0) ||
	    (list = pv_new(f->vm, PV_LIST)) == NULL)
		return;
	n = v->n;
	for (size_t i = 0; i < n; i++) {
		k = backwards ? n - 1 - i : i;
		if (v->kind == PV_STR && (v->u.p[k] & 0x80) != 0)
			return;
		item = v->kind != PV_STR ? v->u.item[k] :
		    pv_text(f->vm, PV_STR, v->u.p + k, 1);
		if (item == NULL)
			return;
		item->flags |= PV_SHARED;
		if (!pv_add(f->vm, list, item))
			return;
	}
	*f->ret = list;
}

static void
forwards(const struct fold *f)
{
	listed(f, false);
}

static void
backwards(const struct fold *f)
{
	listed(f, true);
}

/* s[i], s[::-1], s[a:b]: slices are calls of builtins.slice. */
static void
getitem(const struct fold *f)
{
	const struct pv *v = arg(f, 0), *key = arg(f, 1), *part[3] = {0};
	int64_t n, from, to, step = 1;
	size_t count = 0;
	char *dst;

	if (!pv_is_kept_text(v) && !pv_is_kept_bytes(v))
		return;
	n = (int64_t)v->n;
	if (key != NULL && key->kind == PV_INT && v->kind == PV_STR) {
		from = key->u.num + (key->u.num < 0 ? n : 0);
		if (from >= 0 && from < n)
			pickle_fold_give(f, PV_STR, v->u.p + from, 1);
		return;
	}
	if (key == NULL || key->kind != PV_CALL ||
	    !pv_is_name(key->u.item[0], "builtins.slice"))
		return;
	for (size_t i = 0; i < 3; i++) {
		part[i] = pv_item(key->u.item[1], i);
		if (part[i] != NULL && part[i]->kind != PV_INT)
			part[i] = NULL;
	}
	if (part[2] != NULL)
		step = part[2]->u.num;
	if (step == 0 || step < -n - 1 || step > n + 1 ||
	    (dst = pickle_fold_room(f->vm, v->n)) == NULL)
		return;
	from = part[0] != NULL ? part[0]->u.num : step > 0 ? 0 : n - 1;
	to = part[1] != NULL ? part[1]->u.num : step > 0 ? n : -n - 1;
	from += from < 0 ? n : 0;
	to += to < 0 ? n : 0;
	for (int64_t i = from; i >= 0 && i < n &&
	    (step > 0 ? i < to : i > to); i += step)
		dst[count++] = v->u.p[i];
	pickle_fold_give(f, pickle_fold_kind(v), dst, count);
}

/* The text that goes into a place; NULL when it is none. */
static const struct pv *
piece(const struct pv *with, size_t i)
{
	const struct pv *v = with == NULL ? NULL : with->kind == PV_TUPLE ||
	    with->kind == PV_LIST ? pv_item(with, i) : i == 0 ? with : NULL;

	return pickle_fold_constant(v) ? v : NULL;
}

/* A place at p[i]: how long it is, and its number; 0: none, or not ours. */
static size_t
place(const char *p, size_t n, size_t i, char style, size_t *number)
{
	size_t k = i + 1;

	if (style == '%')
		return i + 1 < n && p[i + 1] == 's' ? 2 : 0;
	if (k < n && p[k] >= '0' && p[k] <= '9')
		*number = (size_t)(p[k++] - '0');
	return k < n && p[k] == '}' ? k + 1 - i : 0;
}

void
pickle_fold_format(const struct fold *f, const struct pv *self,
    const struct pv *with, char style)
{
	size_t n = self->n, out = 0, next = 0, at, step, max = n;
	const struct pv *v;
	char *dst;

	if (with == NULL || self->kind != PV_STR)
		return;
	for (size_t i = 0; i < with->n && i < PV_KEEP &&
	    (v = piece(with, i)) != NULL; i++)
		max += v->n * (n / 2 + 1);
	if ((dst = pickle_fold_room(f->vm, max)) == NULL)
		return;
	for (size_t i = 0; i < n; i += step) {
		step = 1;
		if (self->u.p[i] != style) {
			dst[out++] = self->u.p[i];
			continue;
		}
		at = next;
		if ((step = place(self->u.p, n, i, style, &at)) == 0 ||
		    (v = piece(with, at)) == NULL || v->n > max - out)
			return;
		next = at + 1;
		memcpy(dst + out, v->u.p, v->n);
		out += v->n;
	}
	pickle_fold_give(f, PV_STR, dst, out);
}

static void
modulo(const struct fold *f)
{
	if (pv_is_kept_text(arg(f, 0)))
		pickle_fold_format(f, arg(f, 0), arg(f, 1), '%');
}

static const struct {
	const char *name;
	void (*fn)(const struct fold *f);
} functions[] = {
    {"operator.mod", modulo}, {"_operator.mod", modulo},
    {"_codecs.encode", encode}, {"codecs.encode", encode},
    {"_codecs.decode", decode}, {"codecs.decode", decode},
    {"_codecs.utf_8_decode", decode_pair},
    {"_codecs.ascii_decode", decode_pair},
    {"_codecs.latin_1_decode", decode_pair},
    {"base64.b64decode", base64}, {"base64.standard_b64decode", base64},
    {"base64.urlsafe_b64decode", base64}, {"base64.decodebytes", base64},
    {"binascii.a2b_base64", base64}, {"base64.b32decode", base32},
    {"base64.b16decode", hex}, {"binascii.unhexlify", hex},
    {"binascii.a2b_hex", hex}, {"base64.b85decode", base85},
    {"base64.a85decode", ascii85}, {"urllib.parse.unquote", unquote},
    {"zlib.decompress", inflate_zlib}, {"gzip.decompress", inflate_gzip},
    {"operator.add", add}, {"_operator.add", add},
    {"operator.concat", add}, {"_operator.concat", add},
    {"operator.iadd", add}, {"operator.iconcat", add},
    {"operator.mul", mul}, {"operator.getitem", getitem},
    {"builtins.chr", character}, {"builtins.bytes", bytes},
    {"builtins.bytearray", bytes}, {"builtins.str", string},
    {"builtins.format", string}, {"builtins.list", forwards},
    {"builtins.tuple", forwards}, {"builtins.reversed", backwards},
};

int
pickle_fold(struct pickle_vm *vm, const char *name, size_t n,
    struct pv *args, struct pv **ret)
{
	const struct fold f = {vm, args, ret};

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (strlen(functions[i].name) == n &&
		    memcmp(functions[i].name, name, n) == 0)
			functions[i].fn(&f);
	return 0;
}
