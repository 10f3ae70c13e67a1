#include <string.h>

#include "analyzer/html.h"
#include "base/buf.h"
#include "base/text.h"

void
html_open(struct buf *b, const char *tag, const char *cls)
{
	if (cls != NULL)
		buf_printf(b, "<%s class=\"%s\">", tag, cls);
	else
		buf_printf(b, "<%s>", tag);
}

void
html_close(struct buf *b, const char *tag)
{
	buf_printf(b, "</%s>\n", tag);
}

/* The five characters that mean something in text and attributes. */
static void
put_escaped(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		switch (p[i]) {
		case '&':
			buf_puts(b, "&amp;");
			break;
		case '<':
			buf_puts(b, "&lt;");
			break;
		case '>':
			buf_puts(b, "&gt;");
			break;
		case '"':
			buf_puts(b, "&quot;");
			break;
		case '\'':
			buf_puts(b, "&#39;");
			break;
		default:
			buf_putc(b, p[i]);
		}
	}
}

void
html_text(struct buf *b, const void *p, size_t n)
{
	char piece[1024];
	const uint8_t *s = p;
	size_t used, len;

	while (n > 0) {
		len = text_printable(piece, sizeof(piece), s, n, TEXT_PLAIN,
		    &used);
		put_escaped(b, piece, len);
		s += used;
		n -= used;
	}
}

void
html_str(struct buf *b, const char *s)
{
	html_text(b, s, strlen(s));
}

/*
 * Results went through text_printable once: a backslash in them begins an
 * escape of ours and stays.  Everything else must still be printable, since
 * the file could have been edited: pieces between backslashes pass through
 * html_text.
 */
void
html_shown(struct buf *b, const char *s, size_t n)
{
	const char *slash;

	while (n > 0) {
		slash = memchr(s, '\\', n);
		html_text(b, s, slash != NULL ? (size_t)(slash - s) : n);
		if (slash == NULL)
			return;
		buf_putc(b, '\\');
		n -= (size_t)(slash - s) + 1;
		s = slash + 1;
	}
}

void
html_el(struct buf *b, const char *tag, const char *cls, const char *s)
{
	html_open(b, tag, cls);
	html_shown(b, s, strlen(s));
	html_close(b, tag);
}

void
html_cell_u64(struct buf *b, uint64_t v)
{
	html_open(b, "td", "n");
	buf_printf(b, "%llu", (unsigned long long)v);
	html_close(b, "td");
}

/* Letters of base64 and nothing else, the padding where it belongs. */
static bool
is_png(const char *p, size_t n)
{
	static const char begins[] = "iVBORw0KGgo";

	if (n == 0 || n > HTML_PICTURE_MAX || n % 4 != 0 ||
	    n < sizeof(begins) || memcmp(p, begins, sizeof(begins) - 1) != 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c >= '0' && c <= '9') || c == '+' || c == '/')
			continue;
		if (c != '=' || i + 2 < n || (i + 2 == n && p[n - 1] != '='))
			return false;
	}
	return true;
}

bool
html_picture(struct buf *b, const char *png, size_t n, uint64_t width,
    uint64_t height, unsigned shown, const char *alt)
{
	uint64_t most = width > height ? width : height;

	if (!is_png(png, n) || width == 0 || height == 0 || most > 4096)
		return false;
	buf_printf(b, "<img class=\"p\" width=\"%llu\" height=\"%llu\" alt=\"",
	    (unsigned long long)((width * shown + most - 1) / most),
	    (unsigned long long)((height * shown + most - 1) / most));
	html_str(b, alt);
	buf_puts(b, "\" src=\"data:image/png;base64,");
	buf_put(b, png, n);
	buf_puts(b, "\">\n");
	return true;
}
