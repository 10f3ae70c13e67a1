#include <string.h>

#include "formats/exe.h"
#include "formats/format.h"
#include "formats/textscan.h"

/*
 * Source text of programs.
 *
 * A first line "#!/..." says so itself (execve(2)).  Without one, prose must
 * not be taken for a program, so Python is known by its grammar (a statement
 * that text does not make, as the first code of the file), the Windows
 * languages by words of theirs at the beginning of lines.  A page that shows
 * code in a fenced block is no program.
 */
#define HEAD 4096
#define LINES 200

/* --- "#!" ---------------------------------------------------------------- */

static bool
is_blank(uint8_t b)
{
	return b == ' ' || b == '\t';
}

static void
skip_blanks(struct cursor *c)
{
	uint8_t b;

	while (cursor_peek(c, 0, &b) && is_blank(b))
		if (!cursor_skip(c, 1))
			return;
}

/* The next word of the line, and of a path its last part. */
static bool
next_name(struct cursor *line, struct cursor *name)
{
	struct cursor start;
	size_t n = 0;
	uint8_t b;

	skip_blanks(line);
	start = *line;
	while (cursor_peek(line, 0, &b) && !is_blank(b) && b != '\r') {
		if (b < 0x21 || b > 0x7e || !cursor_skip(line, 1))
			return false;
		n++;
		if (b == '/') {
			start = *line;
			n = 0;
		}
	}
	return n > 0 && cursor_sub(&start, n, name);
}

static bool
starts(const struct cursor *name, const char *word)
{
	return textscan_starts(name, word);
}

/* Digits and dots may follow: python3.11. */
static bool
is_version_of(const struct cursor *name, const char *word)
{
	struct cursor c = *name;
	uint8_t b;

	if (!cursor_match(&c, (const uint8_t *)word, strlen(word)))
		return false;
	while (cursor_u8(&c, &b))
		if ((b < '0' || b > '9') && b != '.')
			return false;
	return true;
}

static const char *
interpreter(const struct cursor *name)
{
	static const struct {
		const char *word, *kind;
	} rows[] = {{"sh", "shell"}, {"bash", "shell"}, {"dash", "shell"},
	    {"ash", "shell"}, {"zsh", "shell"}, {"ksh", "shell"},
	    {"csh", "shell"}, {"tcsh", "shell"}, {"fish", "shell"},
	    {"busybox", "shell"}, {"python", "python"}, {"pypy", "python"},
	    {"perl", "perl"}, {"ruby", "ruby"}, {"node", "javascript"},
	    {"nodejs", "javascript"}, {"deno", "javascript"},
	    {"php", "php"}, {"lua", "lua"}, {"tclsh", "tcl"},
	    {"wish", "tcl"}, {"expect", "tcl"}, {"awk", "awk"},
	    {"gawk", "awk"}, {"sed", "sed"}, {"make", "make"},
	    {"pwsh", "powershell"}, {"Rscript", "r"},
	    {"osascript", "applescript"}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_version_of(name, rows[i].word))
			return rows[i].kind;
	return NULL;
}

static size_t
at_shebang(struct cursor c, const char **kind)
{
	struct cursor head, line, name, word;
	const char *found;
	uint8_t b;

	/* The kernel reads 256 bytes of it. */
	if (!cursor_match(&c, (const uint8_t *)"#!", 2) || !cursor_sub(&c,
	    cursor_left(&c) < 254 ? cursor_left(&c) : 254, &head) ||
	    !textscan_line(&head, &line))
		return 0;
	skip_blanks(&line);
	if (!cursor_peek(&line, 0, &b) || b != '/' ||
	    !next_name(&line, &name))
		return 0;
	found = interpreter(&name);
	/* env: options and settings stand before the name. */
	while (found == NULL && is_version_of(&name, "env") &&
	    next_name(&line, &word))
		found = interpreter(&word);
	*kind = found != NULL ? found : "script";
	return found != NULL ? 48 : 32;
}

/* --- Python ------------------------------------------------------------- */

static bool
is_name_byte(uint8_t b, bool first)
{
	return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') ||
	    b == '_' || b >= 0x80 || (!first && b >= '0' && b <= '9');
}

/* A dotted name; blanks behind it are passed. */
static bool
dotted(struct cursor *c)
{
	bool first = true;
	uint8_t b;

	while (cursor_peek(c, 0, &b) && (is_name_byte(b, first) ||
	    b == '.')) {
		first = b == '.';
		if (!cursor_skip(c, 1))
			return false;
	}
	skip_blanks(c);
	return !first;
}

static bool
word(struct cursor *c, const char *w)
{
	struct cursor d = *c;
	uint8_t b;

	if (!cursor_match(&d, (const uint8_t *)w, strlen(w)) ||
	    (cursor_peek(&d, 0, &b) && !is_blank(b)))
		return false;
	*c = d;
	skip_blanks(c);
	return true;
}

/* Only a comment, a ';' or nothing may follow a statement. */
static bool
statement_ends(struct cursor *c, bool *more)
{
	uint8_t b;

	*more = false;
	if (!cursor_peek(c, 0, &b) || b == '\r' || b == '#')
		return true;
	*more = b == ';';
	return b == ';';
}

/* import a.b as c, d */
static unsigned
import_weight(struct cursor c)
{
	uint8_t b;
	bool more;

	do {
		skip_blanks(&c);
		if (!dotted(&c) || (word(&c, "as") && !dotted(&c)))
			return 0;
		if (!cursor_peek(&c, 0, &b))
			b = 0;
	} while (b == ',' && cursor_skip(&c, 1));
	return !statement_ends(&c, &more) ? 0 : more ? 3 : 2;
}

/* from .a import b: what is imported may go over many lines */
static unsigned
from_weight(struct cursor c)
{
	uint8_t b;

	while (cursor_peek(&c, 0, &b) && b == '.')
		if (!cursor_skip(&c, 1))
			return 0;
	skip_blanks(&c);
	if (!word(&c, "import") && (!dotted(&c) || !word(&c, "import")))
		return 0;
	return cursor_peek(&c, 0, &b) && (b == '(' || b == '*' ||
	    is_name_byte(b, true)) ? 3 : 0;
}

/* def f(...), class C(...): the line, or a later one, ends with ':'. */
static unsigned
def_weight(struct cursor c, bool class)
{
	uint8_t b;

	if (!dotted(&c) || !cursor_peek(&c, 0, &b))
		return 0;
	return b == '(' || (class && b == ':') ? 3 : 0;
}

static unsigned
python_weight(struct cursor line)
{
	if (word(&line, "async"))
		return word(&line, "def") ? def_weight(line, false) : 0;
	if (word(&line, "import"))
		return import_weight(line);
	if (word(&line, "from"))
		return from_weight(line);
	if (word(&line, "def"))
		return def_weight(line, false);
	if (word(&line, "class"))
		return def_weight(line, true);
	if (starts(&line, "if __name__ == "))
		return 4;
	if (starts(&line, "exec(") || starts(&line, "eval("))
		return 3;
	return 0;
}

/* Past a string of three quotes that opens here; the cursor stands on it. */
static bool
skip_docstring(struct cursor *c)
{
	static const char *const quotes[] = {"\"\"\"", "'''"};
	struct cursor d = *c;
	uint8_t b;

	for (unsigned i = 0; i < 2; i++) {
		if (!cursor_match(&d, (const uint8_t *)quotes[i], 3))
			continue;
		while (!cursor_match(&d, (const uint8_t *)quotes[i], 3))
			if (!cursor_u8(&d, &b))
				return false;
		*c = d;
		return true;
	}
	return false;
}

/*
 * The first code decides: comments and a docstring may stand before it.  One
 * "import x" is two lines of English in some text: it needs another line.
 */
static bool
is_python(struct cursor c)
{
	unsigned weight = 0, w;
	struct cursor line;

	(void)cursor_match(&c, (const uint8_t *)"\xef\xbb\xbf", 3);
	for (unsigned i = 0; i < LINES && weight < 3; i++) {
		if (weight == 0 && skip_docstring(&c))
			continue;
		if (!textscan_line(&c, &line))
			break;
		if (cursor_at_end(&line) || starts(&line, "#") ||
		    starts(&line, "\r") || starts(&line, "@"))
			continue;
		w = python_weight(line);
		if (weight == 0 && w == 0)
			return false;
		weight += w;
	}
	return weight >= 3;
}

/* --- languages of Windows ----------------------------------------------- */

static bool
match_folded(struct cursor c, const char *lower)
{
	uint8_t b;

	for (; *lower != '\0'; lower++) {
		if (!cursor_u8(&c, &b))
			return false;
		if (b >= 'A' && b <= 'Z')
			b = (uint8_t)(b - 'A' + 'a');
		if (b != (uint8_t)*lower)
			return false;
	}
	return true;
}

static bool
is_batch(struct cursor c)
{
	(void)cursor_match(&c, (const uint8_t *)"\xef\xbb\xbf", 3);
	return match_folded(c, "@echo off");
}

/* How many different ones of the words begin a line? */
static unsigned
count_words(struct cursor c, const char *const *words)
{
	struct cursor line;
	unsigned seen = 0, n = 0;

	for (unsigned i = 0; i < LINES && textscan_line(&c, &line); i++) {
		if (starts(&line, "```"))
			return 0;	/* a page that shows code */
		skip_blanks(&line);
		for (unsigned k = 0; words[k] != NULL; k++)
			if (match_folded(line, words[k]))
				seen |= 1U << k;
	}
	for (; seen != 0; seen &= seen - 1)
		n++;
	return n;
}

static bool
is_powershell(const struct cursor *c)
{
	static const char *const words[] = {"$erroractionpreference",
	    "write-host ", "write-output ", "invoke-webrequest ",
	    "invoke-expression ", "iex ", "iex(", "set-strictmode ",
	    "[cmdletbinding(", "start-process ", "new-item ",
	    "set-executionpolicy ", "remove-item ", "import-module ",
	    "$client = new-object ", "$wc = new-object ", "add-type ",
	    "param(", "param (", "[system.", "[net.", NULL};

	return count_words(*c, words) >= 2;
}

static bool
is_vbscript(const struct cursor *c)
{
	static const char *const words[] = {"on error resume next",
	    "option explicit", "dim ", "wscript.", "createobject(",
	    "set objshell = createobject(", "set shell = createobject(",
	    "set wshshell = ", "set fso = createobject(",
	    "set objshell = wscript.createobject(", "sub autoopen(",
	    "end sub", "objshell.run ", "shell.run ", "wshshell.run ", NULL};
	static const char *const own[] = {"wscript.", "createobject(",
	    "set objshell = ", "set shell = createobject(",
	    "set wshshell = ", "set fso = createobject(", NULL};

	return count_words(*c, words) >= 2 && count_words(*c, own) >= 1;
}

size_t
exe_script(struct cursor c, uint64_t left, const char **kind)
{
	struct cursor head;
	size_t bits, n = cursor_left(&c) < HEAD ? cursor_left(&c) : HEAD;

	if ((bits = at_shebang(c, kind)) > 0)
		return bits;
	if (!cursor_sub(&c, n, &head) || !textscan_head(head, left))
		return 0;
	if (is_python(head))
		*kind = "python";
	else if (is_batch(head))
		*kind = "batch";
	else if (is_powershell(&head))
		*kind = "powershell";
	else if (is_vbscript(&head))
		*kind = "vbscript";
	else
		return 0;
	return 24;
}

bool
exe_is_text(const char *kind)
{
	static const char *const binary[] = {"elf", "pe", "macho", "class",
	    "wasm", "dex", "pyc"};

	for (size_t i = 0; i < sizeof(binary) / sizeof(binary[0]); i++)
		if (strcmp(kind, binary[i]) == 0)
			return false;
	return true;
}
