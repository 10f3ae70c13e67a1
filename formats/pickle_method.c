#include <string.h>

#include "base/limits.h"
#include "formats/pickle_fold.h"

/*
 * Methods of text and bytes, as pickle_fold.c does functions: 'x'.join(...),
 * ''.replace(...), b''.decode(...).
 */
static bool
is_word(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(p, word, n) == 0;
}

/* sep.join(parts), the parts in ${list}. */
static void
join(const struct fold *f, const struct pv *sep, const struct pv *list)
{
	size_t n = 0, at = 0;
	char *dst;

	if (!pickle_fold_constant(sep) || list == NULL || list->kind < PV_TUPLE ||
	    list->kind > PV_LIST || list->more > 0)
		return;
	for (size_t i = 0; i < list->n; i++) {
		if (!pickle_fold_constant(list->u.item[i]) ||
		    pickle_fold_kind(list->u.item[i]) != pickle_fold_kind(sep))
			return;
		n += list->u.item[i]->n + sep->n;
	}
	if ((dst = pickle_fold_room(f->vm, n + list->n)) == NULL)
		return;
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0) {
			memcpy(dst + at, sep->u.p, sep->n);
			at += sep->n;
		}
		memcpy(dst + at, list->u.item[i]->u.p, list->u.item[i]->n);
		at += list->u.item[i]->n;
	}
	pickle_fold_give(f, pickle_fold_kind(sep), dst, at);
}

/* s.replace(old, new) */
static void
replace(const struct fold *f, const struct pv *self)
{
	const struct pv *old = pv_item(f->args, 0), *new = pv_item(f->args, 1);
	size_t at = 0, out = 0;
	char *dst;

	if (!pickle_fold_constant(old) || !pickle_fold_constant(new) || old->n == 0 ||
	    (dst = pickle_fold_room(f->vm, self->n + (self->n / old->n + 1) *
	    new->n)) == NULL)
		return;
	while (at < self->n) {
		if (self->n - at >= old->n && memcmp(self->u.p + at,
		    old->u.p, old->n) == 0) {
			memcpy(dst + out, new->u.p, new->n);
			out += new->n;
			at += old->n;
		} else {
			dst[out++] = self->u.p[at++];
		}
	}
	pickle_fold_give(f, pickle_fold_kind(self), dst, out);
}

/* Byte by byte, of ASCII. */
static char
cased(char c, bool lower, bool upper)
{
	if (c >= 'A' && c <= 'Z' && lower)
		return (char)(c + 32);
	if (c >= 'a' && c <= 'z' && upper)
		return (char)(c - 32);
	return c;
}

static void
change_case(const struct fold *f, const struct pv *self, bool lower,
    bool upper)
{
	char *dst = pickle_fold_room(f->vm, self->n);

	for (size_t i = 0; i < self->n && dst != NULL; i++)
		dst[i] = cased(self->u.p[i], lower, upper);
	pickle_fold_give(f, pickle_fold_kind(self), dst, self->n);
}

/* s.strip(), s.strip(chars), and of one side. */
static void
strip(const struct fold *f, const struct pv *self, bool left, bool right)
{
	static const char blanks[] = " \t\n\r\f\v";
	const struct pv *set = pv_item(f->args, 0);
	const char *p = blanks;
	size_t from = 0, to = self->n, n = sizeof(blanks) - 1;

	if (set != NULL && !pickle_fold_constant(set))
		return;
	if (set != NULL) {
		p = set->u.p;
		n = set->n;
	}
	while (left && from < to && memchr(p, self->u.p[from], n) != NULL)
		from++;
	while (right && to > from && memchr(p, self->u.p[to - 1], n) != NULL)
		to--;
	pickle_fold_give(f, pickle_fold_kind(self), self->u.p + from, to - from);
}

static void
remove_end(const struct fold *f, const struct pv *self, bool front)
{
	const struct pv *v = pv_item(f->args, 0);
	size_t n;

	if (!pickle_fold_constant(v))
		return;
	n = v->n <= self->n && memcmp(front ? self->u.p : self->u.p +
	    self->n - v->n, v->u.p, v->n) == 0 ? v->n : 0;
	pickle_fold_give(f, pickle_fold_kind(self), front ? self->u.p + n :
	    self->u.p, self->n - n);
}

/* int.to_bytes(n, 'big') of a long integer, which we have byte by byte. */
static void
to_bytes(const struct fold *f, const struct pv *self)
{
	const struct pv *count = pv_item(f->args, 0);
	const struct pv *order = pv_item(f->args, 1);
	size_t n;
	char *dst;

	if (self->kind != PV_LONG || self->u.p == NULL || count == NULL ||
	    count->kind != PV_INT || count->u.num < 0 ||
	    (uint64_t)count->u.num > LIMIT_PICKLE_CONST)
		return;
	n = (size_t)count->u.num;
	if ((dst = pickle_fold_room(f->vm, n)) == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		dst[pv_is_text(order, "little") ? i : n - 1 - i] =
		    i < self->n ? self->u.p[i] : '\0';
	pickle_fold_give(f, PV_BYTES, dst, n);
}

/* s.split(sep): the parts. */
static int
split(const struct fold *f, const struct pv *self)
{
	const struct pv *sep = pv_item(f->args, 0);
	struct pv *list, *part;
	const char *p = self->u.p, *hit;
	size_t left = self->n, n;

	if (f->args->n != 1 || !pickle_fold_constant(sep) || sep->n == 0)
		return 0;
	if ((list = pv_new(f->vm, PV_LIST)) == NULL)
		return 0;
	for (hit = p; hit != NULL && list->n < PV_KEEP;) {
		hit = memmem(p, left, sep->u.p, sep->n);
		n = hit != NULL ? (size_t)(hit - p) : left;
		if ((part = pv_text(f->vm, pickle_fold_kind(self), p, n)) ==
		    NULL || !pv_add(f->vm, list, part))
			return 0;
		n += hit != NULL ? sep->n : 0;
		p += n;
		left -= n;
	}
	*f->ret = list;
	return 0;
}

/* Methods that are functions of (self, arguments...). */
static const struct {
	const char *method, *function;
} as_function[] = {
    {"encode", "codecs.encode"}, {"decode", "codecs.decode"},
    {"__add__", "operator.add"}, {"__mul__", "operator.mul"},
    {"__getitem__", "operator.getitem"}, {"__str__", "builtins.str"},
};

static int
by_function(struct pickle_vm *vm, const struct pv *self, const char *name,
    size_t n, struct pv *args, struct pv **ret)
{
	struct pv *both;

	for (size_t i = 0; i < sizeof(as_function) / sizeof(as_function[0]);
	    i++) {
		if (!is_word(name, n, as_function[i].method))
			continue;
		both = pv_one(vm, PV_TUPLE, pv_text(vm, pickle_fold_kind(self),
		    self->u.p, self->n));
		for (size_t k = 0; both != NULL && k < args->n; k++)
			if (!pv_add(vm, both, args->u.item[k]))
				return 0;
		return both == NULL ? 0 : pickle_fold(vm,
		    as_function[i].function, strlen(as_function[i].function),
		    both, ret);
	}
	return 0;
}

int
pickle_fold_method(struct pickle_vm *vm, const struct pv *self,
    const char *name, size_t n, struct pv *args, struct pv **ret)
{
	const struct fold f = {vm, args, ret};

	/* bytes.fromhex: its self is the class. */
	if (is_word(name, n, "fromhex"))
		return pickle_fold(vm, "binascii.unhexlify", 18, args, ret);
	if (is_word(name, n, "to_bytes")) {
		to_bytes(&f, self);
		return 0;
	}
	if (!pickle_fold_constant(self))
		return 0;
	if (is_word(name, n, "join"))
		join(&f, self, pv_item(args, 0));
	else if (is_word(name, n, "split"))
		return split(&f, self);
	else if (is_word(name, n, "replace"))
		replace(&f, self);
	else if (is_word(name, n, "strip"))
		strip(&f, self, true, true);
	else if (is_word(name, n, "lstrip"))
		strip(&f, self, true, false);
	else if (is_word(name, n, "rstrip"))
		strip(&f, self, false, true);
	else if (is_word(name, n, "removeprefix"))
		remove_end(&f, self, true);
	else if (is_word(name, n, "removesuffix"))
		remove_end(&f, self, false);
	else if (is_word(name, n, "format"))
		pickle_fold_format(&f, self, args, '{');
	else if (is_word(name, n, "__mod__"))
		pickle_fold_format(&f, self, pv_item(args, 0), '%');
	else if (is_word(name, n, "lower") || is_word(name, n, "casefold"))
		change_case(&f, self, true, false);
	else if (is_word(name, n, "upper"))
		change_case(&f, self, false, true);
	else if (is_word(name, n, "swapcase"))
		change_case(&f, self, true, true);
	else
		return by_function(vm, self, name, n, args, ret);
	return 0;
}
