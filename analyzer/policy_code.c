#include <stdbool.h>
#include <string.h>

#include "analyzer/policy.h"

/*
 * What a code object names.  co_names has each global, attribute and module
 * as one literal ('os', 'system', 'urllib.request'): components are compared
 * with two lists, of names that hardly anything else has, and of names that
 * harmless code has too ("eval" is a method of every torch module, "compile"
 * one of re).
 */
static const char *const sure[] = {"subprocess", "_posixsubprocess", "pty",
    "system", "popen", "popen2", "popen3", "popen4", "Popen", "check_call",
    "check_output", "getoutput", "getstatusoutput", "posix_spawn",
    "posix_spawnp", "create_subprocess_exec", "create_subprocess_shell",
    "fork", "forkpty", "startfile", "ShellExecute", "execl", "execle",
    "execlp", "execlpe", "execv", "execve", "execvp", "execvpe", "spawnl",
    "spawnle", "spawnlp", "spawnlpe", "spawnv", "spawnve", "spawnvp",
    "spawnvpe", "fork_exec", "exec", "execfile", "__import__",
    "import_module", "exec_module", "load_module", "run_path", "run_module",
    "runpy", "runcode", "runsource", "ctypes", "CDLL", "WinDLL", "dlopen",
    "LoadLibrary", "marshal", "FunctionType", "CodeType", "LambdaType",
    "__subclasses__", "__globals__", "__builtins__", "socket", "_socket",
    "socketserver", "create_connection", "urlopen", "urlretrieve", "urllib2",
    "httplib", "HTTPConnection", "HTTPSConnection", "requests", "httpx",
    "aiohttp", "ftplib", "smtplib", "telnetlib", "paramiko", "rmtree",
    "addaudithook", "settrace", "setprofile", "winreg", "_winreg", NULL};
static const char *const weak[] = {"eval", "compile", "loads", "urllib",
    "http", "pickle", "remove", "unlink", "putenv", "kill", "chmod",
    "connect", "sendall", "dup2", "run", "call", "b64decode", NULL};
/* What runs text: for all others, text about code is documentation. */
static const char *const runners[] = {"exec", "execfile", "eval", "compile",
    "runcode", "runsource", "FunctionType", "CodeType", "marshal", NULL};
/* What of the weak ones says something without any constant. */
static const char *const telling[] = {"eval", "compile", NULL};

static const char *
find(const char *const *words, const char *p, size_t n)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == n && memcmp(*words, p, n) == 0)
			return *words;
	return NULL;
}

/* The first component of any literal that is one of the words. */
static const char *
find_in(const char *const *words, const char *p, size_t n)
{
	const char *hit = NULL;
	size_t from = 0;

	for (size_t i = 0; i <= n && hit == NULL; i++) {
		if (i < n && p[i] != '\'' && p[i] != '.' && p[i] != '\\')
			continue;
		hit = find(words, p + from, i - from);
		from = i + 1;
	}
	return hit;
}

static bool
is_one(const char *evidence, const char *const *kinds)
{
	return evidence != NULL && find(kinds, evidence, strlen(evidence)) !=
	    NULL;
}

void
policy_code(const char *names, size_t names_n, const char *constants,
    size_t constants_n, struct policy_code *ret)
{
	/* Text about code and addresses stands in documentation too. */
	static const char *const grave[] = {"shell-text", "denied-name", NULL};
	static const char *const any[] = {"shell-text", "denied-name", "url",
	    "host-port", NULL};
	static const char *const code[] = {"code", NULL};
	const char *word = find_in(sure, names, names_n);

	ret->evidence = policy_evidence(constants, constants_n);
	ret->sure = word != NULL;
	if (word == NULL)
		word = find_in(telling, names, names_n);
	if (word == NULL && is_one(ret->evidence, any))
		word = find_in(weak, names, names_n);
	ret->sink = word;
	if (ret->sure)
		ret->severity = is_one(ret->evidence, any) ||
		    (is_one(ret->evidence, code) && find_in(runners, names,
		    names_n) != NULL) ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	else if (word != NULL)
		ret->severity = is_one(ret->evidence, grave) ?
		    SEVERITY_MEDIUM : SEVERITY_LOW;
	else
		ret->severity = is_one(ret->evidence, grave) ? SEVERITY_LOW :
		    SEVERITY_INFO;
}
