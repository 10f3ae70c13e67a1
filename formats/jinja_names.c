#include <string.h>

#include "formats/jinja_parts.h"

/*
 * Names that reach out of a template.
 *
 * Jinja gives a template the objects that it is rendered with, and every
 * attribute of theirs.  In an ordinary environment one of them leads to the
 * interpreter: ''.__class__.__mro__[1].__subclasses__(), or the globals of a
 * function that Jinja brings (cycler, lipsum).  The sandbox refuses names
 * that begin with "__"; older loaders had none (CVE-2024-34359), and no chat
 * template needs one.
 */
/* Attributes that lead out, whatever they are looked up on. */
static const char *const leads_out[] = {"mro", "subclasses", "func_globals",
    "func_code", "im_func", "gi_frame", "gi_code", "cr_frame", "ag_frame",
    "f_globals", "f_builtins", "f_locals", "f_back", "tb_frame", "tb_next",
    "co_code", "popen", "popen2", "popen3", "Popen", "check_output",
    "check_call", "getoutput", "getstatusoutput", "import_module",
    "load_module", "builtins", "_module", "execfile", "posix_spawn",
    "globals", NULL};

/* ... or when they are called. */
static const char *const called_out[] = {"system", "eval", "exec",
    "execve", "execv", "spawn", "spawnv", "fork", "open", "compile",
    "getattr", "setattr", "run_code", "urlopen", "import", NULL};

static const char *const bare_calls[] = {"eval", "exec", "execfile", "open",
    "globals", "locals", "getattr", "setattr", "import_module", "popen",
    "system", NULL};
static const char *const modules[] = {"os", "sys", "subprocess", "builtins",
    "importlib", "shutil", "socket", "pty", "posix", "ctypes", NULL};

/* What Jinja, Flask and HF bring, and whose attributes nobody needs. */
static const char *const objects[] = {"cycler", "joiner", "lipsum",
    "namespace", "self", "request", "config", "url_for", "session", "g",
    "get_flashed_messages", "range", "dict", "raise_exception",
    "strftime_now", "undefined", NULL};

/* Names of Python's own that stand in no honest string by themselves. */
static const char *const dunders[] = {"__class__", "__globals__",
    "__subclasses__", "__mro__", "__bases__", "__base__", "__builtins__",
    "__import__", "__getattribute__", "__getattr__", "__init__", "__dict__",
    "__code__", "__reduce__", "__reduce_ex__", "__getitem__", "__call__",
    "__self__", "__func__", "__loader__", "__spec__", "__closure__",
    "__enter__", "__new__", "__wrapped__", NULL};

static void
tell(struct jinja *j, enum anomaly id, const uint8_t *p, size_t n, size_t at,
    bool made)
{
	const struct fact facts[] = {FACT_TEXT("name", p != NULL ?
	    (const void *)p : "", n < 256 ? n : 256),
	    FACT_TEXT("how", made ? "computed" : "written",
	    made ? 8 : 7)};

	jinja_tell(j, id, at, facts, 2);
}

static bool
is_dunder(const uint8_t *p, size_t n)
{
	return n > 4 && ((p[0] == '_' && p[1] == '_') ||
	    memmem(p, n, "___", 3) != NULL ||
	    memmem(p, n, "__context", 9) != NULL);
}

void
jname_bare(struct jinja *j, const struct jtok *name, bool called,
    bool dotted)
{
	const uint8_t *p = name->p;
	const size_t n = name->n;

	if (is_dunder(p, n) && p[n - 1] == '_') {
		tell(j, ANOMALY_JINJA_ESCAPE, p, n, name->at, false);
		return;
	}
	if (jvar_find(j, p, n, false) != NULL)
		return;
	if ((called && jinja_one_of(p, n, bare_calls)) ||
	    (dotted && j->chat && jinja_one_of(p, n, modules)))
		tell(j, ANOMALY_JINJA_ESCAPE, p, n, name->at, false);
	else if (dotted && j->chat && jinja_one_of(p, n, objects))
		tell(j, ANOMALY_JINJA_OBJECT, p, n, name->at, false);
}

/* A path of names: "content", or "a.__class__" in map(attribute=...). */
static bool
path_leads_out(const uint8_t *p, size_t n, size_t *from, size_t *len)
{
	size_t start = 0;

	for (size_t i = 0; i <= n; i++) {
		if (i < n && p[i] != '.')
			continue;
		if (is_dunder(p + start, i - start) ||
		    jinja_one_of(p + start, i - start, leads_out)) {
			*from = start;
			*len = i - start;
			return true;
		}
		start = i + 1;
	}
	return false;
}

/* An attribute by a name that only rendering knows. */
static void
unknown_name(struct jinja *j, const struct jval *name, enum jname_use use,
    const struct jval *on)
{
	const bool bare = on != NULL && (on->kind == JV_STR ||
	    ((on->kind == JV_LIST || on->kind == JV_DICT) && on->count == 0));

	if (use == JN_FILTER || (use == JN_SUBSCRIPT && bare &&
	    name->kind == JV_UNKNOWN && on->n < 2))
		tell(j, ANOMALY_JINJA_COMPUTED, name->name,
		    name->name != NULL ? name->name_len : 0, name->at, true);
}

void
jname_used(struct jinja *j, const struct jval *name, enum jname_use use,
    const struct jval *on)
{
	size_t from, len;

	if (name->kind != JV_STR) {
		unknown_name(j, name, use, on);
		return;
	}
	if (path_leads_out(name->p, name->n, &from, &len)) {
		/* "popen" as the key of a dictionary is its own affair */
		if (use == JN_SUBSCRIPT && !name->made &&
		    !is_dunder(name->p, name->n) && on != NULL &&
		    on->taint != 0)
			return;
		tell(j, ANOMALY_JINJA_ESCAPE, name->p + from, len, name->at,
		    name->made);
	} else if (use == JN_METHOD && jinja_one_of(name->p, name->n,
	    called_out)) {
		tell(j, ANOMALY_JINJA_ESCAPE, name->p, name->n, name->at,
		    name->made);
	} else if (use == JN_FILTER) {
		tell(j, name->made ? ANOMALY_JINJA_COMPUTED :
		    ANOMALY_JINJA_ATTR, name->p, name->n, name->at,
		    name->made);
	}
}

static const char *
find_dunder(const uint8_t *p, size_t n)
{
	for (const char *const *d = dunders; *d != NULL; d++)
		if (memmem(p, n, *d, strlen(*d)) != NULL)
			return *d;
	return NULL;
}

/*
 * A string that is nothing but such a name, or a path of them: prose about
 * Python has blanks.  In a format string the blanks do not matter.
 */
void
jname_string(struct jinja *j, const struct jval *s, bool formatted)
{
	const char *d;

	if (s->kind != JV_STR || s->n < 4)
		return;
	for (size_t i = 0; i < s->n && !formatted; i++)
		if (s->p[i] == ' ' || s->p[i] == '\n')
			return;
	if (memmem(s->p, s->n, "__", 2) != NULL &&
	    (d = find_dunder(s->p, s->n)) != NULL)
		tell(j, ANOMALY_JINJA_ESCAPE, (const uint8_t *)d, strlen(d),
		    s->at, s->made);
	else if (s->made && jinja_one_of(s->p, s->n, leads_out))
		tell(j, ANOMALY_JINJA_ESCAPE, s->p, s->n, s->at, true);
}
