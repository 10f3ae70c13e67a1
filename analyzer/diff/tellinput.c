#include <string.h>

#include "analyzer/diff/rows.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tellinput.h"
#include "analyzer/rules.h"
#include "analyzer/srcdigest.h"

static int
check_member(const struct table *t, const struct leaf *leaf,
    const uint8_t sha256[32], const struct rows *rows)
{
	struct finding f = {.id = FINDING_BUNDLE_DIGEST,
	    .severity = finding_info(FINDING_BUNDLE_DIGEST)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	if (!leaf->has_sha256 || memcmp(sha256, leaf->sha256, 32) == 0)
		return 0;
	rule_detail_text(&f, "member", leaf->inner, leaf->inner_len);
	return rows->finding(rows->ctx, t->leaves.side,
	    (struct row_text){leaf->path, leaf->path_len}, &f);
}

static int
tell(const struct table *t, const struct table_input *in,
    const struct rows *rows, bool sha256, struct err *e)
{
	const struct leaf *leaf = in->leaf;
	struct row_input row = {.side = t->leaves.side,
	    .path = {leaf->path, leaf->path_len}, .size = leaf->size,
	    .format = leaf->format, .tensors = in->tensors,
	    .complete = in->complete};
	int r;

	if (sha256 || leaf->has_sha256) {
		if ((r = srcdigest(leaf->src, row.sha256, e)) < 0)
			return r;
		row.has_sha256 = true;
	}
	if ((r = rows->input(rows->ctx, &row)) < 0 || !row.has_sha256)
		return r;
	return check_member(t, leaf, row.sha256, rows);
}

int
tellinput_rows(const struct table *t, const struct rows *rows, bool sha256,
    struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < t->ninputs && r >= 0; i++)
		r = tell(t, &t->inputs[i], rows, sha256, e);
	return r;
}
