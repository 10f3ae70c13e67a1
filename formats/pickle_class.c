#include <string.h>

#include "base/arena.h"
#include "formats/pickle_vm.h"

/*
 * What GLOBAL, STACK_GLOBAL, INST and EXT opcodes name: python-2 names are
 * mapped below PROTO 3, the module is the one that sys.modules has by now,
 * dots in the name walk attributes.
 */
static const struct {
	const char *from, *to;
	bool whole;		/* "module.name", or a module */
} compat[] = {
#define COMPAT_NAME(from, to) {from, to, true},
#define COMPAT_MODULE(from, to) {from, to, false},
#include "formats/pickle_compat.def"
#undef COMPAT_NAME
#undef COMPAT_MODULE
};

bool
pickle_compat(const char *module, const char *name, const char **ret,
    bool *whole)
{
	size_t m = strlen(module);

	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < sizeof(compat) / sizeof(compat[0]);
		    i++) {
			const char *from = compat[i].from;

			if (compat[i].whole != (pass == 0))
				continue;
			if (pass == 0 ? strncmp(from, module, m) != 0 ||
			    from[m] != '.' || strcmp(from + m + 1, name) != 0 :
			    strcmp(from, module) != 0)
				continue;
			*ret = compat[i].to;
			*whole = pass == 0;
			return true;
		}
	return false;
}

static struct pv *
mapped(struct pickle_vm *vm, const char *module_name, const char *name,
    const char **rest)
{
	const char *to, *dot;
	bool whole = false;

	*rest = name;
	if (vm->proto >= 3 || !pickle_compat(module_name, name, &to, &whole))
		return pickle_module(vm, module_name, strlen(module_name));
	if (!whole)
		return pickle_module(vm, to, strlen(to));
	dot = strrchr(to, '.');
	*rest = dot + 1;
	return pickle_module(vm, to, (size_t)(dot - to));
}

/*
 * Below protocol 4 a dot in a name is part of a name that no module has; it
 * is walked all the same, because older and other unpicklers do.
 */
struct pv *
pickle_find_class(struct pickle_vm *vm, const char *m, size_t mn,
    const char *name, size_t nn)
{
	char *module_name = arena_dup(vm->p->arena, m, mn);
	char *attr = arena_dup(vm->p->arena, name, nn);
	const char *rest;
	struct pv *of;

	if (module_name == NULL || attr == NULL)
		return NULL;
	of = mapped(vm, module_name, attr, &rest);
	return *rest == '\0' ? of : pickle_path(vm, of, rest, strlen(rest));
}

/* The module is the longest leading part that begins in lower case. */
static size_t
module_part(const char *p, size_t n)
{
	size_t end = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == ':')
			return i;
		if (p[i] == '.' && i + 1 < n) {
			end = i;
			if (p[i + 1] >= 'A' && p[i + 1] <= 'Z')
				break;
		}
	}
	return end == 0 ? n : end;
}

struct pv *
pickle_resolve(struct pickle_vm *vm, const char *p, size_t n)
{
	size_t m = module_part(p, n);
	struct pv *of = pickle_module(vm, p, m);

	return m == n ? of : pickle_path(vm, of, p + m + 1, n - m - 1);
}
