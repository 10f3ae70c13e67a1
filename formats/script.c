#include <string.h>

#include "base/bytesrc.h"
#include "formats/exe.h"
#include "formats/textscan.h"

/*
 * A program's source text, by its first line or its grammar (exe.h): text
 * with a note that it can be run.
 */
static unsigned
script_bid(struct cursor head, uint64_t size)
{
	const char *kind;

	return textscan_head(head, size) ?
	    (unsigned)exe_script(head, size, &kind) : 0;
}

static int
script_parse(struct parse *p)
{
	static uint8_t head[FORMAT_HEAD];
	const char *kind = "script";
	struct fact f[1];
	struct cursor c;
	int r;

	if ((r = format_head(p, head, sizeof(head), &c)) < 0)
		return r;
	(void)exe_script(c, p->size, &kind);
	f[0] = (struct fact)FACT_TEXT("kind", kind, strlen(kind));
	if ((r = format_anomaly(p, ANOMALY_EXE_SCRIPT, 0, 0, f, 1)) < 0)
		return r;
	return textscan_run(p);
}

const struct format format_script = {
    .name = "script",
    .kind = FORMAT_DATA,
    .bid = script_bid,
    .parse = script_parse,
};
