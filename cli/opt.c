#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/opt.h"

#define EX_USAGE 64

int
opt_usage_error(const struct opt_usage *u, const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "%s: ", u->program);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\nusage: %s %s\n       %s --help\n", u->program,
	    u->synopsis, u->program);
	return EX_USAGE;
}

static void
print_help(const struct opt_usage *u, const struct opt *rows)
{
	char left[64];

	(void)printf("usage: %s %s\n\n%s\n\n", u->program, u->synopsis,
	    u->summary);
	for (; rows->kind != OPT_END; rows++) {
		(void)snprintf(left, sizeof(left), "%s%c%s%s%s%s%s",
		    rows->letter != 0 ? "-" : " ",
		    rows->letter != 0 ? rows->letter : ' ',
		    rows->letter != 0 && rows->name != NULL ? ", " : "  ",
		    rows->name != NULL ? "--" : "",
		    rows->name != NULL ? rows->name : "",
		    rows->arg != NULL ? " " : "",
		    rows->arg != NULL ? rows->arg : "");
		(void)printf("  %-30s %s\n", left, rows->help);
	}
	(void)printf("      %-26s %s\n", "--help", "this text");
}

static const struct opt *
find_name(const struct opt *rows, const char *name, size_t n)
{
	for (; rows->kind != OPT_END; rows++)
		if (rows->name != NULL && strlen(rows->name) == n &&
		    memcmp(rows->name, name, n) == 0)
			return rows;
	return NULL;
}

static const struct opt *
find_letter(const struct opt *rows, char letter)
{
	for (; rows->kind != OPT_END; rows++)
		if (rows->letter == letter)
			return rows;
	return NULL;
}

static int
set(const struct opt_usage *u, const struct opt *o, const char *shown,
    const char *value)
{
	struct opt_list *list;
	const char **p;

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)o->target = true;
		return 0;
	case OPT_STRING:
		if (*(const char **)o->target != NULL)
			return opt_usage_error(u, "%s is given twice",
			    shown) + 1;
		*(const char **)o->target = value;
		return 0;
	case OPT_LIST:
		list = o->target;
		if ((p = reallocarray(list->items, list->count + 1,
		    sizeof(*p))) == NULL)
			return 2 + 1;
		list->items = p;
		list->items[list->count++] = value;
		return 0;
	case OPT_END:
		break;
	}
	return 0;
}

static int
take_option(int argc, char **argv, int *i, const struct opt_usage *u,
    const struct opt *rows)
{
	char *word = argv[*i], *eq;
	const struct opt *o;
	char shown[128];

	(void)text_z(shown, sizeof(shown), word, strlen(word));
	eq = word[1] == '-' ? strchr(word, '=') : NULL;
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		print_help(u, rows);
		return 0 + 1;
	}
	if (word[1] == '-')
		o = find_name(rows, word + 2, eq != NULL ?
		    (size_t)(eq - word - 2) : strlen(word + 2));
	else
		o = word[2] == '\0' ? find_letter(rows, word[1]) : NULL;
	if (o == NULL)
		return opt_usage_error(u, "unknown option '%s'", shown) + 1;
	if (o->kind == OPT_FLAG) {
		if (eq != NULL)
			return opt_usage_error(u, "%s takes no value",
			    shown) + 1;
		return set(u, o, shown, NULL);
	}
	if (eq != NULL)
		return set(u, o, shown, eq + 1);
	if (*i + 1 >= argc)
		return opt_usage_error(u, "%s needs %s", shown, o->arg) + 1;
	(*i)++;
	return set(u, o, shown, argv[*i]);
}

int
opt_parse(int argc, char **argv, const struct opt_usage *u,
    const struct opt *rows, struct opt_args *args)
{
	bool options = true;
	int r;

	if ((args->items = calloc((size_t)argc + 1,
	    sizeof(*args->items))) == NULL)
		return 2 + 1;
	args->count = 0;
	for (int i = 1; i < argc; i++) {
		char *word = argv[i];

		if (options && strcmp(word, "--") == 0) {
			options = false;
		} else if (options && word[0] == '-' && word[1] != '\0') {
			if ((r = take_option(argc, argv, &i, u, rows)) != 0)
				return r;
		} else {
			args->items[args->count++] = word;
		}
	}
	return 0;
}

void
opt_release(const struct opt *rows, struct opt_args *args)
{
	for (; rows->kind != OPT_END; rows++)
		if (rows->kind == OPT_LIST) {
			struct opt_list *list = rows->target;

			free(list->items);
			list->items = NULL;
			list->count = 0;
		}
	free(args->items);
	args->items = NULL;
}
