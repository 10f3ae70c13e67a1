#include <stdbool.h>
#include <string.h>

#include "analyzer/policy.h"

/*
 * Evidence in the arguments of a call.
 *
 * The argument list comes rendered (formats/pickle_render.c): globals as
 * bare dotted names, text and bytes as quoted literals with backslash
 * escapes.  One walk tells literals from bare names and asks of each what it
 * looks like.  Kinds are ranked; the most telling one found is returned.
 */
enum kind {
	KIND_NONE,
	KIND_PATH,
	KIND_HOST_PORT,
	KIND_CODE,
	KIND_URL,
	KIND_SHELL,
	KIND_DENIED,
	KIND_CALLABLE,
};

static const char *const kind_names[] = {NULL, "path", "host-port", "code",
    "url", "shell-text", "denied-name", "dangerous-callable"};

static bool
holds(const char *p, size_t n, const char *word)
{
	size_t m = strlen(word);

	return m <= n && memmem(p, n, word, m) != NULL;
}

static bool
holds_any(const char *p, size_t n, const char *const *words)
{
	for (; *words != NULL; words++)
		if (holds(p, n, *words))
			return true;
	return false;
}

static const char *const shell_words[] = {"/bin/sh", "/bin/bash", "bash -",
    "sh -c", "| sh", "|sh", "| bash", "|bash", "curl ", "wget ", "nc -",
    "ncat ", "powershell", "cmd.exe", "cmd /c", "chmod ", "chown ", "rm -r",
    "mkfifo ", "python -c", "python3 -c", "perl -e", "base64 -d", "/dev/tcp",
    "crontab", "nohup ", "$(", "&& ", "; /", "> /", NULL};
static const char *const url_words[] = {"http://", "https://", "ftp://",
    "file://", "ldap://", "s3://", "ssh://", NULL};
static const char *const code_words[] = {"import ", "__import__", "exec(",
    "eval(", "compile(", "lambda ", "__class__", "__globals__",
    "__builtins__", "__subclasses__", "os.system", "subprocess", "getattr(",
    "def ", "open(", NULL};
static const char *const denied_modules[] = {"os", "posix", "nt", "subprocess",
    "sys", "pty", "socket", "ctypes", "builtins", "__builtin__", "shutil",
    "importlib", "marshal", "runpy", "pickle", "eval", "exec", "system",
    "popen", "__import__", NULL};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* name:port or a dotted quad somewhere in the literal. */
static bool
host_port(const char *p, size_t n)
{
	unsigned dots = 0, digits = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_digit(p[i])) {
			if (++digits > 3)
				dots = 0;
		} else if (p[i] == '.' && digits >= 1 && digits <= 3) {
			dots++;
			digits = 0;
		} else {
			if (dots == 3 && digits >= 1 && digits <= 3)
				return true;
			dots = digits = 0;
		}
	}
	return dots == 3 && digits >= 1 && digits <= 3;
}

static bool
path_like(const char *p, size_t n)
{
	if (n < 3)
		return false;
	if (holds(p, n, "../") || (p[0] == '~' && p[1] == '/'))
		return true;
	if (p[0] == '/' && memchr(p + 1, '/', n - 1) != NULL)
		return true;
	return p[1] == ':' && p[2] == '\\';
}

static enum kind
judge_literal(const char *p, size_t n)
{
	const struct policy_row *row;

	for (const char *const *m = denied_modules; *m != NULL; m++)
		if (strlen(*m) == n && memcmp(*m, p, n) == 0)
			return KIND_DENIED;
	if (memchr(p, '.', n) != NULL && (row = policy_judge(p, n)) != NULL &&
	    row->cls == POLICY_DANGEROUS)
		return KIND_DENIED;
	if (holds_any(p, n, shell_words))
		return KIND_SHELL;
	if (holds_any(p, n, url_words))
		return KIND_URL;
	if (holds_any(p, n, code_words))
		return KIND_CODE;
	if (host_port(p, n))
		return KIND_HOST_PORT;
	return path_like(p, n) ? KIND_PATH : KIND_NONE;
}

static enum kind
judge_name(const char *p, size_t n)
{
	const struct policy_row *row = policy_judge(p, n);

	return row != NULL && row->cls == POLICY_DANGEROUS ? KIND_CALLABLE :
	    KIND_NONE;
}

static bool
name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    c == '.' || is_digit(c);
}

/* The end of the literal whose opening quote is p[i]. */
static size_t
literal_end(const char *p, size_t n, size_t i)
{
	char quote = p[i];

	for (i++; i < n && p[i] != quote; i++)
		if (p[i] == '\\')
			i++;
	return i < n ? i : n;
}

/* A token of an argument list: a literal's content, or a bare name. */
struct token {
	const char *p;
	size_t n;
	bool literal;
};

static bool
next_token(const char *args, size_t n, size_t *at, struct token *ret)
{
	size_t i = *at, end;

	for (; i < n; i++) {
		if (args[i] == '\'' || args[i] == '"') {
			end = literal_end(args, n, i);
			*ret = (struct token){args + i + 1, end - i - 1, true};
			*at = end + 1;
			return true;
		}
		if (name_byte(args[i])) {
			for (end = i; end < n && name_byte(args[end]); end++)
				;
			*ret = (struct token){args + i, end - i, false};
			*at = end;
			return true;
		}
	}
	return false;
}

/* A global, or a module, does not begin as a number does. */
static bool
is_name(const struct token *t)
{
	return !t->literal && !is_digit(t->p[0]) && t->p[0] != '.';
}

/* A global has a dot. */
static bool
is_global(const struct token *t)
{
	return is_name(t) && memchr(t->p, '.', t->n) != NULL;
}

const char *
policy_evidence(const char *args, size_t n)
{
	enum kind best = KIND_NONE, k;
	struct token t;
	size_t at = 0;

	while (next_token(args, n, &at, &t)) {
		k = t.literal ? judge_literal(t.p, t.n) :
		    is_name(&t) ? judge_name(t.p, t.n) : KIND_NONE;
		if (k > best)
			best = k;
	}
	return kind_names[best];
}

const char *
policy_handed_on(const char *args, size_t args_n, size_t *n)
{
	struct token t;
	size_t at = 0;

	while (next_token(args, args_n, &at, &t))
		if (is_name(&t) && judge_name(t.p, t.n) == KIND_CALLABLE) {
			*n = t.n;
			return t.p;
		}
	return NULL;
}

bool
policy_names_allowed(const char *args, size_t n)
{
	const struct policy_row *row;
	struct token t;
	size_t at = 0;

	while (next_token(args, n, &at, &t)) {
		if (!is_global(&t))
			continue;
		row = policy_judge(t.p, t.n);
		if (row == NULL || row->cls == POLICY_DANGEROUS)
			return false;
	}
	return true;
}
