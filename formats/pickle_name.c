#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "formats/pickle_vm.h"

/*
 * Names.  A global is what an import and a walk over attributes arrive at,
 * not how it is written: "random._os.system", "torch.serialization.os.system"
 * and "copy.__builtins__['eval']" are os.system and builtins.eval.
 *
 * A module that another one has imported is an attribute of it, often with
 * an underscore before its name.  Which attributes are modules cannot be
 * known without the library, but for names that no library uses for anything
 * else.
 */
static const char *const anywhere[] = {"os", "sys", "subprocess", "builtins",
    "__builtin__", "posix", "nt", "shutil", "socket", "importlib", "ctypes",
    "pickle", "cPickle", "marshal", "runpy", "pty", "inspect", "gc",
    "threading", "platform", "tempfile", "base64", "zlib", "linecache",
    "functools", "itertools", "operator", "copyreg", "codecs", "weakref",
    "contextlib", "atexit", "asyncio", "urllib", "traceback", "tokenize",
    "binascii", "posixpath", "ntpath", "glob", "fcntl", "webbrowser",
    "_posixsubprocess", "_thread", "imp", "zipimport", "pkgutil", NULL};
/* Of these other packages have modules of their own. */
static const char *const in_stdlib[] = {"io", "types", "signal", "code",
    "random", "time", "struct", "math", "re", "string", "collections", "abc",
    "warnings", "multiprocessing", "logging", "json", "ast", "dis", "bz2",
    "lzma", "gzip", "zipfile", "tarfile", "ssl", "select", "selectors",
    "errno", "stat", "copy", "enum", "typing", "heapq", "bisect", "locale",
    "reprlib", "queue", "uuid", "hashlib", "random", "datetime", "decimal",
    "pathlib", "dataclasses", "fnmatch", "token", "keyword", "textwrap",
    "unittest", "doctest", "pdb", "bdb", "cmd", "optparse", "argparse",
    "email", "http", "xml", "html", "sched", "shelve", "dbm", "sqlite3",
    "timeit", "trace", "profile", "cProfile", "venv", "ensurepip", "site",
    "this", "turtle", "tkinter", "idlelib", "cgitb", "cgi", "smtplib",
    "ftplib", "telnetlib", "poplib", "imaplib", "nntplib", "xmlrpc",
    "mailcap", "pydoc", "rlcompleter", "statistics", "numbers", "fractions",
    "genericpath", "_collections_abc", NULL};

static bool
listed(const char *const *list, const char *p, size_t n)
{
	for (; *list != NULL; list++)
		if (strlen(*list) == n && memcmp(*list, p, n) == 0)
			return true;
	return false;
}

static struct pickle_name *
intern(struct pickle_vm *vm, enum pv_kind kind, const char *p, size_t n,
    size_t split)
{
	struct pickle_world *w = vm->w;
	struct pickle_name **bucket, *s;
	uint32_t hash = 2166136261U + kind;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ (uint8_t)p[i]) * 16777619U;
	bucket = &w->bucket[(hash ^ hash >> 16) % PICKLE_BUCKETS];
	for (s = *bucket; s != NULL; s = s->next)
		if (s->v.kind == kind && s->v.n == n &&
		    memcmp(s->v.u.p, p, n) == 0)
			return s;
	if (w->names >= LIMIT_PICKLE_NAMES ||
	    (s = arena_alloc(vm->p->arena, sizeof(*s))) == NULL ||
	    (s->v.u.p = arena_dup(vm->p->arena, p, n)) == NULL)
		return NULL;
	s->v.kind = (uint8_t)kind;
	s->v.flags = PV_SHARED;
	s->v.more = ++w->names;
	s->v.n = n;
	s->split = (uint32_t)split;
	s->known = kind == PV_GLOBAL ? pickle_known_find(s->v.u.p, n) : NULL;
	s->next = *bucket;
	*bucket = s;
	return s;
}

struct pickle_name *
pickle_name_of(const struct pv *v)
{
	if (v->kind != PV_GLOBAL && v->kind != PV_MODULE)
		return NULL;
	return (struct pickle_name *)((uintptr_t)v -
	    offsetof(struct pickle_name, v));
}

static struct pv *
module(struct pickle_vm *vm, const char *p, size_t n)
{
	struct pickle_name *s = intern(vm, PV_MODULE, p, n, n);

	return s != NULL ? &s->v : NULL;
}

/* "of.name" as a global; its module is that of ${of}. */
static struct pv *
below(struct pickle_vm *vm, const struct pv *of, const char *p, size_t n)
{
	const struct pickle_name *s = pickle_name_of(of);
	char *path = arena_alloc(vm->p->arena, of->n + n + 2);
	struct pickle_name *made;

	if (path == NULL)
		return NULL;
	memcpy(path, of->u.p, of->n);
	path[of->n] = '.';
	memcpy(path + of->n + 1, p, n);
	made = intern(vm, PV_GLOBAL, path, of->n + 1 + n, s->split);
	return made != NULL ? &made->v : NULL;
}

struct pv *
pickle_module(struct pickle_vm *vm, const char *p, size_t n)
{
	static const char *const roots[] = {"os", "sys", "posix", "nt",
	    "builtins", "__builtin__", "subprocess", NULL};
	struct pickle_name *s = intern(vm, PV_GLOBAL, "sys.modules", 11, 3);
	const char *dot = memrchr(p, '.', n);
	struct pv *planted;

	if (s == NULL)
		return NULL;
	if ((planted = pickle_planted(vm, &s->v, p, n)) != NULL)
		return planted;
	/* six.moves.builtins, x.y.os: no package has such modules itself. */
	if (dot != NULL && listed(roots, dot + 1, n - (size_t)(dot + 1 - p)))
		return module(vm, dot + 1, n - (size_t)(dot + 1 - p));
	return module(vm, p, n);
}

bool
pickle_plant(struct pickle_vm *vm, const struct pv *owner, const char *name,
    size_t n, struct pv *value)
{
	struct pickle_patch *x;

	if (++vm->w->patches > LIMIT_PICKLE_PATCHES ||
	    (x = arena_alloc(vm->p->arena, sizeof(*x))) == NULL)
		return false;
	value->flags |= PV_SHARED;
	*x = (struct pickle_patch){vm->w->patch, owner, name, n, value};
	vm->w->patch = x;
	return true;
}

static struct pv *
planted_on(const struct pickle_vm *vm, const struct pv *owner,
    const char *name, size_t n)
{
	const struct pickle_patch *x;

	for (x = vm->w->patch; x != NULL; x = x->next)
		if (x->owner == owner && x->n == n &&
		    memcmp(x->name, name, n) == 0)
			return x->value;
	return NULL;
}

/* What can be called, in a dict of attributes. */
static struct pv *
in_dict(const struct pv *dict, const char *name, size_t n)
{
	struct pv *v;

	for (size_t i = 0; dict != NULL && dict->kind == PV_DICT &&
	    i + 1 < dict->n; i += 2) {
		v = dict->u.item[i + 1];
		if (v->kind >= PV_GLOBAL && v->kind <= PV_CALL &&
		    pv_same_text(dict->u.item[i], name, n))
			return v;
	}
	return NULL;
}

/* In the states that BUILD gave an instance. */
static struct pv *
in_state(const struct pv *v, const char *name, size_t n)
{
	struct pv *found = NULL;

	for (size_t i = v->n; i > 2 && found == NULL; i--) {
		const struct pv *state = v->u.item[i - 1];

		if ((found = in_dict(state, name, n)) == NULL &&
		    (found = in_dict(pv_item(state, 0), name, n)) == NULL)
			found = in_dict(pv_item(state, 1), name, n);
	}
	return found;
}

/* On the object, or on its class. */
struct pv *
pickle_planted(const struct pickle_vm *vm, const struct pv *owner,
    const char *name, size_t n)
{
	struct pv *v = NULL;

	if (owner->kind == PV_CALL && (owner->flags & PV_STATE) != 0 &&
	    (v = in_state(owner, name, n)) != NULL)
		return v;
	if (vm->w->patch == NULL)
		return NULL;
	if ((v = planted_on(vm, owner, name, n)) == NULL &&
	    owner->kind == PV_CALL)
		v = planted_on(vm, owner->u.item[0], name, n);
	return v;
}

bool
pickle_register_value(struct pickle_vm *vm, uint64_t code, struct pv *value)
{
	struct pickle_ext *x;

	if (value == NULL || ++vm->w->exts > LIMIT_PICKLE_PATCHES ||
	    (x = arena_alloc(vm->p->arena, sizeof(*x))) == NULL)
		return false;
	value->flags |= PV_SHARED;
	x->global = value;
	x->code = code;
	x->next = vm->w->ext;
	vm->w->ext = x;
	return true;
}

bool
pickle_register(struct pickle_vm *vm, uint64_t code, const struct pv *m,
    const struct pv *name)
{
	if (!pv_is_kept_text(m) || !pv_is_kept_text(name))
		return true;
	return pickle_register_value(vm, code, pickle_find_class(vm, m->u.p,
	    m->n, name->u.p, name->n));
}

/* Does the module part belong to the standard library? */
static bool
from_stdlib(const struct pv *v)
{
	const char *dot = memchr(v->u.p, '.', v->n);
	size_t n = dot != NULL ? (size_t)(dot - v->u.p) : v->n;

	return listed(anywhere, v->u.p, n) || listed(in_stdlib, v->u.p, n);
}

static bool
is_word(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && memcmp(p, word, n) == 0;
}

static struct pv *
builtin(struct pickle_vm *vm, const char *name)
{
	struct pv *m = module(vm, "builtins", 8);

	return m != NULL ? below(vm, m, name, strlen(name)) : NULL;
}

/* Does the last part of the name begin with a capital letter? */
static bool
is_class(const struct pv *v)
{
	const char *last = memrchr(v->u.p, '.', v->n);

	last = last != NULL ? last + 1 : v->u.p;
	return *last >= 'A' && *last <= 'Z';
}

/* Attributes that lead back to modules and namespaces. */
static struct pv *
special(struct pickle_vm *vm, struct pv *of, const char *p, size_t n)
{
	const struct pickle_name *s = pickle_name_of(of);
	size_t last = s->split < of->n ? s->split + 1 : 0;

	if (is_word(p, n, "__builtins__"))
		return pv_one(vm, PV_NAMESPACE, module(vm, "builtins", 8));
	if (is_word(p, n, "__dict__"))
		return pv_one(vm, PV_NAMESPACE, of);
	if (is_word(p, n, "__name__") || is_word(p, n, "__qualname__"))
		return pv_text(vm, PV_STR, of->u.p + last, of->n - last);
	if (is_word(p, n, "__getattribute__"))
		return pv_pair(vm, PV_METHOD, of, pv_text(vm, PV_STR,
		    "__getattribute__", 16));
	if (of->kind == PV_MODULE)
		return NULL;
	if (is_word(p, n, "__call__") && !is_class(of) &&
	    !pv_is_name(of, "builtins.type"))
		return of;
	if (is_word(p, n, "__globals__") || is_word(p, n, "func_globals"))
		return pv_one(vm, PV_NAMESPACE, module(vm, of->u.p,
		    s->split));
	if (is_word(p, n, "__self__"))
		return module(vm, of->u.p, s->split);
	if (is_word(p, n, "__module__"))
		return pv_text(vm, PV_STR, of->u.p, s->split);
	if (is_word(p, n, "__class__"))
		return builtin(vm, "type");
	return NULL;
}

/* Is this attribute a module that ${of} has imported? */
static bool
is_alias(const struct pv *of, const char *p, size_t n)
{
	if (of->kind == PV_GLOBAL && is_class(of))
		return false;	/* a class: these are methods */
	/* timeit.timeit, _socket.socket, datetime.time: the module's own. */
	if ((of->n == n && memcmp(of->u.p, p, n) == 0) ||
	    (of->n == n + 1 && of->u.p[0] == '_' &&
	    memcmp(of->u.p + 1, p, n) == 0) ||
	    (of->n == 8 && memcmp(of->u.p, "datetime", 8) == 0))
		return false;
	return listed(anywhere, p, n) || (of->kind == PV_MODULE &&
	    memchr(of->u.p, '.', of->n) == NULL && from_stdlib(of) &&
	    listed(in_stdlib, p, n));
}

static struct pv *
attr_of_name(struct pickle_vm *vm, struct pv *of, const char *p, size_t n)
{
	struct pv *v = special(vm, of, p, n);
	size_t bare = 0;

	if (v != NULL)
		return v;
	if (is_alias(of, p, n))
		return module(vm, p, n);
	while (bare < n && p[bare] == '_')
		bare++;
	return is_alias(of, p + bare, n - bare) ?
	    module(vm, p + bare, n - bare) : below(vm, of, p, n);
}

static bool
is_dict_method(const char *p, size_t n)
{
	static const char *const methods[] = {"get", "__getitem__", "pop",
	    "setdefault", "update", "__setitem__", "items", "keys", "values",
	    "copy", "__contains__", "__getattribute__", NULL};

	return listed(methods, p, n);
}

struct pv *
pickle_attr(struct pickle_vm *vm, struct pv *of, const char *p, size_t n)
{
	struct pv *v;

	if (of == NULL)
		return NULL;
	if ((v = pickle_planted(vm, of, p, n)) != NULL)
		return v;
	if (of->kind == PV_GLOBAL || of->kind == PV_MODULE)
		return attr_of_name(vm, of, p, n);
	if (of->kind == PV_PARTIAL && is_word(p, n, "func"))
		return of->u.item[0];
	/* __main__.__builtins__ is the module, elsewhere it is its dict. */
	if (of->kind == PV_NAMESPACE && !is_dict_method(p, n))
		return pickle_attr(vm, of->u.item[0], p, n);
	if (is_word(p, n, "__call__"))
		return of;
	/* The class of what a class made. */
	if (of->kind == PV_CALL && is_word(p, n, "__class__"))
		return of->u.item[0];
	if ((v = pv_text(vm, PV_STR, p, n)) == NULL)
		return NULL;
	return pv_pair(vm, PV_METHOD, of, v);
}

struct pv *
pickle_path(struct pickle_vm *vm, struct pv *of, const char *p, size_t n)
{
	static const char around[] = "__call__.__self__";
	const char *dot;
	size_t part;

	while (of != NULL && n > 0) {
		dot = memchr(p, '.', n);
		part = dot != NULL ? (size_t)(dot - p) : n;
		/* f.__call__.__self__ is f again. */
		if (n >= sizeof(around) - 1 && memcmp(p, around,
		    sizeof(around) - 1) == 0)
			part = sizeof(around) - 1;
		else if (part > 0)
			of = pickle_attr(vm, of, p, part);
		part += part < n;
		p += part;
		n -= part;
	}
	return of;
}

struct pv *
pickle_item(struct pickle_vm *vm, struct pv *of, const struct pv *key)
{
	const struct pv *v;
	int64_t i;

	if (of == NULL || key == NULL)
		return NULL;
	if (pv_is_kept_text(key)) {
		if (of->kind == PV_NAMESPACE)
			return pickle_attr(vm, of->u.item[0], key->u.p,
			    key->n);
		if (pv_is_name(of, "sys.modules"))
			return pickle_module(vm, key->u.p, key->n);
		if (of->kind == PV_DICT)
			for (size_t k = of->n & ~(size_t)1; k >= 2; k -= 2)
				if (pv_same_text(of->u.item[k - 2], key->u.p,
				    key->n))
					return of->u.item[k - 1];
		return NULL;
	}
	if (key->kind != PV_INT)
		return NULL;
	i = key->u.num;
	if (of->kind == PV_TUPLE || of->kind == PV_LIST) {
		i += i < 0 ? (int64_t)of->n : 0;
		v = i >= 0 && of->more == 0 ? pv_item(of, (size_t)i) : NULL;
		return v != NULL ? of->u.item[i] : NULL;
	}
	if (of->kind == PV_DICT)
		for (size_t k = 0; k + 1 < of->n; k += 2)
			if (of->u.item[k]->kind == PV_INT &&
			    of->u.item[k]->u.num == i)
				return of->u.item[k + 1];
	return NULL;
}
