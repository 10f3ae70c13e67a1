#include <string.h>

#include "analyzer/diff/session_parts.h"
#include "analyzer/diff/tokenrows.h"

/*
 * Triggers of one model without another to compare with.
 *
 * No verdict is possible there, and that is measured, not modesty: the same
 * attacks that a pair names first in 95 of 100 are near chance in weights
 * alone (area under the curve 0.42 to 0.59).  So nothing is read; each
 * detector says why it does not apply.
 */
static const struct {
	const char *method, *reason;
} others[] = {
	{"head-rows", "no older version to compare with: rows of a "
	    "classifier's head give no verdict alone; the base model (--base) "
	    "would give leads"},
	{"edit-reading", "no older version to compare with: an edit is "
	    "read out of what changed; the base model (--base) would show it"},
};

int
session_alone(struct session *s)
{
	struct session_events ev;
	struct basis none;
	int r;

	session_events(s, &ev);
	if ((r = tokenrows_lack(TOKENROWS_NO_BASE, &ev.rows)) < 0)
		return r;
	basis_init(&none);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && r >= 0;
	    i++) {
		const struct row_detector d = {.method = others[i].method,
		    .reason = others[i].reason, .evidence = &none};

		r = ev.rows.detector(ev.rows.ctx, &d);
	}
	basis_release(&none);
	return r < 0 ? r : session_skip(s, "the model's own bytes",
	    "weights alone give no verdict; --base compares them");
}
